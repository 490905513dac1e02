"""A CNN described by plain options, so that a found architecture is just `model_options`.

Reference: "Revisiting Facial Key Point Detection: An Efficient Approach Using Deep Neural Networks"
(Dileep, Bolla, Ethiraj). The search space is that of the authors' published notebook.
"""

from collections.abc import Sequence
from functools import partial

import keras
from keras import layers

from fkp.models.contract import pixels_in, points_out
from fkp.record.files import named

_ACTIVATIONS = {
    "relu": layers.ReLU,
    "leaky_relu": lambda **name: layers.LeakyReLU(negative_slope=0.1, **name),
}


def _room(x, size, name):
    """ValueError if a window of `size` does not fit the map x (n, h, w, c)."""
    if min(x.shape[1:3]) < size:
        h, w = x.shape[1:3]
        raise ValueError(f"{name}: a window of {size} does not fit a map of {h}x{w}")


def tuned_cnn(
    input_shape: tuple[int, int, int],
    n_points: int,
    *,
    filters: Sequence[int] = (64, 48, 48, 48),
    kernels: Sequence[int] = (5, 5, 3, 5),
    pool_after: Sequence[int] = (2, 3, 4),
    padding: str = "valid",
    activation: str = "relu",
    dense: int = 48,
    dropout: float = 0.0,
) -> keras.Model:
    """Convolutions (each: convolution, activation, batch normalisation), a dense layer, the head.

    The default is the paper's tuned network for unimputed data: 306,750 parameters at 96x96x1 and
    15 points.

    Args:
        filters: filters of each convolution; their number is the depth.
        kernels: side of each convolution's kernel, as many as `filters`.
        pool_after: numbers (from 1) of the convolutions that a 2x2 max-pool follows.
        padding: "same" or "valid".
        activation: "relu" or "leaky_relu" (0.1); the dense layer is always ReLU.
        dense: units of the dense layer.
        dropout: rate on the flattened map.

    Raises:
        ValueError: options that contradict each other, or more layers than the image has room for.
    """
    if len(filters) != len(kernels) or not filters:
        raise ValueError(
            f"filters and kernels: expected one each per convolution, got {filters} and {kernels}"
        )
    if not set(pool_after) <= set(range(1, len(filters) + 1)):
        raise ValueError(
            f"pool_after: expected numbers of layers 1..{len(filters)}, got {pool_after}"
        )
    activate = named(_ACTIVATIONS, "activation", activation)
    inputs, x = pixels_in(input_shape)
    for i, (width, kernel) in enumerate(zip(filters, kernels, strict=True), 1):
        name = f"conv{i}_{kernel}x{kernel}"
        if padding == "valid":
            _room(x, kernel, name)
        x = layers.Conv2D(width, kernel, padding=padding, name=name)(x)
        x = activate(name=f"{activation}{i}")(x)
        x = layers.BatchNormalization(name=f"norm{i}")(x)
        if i in pool_after:
            _room(x, 2, f"pool{i}")
            x = layers.MaxPooling2D(name=f"pool{i}")(x)
    x = layers.Flatten(name="flatten")(x)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Dense(dense, activation="relu", name="dense")(x)
    return keras.Model(inputs, points_out(x, input_shape, n_points), name="tuned_cnn")


# The paper's other tuned networks (table 1). It gives parameter counts alone; at 96x96x1 and 15
# points each is the only member of the authors' space with its count. For KNN the table has
# 246,062: what the forward-fill network *trains*, without its batch statistics.
tuned_cnn_ffill = partial(tuned_cnn, filters=(80, 32, 48, 48), kernels=(5, 3, 3, 5))
tuned_cnn_augment = partial(tuned_cnn, filters=(80, 48, 48, 48), kernels=(3, 5, 5, 3))
