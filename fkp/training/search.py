"""Search for architectures and training rates with keras-tuner (papers A, section 3.8, and B).

keras-tuner proposes (its oracles: RandomSearch, Hyperband, BayesianOptimization); the trials are
trained and scored as every other model here: `fkp.training.fit`, validation RMSE on original
labels.

An interrupted search is replayed: the oracle, seeded, is asked again from the start, and trials
whose result is in `trials.json` are answered from there. So nothing depends on keras-tuner's own
files, which do not keep all random states and are not written whole.
"""

import logging
import tempfile
from collections import deque
from concurrent.futures import Executor
from functools import partial
from itertools import count
from pathlib import Path

import keras
import keras_tuner
import numpy as np
from tqdm import tqdm

from fkp import models
from fkp.data.faces import Faces
from fkp.record.files import named
from fkp.training.fit import fit
from fkp.training.trials import Book


def paper(hp: keras_tuner.HyperParameters) -> dict:
    """The space of the authors' notebook: 96 architectures, two learning rates, on `tuned_cnn`."""
    filters = [hp.Int("filters_1", 64, 96, step=16), hp.Int("filters_2", 32, 48, step=16), 48, 48]
    kernels = [hp.Choice(f"kernel_{i}", [3, 5]) for i in range(1, 5)]
    options = {"filters": filters, "kernels": kernels, "pool_after": [2, 3, 4]}
    options |= {"padding": "valid", "activation": "relu", "dense": 48}
    return {"options": options, "learning_rate": hp.Choice("learning_rate", [1e-2, 1e-3])}


def wide(hp: keras_tuner.HyperParameters) -> dict:
    """Ours: 3 to 6 layers of 16 to 128 filters, a pool after each of the first five.

    The first two layers, which work on the largest maps, stop at 64 and 96 filters.
    """
    depth = hp.Int("depth", 3, 6)
    filters, kernels = [], []
    for i in range(1, 7):
        with hp.conditional_scope("depth", list(range(max(3, i), 7))):
            filters.append(hp.Int(f"filters_{i}", 16, {1: 64, 2: 96}.get(i, 128), step=16))
            kernels.append(hp.Choice(f"kernel_{i}", [3, 5]))
    options = {
        "filters": filters[:depth],
        "kernels": kernels[:depth],
        "pool_after": list(range(1, min(depth, 5) + 1)),
        "padding": "same",
        "activation": "leaky_relu",
        "dense": hp.Int("dense", 32, 256, step=32),
        "dropout": round(hp.Float("dropout", 0, 0.5, step=0.1), 1),
    }
    rate = hp.Float("learning_rate", 3e-4, 1e-2, sampling="log")
    return {"options": options, "learning_rate": rate}


def rates(hp: keras_tuner.HyperParameters) -> dict:
    """Paper B's: learning rate and weight decay, both in log space, for any model."""
    rate = hp.Float("learning_rate", 1e-5, 1e-2, sampling="log")
    decay = hp.Float("weight_decay", 1e-6, 1e-2, sampling="log")
    return {"options": {}, "learning_rate": rate, "weight_decay": decay}


# name -> function of keras_tuner.HyperParameters that returns `options` of the model,
# `learning_rate` and, unless it is 0, `weight_decay`.
SPACES = {"paper": paper, "wide": wide, "rates": rates}
ALGORITHMS = ("random", "hyperband", "bayesian")


