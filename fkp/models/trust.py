"""A trained model that also says how far off each point may be."""

import keras
import numpy as np
from keras import layers, ops

from fkp.measure.calibration import LEAST, Calibration
from fkp.models.heads import Expectation


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

    def get_config(self) -> dict:
        return super().get_config() | {
            "offset": self.offset, "slope": self.slope, "curve": self.curve
        }  # fmt: skip


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


def with_error(model: keras.Model, calibration: Calibration) -> keras.Model:
    """The same network with the expected error of each point, px, as a third column.

    Args:
        model: as for `with_spread`.
        calibration: of this model, see `fkp.measure.calibration.fit`.

    Raises:
        ValueError: as `with_spread`.
    """
    spread = with_spread(model)
    told = ExpectedError(
        calibration.offset.tolist(), calibration.slope, calibration.curve, name="error"
    )
    return keras.Model(spread.inputs, told(spread.outputs[0]), name=model.name)
