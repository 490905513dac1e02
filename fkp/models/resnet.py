"""ResNet-18 for point regression (papers B, C and D).

Reference: "Deep Residual Learning for Image Recognition" (He et al., 2016), table 1, with a linear
head for coordinates as in "DeepPose" (Toshev and Szegedy, 2014).
"""

from collections.abc import Sequence

import keras
from keras import layers

from fkp.models.contract import pixels_in, points_out


def _convolution(x, filters, size, strides, name):
    x = layers.Conv2D(
        filters,
        size,
        strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)


def _basic_block(x, filters, strides, name):
    """Two 3x3 convolutions and a shortcut, projected by 1x1 where the shape changes."""
    shortcut = x
    if strides > 1 or x.shape[-1] != filters:
        shortcut = _convolution(x, filters, 1, strides, f"{name}_shortcut")
    x = layers.ReLU()(_convolution(x, filters, 3, strides, f"{name}_1"))
    x = _convolution(x, filters, 3, 1, f"{name}_2")
    return layers.ReLU(name=name)(layers.Add()([x, shortcut]))


def stages(x: keras.KerasTensor, blocks: Sequence[int]) -> list[keras.KerasTensor]:
    """Scaled pixels to the maps of the stem and of each stage: a half of the side, then a quarter,
    an eighth, ...

    Args:
        blocks: basic blocks per stage of 64, 128, 256, 512 filters.
    """
    x = layers.ReLU()(_convolution(x, 64, 7, 2, "stem"))
    maps = [x]
    x = layers.MaxPooling2D(3, 2, padding="same", name="stem_pool")(x)
    for stage, count in enumerate(blocks):
        for block in range(count):
            strides = 2 if stage > 0 and block == 0 else 1
            x = _basic_block(x, 64 * 2**stage, strides, f"stage{stage + 1}_block{block + 1}")
        maps.append(x)
    return maps


def resnet18(
    input_shape: tuple[int, int, int],
    n_points: int,
    *,
    blocks: Sequence[int] = (2, 2, 2, 2),
    dropout: float = 0.0,
) -> keras.Model:
    """ResNet of basic blocks; the default is ResNet-18 with 11.2 M parameters.

    Args:
        input_shape: (h, w, c); the first convolution takes one channel or three.
        blocks: basic blocks per stage of 64, 128, 256, 512 filters; paper C lists (3, 3, 3, 4).
        dropout: rate before the head.
    """
    inputs, x = pixels_in(input_shape)
    x = layers.GlobalAveragePooling2D()(stages(x, blocks)[-1])
    if dropout:
        x = layers.Dropout(dropout)(x)
    return keras.Model(inputs, points_out(x, input_shape, n_points), name="resnet18")
