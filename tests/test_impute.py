import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fkp.prepare.impute import IMPUTERS, ForwardFill, Median, ProbabilisticPCA, hide

every_imputer = pytest.mark.parametrize("name", IMPUTERS)


def shapes(n, k=4, seed=0, missing=0.2):
    """Points that depend on three hidden numbers, to a tenth of a pixel; and a copy with gaps."""
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n, 3)) @ np.random.default_rng(9).normal(size=(3, 2 * k))
    noise = rng.normal(scale=0.1, size=hidden.shape)
    points = (50 + 5 * hidden + noise).reshape(n, k, 2).astype(np.float32)
    gaps = rng.random((n, k)) < missing
    gaps[0] = False
    return points, np.where(gaps[:, :, None], np.float32(np.nan), points)


@every_imputer
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000), missing=st.sampled_from([0.0, 0.1, 0.5, 0.9]))
def test_known_values_stay_and_gaps_are_filled(name, seed, missing):
    _, train = shapes(12, seed=seed)
    _, points = shapes(7, seed=seed + 1, missing=missing)
    points[3] = np.nan
    before = points.copy()
    filled = IMPUTERS[name]().fit(train).transform(points)
    assert filled.dtype == np.float32
    assert filled.shape == points.shape
    assert np.isfinite(filled).all()
    known = ~np.isnan(points)
    np.testing.assert_array_equal(filled[known], points[known])
    np.testing.assert_array_equal(points, before)


@every_imputer
def test_a_point_never_labelled_is_named(name):
    _, points = shapes(10)
    points[:, 2, 1] = np.nan
    with pytest.raises(ValueError, match="point nose has no known y in any of 10 training rows"):
        IMPUTERS[name]().fit(points, labels=("a", "b", "nose", "c"))
    with pytest.raises(ValueError, match="point 2 has"):
        IMPUTERS[name]().fit(points)


def test_other_points_than_fitted_on():
    fitted = Median().fit(shapes(10, k=4)[0])
    with pytest.raises(ValueError, match=r"shape \(4, 2\), got \(5, 2\)"):
        fitted.transform(shapes(10, k=5)[0])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10000), missing=st.floats(0, 1))
def test_forward_fill_is_that_of_pandas(seed, missing):
    train, _ = shapes(9)
    _, points = shapes(8, seed=seed, missing=missing)
    points = points[1:]
    filled = ForwardFill().fit(train).transform(points)
    table = pd.DataFrame(points.reshape(7, -1)).ffill()
    expected = table.fillna(pd.Series(np.median(train.reshape(9, -1), axis=0)))
    np.testing.assert_allclose(filled.reshape(7, -1), expected.to_numpy(), rtol=1e-6)


def test_forward_fill_by_hand():
    train = np.array([[[1, 10]], [[2, 20]], [[9, 30]]], np.float32)
    points = np.array([[[np.nan, 5]], [[7, np.nan]], [[np.nan, np.nan]]], np.float32)
    filled = ForwardFill().fit(train).transform(points)
    assert filled[:, 0].tolist() == [[2, 5], [7, 5], [7, 5]]


@pytest.mark.parametrize("name", ["iterative", "pca"])
def test_linear_dependence_is_found(name):
    truth, gaps = shapes(300, k=6, missing=0.15)
    hidden = np.isnan(gaps) & (np.isnan(gaps).mean(axis=(1, 2)) <= 0.5)[:, None, None]
    filled = IMPUTERS[name]().fit(gaps).transform(gaps)
    assert np.abs(filled - truth)[hidden].mean() < 0.5
    median = Median().fit(gaps).transform(gaps)
    assert np.abs(median - truth)[hidden].mean() > 3


def test_pca_recovers_the_mean_and_the_noise_floor():
    truth, gaps = shapes(400, k=6, missing=0.1)
    model = ProbabilisticPCA(components=3).fit(gaps)
    np.testing.assert_allclose(model.mean, truth.reshape(400, -1).mean(axis=0), atol=0.5)
    values = np.linalg.eigvalsh(model.covariance)
    assert (values[:9] < 0.1).all()
    assert (values[9:] > 1).all()


def test_hide_uses_the_patterns_of_the_data():
    points, _ = shapes(50)
    points[:10, 1:3] = np.nan
    points[10:13] = np.nan
    hidden, mask = hide(points, np.random.default_rng(0))
    assert mask[13:, 1:3].all()
    assert mask.sum() == 37 * 4
    np.testing.assert_array_equal(np.isnan(hidden), np.isnan(points) | mask)
    np.testing.assert_array_equal(hidden[~np.isnan(hidden)], points[~np.isnan(hidden)])


def test_hide_draws_every_pattern():
    points, _ = shapes(50)
    points[0, 1:3] = np.nan
    points[1, 0, 1] = np.nan
    _, mask = hide(points, np.random.default_rng(0))
    np.testing.assert_array_equal(np.unique(mask[2:], axis=0), np.isnan(points[:2]))


def test_hide_needs_incomplete_rows():
    with pytest.raises(ValueError, match="none of 5 rows is incomplete"):
        hide(shapes(5)[0], np.random.default_rng(0))
