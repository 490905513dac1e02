"""The two ends that every Keras model here shares: pixels in, points out."""

import keras
import numpy as np
from keras import layers


def pixels_in(
    input_shape: tuple[int, int, int],
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Input layer for raw pixels and its [-1, 1] scaling.

    Returns:
        (input tensor (n, h, w, c) in 0..255, the same scaled to [-1, 1]).
    """
    if len(input_shape) != 3 or input_shape[2] not in (1, 3):
        raise ValueError(f"input_shape: expected (h, w, 1) or (h, w, 3), got {input_shape}")
    inputs = keras.Input(input_shape, name="pixels")
    return inputs, layers.Rescaling(1 / 127.5, offset=-1.0, name="scale")(inputs)


def as_rgb(x: keras.KerasTensor) -> keras.KerasTensor:
    """Three channels: RGB stays, gray is repeated."""
    return x if x.shape[-1] == 3 else layers.Concatenate(name="gray_to_rgb")([x, x, x])


def points_out(
    features: keras.KerasTensor, input_shape: tuple[int, int, int], n_points: int
) -> keras.KerasTensor:
    """Linear head: features (n, f) -> points (n, n_points, 2) in pixels.

    The dense layer works in units of a sixteenth of the image, about the spread of a keypoint over
    faces, with 0 at the centre; its kernel starts at zero, so an untrained model predicts its
    bias, the same shape for every face (see `start_at`).
    """
    x = layers.Dense(2 * n_points, kernel_initializer="zeros", dtype="float32", name="coordinates")(
        features
    )
    x = layers.Reshape((n_points, 2), dtype="float32", name="xy")(x)
    scale, centre = _frame(input_shape)
    return layers.Rescaling(scale, offset=centre, dtype="float32", name="points")(x)


def regresses(model: keras.Model) -> bool:
    """Whether a dense layer gives the coordinates; heat maps, for one, have no bias to start at."""
    return any(layer.name == "coordinates" for layer in model.layers)


def start_at(model: keras.Model, shape: np.ndarray) -> None:
    """Make an untrained model that `regresses` predict `shape` (k, 2), px, by the head's bias."""
    scale, centre = _frame(model.input_shape[1:])
    head = model.get_layer("coordinates")
    head.bias.assign(((np.asarray(shape) - centre) / scale).reshape(-1))


def _frame(input_shape):
    """(pixels per unit, pixel at zero) of the head, each [x, y]."""
    h, w, _ = input_shape
    return [w / 16, h / 16], [(w - 1) / 2, (h - 1) / 2]
