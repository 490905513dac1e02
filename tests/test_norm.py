"""Fused batch normalization trains as Keras's own does."""

import keras
import numpy as np
import pytest

from fkp import models
from fkp.training.norm import fused_batch_norm


def operations(network, images):
    """Names of the operations of the network's forward pass in training."""
    import tensorflow as tf

    graph = tf.function(lambda x: network(x, training=True)).get_concrete_function(images).graph
    return [operation.type for operation in graph.get_operations()]


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of TensorFlow's")
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("name", ["manual_cnn", "tiny"])
def test_networks_train_alike_with_it_and_without(name, precision):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (3, 6, 32, 32, 1), np.uint8)
    points = rng.uniform(0, 32, (3, 6, 15, 2)).astype("float32")

    def trained():
        network = models.build(name, (32, 32, 1), 15, precision=precision, seed=0)
        network.compile(keras.optimizers.SGD(1e-7), "mse", jit_compile=False)
        losses = [network.train_on_batch(*batch) for batch in zip(images, points, strict=True)]
        return losses, [weight.numpy() for weight in network.weights]

    losses, weights = trained()
    with fused_batch_norm():
        fused_losses, fused_weights = trained()
    rough = 0.02 if precision == "mixed_bfloat16" else 1e-4
    np.testing.assert_allclose(fused_losses, losses, rtol=rough)
    for fused, plain in zip(fused_weights, weights, strict=True):
        np.testing.assert_allclose(fused, plain, rtol=rough, atol=rough)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of TensorFlow's")
def test_only_layers_that_train_are_fused_and_only_within():
    network = models.build("manual_cnn", (32, 32, 1), 15, seed=0)
    images = np.zeros((2, 32, 32, 1), "float32")
    norms = [layer for layer in network.layers if "normalization" in layer.name]
    norms[0].trainable = False
    with fused_batch_norm():
        inside = operations(network, images).count("FusedBatchNormV3")
    assert inside == len(norms) - 1
    assert "FusedBatchNormV3" not in operations(network, images)
    with pytest.raises(RuntimeError), fused_batch_norm():
        raise RuntimeError
    assert "FusedBatchNormV3" not in operations(network, images)
