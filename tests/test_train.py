import inspect
import json
import shutil
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from fkp import models
from fkp.data.faces import Faces
from fkp.data.schemes import KAGGLE_15
from fkp.measure import errors
from fkp.models.predict import predict
from fkp.prepare.augment import Jitter
from fkp.training import checkpoints, fit
from fkp.training.optimizers import SCHEDULES, Muon


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


def train(folder=None, epochs=3, model=None, faces=None, **options):
    return fit.fit(
        model or small(),
        faces or dots(64),
        dots(16, seed=1),
        epochs=epochs,
        batch_size=16,
        folder=folder,
        progress=False,
        **{"schedule": "constant"} | options,
    )


def test_training_learns_and_returns_the_best_epoch(tmp_path):
    model, history = train(tmp_path, epochs=12, learning_rate=3e-3)
    validation = dots(16, seed=1)
    best = min(row["validation_rmse"] for row in history)
    assert len(history) == 12 and best < 0.6 * history[0]["validation_rmse"]
    score = errors.rmse(validation.points, predict(model, validation.images))
    assert score == pytest.approx(best, rel=1e-5)


def steps(monkeypatch, stop=None):
    """Train steps are counted, and the one of that number is interrupted."""
    made = []
    epoch = fit._train_epoch

    def counted(model, stream, bar):
        if len(made) == stop:
            raise KeyboardInterrupt
        made.append(model)
        return epoch(model, stream, bar)

    monkeypatch.setattr(fit, "_train_epoch", counted)
    return made


def same(a, b):
    for one, other in zip(a.get_weights(), b.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-2, atol=1e-3)


def test_an_interrupted_training_goes_on_as_if_nothing_had_happened(tmp_path, monkeypatch):
    whole, history = train(tmp_path / "whole", epochs=4)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        steps(patch, stop=2)
        train(tmp_path / "parts", epochs=4)
    made = steps(monkeypatch)
    resumed, parts = train(tmp_path / "parts", epochs=4)
    assert len(made) == 2 and len(parts) == 4
    for a, b in zip(history, parts, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-3)
    same(whole, resumed)


def test_a_history_that_is_ahead_of_the_weights_is_cut_back(tmp_path, monkeypatch):
    """Interrupted after progress.json, before last.keras."""
    saved, save = [], checkpoints.save

    def third(*arguments, **options):
        if len(saved) == 2:
            raise KeyboardInterrupt
        saved.append(save(*arguments, **options))

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(checkpoints, "save", third)
        train(tmp_path, epochs=4)
    assert len(json.loads((tmp_path / "progress.json").read_text())) == 3
    made = steps(monkeypatch)
    _, history = train(tmp_path, epochs=4)
    assert len(made) == 2 and [row["epoch"] for row in history] == [0, 1, 2, 3]


def test_a_finished_training_is_not_repeated(tmp_path, monkeypatch):
    model, history = train(tmp_path, epochs=2, augment=Jitter(KAGGLE_15))
    made = steps(monkeypatch)
    again, stored = train(tmp_path, epochs=2, augment=Jitter(KAGGLE_15))
    assert stored == history and not made
    same(model, again)
    assert json.loads((tmp_path / "progress.json").read_text()) == history


def test_marks_score_the_best_model_so_far_and_change_nothing(tmp_path, monkeypatch):
    def score(model):
        return {"first": float(model.get_weights()[0].sum())}

    plain, _ = train(tmp_path / "plain", epochs=4)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        steps(patch, stop=3)
        train(tmp_path / "marked", epochs=4, marks=[1, 128, 256], score=score)
    model, marked = train(tmp_path / "marked", epochs=4, marks=[1, 128, 256], score=score)
    same(plain, model)
    assert [row.get("seen") for row in marked] == [64, 128, None, 256]
    best, _ = train(tmp_path / "short", epochs=4, marks=[256], score=score)
    assert marked[3]["scores"] == pytest.approx(score(best))
    assert marked == json.loads((tmp_path / "marked" / "progress.json").read_text())


