import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fkp.data.faces import Faces
from fkp.data.schemes import KAGGLE_15
from fkp.measure import evaluate

TRUTH = np.array([[[0, 0], [10, 0]], [[5, 5], [np.nan, np.nan]]], np.float32)
PREDICTED = np.array([[[3, 4], [10, 1]], [[5, 5], [70, 70]]], np.float32)


def labelled_faces(n=40, seed=0, groups=None):
    rng = np.random.default_rng(seed)
    points = rng.uniform(10, 80, (n, 15, 2)).astype(np.float32)
    points[n // 2 :, [2, 3, 5]] = np.nan
    images = np.zeros((n, 96, 96, 1), np.uint8)
    return Faces(images, points, KAGGLE_15, "drawn", groups=groups)


def test_errors_by_hand():
    np.testing.assert_array_equal(evaluate.distances(TRUTH, PREDICTED), [[5, 1], [0, np.nan]])
    assert evaluate.mse(TRUTH, PREDICTED) == pytest.approx(26 / 6)
    assert evaluate.rmse(TRUTH, PREDICTED) == pytest.approx(np.sqrt(26 / 6))
    np.testing.assert_allclose(evaluate.rmse_per_point(TRUTH, PREDICTED), np.sqrt([25 / 4, 1 / 2]))
    assert evaluate.within(TRUTH, PREDICTED, 3) == pytest.approx(200 / 3)
    assert evaluate.within(TRUTH, PREDICTED, 5) == 100


def test_a_half_labelled_point_counts_by_coordinate_only():
    truth = np.array([[[0, np.nan], [1, 1]]], np.float32)
    predicted = np.array([[[2, 5], [1, 1]]], np.float32)
    assert evaluate.mse(truth, predicted) == pytest.approx(4 / 3)
    np.testing.assert_array_equal(evaluate.distances(truth, predicted), [[np.nan, 0]])


def test_nothing_labelled_gives_nan():
    assert np.isnan(evaluate.rmse(np.full((2, 3, 2), np.nan), np.zeros((2, 3, 2))))


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match=r"truth has shape \(2, 2, 2\), predicted \(1, 2, 2\)"):
        evaluate.rmse(TRUTH, PREDICTED[:1])
    broken = PREDICTED.copy()
    broken[0, 1, 0] = np.nan
    with pytest.raises(ValueError, match="predicted is NaN at row 0, point 1"):
        evaluate.rmse(TRUTH, broken)


points_strategy = st.integers(0, 10000).map(
    lambda seed: np.random.default_rng(seed).uniform(0, 96, (4, 15, 2))
)


@settings(max_examples=30, deadline=None)
@given(points_strategy, points_strategy)
def test_rmse_is_zero_only_for_equal_points(truth, predicted):
    assert evaluate.rmse(truth, truth) == 0
    assert (evaluate.rmse(truth, predicted) == 0) == np.array_equal(truth, predicted)
    assert evaluate.rmse(truth, predicted) == evaluate.rmse(predicted, truth)


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
    for norm in (evaluate.inter_ocular, evaluate.inter_pupil):
        before = evaluate.nme(truth, predicted, norm(truth, KAGGLE_15))
        there, here = truth @ turn.T + shift, predicted @ turn.T + shift
        after = evaluate.nme(there, here, norm(there, KAGGLE_15))
        np.testing.assert_allclose(after, before, rtol=1e-6)
    scaled = evaluate.box(truth * scale + shift)
    np.testing.assert_allclose(scaled, scale * evaluate.box(truth), rtol=1e-6)


def test_normalisers_by_hand():
    points = np.full((2, 15, 2), np.nan, np.float32)
    points[0, KAGGLE_15.index("left_eye_outer_corner")] = 60, 30
    points[0, KAGGLE_15.index("right_eye_outer_corner")] = 20, 0
    points[1, KAGGLE_15.index("left_eye_center")] = 50, 40
    points[1, KAGGLE_15.index("right_eye_center")] = 20, 40
    points[1, KAGGLE_15.index("nose_tip")] = 30, 70
    np.testing.assert_array_equal(evaluate.inter_ocular(points, KAGGLE_15), [50, np.nan])
    np.testing.assert_array_equal(evaluate.inter_pupil(points, KAGGLE_15), [np.nan, 30])
    np.testing.assert_allclose(evaluate.box(points), [np.sqrt(40 * 30), 30])


def test_box_needs_two_points():
    points = np.full((2, 3, 2), np.nan, np.float32)
    points[0, 0] = 5
    assert np.isnan(evaluate.box(points)).all()


def test_nme_by_hand():
    relative = evaluate.nme(TRUTH, PREDICTED, [10, 0])
    assert relative[0] == pytest.approx(30)
    assert np.isnan(relative[1])


def test_failures_and_curve_by_hand():
    errors = np.array([2.0, 4.0, 4.0, 9.0, np.nan])
    assert evaluate.failure_rate(errors) == 25
    assert evaluate.failure_rate(errors, threshold=3) == 75
    x, y = evaluate.ced(errors)
    assert x.tolist() == [0, 2, 4, 4, 8]
    assert y.tolist() == [0, 0.25, 0.5, 0.75, 0.75]
    assert evaluate.auc(errors) == pytest.approx((2 * 0.25 + 4 * 0.75) / 8)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 20), min_size=1, max_size=40))
