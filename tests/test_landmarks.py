import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from fkp import plots
from fkp.data.faces import Faces
from fkp.data.schemes import IBUG_68, POINTS_44
from fkp.measure import errors, landmarks
from fkp.measure.scores import score

NAMES = ["afw/1_1", "helen/trainset/2_1", "helen/trainset/2_2", "helen/testset/3_1"]
NAMES += ["lfpw/trainset/image_0001", "lfpw/testset/image_0001"]


def made(names=NAMES, scheme=IBUG_68, channels=1, source="300-W", groups=None):
    """Faces with random pixels and points, 40 px, under the given names."""
    rng = np.random.default_rng(0)
    n = len(names)
    return Faces(
        rng.integers(0, 256, (n, 40, 40, channels), dtype=np.uint8),
        rng.uniform(5, 35, (n, len(scheme), 2)).astype(np.float32),
        scheme,
        source,
        groups=groups,
        names=np.array(names),
    )


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    figure.canvas.draw()
    plt.close(figure)


def test_errors_at_256_px_and_on_coordinates_from_0_to_1():
    faces = made()
    off = faces.points + np.float32([3, 4]) * 40 / 256  # 5 px in an image of 256
    scores = score(faces, off, metrics=landmarks.LANDMARK_METRICS)
    assert scores["mse_256px"]["value"] == pytest.approx(12.5, rel=1e-4)
    assert scores["nmse"]["value"] == pytest.approx(12.5 / 256**2, rel=1e-4)
    assert scores["within_5px"]["value"] == 100 and scores["within_3px_at_256"]["value"] == 0
    near = score(faces, faces.points + 0.3, metrics=landmarks.LANDMARK_METRICS)
    assert near["within_3px_at_256"]["value"] == 100
    parts = {"test": faces, "training": faces}
    named = landmarks.measures(parts, dict.fromkeys(parts, off))["scores"]
    assert named["nmse_training"] == scores["nmse"]
    assert [name for name in named if "training" in name] == ["nmse_training", "mse_256px_training"]


def test_unlabelled_points_do_not_count():
    faces = made()
    points = faces.points.copy()
    points[0], points[1, :10] = np.nan, np.nan
    faces, off = faces.with_points(points), faces.points + 2
    found = score(faces, off, metrics=landmarks.MSE_METRICS)
    assert found["mse_256px"]["value"] == pytest.approx(4 * 6.4**2, rel=1e-4)
    assert found["nmse"]["n"] == 5


def test_the_interval_holds_the_value_and_follows_the_seed():
    faces = made()
    predicted = faces.points + np.random.default_rng(1).normal(0, 2, faces.points.shape)
    mse = score(faces, predicted)["mse"]
    assert mse["low"] < mse["value"] < mse["high"]
    assert score(faces, predicted, seed=1)["mse"]["low"] != mse["low"]


def test_scores_of_each_set_are_those_of_its_faces():
    faces = made()
    predicted = faces.points.copy()
    predicted[3] += 5
    found = landmarks.by_set(faces, predicted, ["helen", "afw", "lfpw"])
    assert list(found) == ["afw", "helen", "lfpw"]
    expected = errors.nme(faces.points, predicted, errors.inter_ocular(faces.points, faces.scheme))
    helen = found["helen"]
    assert helen["nme_ocular"]["value"] == pytest.approx(expected[1:4].mean())
    assert helen["nme_ocular"]["n"] == 3 and found["afw"]["nme_ocular"]["value"] == 0
    assert helen["failure_8"]["value"] == pytest.approx(100 / 3)
    assert landmarks.by_set(faces.take([1, 2]), predicted[[1, 2]]) == {}


def test_the_error_of_a_region_is_that_of_its_points():
    faces = made()
    predicted = faces.points.copy()
    predicted[:, list(IBUG_68.regions["jaw"])] += 3
    found = landmarks.by_region(faces, predicted)
    assert found["jaw"] > 0 and all(v == 0 for name, v in found.items() if name != "jaw")
    assert set(found) == set(IBUG_68.regions)