def unmoved(images, points, rng):
    return images, points


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"epochs": 3}, "epochs"),
        ({"learning_rate": 1e-4}, "learning_rate"),
        ({"augment": unmoved}, "augment"),
        ({"augment": Jitter(KAGGLE_15, degrees=1)}, "augment, code"),
        ({"model": small(seed=9)}, "model"),
        ({"faces": dots(64, seed=5)}, "training rows"),
    ],
)
def test_what_differs_trains_anew(tmp_path, monkeypatch, capsys, change, named):
    train(tmp_path, epochs=2)
    made = steps(monkeypatch)
    _, history = train(tmp_path, **{"epochs": 2} | change)
    assert len(made) == len(history) == change.get("epochs", 2)
    assert f"checkpoints made with another {named}, training anew" in capsys.readouterr().err


def test_changed_code_and_backend_count(tmp_path, monkeypatch):
    train(tmp_path, epochs=1)
    stored = json.loads((tmp_path / "training.json").read_text())
    assert {"fkp.training.fit", "fkp.training.losses"} <= stored["code"].keys()
    made = steps(monkeypatch)
    for changed in ({"code": {}}, {"backend": "jax"}):
        (tmp_path / "training.json").write_text(json.dumps(stored | changed))
        train(tmp_path, epochs=1)
    assert len(made) == 2


def test_every_option_that_changes_the_outcome_is_stored(tmp_path, monkeypatch):
    steps(monkeypatch, stop=0)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, marks=[64], score=len)
    stored = json.loads((tmp_path / "training.json").read_text())
    others = {"model", "train", "validation", "augment", "score", "folder", "progress"}
    assert inspect.signature(fit.fit).parameters.keys() - others <= stored.keys()


@pytest.mark.parametrize("name", ["training.json", "last.keras", "progress.json"])
def test_a_damaged_file_is_no_obstacle(tmp_path, monkeypatch, name):
    _, history = train(tmp_path, epochs=2)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:60])
    made = steps(monkeypatch)
    _, again = train(tmp_path, epochs=2)
    assert len(made) == 2
    assert [row["loss"] for row in again] == pytest.approx([r["loss"] for r in history], rel=1e-3)


def test_the_training_rmse_is_the_root_of_the_mean_squared_error():
    _, history = train(epochs=2)
    for row in history:
        assert row["train_rmse"] == pytest.approx(row["loss"] ** 0.5, rel=1e-5)


def test_muon_trains_convolutions_and_resumes(tmp_path):
    options = {"optimizer": "muon", "weight_decay": 0.01, "average": 0.2, "learning_rate": 5e-3}
    _, history = train(tmp_path / "a", 6, heatmaps(), **options)
    assert history[-1]["train_rmse"] < 0.8 * history[0]["train_rmse"]
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert train(tmp_path / "b", 6, heatmaps(), **options)[1] == history


def test_muon_turns_the_kernels_of_convolutions_alone():
    """The first step of AdamW is the rate, up or down, in every value."""
    layers = [
        keras.Input((8, 8, 3)),
        keras.layers.Conv2D(4, 3, name="first"),
        keras.layers.Conv2D(8, 3, name="second"),
        keras.layers.DepthwiseConv2D(3),
        keras.layers.Conv2D(5, 1, name="heatmap"),
        keras.layers.Flatten(),
        keras.layers.Dense(2),
    ]
    model, rng = keras.Sequential(layers, name="net"), np.random.default_rng(0)
    before = model.get_weights()
    gradients = [rng.normal(size=value.shape).astype(np.float32) for value in before]
    Muon(0.1).apply(
        [keras.ops.convert_to_tensor(value) for value in gradients], model.trainable_variables
    )
    uneven = [np.ptp(np.abs(a - b)) for a, b in zip(model.get_weights(), before, strict=True)]
    paths = [variable.path for variable in model.trainable_variables]
    turned = [path for path, far in zip(paths, uneven, strict=True) if far > 0.01]
    assert turned == ["net/second/kernel"]


