"""Hidden labels: what is hidden, what the imputers see, what is compared."""

import numpy as np
import pytest

from fkp.papers import imputation
from fkp.prepare.impute import IMPUTERS, Median

FAST = {"median": Median, "knn": IMPUTERS["knn"]}


def rows(n=400, seed=0):
    """Points that move together; the second half lacks points 2 and 3 and marks point 1 lower."""
    rng = np.random.default_rng(seed)
    points = 50 + rng.normal(0, 4, (n, 1, 2)) + rng.normal(0, 0.3, (n, 4, 2))
    second = np.arange(n) >= n // 2
    points[second, 1, 1] += 5
    points[second, 2:] = np.nan
    return points.astype(np.float32), second


def recorder():
    """({"median": an imputer that records its rows}, what it is fitted on)."""
    fitted = []

    class Recorder(Median):
        def fit(self, points, labels=None):
            fitted.append(points.copy())
            return super().fit(points, labels)

    return {"median": Recorder}, fitted


def test_held_out_rows_are_not_fitted_on():
    points, second = rows()
    held = imputation.draw(points, 1)
    imputers, fitted = recorder()
    imputation.trial(points, seed=1, imputers=imputers)
    np.testing.assert_array_equal(fitted, [points[~held]])
    imputers, fitted = recorder()
    imputation.across_regimes(points[:, :2], second, ["eye", "nose"], 1, imputers)
    for found, regime in zip(fitted, (~second, second, second | ~second), strict=True):
        np.testing.assert_array_equal(found, points[regime & ~held, :2])


def test_only_hidden_labels_of_held_out_complete_rows_count():
    points, second = rows()
    trial = imputation.trial(points, seed=1, imputers=FAST)
    held = imputation.draw(points, 1)
    assert len(trial.truth) == held.sum()
    scored = ~np.isnan(trial.truth)
    np.testing.assert_array_equal(scored[~second[held]][:, 2:], True)
    assert not scored[second[held]].any() and not scored[:, :2].any()
    np.testing.assert_array_equal(trial.truth[scored], points[held][scored])
    assert set(trial.filled) == set(trial.seconds) == set(FAST)
    assert trial.rmse()["knn"] < 0.7 < 3 < trial.rmse()["median"]


def test_moved_marks_mislead_an_imputer_that_looks_at_them():
    points, _ = rows()
    move = np.zeros((4, 2))
    move[1, 1] = 5
    trial = imputation.trial(points, seed=1, imputers=FAST, move=move)
    np.testing.assert_array_equal(trial.moved["median"][:, 2:], trial.filled["median"][:, 2:])
    off = (trial.moved["knn"] - trial.truth)[..., 1]
    assert np.nanmean(off) > 1 and abs(np.nanmean(trial.filled["knn"] - trial.truth)) < 0.2


def test_a_seed_fixes_the_draw():
    points, _ = rows()
    first, again, other = (imputation.trial(points, s, {"median": Median}) for s in (3, 3, 4))
    np.testing.assert_array_equal(first.truth, again.truth)
    assert first.truth.shape != other.truth.shape or not np.array_equal(
        first.truth, other.truth, equal_nan=True
    )


def test_a_fit_on_one_regime_marks_the_other_by_its_own_convention():
    points, second = rows(2000)
    found = imputation.across_regimes(points[:, :2], second, ["eye", "nose"], 0, FAST)
    assert len(found) == len(FAST) * 3 * 2 * 2
    found = found.set_index(["imputer", "fitted", "regime", "point"])
    assert found.loc[("knn", "first", "second", "nose"), "dy"] == pytest.approx(-5, abs=0.5)
    assert found.loc[("knn", "second", "second", "nose"), "dy"] == pytest.approx(0, abs=0.5)
    assert found.loc[("knn", "second", "first", "nose"), "dy"] == pytest.approx(5, abs=0.5)
    assert found.loc[("knn", "second", "second", "nose"), "rmse"] < 0.7
