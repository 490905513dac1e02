from itertools import combinations_with_replacement

import numpy as np
import pytest

from fkp.data.faces import Faces
from fkp.data.schemes import KAGGLE_15
from fkp.measure import errors, scores


def labelled_faces(n=40, seed=0, groups=None):
    rng = np.random.default_rng(seed)
    points = rng.uniform(10, 80, (n, 15, 2)).astype(np.float32)
    points[n // 2 :, [2, 3, 5]] = np.nan
    images = np.zeros((n, 96, 96, 1), np.uint8)
    return Faces(images, points, KAGGLE_15, "drawn", groups=groups)


def interval(values, groups=None, **options):
    groups = np.arange(len(values)) if groups is None else groups
    score = scores.mean_score(values, "px", groups, **options)
    return score["low"], score["high"]


def test_the_interval_covers_a_known_spread():
    values = np.random.default_rng(0).normal(10, 2, 400)
    low, high = interval(values)
    assert low == pytest.approx(values.mean() - 1.96 * values.std() / 20, abs=0.03)
    assert high == pytest.approx(values.mean() + 1.96 * values.std() / 20, abs=0.03)
    assert (low, high) == interval(values) != interval(values, seed=1)


def test_the_interval_of_groups_is_wider_when_rows_repeat():
    once = np.random.default_rng(0).normal(10, 2, 100)
    low, high = interval(once)
    assert interval(np.tile(once, 4), np.tile(np.arange(100), 4)) == pytest.approx((low, high))
    naive = interval(np.tile(once, 4))
    assert naive[1] - naive[0] < 0.7 * (high - low)


def test_whole_groups_are_drawn():
    groups, rows = np.array([5, 1, 5, 2, 1, 5]), {5: 3, 1: 2, 2: 1}
    shares = []
    inside = (groups == 5).astype(float)
    scores.mean_score(inside, "", groups, finish=lambda mean: shares.append(mean) or 0)
    possible = {
        3 * drawn.count(5) / sum(rows[group] for group in drawn)
        for drawn in combinations_with_replacement(rows, 3)
    }
    assert {round(share, 9) for share in shares} == {round(share, 9) for share in possible}


def test_kept_draws_are_of_the_same_faces_for_every_network():
    faces = labelled_faces(groups=np.arange(40) // 2)
    noise = np.random.default_rng(1).normal(0, 2, faces.points.shape)
    given = np.nan_to_num(faces.points)
    both = ("rmse", "rmse_complete")
    one, twice = (scores.score(faces, given + factor * noise, keep=both) for factor in (1, 2))
    for name in both:
        draws = np.array(one[name]["draws"])
        assert len(draws) == 200 and np.std(draws) > 0.01
        np.testing.assert_allclose(np.array(twice[name]["draws"]), 2 * draws, atol=2e-4)
        low, high = np.quantile(draws, (0.025, 0.975))
        assert [low, high] == pytest.approx([one[name]["low"], one[name]["high"]], abs=0.03)
    assert "draws" not in one["mse"] and "draws" not in scores.score(faces, given)["rmse"]


def test_scores_are_means_of_the_errors():
    faces = labelled_faces()
    noise = np.random.default_rng(1).normal(0, 2, faces.points.shape)
    predicted = np.random.default_rng(2).uniform(10, 80, faces.points.shape)
    predicted = np.where(np.isnan(faces.points), predicted, faces.points + noise)
    found = scores.score(faces, predicted)
    truth = faces.points
    ocular = errors.nme(truth, predicted, errors.inter_ocular(truth, KAGGLE_15))
    pupil = errors.nme(truth, predicted, errors.inter_pupil(truth, KAGGLE_15))
    complete = faces.complete
    apart = errors.distances(truth, predicted)
    apart = apart[~np.isnan(apart)]
    expected = {
        "rmse": (errors.rmse(truth, predicted), 40),
        "mse": (np.nanmean((truth - predicted) ** 2), 40),
        "rmse_complete": (errors.rmse(truth[complete], predicted[complete]), 20),
        "rmse_partial": (errors.rmse(truth[~complete], predicted[~complete]), 20),
        "nme_ocular": (np.nanmean(ocular), 20),
        "nme_pupil": (np.nanmean(pupil), 40),
        "nme_box": (
            errors.nme(truth, predicted, errors.box(truth))[complete].mean(),
            20,
        ),
        "failure_8": (100 * np.mean(ocular[~np.isnan(ocular)] > 8), 20),
        "auc_8": (np.nanmean(np.clip(1 - ocular / 8, 0, 1)), 20),
        "within_3px": (100 * np.mean(apart <= 3), 40),
        "within_5px": (100 * np.mean(apart <= 5), 40),
    }
    assert set(found) == set(expected)
    for name, (value, n) in expected.items():
        assert found[name]["value"] == pytest.approx(value), name
        assert found[name]["n"] == n, name
        assert found[name]["low"] <= value <= found[name]["high"], name


def test_what_cannot_be_computed_is_left_out():
    faces = labelled_faces().take(range(20))
    assert "rmse_partial" not in scores.score(faces, faces.points)
    partial = labelled_faces().take(range(20, 40))
    found = scores.score(partial, np.nan_to_num(partial.points))
    assert set(found) == {"rmse", "mse", "rmse_partial", "nme_pupil", "within_3px", "within_5px"}
    assert found["rmse"]["value"] == 0
    unlabelled = partial.with_points(np.full_like(partial.points, np.nan))
    assert scores.score(unlabelled, np.zeros_like(partial.points)) == {}


def test_scores_resample_groups():
    single, repeated = labelled_faces(40), labelled_faces(40, groups=np.arange(40) % 4)
    predicted = np.nan_to_num(single.points) + np.arange(40)[:, None, None] % 4
    narrow, wide = (scores.score(faces, predicted)["rmse"] for faces in (single, repeated))
    assert wide["high"] - wide["low"] > narrow["high"] - narrow["low"]


def test_by_point_names_the_labelled_points():
    faces = labelled_faces().take(range(20, 40))
    found = scores.by_point(faces, np.nan_to_num(faces.points) + 1)
    assert len(found) == 12
    assert "left_eye_inner_corner" not in found
    assert found["nose_tip"] == pytest.approx(1)


def test_a_new_metric_is_one_entry():
    faces = labelled_faces()
    predicted = np.nan_to_num(faces.points) + 1
    worst = scores.Metric(
        "px", lambda faces, predicted: errors.distances(faces.points, predicted).max(axis=1)
    )
    found = scores.score(faces, predicted, metrics={"worst": worst})
    assert found["worst"]["value"] == pytest.approx(np.sqrt(2))
    assert found["worst"]["n"] == 20
