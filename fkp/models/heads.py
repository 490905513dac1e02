"""Heads: from the maps of a body to points, regressed or read from where logits peak.

A head of logits gives, for every point, a distribution over places; the point is its mean
(soft-argmax; "Numerical Coordinate Regression with Convolutional Neural Networks", Nibali et al.,
2018), and its spread says how far to trust it.
"""

import keras
import numpy as np
from keras import layers, ops

from fkp.models.contract import points_out


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
        share = ops.reshape(ops.softmax(flat, axis=-1), (-1, k, h, w))
        places, centre = _places(h, w, self.image)
        sides = ops.concatenate([ops.sum(share, axis=2), ops.sum(share, axis=3)], axis=-1)
        moments = ops.matmul(sides, places)
        mean = moments[..., :2]
        if not self.spread:
            return mean
        off_centre = ops.sum(ops.square(mean - centre), axis=-1, keepdims=True)
        spread = ops.sqrt(ops.maximum(moments[..., 2:] - off_centre, 0.0))
        return ops.concatenate([mean, spread], axis=-1)


def _places(h, w, image):
    """What columns and rows add to x, to y and to the squared distance from the image's centre.

    Returns:
        (float32 (w + h, 3), columns first; centre). Distances from the centre, so that a variance
        is no small difference of large numbers.
    """
    centre = np.array([(image[1] - 1) / 2, (image[0] - 1) / 2])
    x = (np.arange(w) + 0.5) * image[1] / w - 0.5
    y = (np.arange(h) + 0.5) * image[0] / h - 0.5
    columns = np.stack([x, np.zeros(w), (x - centre[0]) ** 2], axis=1)
    rows = np.stack([np.zeros(h), y, (y - centre[1]) ** 2], axis=1)
    return np.concatenate([columns, rows]).astype("float32"), centre.astype("float32")


@keras.saving.register_keras_serializable("fkp")
class Bins(layers.Layer):
    """Mean places of two softmaxes for each point, one along x and one along y.

    Logits (n, k, w + h), a bin a pixel, first those along x -> float32 (n, k, 2), pixels.

    Args:
        image: (height, width) of the image, pixels.
    """

    def __init__(self, image: tuple[int, int], **kwargs: object):
        super().__init__(**kwargs)
        self.image = tuple(image)

    def call(self, logits: keras.KerasTensor) -> keras.KerasTensor:
        h, w = self.image
        means = [
            ops.sum(ops.softmax(part, axis=-1) * np.arange(size, dtype="float32"), axis=-1)
            for part, size in ((logits[..., :w], w), (logits[..., w:], h))
        ]
        return ops.stack(means, axis=-1)


def regression(
    fine: keras.KerasTensor, coarse: keras.KerasTensor, input_shape: tuple, n_points: int
) -> keras.KerasTensor:
    """The coarsest maps, averaged over the image, and one dense layer."""
    return points_out(layers.GlobalAveragePooling2D(name="average")(coarse), input_shape, n_points)


def soft_argmax(
    fine: keras.KerasTensor, coarse: keras.KerasTensor, input_shape: tuple, n_points: int
) -> keras.KerasTensor:
    """A heat map for each point from the finest maps, and its `Expectation`."""
    logits = layers.Conv2D(n_points, 1, dtype="float32", name="heatmap")(fine)
    return Expectation(input_shape[:2], dtype="float32", name="points")(logits)


def simcc(
    fine: keras.KerasTensor, coarse: keras.KerasTensor, input_shape: tuple, n_points: int
) -> keras.KerasTensor:
    """A map for each point, flattened, and a dense layer to one bin a pixel along x and along y.

    Reference: "SimCC: a Simple Coordinate Classification Perspective for Human Pose Estimation"
    (Li et al., 2022).
    """
    x = layers.Conv2D(n_points, 1, name="map")(fine)
    x = layers.Permute((3, 1, 2), name="by_point")(x)
    x = layers.Reshape((n_points, -1), name="flat")(x)
    logits = layers.Dense(sum(input_shape[:2]), dtype="float32", name="bins")(x)
    return Bins(input_shape[:2], dtype="float32", name="points")(logits)


# name -> function of (finest maps, coarsest maps, input shape, number of points) -> points.
HEADS = {"regression": regression, "soft_argmax": soft_argmax, "simcc": simcc}