def test_an_averaged_network_has_its_own_weights_again_afterwards():
    layers = [keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")]
    network = keras.Sequential(layers)
    network.compile(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5), "mse")
    for _ in range(3):  # of w^2, so each step leaves 0.8 of the weight
        network.train_on_batch(np.ones((1, 1)), np.zeros((1, 1)))
    with pytest.raises(KeyboardInterrupt), fit._averaged(network):
        assert network.get_weights()[0].item() == pytest.approx(
            0.5 * (0.5 * 0.8 + 0.5 * 0.64) + 0.5 * 0.512
        )
        raise KeyboardInterrupt
    assert network.get_weights()[0].item() == pytest.approx(0.512)


@pytest.mark.parametrize("loss", ["wing", "soft_wing"])
def test_other_losses_train_too(loss):
    _, history = train(epochs=6, loss=loss, optimizer="adamw", learning_rate=3e-3)
    assert history[-1]["train_rmse"] < 0.9 * history[0]["train_rmse"]


def heatmaps(seed=0):
    options = {"widths": (8, 8), "blocks": (1, 1), "decoder": (8,)}
    return models.build("keypoint_net", (16, 16, 1), 15, seed=seed, **options)


LONG = {
    "loss": "narrow_wing+gaussian",
    "optimizer": "adamw",
    "schedule": "long_cosine",
    "average": 0.15,
    "calm": 0.5,
    "learning_rate": 1e-2,
}


class Calm:
    """Augmentation that says when it was calmed."""

    def __init__(self):
        self.calls = []

    def __call__(self, images, points, rng):
        self.calls.append("strong")
        return images, points

    def calmed(self):
        return lambda images, points, rng: self.calls.append("calm") or (images, points)


def test_heat_maps_are_trained_by_both_losses_and_resume_alike(tmp_path):
    augment = Calm()
    model, history = train(tmp_path / "a", 8, heatmaps(), augment=augment, **LONG)
    assert history[-1]["validation_rmse"] < 0.7 * history[0]["validation_rmse"]
    assert model.output_shape == (None, 15, 2)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    again, stored = train(tmp_path / "b", 8, heatmaps(), augment=augment, **LONG)
    assert stored == history
    faces = dots(16, seed=1)
    np.testing.assert_allclose(
        predict(again, faces.images), predict(model, faces.images), rtol=1e-5
    )
    best = min(row["validation_rmse"] for row in history)
    assert errors.rmse(faces.points, predict(again, faces.images)) == pytest.approx(best, rel=1e-4)


def test_an_interrupted_training_of_heat_maps_goes_on(tmp_path, monkeypatch):
    _, whole = train(None, 4, heatmaps(), augment=unmoved, **LONG | {"calm": 0.0})
    made = steps(monkeypatch, stop=2)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, 4, heatmaps(), augment=unmoved, **LONG | {"calm": 0.0})
    monkeypatch.undo()
    _, history = train(tmp_path, 4, heatmaps(), augment=unmoved, **LONG | {"calm": 0.0})
    assert len(made) == 2
    assert [r["loss"] for r in history] == pytest.approx([r["loss"] for r in whole], rel=1e-3)


class Crop:
    """The left half of each picture."""

    def __call__(self, images, points, rng):
        return images[:, :, :16], points


def test_a_regression_starts_at_the_mean_of_training_faces_as_the_augmentation_cuts_them(tmp_path):
    crops = dots(64)
    pictures = Faces(np.tile(crops.images, (1, 1, 2, 1)), crops.points, KAGGLE_15, "test")
    model, _ = train(epochs=1, faces=pictures, augment=Crop(), learning_rate=1e-30)
    found = predict(model, dots(1, seed=3).images)[0]
    np.testing.assert_allclose(found, np.nanmean(crops.points, axis=0), atol=1e-3)


