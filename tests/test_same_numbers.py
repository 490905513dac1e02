"""The numbers that results rest on: splits, treated rows, training steps, scores.

`fkp accept` runs this file before it takes stale results for true. Where a change of numbers is
meant, write same_numbers.json anew:
`python tests/test_same_numbers.py > tests/same_numbers.json`.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from fkp import models
from fkp.data import copies, readers, split
from fkp.data.schemes import IBUG_68
from fkp.measure.scores import score
from fkp.prepare.treatments import TREATMENTS, treat
from fkp.prepare.warp import Warp, plain
from fkp.training.fit import fit

STORED = Path(__file__).with_name("same_numbers.json")
MODELS = {
    "manual_cnn": {},
    "mobilenet_v2": {"size": 32},
    "resnet18": {"blocks": [1, 1, 1, 1]},
}
TREATED = ("none", "ffill", "knn", "augment", "mask", "knn_augment", "mask_augment")
# Twenty steps change the losses by a thousandth; the number of threads by this much less.
CLOSE = {"manual_cnn": 3e-5, "mobilenet_v2": 1e-4, "resnet18": 3e-5}


def digest(*arrays):
    state = hashlib.blake2b(digest_size=8)
    for array in arrays:
        state.update(f"{array.dtype}{array.shape}".encode())
        state.update(np.ascontiguousarray(array).data)
    return state.hexdigest()


def drawn():
    return copies.group_duplicates(readers.read(n=160, seed=5, regimes=True))


def splits():
    found = split.holdout(drawn(), seed=3)
    return {name: getattr(found, name).tolist() for name in ("train", "validation", "test")}


def treated(name):
    faces = drawn()
    rows = treat(faces.take(split.holdout(faces, seed=3).train), name, seed=1)
    return [len(rows), digest(rows.images), digest(rows.points)]


def losses(name):
    """Loss after each of twenty steps, one step an epoch."""
    faces = drawn()
    parts = split.holdout(faces, seed=3)
    model = models.build(name, faces.image_shape, len(faces.scheme), seed=2, **MODELS[name])
    train, validation = (faces.take(rows) for rows in (parts.train, parts.validation))
    # A low rate: at a high one the last bits of the first step, which differ with the number of
    # threads, are whole percents by the twentieth.
    options = {"epochs": 20, "epoch_size": 16, "batch_size": 16, "seed": 4, "progress": False}
    options["learning_rate"] = 1e-5
    return [row["loss"] for row in fit(model, treat(train, "mask"), validation, **options)[1]]


def recipe():
    """What `small` and `tiny` are trained with: [loss, validation RMSE] after each of twelve steps.

    They lower the loss by two per cent.
    """
    faces = readers.read(n=60, seed=5, size=96, scheme=IBUG_68)
    train, validation = faces.take(range(40)), plain(faces.take(range(40, 60)), 48)
    model = models.build("tiny", (48, 48, 1), 68, seed=2)
    options = {"epochs": 12, "epoch_size": 16, "batch_size": 16, "seed": 4, "progress": False}
    options |= {"loss": "narrow_wing+gaussian", "optimizer": "muon", "schedule": "long_cosine"}
    options |= {"weight_decay": 0.01, "average": 0.2, "calm": 0.4}
    augment = Warp(faces.scheme, side=48)
    return [
        [row["loss"], row["validation_rmse"]]
        for row in fit(model, train, validation, augment=augment, **options)[1]
    ]


def scores():
    faces = drawn()
    predicted = np.where(np.isnan(faces.points), 0, faces.points)
    predicted = predicted + np.random.default_rng(6).normal(0, 2, predicted.shape)
    return score(faces, predicted, seed=7)


@pytest.fixture(scope="module")
def stored():
    return json.loads(STORED.read_text())


def test_splits_are_the_same(stored):
    assert splits() == stored["splits"]


@pytest.mark.parametrize("name", TREATED)
def test_treated_rows_are_the_same(stored, name):
    assert treated(name) == stored["treated"][name]


@pytest.mark.parametrize("name", MODELS)
def test_twenty_training_steps_are_the_same(stored, name):
    np.testing.assert_allclose(losses(name), stored["losses"][name], rtol=CLOSE[name])


def test_twelve_steps_of_our_recipe_are_the_same(stored):
    np.testing.assert_allclose(recipe(), stored["recipe"], rtol=3e-4)


def test_scores_are_the_same(stored):
    # Equal but for the last bits of a sum, whose order is the processor's.
    found = scores()
    assert found.keys() == stored["scores"].keys()
    for name, figure in found.items():
        before = stored["scores"][name]
        assert figure.pop("unit") == before.pop("unit")
        assert figure == pytest.approx(before, rel=1e-12), name


if __name__ == "__main__":
    found = {
        "splits": splits(),
        "treated": {name: treated(name) for name in TREATMENTS},
        "losses": {name: losses(name) for name in MODELS},
        "recipe": recipe(),
        "scores": scores(),
    }
    print(json.dumps(found, indent=1))
