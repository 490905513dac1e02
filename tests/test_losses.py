import keras
import numpy as np
import pytest

from fkp.training.losses import (
    LOSSES,
    Gaussian,
    GaussianBins,
    MaskedMSE,
    NarrowWing,
    SoftWing,
    Wing,
)


def test_plain_mean_squared_error_without_gaps():
    rng = np.random.default_rng(0)
    truth, predicted = rng.normal(size=(2, 4, 15, 2)).astype(np.float32)
    loss = float(MaskedMSE()(truth, predicted))
    assert np.isclose(loss, np.mean((truth - predicted) ** 2))


def test_every_labelled_value_weighs_the_same():
    truth = np.full((2, 2, 2), np.nan, np.float32)
    truth[0], truth[1, 0] = 0.0, 0.0
    predicted = np.zeros((2, 2, 2), np.float32)
    predicted[0], predicted[1, 0], predicted[1, 1] = 1.0, 2.0, 1e6
    assert np.isclose(float(MaskedMSE()(truth, predicted)), (4 * 1 + 2 * 4) / 6)


@pytest.mark.parametrize("name", LOSSES)
def test_a_batch_without_labels_costs_nothing(name):
    truth = np.full((1, 3, 2), np.nan, np.float32)
    assert float(LOSSES[name]()(truth, np.ones((1, 3, 2), np.float32))) == 0.0


@pytest.mark.parametrize("name", LOSSES)
def test_gaps_leave_the_gradient_finite_and_their_points_alone(name):
    inputs = keras.Input((1,))
    outputs = keras.layers.Reshape((2, 2))(keras.layers.Dense(4, use_bias=False)(inputs))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.SGD(0.1), LOSSES[name](), jit_compile=False)
    before = model.get_weights()[0].copy()
    truth = np.array([[[1, 2], [np.nan, np.nan]]], np.float32)
    model.train_on_batch(np.ones((1, 1)), truth)
    after = model.get_weights()[0]
    assert np.isfinite(after).all()
    np.testing.assert_array_equal(after[0, 2:], before[0, 2:])
    assert (after[0, :2] != before[0, :2]).all()


@pytest.mark.parametrize(
    ("loss", "error", "expected"),
    [
        (Wing, 3, 10 * np.log(1 + 3 / 2)),
        (Wing, -25, 25 - 10 + 10 * np.log(1 + 10 / 2)),
        (NarrowWing, 3, 5 * np.log(1 + 3 / 1)),
        (NarrowWing, -8, 8 - 5 + 5 * np.log(1 + 5 / 1)),
        (SoftWing, -1.5, 1.5),
        (SoftWing, 7, 2 + 20 * (np.log(1 + 7 / 0.5) - np.log(1 + 2 / 0.5))),
    ],
)
def test_wing_losses_by_hand(loss, error, expected):
    truth = np.zeros((1, 2, 2), np.float32)
    truth[0, 1] = np.nan
    assert np.isclose(float(loss()(truth, np.full((1, 2, 2), error, np.float32))), expected)


@pytest.mark.parametrize(
    ("loss", "shape", "cells"), [(Gaussian, (1, 8, 8, 2), 64), (GaussianBins, (1, 2, 64), 32**2)]
)
def test_flat_logits_cost_the_logarithm_of_the_places(loss, shape, cells):
    truth = np.array([[[15.5, 12], [np.nan, np.nan]]], np.float32)
    flat = float(loss((32, 32))(truth, np.zeros(shape, np.float32)))
    assert flat == pytest.approx(np.log(cells), rel=1e-5)


HALF = np.array([[[29, 10.5], [np.nan, 3]]], np.float32)  # the second point is unlabelled


def cross_entropy(apart, logits):
    """Of logits to a Gaussian of the squared distances, in standard deviations."""
    target = np.exp(-apart / 2) / np.exp(-apart / 2).sum()
    return -(target * (logits - np.log(np.exp(logits).sum()))).sum()


def test_heat_maps_by_hand_on_a_rectangle():
    """24 x 40 px in 8 x 10 cells of 3 x 4 px."""
    logits = np.random.default_rng(0).normal(size=(1, 8, 10, 2)).astype(np.float32)
    y, x = np.mgrid[:8, :10]
    apart = ((3 * y + 1 - 10.5) / 3) ** 2 + ((4 * x + 1.5 - 29) / 4) ** 2
    expected = cross_entropy(apart, logits[0, :, :, 0].astype(float))
    assert float(Gaussian((24, 40))(HALF, logits)) == pytest.approx(expected, rel=1e-5)


def test_bins_by_hand_on_a_rectangle():
    """24 x 40 px: 40 bins along x, then 24 along y, and Gaussians 2 px wide."""
    logits = np.random.default_rng(0).normal(size=(1, 2, 64)).astype(np.float32)
    across, down = np.split(logits[0, 0].astype(float), [40])
    expected = cross_entropy(((np.arange(40) - 29) / 2) ** 2, across)
    expected += cross_entropy(((np.arange(24) - 10.5) / 2) ** 2, down)
    assert float(GaussianBins((24, 40))(HALF, logits)) == pytest.approx(expected, rel=1e-5)


def test_a_peak_on_the_point_costs_least():
    truth = np.array([[[20, 9]]], np.float32)
    places = [(20, 9), (20, 10), (23, 9)]
    costs = []
    for x, y in places:
        logits = np.zeros((1, 1, 64), np.float32)
        logits[..., [x, 32 + y]] = 5
        costs.append(float(GaussianBins((32, 32))(truth, logits)))
    assert costs[0] == min(costs) and costs[2] > costs[1] > costs[0]