def test_the_last_epochs_are_calm():
    augment = Calm()
    train(epochs=4, model=heatmaps(), augment=augment, **LONG)
    assert augment.calls == ["strong"] * 8 + ["calm"] * 8


def test_a_loss_of_heat_maps_needs_heat_maps():
    with pytest.raises(ValueError, match="expected a model with heat maps, resnet18 has none"):
        train(loss="wing+gaussian")
    with pytest.raises(ValueError, match=r"sum of one of each, got 'wing\+mse'"):
        train(model=heatmaps(), loss="wing+mse")


def test_a_point_that_no_row_has_starts_in_the_middle():
    faces = dots(64)
    points = np.where(np.arange(15)[:, None] == 4, np.nan, faces.points).astype(np.float32)
    faces = Faces(faces.images, points, KAGGLE_15, "test")
    model, history = train(epochs=1, faces=faces, learning_rate=1e-30)
    assert np.isfinite(history[0]["loss"])
    found = predict(model, dots(4, seed=3).images)
    np.testing.assert_allclose(found[:, 4], 7.5, atol=1e-3)


@pytest.mark.parametrize("head", ["soft_argmax", "simcc"])
def test_logits_alone_can_be_trained(head):
    options = {"widths": (8, 8), "blocks": (1, 1), "decoder": (8,), "head": head}
    model = models.build("keypoint_net", (16, 16, 1), 15, seed=0, **options)
    _, history = train(
        epochs=24, model=model, **LONG | {"loss": "gaussian", "calm": 0.0, "learning_rate": 3e-3}
    )
    assert history[-1]["train_rmse"] < 0.8 * history[0]["train_rmse"]


def test_patience_stops_and_a_resumed_run_knows_it(tmp_path):
    _, history = train(tmp_path, epochs=30, learning_rate=0.0, patience=2)
    best = min(history, key=lambda row: row["validation_rmse"])
    assert history[-1]["epoch"] == best["epoch"] + 2 < 29
    _, again = train(tmp_path, epochs=30, learning_rate=0.0, patience=2)
    assert len(again) == len(history)


def test_patience_counts_the_epochs_since_the_best():
    log, model = checkpoints.Checkpoints(None), SimpleNamespace(get_weights=list)
    stale = []
    for epoch, error in enumerate([3, 2, 2, 2]):
        log.add(model, {"epoch": epoch, "validation_rmse": error})
        stale.append(log.stale(2))
    assert stale == [False, False, False, True] and not log.stale(None)


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
    for name, known in (("schedule", "cosine"), ("optimizer", "adamw"), ("loss", "soft_wing")):
        with pytest.raises(ValueError, match=f"{name}: expected one of .*{known}.*, got 'new'"):
            fit.fit(small(), dots(4), dots(4), **{name: "new"})


@pytest.mark.parametrize("loss", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_is_told(loss):
    network = SimpleNamespace(
        outputs=[None],
        reset_metrics=lambda: None,
        train_on_batch=lambda images, points, return_dict: {"loss": loss, "rmse": 1.0},
    )
    with pytest.raises(ValueError, match=f"the loss is {loss}; a lower learning_rate may help"):
        fit._train_epoch(network, [(None, None)], SimpleNamespace(update=lambda: None))


@pytest.mark.parametrize(
    ("name", "updates", "warmup", "first", "last"),
    [("cosine", 100, 5, 1e-4, 1e-4), ("long_cosine", 300, 10, 5e-5, 5e-6)],
)
def test_cosine_schedules_warm_up_peak_and_decay(name, updates, warmup, first, last):
    schedule = SCHEDULES[name](1e-3, updates)
    rates = [float(schedule(step)) for step in range(updates)]
    assert rates[0] == pytest.approx(first) and max(rates) == pytest.approx(1e-3)
    assert np.argmax(rates) == warmup and rates[-1] == pytest.approx(last, rel=0.02)
