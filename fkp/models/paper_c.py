"""The CNN of paper C (section 3.2).

The paper says: three convolutions with ReLU, two max-pools, dense layers, 88 outputs. It leaves the
widths to a figure without text; ours are the common small ones, 3x3 kernels without padding, 32,
64 and 64 filters, a pool after each of the first two, and a dense layer of 64.
"""

import keras
from keras import layers

from fkp.models.contract import pixels_in, points_out


def paper_c_cnn(input_shape: tuple[int, int, int], n_points: int) -> keras.Model:
    """Three convolutions, two max-pools, a dense layer: 14.8 M parameters at 256x256x1, 44 points.

    Nearly all of them lie between the flattened map and the dense layer, so they grow with the
    image: 3.2 M at 128x128.
    """
    inputs, x = pixels_in(input_shape)
    for filters in (32, 64):
        x = layers.Conv2D(filters, 3, activation="relu")(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(64, 3, activation="relu")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(64, activation="relu")(x)
    return keras.Model(inputs, points_out(x, input_shape, n_points), name="paper_c_cnn")
