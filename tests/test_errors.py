import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fkp.data.schemes import IBUG_68, KAGGLE_15
from fkp.measure import errors

TRUTH = np.array([[[0, 0], [10, 0]], [[5, 5], [np.nan, np.nan]]], np.float32)
PREDICTED = np.array([[[3, 4], [10, 1]], [[5, 5], [70, 70]]], np.float32)


def test_errors_by_hand():
    np.testing.assert_array_equal(errors.distances(TRUTH, PREDICTED), [[5, 1], [0, np.nan]])
    assert errors.rmse(TRUTH, PREDICTED) == pytest.approx(np.sqrt(26 / 6))
    np.testing.assert_allclose(errors.rmse_per_point(TRUTH, PREDICTED), np.sqrt([25 / 4, 1 / 2]))


def test_a_half_labelled_point_counts_by_coordinate_only():
    truth = np.array([[[0, np.nan], [1, 1]]], np.float32)
    predicted = np.array([[[2, 5], [1, 1]]], np.float32)
    assert errors.rmse(truth, predicted) == pytest.approx(np.sqrt(4 / 3))
    np.testing.assert_array_equal(errors.distances(truth, predicted), [[np.nan, 0]])


def test_nothing_labelled_gives_nan():
    assert np.isnan(errors.rmse(np.full((2, 3, 2), np.nan), np.zeros((2, 3, 2))))


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match=r"truth has shape \(2, 2, 2\), predicted \(1, 2, 2\)"):
        errors.rmse(TRUTH, PREDICTED[:1])
    broken = PREDICTED.copy()
    broken[0, 1, 0] = np.nan
    with pytest.raises(ValueError, match="predicted is NaN at row 0, point 1"):
        errors.rmse(TRUTH, broken)


points_strategy = st.integers(0, 10000).map(
    lambda seed: np.random.default_rng(seed).uniform(0, 96, (4, 15, 2))
)


@settings(max_examples=30, deadline=None)
@given(points_strategy, points_strategy)
def test_rmse_is_zero_only_for_equal_points(truth, predicted):
    assert errors.rmse(truth, truth) == 0
    assert (errors.rmse(truth, predicted) == 0) == np.array_equal(truth, predicted)
    assert errors.rmse(truth, predicted) == errors.rmse(predicted, truth)


@settings(max_examples=30, deadline=None)
@given(
    points_strategy,
    points_strategy,
    st.floats(0.1, 10),
    st.floats(0, 6.28),
    st.floats(-50, 50),
)
def test_nme_does_not_see_similarities(truth, predicted, scale, angle, shift):
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    for norm in (errors.inter_ocular, errors.inter_pupil):
        before = errors.nme(truth, predicted, norm(truth, KAGGLE_15))
        there, here = truth @ turn.T + shift, predicted @ turn.T + shift
        after = errors.nme(there, here, norm(there, KAGGLE_15))
        np.testing.assert_allclose(after, before, rtol=1e-6)
    scaled = errors.box(truth * scale + shift)
    np.testing.assert_allclose(scaled, scale * errors.box(truth), rtol=1e-6)


def test_normalisers_by_hand():
    points = np.full((2, 15, 2), np.nan, np.float32)
    points[0, KAGGLE_15.labels.index("left_eye_outer_corner")] = 60, 30
    points[0, KAGGLE_15.labels.index("right_eye_outer_corner")] = 20, 0
    points[1, KAGGLE_15.labels.index("left_eye_center")] = 50, 40
    points[1, KAGGLE_15.labels.index("right_eye_center")] = 20, 40
    points[1, KAGGLE_15.labels.index("nose_tip")] = 30, 70
    np.testing.assert_array_equal(errors.inter_ocular(points, KAGGLE_15), [50, np.nan])
    np.testing.assert_array_equal(errors.inter_pupil(points, KAGGLE_15), [np.nan, 30])
    np.testing.assert_allclose(errors.box(points), [np.sqrt(40 * 30), 30])


def test_a_pupil_is_the_middle_of_an_eye_that_is_outlined():
    points = np.full((1, 68, 2), np.nan, np.float32)
    outline = np.array([[-3, 0], [-1, -2], [1, -2], [3, 0], [1, 2], [-1, 2]])
    points[0, 42:48] = outline + np.array([50, 40])
    points[0, 36:42] = outline[::-1] + np.array([20, 0])
    np.testing.assert_allclose(errors.inter_pupil(points, IBUG_68), [50])


def test_box_needs_two_points():
    points = np.full((2, 3, 2), np.nan, np.float32)
    points[0, 0] = 5
    assert np.isnan(errors.box(points)).all()


def test_nme_by_hand():
    relative = errors.nme(TRUTH, PREDICTED, [10, 0])
    assert relative[0] == pytest.approx(30)
    assert np.isnan(relative[1])
