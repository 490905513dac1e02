"""What is added to a trained model before it ships: its labels' offset, its expected errors.

Labels do not lie where mirror images would put them: in 300-W they lie half a percent of the
face's box further right. A network that learns from mirrored faces cannot know it; a constant for
each point mends it.
"""

import keras
import numpy as np
from keras import layers, ops

from fkp.measure.calibration import LEAST
from fkp.models.heads import Expectation


@keras.saving.register_keras_serializable("fkp")
class Offset(layers.Layer):
    """A constant added to each point: float32 (n, k, 2 or more) -> the same, px.

    Args:
        offset: k pairs, px.
    """

    def __init__(self, offset: list[list[float]], **kwargs: object):
        super().__init__(**kwargs)
        self.offset = [[float(x), float(y)] for x, y in offset]

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        taken = np.zeros(x.shape[1:], np.float32)
        taken[:, :2] = self.offset
        return x - -taken  # a difference: in a file of 8 bits sums are rounded, see `deploy.export`


@keras.saving.register_keras_serializable("fkp")
class ExpectedError(layers.Layer):
    """Spreads in the third column become expected errors; see `fkp.measure.calibration`.

    float32 (n, k, 3): x, y, spread, px -> x, y, expected distance from the true point, px.

    Args:
        offset: k numbers.
        slope, curve: of all points.
    """

    def __init__(self, offset: list[float], slope: float, curve: float, **kwargs: object):
        super().__init__(**kwargs)
        self.offset, self.slope, self.curve = list(offset), slope, curve

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        s = ops.log(ops.maximum(x[..., 2:], LEAST))
        offset = np.array(self.offset, np.float32)[:, None]
        return ops.concatenate(
            [x[..., :2], ops.exp(offset + s * (self.slope + self.curve * s))], axis=-1
        )


def with_spread(model: keras.Model) -> keras.Model:
    """The same network, sharing weights, with the spread of each heat map as a third column.

    Args:
        model: with a layer "heatmap", as the head `soft_argmax` makes it.

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


def followed_by(model: keras.Model, layer: layers.Layer) -> keras.Model:
    """The same network, sharing weights, with a layer such as `Offset` behind its points."""
    return keras.Model(model.inputs, layer(model.outputs[0]), name=model.name)


def label_offset(labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Mean of labels minus predictions, (k, 2) px; of a point without labels 0.

    Args:
        labels: (n, k, 2), of training faces; NaN = unlabelled.
        predicted: (n, k, 2 or more).
    """
    apart = np.ma.masked_invalid(labels - predicted[..., :2])
    return apart.mean(axis=0).filled(0.0)
