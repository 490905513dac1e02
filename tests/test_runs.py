"""What the training notebooks share."""

import numpy as np

from fkp import models
from fkp.data import readers
from fkp.models.predict import predict
from fkp.training import runs


def prepared(**options):
    drawn = {"n": 60, "size": 32, "regimes": True}
    return runs.prepare(None, None, {}, drawn, treatment="none", **options)


def test_only_training_rows_are_treated():
    rows = prepared(limit=50)
    assert len(rows.faces) == 50 == len(rows.original) + len(rows.validation) + len(rows.test)
    assert len(rows.training) == rows.original.complete.sum() < len(rows.original)
    assert not rows.test.complete.all() or not rows.validation.complete.all()
    table = rows.table()
    assert list(table.index)[1] == "training, treatment 'none'"
    assert table["rows"].tolist()[1:] == [len(rows.training), len(rows.validation), len(rows.test)]


def test_a_trained_model_is_saved_in_float32(tmp_path):
    rows = prepared()
    network = models.build("manual_cnn", (32, 32, 1), 15, seed=0, precision="mixed_bfloat16")
    options = {"epochs": 1, "epoch_size": 16, "batch_size": 16, "progress": False}
    network, history = runs.train(network, rows.training, rows.validation, tmp_path, **options)
    assert len(history) == 1 and network.compute_dtype == "float32"
    loaded = models.load(tmp_path / "model.keras")
    answers = [predict(model, rows.test.images) for model in (network, loaded)]
    np.testing.assert_array_equal(*answers)


def test_examples_are_the_same_complete_test_faces_for_every_model():
    test = prepared().test
    first, second = (
        runs.examples(test, models.build("tiny", (32, 32, 1), 15, seed=seed)) for seed in (0, 1)
    )
    assert np.shape(first["predicted"]) == (min(8, test.complete.sum()), 15, 2)
    assert first["points"] == second["points"] and first["predicted"] != second["predicted"]
    truth = test.take(test.complete).points
    assert all((np.abs(truth - face).max(axis=(1, 2)) < 0.06).any() for face in first["points"])


def test_copies_of_a_face_come_on_one_side(tmp_path):
    faces = readers.read(n=30, seed=0)
    twice = [np.concatenate([array, array]) for array in (faces.images, faces.points)]
    np.savez(tmp_path / "a.npz", images=twice[0], points=twice[1], scheme="kaggle15")
    rows = runs.prepare(tmp_path / "a.npz", None, {}, {}, treatment="mask")
    parts = [{*part.groups} for part in (rows.original, rows.validation, rows.test)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 30
