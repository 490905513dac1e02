"""Small networks that find points by heat maps: plain convolutions down, a light decoder up.

Every point has a map of logits a quarter as large as the image; its place is the expectation of the
softmax over the map (soft-argmax; "Numerical Coordinate Regression with Convolutional Neural
Networks", Nibali et al., 2018), and the spread of the same softmax says how far to trust it.
Plain 3x3 convolutions train several times as fast on a CPU as inverted residuals of equal
multiply-adds, and run well in int8.
"""

from functools import partial

import keras
import numpy as np
from keras import layers, ops

from fkp.models.contract import pixels_in

_MOMENTUM = 0.95


@keras.saving.register_keras_serializable("fkp")
class Expectation(layers.Layer):
    """Mean place, and on request the spread, of a softmax over each map.

    Logits (n, h, w, k) -> float32 (n, k, 2), (x, y) in pixels of the image, or (n, k, 3).

    Args:
        image: (height, width) of the image that the maps cover, pixels.
        spread: give the root mean square distance from the mean place, px, as a third column.
    """

    def __init__(self, image: tuple[int, int], spread: bool = False, **kwargs: object):
        super().__init__(**kwargs)
        self.image, self.spread = tuple(image), spread

    def call(self, logits: keras.KerasTensor) -> keras.KerasTensor:
        _, h, w, k = logits.shape
        flat = ops.transpose(ops.reshape(ops.cast(logits, "float32"), (-1, h * w, k)), (0, 2, 1))
        places, centre = _grid(h, w, self.image)
        moments = ops.matmul(ops.softmax(flat, axis=-1), places)
        mean = moments[..., :2]
        if not self.spread:
            return mean
        off_centre = ops.sum(ops.square(mean - centre), axis=-1, keepdims=True)
        spread = ops.sqrt(ops.maximum(moments[..., 2:] - off_centre, 0.0))
        return ops.concatenate([mean, spread], axis=-1)

    def get_config(self) -> dict:
        return super().get_config() | {"image": self.image, "spread": self.spread}


def _grid(h, w, image):
    """x, y and squared distance from the image's centre of each cell, float32 (h w, 3); centre.

    Distances from the centre, so that a variance is no small difference of large numbers.
    """
    centre = np.array([(image[1] - 1) / 2, (image[0] - 1) / 2])
    x = (np.arange(w) + 0.5) * image[1] / w - 0.5
    y = (np.arange(h) + 0.5) * image[0] / h - 0.5
    cells = np.stack([part.ravel() for part in np.meshgrid(x, y)], axis=1)
    squared = ((cells - centre) ** 2).sum(axis=1, keepdims=True)
    return np.hstack([cells, squared]).astype("float32"), centre.astype("float32")


@keras.saving.register_keras_serializable("fkp")
class Enlarge(layers.Layer):
    """To (rows, columns) by repeating cells: the resize that every runtime has in int8."""

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = tuple(size)

    def call(self, x):
        return ops.image.resize(x, self.size, interpolation="nearest", data_format="channels_last")

    def get_config(self):
        return super().get_config() | {"size": self.size}


def _convolution(x, filters, size=3, strides=1, relu=True, name=None):
    x = layers.Conv2D(
        filters, size, strides, padding="same", use_bias=False,
        kernel_initializer="he_normal", name=f"{name}_conv",
    )(x)  # fmt: skip
    x = layers.BatchNormalization(momentum=_MOMENTUM, epsilon=1e-5, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x) if relu else x


def _residual(x, filters, name):
    """One 3x3 convolution and what it was given."""
    y = _convolution(x, filters, relu=False, name=name)
    return layers.ReLU(name=f"{name}_out")(layers.Add(name=f"{name}_add")([x, y]))


def heatmap_cnn(
    input_shape: tuple[int, int, int],
    n_points: int,
    *,
    widths: tuple[int, ...] = (24, 48, 80, 128, 160),
    blocks: tuple[int, ...] = (1, 1, 2, 1, 1),
    decoder: tuple[int, ...] = (96, 64, 48),
) -> keras.Model:
    """An encoder of stages at half the size each, a decoder that adds them up again, heat maps.

    Args:
        input_shape: (h, w, c); best with sides that 2 ** len(widths) divides.
        widths: filters of each stage; a stage halves the side.
        blocks: residual convolutions of each stage.
        decoder: filters of each step up, from the smallest stage; at most len(widths) - 1.

    Returns:
        keras.Model; the logits are the output of its layer "heatmap".

    Raises:
        ValueError: options of lengths that do not go together.
    """
    if len(blocks) != len(widths) or len(decoder) >= len(widths):
        raise ValueError(
            f"widths, blocks, decoder: expected one block count a width and fewer steps up, got "
            f"{len(widths)}, {len(blocks)} and {len(decoder)}"
        )
    inputs, x = pixels_in(input_shape)
    stages = []
    for stage, (filters, count) in enumerate(zip(widths, blocks, strict=True), 1):
        x = _convolution(x, filters, strides=2, name=f"down{stage}")
        for block in range(count):
            x = _residual(x, filters, f"stage{stage}_{block + 1}")
        stages.append(x)
    for up, (filters, skip) in enumerate(zip(decoder, stages[-2::-1], strict=False), 1):
        x = _convolution(x, filters, 1, name=f"narrow{up}")
        x = Enlarge(skip.shape[1:3], name=f"up{up}")(x)
        beside = _convolution(skip, filters, 1, relu=False, name=f"skip{up}")
        x = layers.ReLU(name=f"join{up}")(layers.Add(name=f"sum{up}")([x, beside]))
        x = _residual(x, filters, f"fine{up}")
    logits = layers.Conv2D(n_points, 1, dtype="float32", name="heatmap")(x)
    points = Expectation(input_shape[:2], dtype="float32", name="points")(logits)
    return keras.Model(inputs, points, name="heatmap_cnn")


small = heatmap_cnn
# For images of 112 px: half the multiply-adds and a quarter of the parameters of `small`.
tiny = partial(heatmap_cnn, widths=(16, 32, 48, 80), blocks=(1, 1, 2, 2), decoder=(48, 32))


def with_spread(model: keras.Model) -> keras.Model:
    """The same network, sharing weights, with the spread of each heat map as a third column.

    Args:
        model: with a layer "heatmap", as `heatmap_cnn` makes it.

    Returns:
        keras.Model, pixels -> float32 (n, k, 3): x, y, spread, px.

    Raises:
        ValueError: the model has no heat maps.
    """
    names = [layer.name for layer in model.layers]
    if "heatmap" not in names:
        raise ValueError(f"{model.name}: expected a model with heat maps, its points are regressed")
    logits = model.get_layer("heatmap").output
    head = Expectation(model.input_shape[1:3], spread=True, dtype="float32", name="points")
    return keras.Model(model.inputs, head(logits), name=model.name)
