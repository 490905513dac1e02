import json

import numpy as np
import pytest

from fkp import models
from fkp.data.faces import Faces
from fkp.data.schemes import KAGGLE_15
from fkp.measure import errors
from fkp.models.predict import predict
from fkp.training import fit


def dots(n, seed=0, size=16):
    """Faces that a small network can learn: a bright square whose place all 15 points follow."""
    rng = np.random.default_rng(seed)
    corners = rng.integers(2, size - 5, (n, 2))
    images = np.zeros((n, size, size, 1), np.uint8)
    for image, (x, y) in zip(images, corners, strict=True):
        image[y : y + 3, x : x + 3] = 255
    points = np.repeat((corners + 1.0)[:, None], 15, axis=1).astype(np.float32)
    points[: n // 2, 3] = np.nan
    return Faces(images, points, KAGGLE_15, "test")


def small(seed=0):
    return models.build("resnet18", (16, 16, 1), 15, seed=seed, blocks=(1, 1, 0, 0))


def train(folder=None, epochs=3, model=None, **options):
    return fit.fit(
        model or small(),
        dots(64),
        dots(16, seed=1),
        epochs=epochs,
        batch_size=16,
        folder=folder,
        progress=False,
        schedule="constant",
        **options,
    )


def test_training_learns_and_returns_the_best_epoch(tmp_path):
    model, history = train(tmp_path, epochs=12, learning_rate=3e-3)
    validation = dots(16, seed=1)
    best = min(row["validation_rmse"] for row in history)
    assert len(history) == 12 and best < 0.6 * history[0]["validation_rmse"]
    score = errors.rmse(validation.points, predict(model, validation.images))
    assert score == pytest.approx(best, rel=1e-5)


def test_an_interrupted_training_goes_on_as_if_nothing_had_happened(tmp_path):
    whole, history = train(tmp_path / "whole", epochs=4)
    train(tmp_path / "parts", epochs=2)
    resumed, parts = train(tmp_path / "parts", epochs=4, model=small(seed=9))
    for a, b in zip(history, parts, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-3)
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-2, atol=1e-3)


def test_a_finished_training_is_not_repeated(tmp_path):
    _, history = train(tmp_path, epochs=2)
    before = (tmp_path / "last.keras").stat().st_mtime_ns
    _, again = train(tmp_path, epochs=2)
    assert [r["loss"] for r in again] == [r["loss"] for r in history]
    assert (tmp_path / "last.keras").stat().st_mtime_ns == before
    assert json.loads((tmp_path / "progress.json").read_text()) == history


def test_patience_stops_and_a_resumed_run_knows_it(tmp_path):
    _, history = train(tmp_path, epochs=30, learning_rate=0.0, patience=2)
    assert len(history) <= 4
    _, again = train(tmp_path, epochs=30, learning_rate=0.0, patience=2)
    assert len(again) == len(history)


def test_epochs_of_any_size_visit_every_row_equally_often():
    faces = dots(10)
    faces = Faces(np.arange(10, dtype=np.uint8).reshape(10, 1, 1, 1), faces.points, KAGGLE_15, "t")
    seen = [
        images.ravel()
        for epoch in range(5)
        for images, _ in fit.batches(faces, epoch, epoch_size=4, batch_size=3, seed=0)
    ]
    assert sorted(np.concatenate(seen).tolist()) == sorted(list(range(10)) * 2)


def test_batches_depend_on_seed_and_epoch_alone():
    faces = dots(10)

    def first(seed, epoch):
        arguments = {"epoch_size": 10, "batch_size": 10, "seed": seed}
        return next(fit.batches(faces, epoch, **arguments))[1]

    np.testing.assert_array_equal(first(0, 1), first(0, 1))
    assert not np.array_equal(first(0, 1), first(0, 2), equal_nan=True)
    assert not np.array_equal(first(0, 1), first(1, 1), equal_nan=True)


def test_augmentation_is_applied_to_each_batch():
    calls = []

    def shift(images, points, rng):
        calls.append(len(images))
        return images, points

    train(epochs=1, augment=shift)
    assert calls == [16] * 4


def test_errors():
    with pytest.raises(ValueError, match="0 rows"):
        fit.fit(small(), dots(4).take([]), dots(4), progress=False)
    with pytest.raises(ValueError, match="schedule"):
        fit.learning_rate_schedule(1e-3, 10, "step")


def test_cosine_schedule_warms_up_peaks_and_decays():
    schedule = fit.learning_rate_schedule(1e-3, 100)
    rates = [float(schedule(step)) for step in range(100)]
    assert rates[0] == pytest.approx(1e-4) and max(rates) == pytest.approx(1e-3)
    assert np.argmax(rates) == 5 and rates[-1] < 2e-4
