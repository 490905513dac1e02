import keras
import numpy as np

from fkp.training.losses import MaskedMSE


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


def test_a_batch_without_labels_costs_nothing():
    truth = np.full((1, 3, 2), np.nan, np.float32)
    assert float(MaskedMSE()(truth, np.ones((1, 3, 2), np.float32))) == 0.0


def test_gaps_leave_the_gradient_finite_and_their_points_alone():
    inputs = keras.Input((1,))
    outputs = keras.layers.Reshape((2, 2))(keras.layers.Dense(4, use_bias=False)(inputs))
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.SGD(0.1), MaskedMSE(), jit_compile=False)
    before = model.get_weights()[0].copy()
    truth = np.array([[[1, 2], [np.nan, np.nan]]], np.float32)
    model.train_on_batch(np.ones((1, 1)), truth)
    after = model.get_weights()[0]
    assert np.isfinite(after).all()
    np.testing.assert_array_equal(after[0, 2:], before[0, 2:])
    assert (after[0, :2] != before[0, :2]).all()
