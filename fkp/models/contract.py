"""The two ends that every Keras model here shares: pixels in, points out."""

import keras
from keras import layers


def pixels_in(input_shape):
    """Input layer for raw pixels and its [-1, 1] scaling.

    Returns:
        (input tensor (n, h, w, c) in 0..255, the same scaled to [-1, 1]).
    """
    if len(input_shape) != 3 or input_shape[2] not in (1, 3):
        raise ValueError(f"input_shape: expected (h, w, 1) or (h, w, 3), got {input_shape}")
    inputs = keras.Input(input_shape, name="pixels")
    return inputs, layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(inputs)


def as_rgb(x):
    """Three channels: RGB stays, gray is repeated."""
    return x if x.shape[-1] == 3 else layers.Concatenate(name="gray_to_rgb")([x, x, x])


def points_out(features, input_shape, n_points):
    """Linear head: features (n, f) -> points (n, n_points, 2) in pixels.

    The dense layer works in units of half the image, with 0 at its centre.
    """
    h, w, _ = input_shape
    x = layers.Dense(2 * n_points, dtype="float32", name="coordinates")(features)
    x = layers.Reshape((n_points, 2), dtype="float32", name="xy")(x)
    return layers.Rescaling(
        [w / 2, h / 2], offset=[(w - 1) / 2, (h - 1) / 2], dtype="float32", name="points"
    )(x)
