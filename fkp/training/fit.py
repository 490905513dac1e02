"""Training: faces and a fresh model in, the best model and its history out.

A training with a folder is resumable, see `fkp.training.checkpoints`.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from fkp.data.faces import Faces
from fkp.measure import errors
from fkp.models.contract import regresses, start_at
from fkp.models.predict import predict
from fkp.record.files import named
from fkp.training.checkpoints import Checkpoints, about
from fkp.training.losses import RMSE, objective
from fkp.training.norm import fused_batch_norm
from fkp.training.optimizers import OPTIMIZERS, SCHEDULES


def batches(
    faces: Faces,
    epoch: int,
    *,
    epoch_size: int,
    batch_size: int,
    seed: int,
    augment: Callable | None = None,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The batches of one epoch, a function of (seed, epoch) alone.

    Epochs walk through consecutive shuffles of all rows, so an `epoch_size` below or above the
    number of rows still visits every row equally often.

    Yields:
        (images uint8 (b, h, w, c), points float32 (b, k, 2)).
    """
    n = len(faces)
    first = epoch * epoch_size
    shuffles = [
        np.random.default_rng([seed, lap]).permutation(n)
        for lap in range(first // n, (first + epoch_size - 1) // n + 1)
    ]
    start = first % n
    rows = np.concatenate(shuffles)[start : start + epoch_size]
    for batch in range(0, epoch_size, batch_size):
        chosen = rows[batch : batch + batch_size]
        images, points = faces.images[chosen], faces.points[chosen]
        if augment is not None:
            images, points = augment(images, points, np.random.default_rng([seed, epoch, batch]))
        yield images, points


def _train_epoch(network, stream, bar):
    """One pass over the batches; returns the mean loss and the RMSE in px."""
    network.reset_metrics()
    for images, points in stream:
        truth = [points] * len(network.outputs) if len(network.outputs) > 1 else points
        found = network.train_on_batch(images, truth, return_dict=True)
        bar.update()
    loss = float(found["loss"])
    if not np.isfinite(loss):
        raise ValueError(f"the loss is {loss}; a lower learning_rate may help")
    return loss, float(next(value for name, value in found.items() if name.endswith("rmse")))


def _build(network, faces):
    """Make what Keras would make in the first update, which it would then trace twice."""
    network.optimizer.build(network.trainable_variables)
    points = [faces.points[:1]] * len(network.outputs)
    truth = points if len(points) > 1 else points[0]
    found = network(faces.images[:1])
    network.compute_loss(None, truth, found)
    network.compute_metrics(None, truth, found)


@contextmanager
def _averaged(network):
    """The network with the moving average of its weights, if its optimizer keeps one."""
    if not network.optimizer.use_ema:
        yield
        return
    weights = network.trainable_variables
    before = [keras.ops.convert_to_numpy(weight) for weight in weights]
    network.optimizer.finalize_variable_values(weights)
    try:
        yield
    finally:
        for weight, value in zip(weights, before, strict=True):
            weight.assign(value)


def fit(
    model: keras.Model,
    train: Faces,
    validation: Faces,
    *,
    epochs: int = 30,
    epoch_size: int | None = None,
    batch_size: int = 64,
    learning_rate: float = 1e-3,
    loss: str = "mse",
    optimizer: str = "adam",
    schedule: str = "cosine",
    weight_decay: float = 0.0,
    average: float = 0.0,
    calm: float = 0.0,
    patience: int | None = None,
    seed: int = 0,
    augment: Callable | None = None,
    marks: Sequence[int] = (),
    score: Callable[[keras.Model], dict] | None = None,
    folder: str | Path | None = None,
    progress: bool = True,
) -> tuple[keras.Model, list[dict]]:
    """Train on labelled points and keep the epoch of the lowest validation RMSE.

    Args:
        model: pixels -> points, as `fkp.models.build` makes it.
        train: Faces; NaN points are skipped by the loss.
        validation: Faces with original labels.
        epochs: number of epochs at most.
        epoch_size: images per epoch; None = one pass over the rows. A fixed number makes
            treatments with different numbers of rows equal in computation.
        batch_size: images per update.
        learning_rate: peak learning rate.
        loss: as for `fkp.training.losses.objective`.
        optimizer, schedule: keys of `OPTIMIZERS` and `SCHEDULES` in `fkp.training.optimizers`.
        weight_decay: decoupled from the gradient, with either optimizer.
        average: score and return a moving average of the weights whose memory is that share of all
            updates, such as 0.05; 0 = the weights as they are.
        calm: share of the epochs, at the end, in which the batches go through `augment.calmed()`.
        patience: stop after so many epochs without a better validation RMSE; None = never.
        seed: order of the rows and the augmentation.
        augment: callable (images, points, rng) -> (images, points), applied to each batch.
        marks: numbers of images seen; at the end of the epoch that reaches one, `score` is asked
            about the best model so far.
        score: model -> JSON-ready dict; it chooses nothing. Needed with `marks`.
        folder: where checkpoints live. Where they are of the same faces, model and arguments, an
            interrupted training goes on and a finished one is not repeated; others are removed.
        progress: show a progress bar.

    Returns:
        (the best model, history): a list with one dict per epoch: epoch, loss (mean over the
        epoch; px^2 for "mse"), train_rmse, validation_rmse (px), learning_rate, seconds; where a
        mark was reached also seen (images) and scores (what `score` gave).

    Raises:
        ValueError: no rows, an unknown loss, optimizer or schedule, `calm` without an augmentation
            that can be calmed, or a loss that is not finite.
    """
    if calm and not hasattr(augment, "calmed"):
        raise ValueError(f"calm: expected an augmentation that can be calmed, got {augment!r}")
    if not len(train) or not len(validation):
        raise ValueError(f"cannot train on {len(train)} rows with {len(validation)} to validate")
    epoch_size = epoch_size or len(train)
    steps = -(-epoch_size // batch_size)
    rate = named(SCHEDULES, "schedule", schedule)(learning_rate, epochs * steps)
    update = named(OPTIMIZERS, "optimizer", optimizer)(
        rate,
        weight_decay=weight_decay or None,
        use_ema=average > 0,
        ema_momentum=1 - 1 / max(1.0, average * epochs * steps),
    )
    network, penalties = objective(model, loss)
    arguments = {
        "epochs": epochs,
        "epoch_size": epoch_size,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "loss": loss,
        "optimizer": optimizer,
        "schedule": schedule,
        "weight_decay": weight_decay,
        "average": average,
        "calm": calm,
        "patience": patience,
        "seed": seed,
    }
    if marks:
        arguments["marks"] = [*marks]
    log = Checkpoints(folder, about(model, train, validation, augment, arguments))
    resumed = log.resume(steps)
    stream = partial(batches, train, epoch_size=epoch_size, batch_size=batch_size, seed=seed)
    if resumed is None:
        if regresses(model):
            points = train.points
            if train.images.shape[1:] != validation.images.shape[1:]:  # cut by the augmentation
                points = np.concatenate([points for _, points in stream(0, augment=augment)])
            never = np.isnan(points).all(axis=0)
            h, w, _ = model.input_shape[1:]
            middle = [(w - 1) / 2, (h - 1) / 2]  # for points that no row has
            start_at(model, np.nanmean(np.where(never, middle, points), axis=0))
        metrics = [[RMSE("rmse")], *[[] for _ in penalties[1:]]]
        network.compile(update, penalties, metrics=metrics, jit_compile=False)
    else:
        network, model = resumed, resumed
        if len(penalties) > 1:
            model = keras.Model(network.inputs, network.outputs[0], name=network.name)
    _build(network, validation)
    done = len(log.history)
    # Not `model.fit`: of a training that is interrupted, its callbacks restore the model and the
    # number of the epoch, but neither the history, the best epoch nor the patience spent.
    options = {"unit": "batch", "mininterval": 1, "disable": not progress}
    bar = tqdm(total=epochs * steps, initial=done * steps, **options)
    with bar, fused_batch_norm():
        for epoch in range(done, epochs):
            if log.stale(patience):
                break
            began = time.perf_counter()
            change = augment.calmed() if calm and epoch >= epochs * (1 - calm) else augment
            mean_loss, rmse = _train_epoch(network, stream(epoch, augment=change), bar)
            with _averaged(network):
                error = errors.rmse(validation.points, predict(model, validation.images))
                row = {
                    "epoch": epoch,
                    "loss": mean_loss,
                    "train_rmse": rmse,
                    "validation_rmse": error,
                    "learning_rate": float(network.optimizer.learning_rate),
                    "seconds": time.perf_counter() - began,
                }
                log.add(model, row)
                seen = (epoch + 1) * epoch_size
                if any(seen - epoch_size < mark <= seen for mark in marks):
                    weights = model.get_weights()
                    row |= {"seen": seen, "scores": score(log.best_model(model))}
                    model.set_weights(weights)
            log.keep(network)
            bar.set_postfix(train=rmse, validation=error)
    return log.best_model(model), log.history
