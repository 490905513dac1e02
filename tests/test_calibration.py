import numpy as np
import pytest

from fkp.measure import calibration
from fkp.models.trust import ExpectedError


def draw(n=2000, seed=0):
    """Spreads and distances whose mean is known: twice the spread for point 0, half for point 1."""
    rng = np.random.default_rng(seed)
    spread = np.exp(rng.normal(1, 0.4, (n, 2)))
    mean = spread * [2.0, 0.5]
    return spread, rng.gamma(2, mean / 2), mean


def expected_of(fitted, spread):
    """What the layer makes of these spreads, (n, k)."""
    points = np.stack([spread] * 3, axis=-1).astype(np.float32)
    return np.array(ExpectedError(**fitted)(points))[..., 2]


def test_expected_errors_are_the_means():
    spread, apart, mean = draw()
    expected = expected_of(calibration.fit(spread, apart), spread)
    assert np.median(np.abs(np.log(expected / mean))) < 0.05


def test_a_fit_holds_on_other_faces():
    learnt = calibration.fit(*draw()[:2])
    spread, apart, _ = draw(seed=1)
    ratio = calibration.deciles(expected_of(learnt, spread), apart)["ratio"]
    assert len(ratio) == 10 and min(ratio) > 0.85 and max(ratio) < 1.15


def test_deciles_show_what_is_not_calibrated():
    spread, apart, _ = draw()
    found = calibration.deciles(spread, apart)
    assert found["expected"] == sorted(found["expected"])
    assert max(found["ratio"]) > 1.15


def test_unlabelled_points_are_left_out():
    spread, apart, _ = draw()
    apart[::2, 0] = np.nan
    assert np.isfinite(calibration.fit(spread, apart)["offset"]).all()
    assert np.isfinite(calibration.deciles(spread, apart)["ratio"]).all()
    apart[:, 1] = np.nan
    first, other = calibration.fit(spread, apart)["offset"]
    assert other == first, "a point without labels is a middling one"
    with pytest.raises(ValueError, match="no point has a label"):
        calibration.fit(spread, np.full_like(apart, np.nan))


def test_leaving_out_the_unsure_lowers_the_error():
    coverage, risk = calibration.risk_coverage(np.array([3.0, 1.0, 2.0]), np.array([9.0, 1.0, 2.0]))
    np.testing.assert_allclose(coverage, [1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(risk, [1, 1.5, 4])
    said, apart = np.array([3.0, 0.5, 1.0, 2.0]), np.array([9.0, np.nan, 1.0, 2.0])
    np.testing.assert_allclose(calibration.risk_coverage(said, apart), [coverage, risk])