def test_auc_is_the_area_under_the_curve(errors):
    x, y = evaluate.ced(np.array(errors))
    assert evaluate.auc(np.array(errors)) == pytest.approx(np.sum(np.diff(x) * y[:-1]) / 8)


def test_bootstrap_covers_a_known_spread():
    values = np.random.default_rng(0).normal(10, 2, 400)
    low, high = evaluate.bootstrap(np.mean, values)
    assert low == pytest.approx(values.mean() - 1.96 * values.std() / 20, abs=0.03)
    assert high == pytest.approx(values.mean() + 1.96 * values.std() / 20, abs=0.03)
    assert (low, high) == evaluate.bootstrap(np.mean, values)
    assert (low, high) != evaluate.bootstrap(np.mean, values, seed=1)


def test_bootstrap_of_groups_is_wider_when_rows_repeat():
    once = np.random.default_rng(0).normal(10, 2, 100)
    low, high = evaluate.bootstrap(np.mean, once)
    groups = np.tile(np.arange(100), 4)
    repeated = evaluate.bootstrap(np.mean, np.tile(once, 4), groups=groups)
    assert repeated == pytest.approx((low, high))
    naive = evaluate.bootstrap(np.mean, np.tile(once, 4))
    assert naive[1] - naive[0] < 0.7 * (high - low)


def test_bootstrap_draws_whole_groups():
    groups = np.array([5, 1, 5, 2, 1, 5])
    seen = []
    evaluate.bootstrap(lambda g: seen.append(np.bincount(g, minlength=6)) or 0, groups,
                       groups=groups, n=20)  # fmt: skip
    counts = np.array(seen)
    assert (counts[:, 1] % 2 == 0).all()
    assert (counts[:, 5] % 3 == 0).all()
    assert (counts[:, 1] // 2 + counts[:, 2] + counts[:, 5] // 3 == 3).all()


def test_bootstrap_refuses_different_lengths():
    with pytest.raises(ValueError, match=r"expected one length, got \[2, 3\]"):
        evaluate.bootstrap(np.mean, np.zeros(2), np.zeros(3))


def test_scores_are_the_functions_of_this_module():
    faces = labelled_faces()
    noise = np.random.default_rng(1).normal(0, 2, faces.points.shape)
    predicted = np.random.default_rng(2).uniform(10, 80, faces.points.shape)
    predicted = np.where(np.isnan(faces.points), predicted, faces.points + noise)
    found = evaluate.scores(faces, predicted)
    truth = faces.points
    ocular = evaluate.nme(truth, predicted, evaluate.inter_ocular(truth, KAGGLE_15))
    pupil = evaluate.nme(truth, predicted, evaluate.inter_pupil(truth, KAGGLE_15))
    complete = faces.complete
    expected = {
        "rmse": (evaluate.rmse(truth, predicted), 40),
        "mse": (evaluate.mse(truth, predicted), 40),
        "rmse_complete": (evaluate.rmse(truth[complete], predicted[complete]), 20),
        "rmse_partial": (evaluate.rmse(truth[~complete], predicted[~complete]), 20),
        "nme_ocular": (np.nanmean(ocular), 20),
        "nme_pupil": (np.nanmean(pupil), 40),
        "nme_box": (
            evaluate.nme(truth, predicted, evaluate.box(truth))[complete].mean(),
            20,
        ),
        "failure_8": (evaluate.failure_rate(ocular), 20),
        "auc_8": (evaluate.auc(ocular), 20),
        "within_3px": (evaluate.within(truth, predicted, 3), 40),
        "within_5px": (evaluate.within(truth, predicted, 5), 40),
    }
    assert set(found) == set(expected)
    for name, (value, n) in expected.items():
        assert found[name]["value"] == pytest.approx(value), name
        assert found[name]["n"] == n, name
        assert found[name]["low"] <= value <= found[name]["high"], name


def test_what_cannot_be_computed_is_left_out():
    faces = labelled_faces().take(range(20))
    assert "rmse_partial" not in evaluate.scores(faces, faces.points)
    partial = labelled_faces().take(range(20, 40))
    found = evaluate.scores(partial, np.nan_to_num(partial.points))
    assert set(found) == {"rmse", "mse", "rmse_partial", "nme_pupil", "within_3px", "within_5px"}
    assert found["rmse"]["value"] == 0
    unlabelled = partial.with_points(np.full_like(partial.points, np.nan))
    assert evaluate.scores(unlabelled, np.zeros_like(partial.points)) == {}


def test_scores_resample_groups():
    single, repeated = labelled_faces(40), labelled_faces(40, groups=np.arange(40) % 4)
    predicted = np.nan_to_num(single.points) + np.arange(40)[:, None, None] % 4
    narrow, wide = (evaluate.scores(faces, predicted)["rmse"] for faces in (single, repeated))
    assert wide["high"] - wide["low"] > narrow["high"] - narrow["low"]


def test_per_point_names_the_labelled_points():
    faces = labelled_faces().take(range(20, 40))
    found = evaluate.per_point(faces, np.nan_to_num(faces.points) + 1)
    assert len(found) == 12
    assert "left_eye_inner_corner" not in found
    assert found["nose_tip"] == pytest.approx(1)
