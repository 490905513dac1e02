import keras
import numpy as np
import pytest
from keras import layers

from fkp import models
from fkp.deploy.candidates import stand_in
from fkp.models import describe


def test_multiply_adds_by_hand():
    inner_in = keras.Input((10, 8, 3))
    x = layers.Conv2D(6, 3, strides=2, padding="same")(inner_in)  # 5 x 4 positions
    x = layers.DepthwiseConv2D(3, padding="same")(x)
    x = layers.BatchNormalization()(x)
    inner = keras.Model(inner_in, x)
    inputs = keras.Input((10, 8, 3))
    x = layers.SeparableConv2D(7, 5, padding="valid", strides=2)(
        layers.ZeroPadding2D(2)(inner(inputs))
    )  # 3 x 2 positions
    x = layers.Dense(9)(layers.Flatten()(x))
    by_hand = (
        5 * 4 * 3 * 3 * 3 * 6 + 5 * 4 * 3 * 3 * 6 + 3 * 2 * (5 * 5 * 6 + 6 * 7) + 3 * 2 * 7 * 9
    )
    assert describe.multiply_adds(keras.Model(inputs, x)) == by_hand


def test_multiply_adds_of_a_grouped_and_an_unknown_layer():
    inputs = keras.Input((6, 6, 4))
    grouped = keras.Model(inputs, layers.Conv2D(8, 3, groups=2)(inputs))
    assert describe.multiply_adds(grouped) == 4 * 4 * 3 * 3 * 2 * 8
    inputs = keras.Input((6, 4))
    with pytest.raises(ValueError, match="cannot count the multiply-adds of a Conv1D"):
        describe.multiply_adds(keras.Model(inputs, layers.Conv1D(8, 3)(inputs)))


def test_resnet18_costs_what_is_published():
    """1.8 x 10^9 multiply-adds at 224x224x3 and 1000 outputs (He et al., table 1)."""
    model = models.build("resnet18", (224, 224, 3), 500)
    assert describe.multiply_adds(model) == pytest.approx(1.8e9, rel=0.02)


def test_a_stand_in_answers_differently_for_different_images():
    images = np.random.default_rng(0).integers(0, 256, (8, 48, 48, 1), dtype=np.uint8)
    model = stand_in(models.build("resnet18", (48, 48, 1), 5, seed=0), images)
    points = model.predict_on_batch(images)
    assert points.std(axis=0).mean() == pytest.approx(4, rel=0.01)
    np.testing.assert_allclose(points.mean(axis=0), 23.5, atol=0.01)
    norms = [layer for layer in models.layers_of(model) if hasattr(layer, "moving_mean")]
    assert {layer.momentum for layer in norms} == {0.9}
    assert all(np.abs(layer.moving_mean.numpy()).max() > 0 for layer in norms)


def test_stages_add_up_to_the_model():
    model = models.build("mobilenet_v2", (96, 96, 1), 15)
    table = describe.stages(model)
    assert table["parameters"].sum() == model.count_params()
    assert list(table["output"])[:2] == [(96, 96, 1), (48, 48, 96)]
    assert table["output"].iloc[-1] == (30,) and table["layer"].iloc[-1] == "1 layer"
    assert [kind for kind in table["kind"] if kind == "Dense"] == ["Dense"]
