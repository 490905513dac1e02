"""Custom CNNs of paper A (section 3.8, table 1).

Reference: "Revisiting Facial Key Point Detection: An Efficient Approach Using Deep Neural Networks"
(Dileep, Bolla, Ethiraj). The paper gives parameter counts; the layers of the baseline are those of
the authors' published notebook, the layers of the manual network are ours within the given count.
"""

import keras
from keras import layers

from fkp.models.contract import pixels_in, points_out


def _convolution(x, filters):
    """3x3 convolution without bias, LeakyReLU(0.1), batch normalisation: the paper's order."""
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    x = layers.LeakyReLU(negative_slope=0.1)(x)
    return layers.BatchNormalization()(x)


def baseline_cnn(input_shape: tuple[int, int, int], n_points: int) -> keras.Model:
    """The baseline: ten convolutions in pairs, 1,890,366 parameters at 96x96x1 and 15 points."""
    inputs, x = pixels_in(input_shape)
    for pair, filters in enumerate((32, 64, 128, 128, 64)):
        for _ in range(2):
            x = _convolution(x, filters)
        if pair < 4:
            x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    x = layers.Dense(512, activation="relu")(x)
    return keras.Model(inputs, points_out(x, input_shape, n_points), name="baseline_cnn")


def manual_cnn(input_shape: tuple[int, int, int], n_points: int) -> keras.Model:
    """A manually optimised network: 235,834 parameters at 96x96x1 and 15 points, as the paper's.

    The baseline's scheme with narrow, steadily widening pairs, one more pooling step before the
    flattened map and a dense layer of 116: an eighth of the parameters and under a fifth of the
    multiplications.
    """
    inputs, x = pixels_in(input_shape)
    for filters in (16, 24, 48, 56, 64):
        for _ in range(2):
            x = _convolution(x, filters)
        x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    x = layers.Dense(116, activation="relu")(x)
    return keras.Model(inputs, points_out(x, input_shape, n_points), name="manual_cnn")