def test_fewer_points_are_within_a_pixel_of_a_larger_image():
    faces = made()
    found = landmarks.within_by_size(faces, faces.points + np.float32([3, 4]), sizes=(23, 39, 64))
    assert found == {"size": [23, 39, 64], "within_3px": [100, 0, 0], "within_5px": [100, 100, 0]}


def test_measures_of_a_run_agree_with_one_another():
    faces = made()
    parts = {"training": faces.take([0, 1, 2]), "test": faces.take([3, 4, 5])}
    predicted = {name: part.points + 2 for name, part in parts.items()}
    found = landmarks.measures(parts, predicted)
    scores = found["scores"]
    assert scores["nmse_training"]["n"] == 3 and scores["nmse"]["n"] == 3
    assert scores["nme_ocular"]["value"] == pytest.approx(found["nme"].mean(), abs=1e-3)
    assert len(found["by_set"]) == 3 and len(found["per_point"]) == 68
    at_hand = landmarks.within_by_size(parts["test"], predicted["test"], sizes=(40,))
    assert scores["within_3px"]["value"] == at_hand["within_3px"][0]


def test_the_mean_shape_answers_every_face_with_the_labelled_training_points():
    faces = made()
    points = faces.points.copy()
    points[0, 5] = np.nan
    parts = {"training": faces.with_points(points).take([0, 1]), "test": faces.take([2, 3, 4])}
    found = landmarks.mean_shape(parts)["test"]
    assert found.shape == (3, 68, 2) and (found == found[0]).all()
    np.testing.assert_allclose(found[0, 5], points[1, 5])
    np.testing.assert_allclose(found[0, 6], points[:2, 6].mean(axis=0), rtol=1e-6)
    points[:2, 7] = np.nan  # no training face has it
    parts["training"] = faces.with_points(points).take([0, 1])
    found = landmarks.mean_shape(parts)["test"]
    others = np.delete(found[0], 7, axis=0)
    np.testing.assert_allclose(found[0, 7], others.mean(axis=0), rtol=1e-6)


def test_a_face_draws_every_region_of_both_shapes_where_it_is(ax):
    faces = made(scheme=POINTS_44)
    plots.face(ax, faces.images[0], faces.points[0], faces.scheme, faces.points[1])
    assert len(ax.lines) == 2 * len(POINTS_44.regions)
    true, predicted = ax.lines[0], ax.lines[len(POINTS_44.regions)]
    rows = list(next(iter(POINTS_44.regions.values())))
    np.testing.assert_array_equal(true.get_xydata(), faces.points[0, rows])
    np.testing.assert_array_equal(predicted.get_xydata(), faces.points[1, rows])
    assert true.get_color() == plots.TRUE and predicted.get_color() == plots.PREDICTED


def test_region_chart_has_a_line_per_region_from_zero(ax):
    table = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, np.nan]}, index=["jaw", "left_eye"])
    plots.dots(ax, table, unit="NME (%)", log=False)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["jaw", "left eye"]
    assert ax.get_xlim()[0] == 0 and ax.get_ylim() == (1.5, -0.5)
    assert list(ax.lines[0].get_xdata()) == [1, 2]


def test_size_chart_draws_both_tolerances_and_the_size_at_hand(ax):
    curve = {"size": [32, 64], "within_3px": [100, 90], "within_5px": [100, 95]}
    plots.within_by_size(ax, {"a": curve}, size=48)
    assert [line.get_linestyle() for line in ax.lines] == ["-", "--", ":"]
    assert list(ax.lines[1].get_ydata()) == [100, 95] and ax.lines[2].get_xdata()[0] == 48


def test_matrix_writes_each_known_value(ax):
    table = pd.DataFrame([[4.0, np.nan], [6.0, 5.0]], index=["a", "b"], columns=["x", "y"])
    plots.matrix(ax, table, "test", "training")
    assert sorted(text.get_text() for text in ax.texts) == ["4.00", "5.00", "6.00"]
    assert ax.texts[0].get_position() == (0, 0)
