import pytest

from fkp.papers import published


def test_ratios_of_times_are_per_treatment():
    ratios = published.seconds_ratios("mobilenet_v2")
    low, high = map(float, ratios["manual_cnn"].split(" to "))
    assert low == pytest.approx(1.34 / ((1.0 + 0.82) / 2), abs=0.005)
    assert high == pytest.approx(1.4 / ((0.89 + 0.84) / 2), abs=0.005)
    assert "mobilenet_v2" not in ratios
