from dataclasses import replace

import joblib
import numpy as np
import pytest

from fkp import models
from fkp.data import drawing
from fkp.data.schemes import POINTS_44
from fkp.measure.errors import rmse
from fkp.models import cascade
from fkp.models.predict import predict

SMALL = {"stages": 2, "trees": 8, "depth": 6}


@pytest.fixture(scope="module")
def faces():
    return drawing.read(n=120, scheme=POINTS_44, size=64, channels=3)


@pytest.fixture(scope="module")
def fitted(faces):
    return cascade.fit(faces.take(np.arange(90)), **SMALL)


def test_each_stage_comes_closer_to_faces_it_has_not_seen(faces, fitted):
    test = faces.take(np.arange(90, 120))
    errors = [rmse(test.points, points) for points in fitted.path(test.images)]
    assert len(errors) == 3
    assert errors[1] < 0.9 * errors[0] and errors[2] < errors[1]


def test_the_path_starts_at_the_mean_shape_and_ends_at_the_prediction(faces, fitted):
    images = faces.images[:5]
    path, predicted = fitted.path(images), fitted.predict(images)
    assert predicted.shape == (5, 44, 2) and predicted.dtype == np.float32
    np.testing.assert_allclose(path[0][3], faces.points[:90].mean(axis=0), rtol=1e-5)
    np.testing.assert_array_equal(path[-1], predicted)
    np.testing.assert_array_equal(fitted.path(images, block=2)[-1], predicted)
    assert fitted.predict(images[:0]).shape == (0, 44, 2)


def test_the_seed_decides(faces, fitted):
    training, images = faces.take(np.arange(90)), faces.images[90:]
    again = cascade.fit(training, **SMALL).predict(images)
    other = cascade.fit(training, seed=1, **SMALL).predict(images)
    np.testing.assert_array_equal(again, fitted.predict(images))
    assert np.abs(other - again).max() > 0.01


@pytest.mark.filterwarnings("ignore:Some inputs do not have OOB")
def test_out_of_bag_estimates_leave_the_next_stage_more_to_do(faces, fitted):
    honest = cascade.fit(faces.take(np.arange(90)), out_of_bag=True, **SMALL)
    images = faces.images[90:]
    moves = [np.abs(c.path(images)[2] - c.path(images)[1]).mean() for c in (fitted, honest)]
    assert moves[1] > 1.2 * moves[0]
    np.testing.assert_array_equal(honest.path(images)[1], fitted.path(images)[1])


def test_a_cascade_is_saved_whole_and_read_back(faces, fitted, tmp_path):
    file = tmp_path / "models" / "cascade.joblib"
    fitted.save(file)
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert fitted.size == pytest.approx(file.stat().st_size / 1e6, rel=0.01)
    loaded = models.load(file)
    assert loaded.input_shape == (None, *faces.image_shape)
    np.testing.assert_array_equal(predict(loaded, faces.images), fitted.predict(faces.images))
    assert loaded.nodes == fitted.nodes > 2 * 8 * 3


def test_a_failed_save_leaves_the_old_file(fitted, tmp_path):
    file = tmp_path / "cascade.joblib"
    file.write_text("old")
    with pytest.raises(Exception, match="pickle"):
        replace(fitted, prepare=lambda images: images).save(file)
    assert file.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_another_file_is_no_cascade(tmp_path):
    (tmp_path / "text.joblib").write_text("no model")
    joblib.dump({"a": 1}, tmp_path / "dict.joblib")
    with pytest.raises(ValueError, match=r"text\.joblib: not a model that joblib can open"):
        models.load(tmp_path / "text.joblib")
    with pytest.raises(ValueError, match=r"dict\.joblib: .*expected a Cascade, got dict"):
        models.load(tmp_path / "dict.joblib")


def test_images_must_be_as_those_fitted_on(faces, fitted):
    with pytest.raises(ValueError, match=r"uint8 \(n, 64, 64, 3\), got uint8 \(120, 64, 64, 1\)"):
        fitted.predict(faces.images[..., :1])
    with pytest.raises(ValueError, match="got float32"):
        fitted.predict(faces.images.astype(np.float32))


@pytest.mark.parametrize("name", cascade.METHODS)
def test_unlabelled_points_are_refused(faces, name):
    points = faces.points.copy()
    points[[3, 8], 5] = np.nan
    with pytest.raises(ValueError, match="2 of 120 rows have unlabelled points"):
        cascade.method(name)(faces.with_points(points))
    with pytest.raises(ValueError, match="0 of 0 rows"):
        cascade.method(name)(faces.take([]))


def test_an_unknown_method():
    with pytest.raises(ValueError, match="method: expected one of forest, lbf, got 'svm'"):
        cascade.method("svm")