def search(
    train: Faces,
    validation: Faces,
    *,
    model: str = "tuned_cnn",
    space: str = "wide",
    algorithm: str = "random",
    trials: int = 10,
    epochs: int = 5,
    epoch_size: int | None = None,
    batch_size: int = 64,
    precision: str = "float32",
    seed: int = 0,
    folder: str | Path | None = None,
    helpers: Executor | None = None,
    at_once: int = 1,
) -> list[dict]:
    """Try architectures and learning rates.

    Every trial starts from the weights and sees the batches that `seed` decides. One that cannot be
    built or diverges is recorded as failed. With Hyperband each rung trains anew for its own
    number of epochs, as the learning rate's schedule spans a training.

    Args:
        validation: Faces with original labels, which decide.
        model: name of the model whose options the space fills.
        space: a key of `SPACES`.
        algorithm: "random", "hyperband" or "bayesian" (a third of the trials, at least three, are
            random first).
        trials: Hyperband's follows from `epochs`.
        epochs: epochs of a trial; for Hyperband those of its longest.
        epoch_size, batch_size: as in `fkp.training.fit.fit`.
        precision: as in `fkp.models.build`.
        seed: decides the tried hyperparameters, weights and batches.
        folder: where trials.json and the running trial's checkpoints live; an interrupted search
            found there goes on, in the middle of a trial if need be.
        helpers: that train the trials, such as `fkp.training.helpers.Helpers`; None: this process.
        at_once: trials that the helpers work at; random search tries the same ones at any number,
            the others propose with fewer results known.

    Returns:
        list of records in the order of the trials, as `trials` describes them; its `best` has
        the `options` and `learning_rate` to train with.

    Raises:
        ValueError: unknown space or algorithm, no rows, or a folder that holds another search.
    """
    if not len(train) or not len(validation):
        raise ValueError(f"cannot search with {len(train)} rows and {len(validation)} to validate")
    oracle = _oracle(algorithm, space, trials, epochs, seed)
    setting = {"batch_size": batch_size, "epoch_size": epoch_size}
    network = {"name": model, "precision": precision, "seed": seed}
    data = [train.fingerprint, validation.fingerprint]
    about = {"space": space, "algorithm": algorithm, "epochs": epochs, "data": data}
    book = Book(folder, about | setting | network)
    run = partial(_run, network, setting, train, validation)
    total = None if algorithm == "hyperband" else trials
    logging.getLogger("tensorflow").addFilter(_no_advice)
    with (
        tempfile.TemporaryDirectory() as scratch,
        tqdm(total=total, unit="trial") as bar,
    ):
        oracle._set_project_dir(scratch, "oracle")  # it insists on writing files of its own
        waiting = deque()

        def settle(trial, record):
            book.add(trial.hyperparameters.values, record())
            _report(oracle, trial, book.records[-1])
            bar.update()
            bar.set_postfix_str(book.best_so_far())

        for number, trial in enumerate(_proposals(oracle, waiting, settle)):
            values = trial.hyperparameters.values
            proposal = SPACES[space](trial.hyperparameters)
            proposal["epochs"] = values.get("tuner/epochs", epochs)
            if known := book.recall(number, values):
                record = partial(dict, known)
            elif helpers is None:
                record = partial(run, proposal, folder=book.scratch(values))
            else:
                record = helpers.submit(run, proposal, folder=None).result
            waiting.append((trial, record))
            # Known results too wait for their turn, or the oracle would propose with more of them.
            if helpers is None or len(waiting) == at_once:
                settle(*waiting.popleft())
    return book.records


def _oracle(algorithm, space, trials, epochs, seed):
    """keras-tuner's oracle of an algorithm, its search space declared and seeded."""
    if algorithm not in ALGORITHMS:
        raise ValueError(f"unknown algorithm {algorithm!r}; known: {', '.join(ALGORITHMS)}")
    hyperparameters = keras_tuner.HyperParameters()
    named(SPACES, "space", space)(hyperparameters)
    common = {
        "objective": keras_tuner.Objective("validation_rmse", "min"),
        "hyperparameters": hyperparameters,
        # The oracle counts upwards from its seed and takes 0 for no seed: seeds have to be far
        # apart, or seed 1 would try what seed 0 does, shifted by one.
        "seed": int(np.random.SeedSequence(seed).generate_state(1)[0]),
        "max_consecutive_failed_trials": 10**9,
    }
    if algorithm == "hyperband":
        oracle = keras_tuner.oracles.HyperbandOracle(max_epochs=epochs, **common)
    elif algorithm == "bayesian":
        oracle = keras_tuner.oracles.BayesianOptimizationOracle(
            max_trials=trials, num_initial_points=max(3, trials // 3), **common
        )
    else:
        oracle = keras_tuner.oracles.RandomSearchOracle(max_trials=trials, **common)
    oracle.verbose = 0
    return oracle


def _no_advice(record):
    """Not TensorFlow's advice on retracing: every trial is another network, to be traced."""
    return "retracing" not in record.getMessage()


def _proposals(oracle, waiting, settle):
    """Trials to run, until the oracle has no more; results that it waits for are settled first."""
    for number in count():
        while (trial := oracle.create_trial(f"fkp{number}")).status != "RUNNING":
            if not waiting:
                return
            settle(*waiting.popleft())
        yield trial


def _report(oracle, trial, record):
    """Tell the oracle how a trial ended."""
    if record["status"] == "completed":
        oracle.update_trial(trial.trial_id, {"validation_rmse": record["validation_rmse"]})
    trial.status = record["status"].upper()
    oracle.end_trial(trial)


def _run(network, setting, train, validation, proposal, folder):
    """Build and train one proposal; returns its record without its number."""
    keras.utils.clear_session()
    record = {"status": "failed", "parameters": None, "validation_rmse": None, "error": ""}
    history = []
    try:
        built = models.build(
            input_shape=train.image_shape,
            n_points=len(train.scheme),
            **network,
            **proposal["options"],
        )
        record["parameters"] = built.count_params()
        _, history = fit(
            built,
            train,
            validation,
            epochs=proposal["epochs"],
            learning_rate=proposal["learning_rate"],
            weight_decay=proposal.get("weight_decay", 0.0),
            seed=network["seed"],
            folder=folder,
            progress=False,
            **setting,
        )
        record["validation_rmse"] = min(row["validation_rmse"] for row in history)
        record["status"] = "completed"
    except ValueError as error:
        record["error"] = str(error)
    seconds = sum(row["seconds"] for row in history)
    return record | proposal | {"seconds": seconds, "history": history}
