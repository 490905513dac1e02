"""Small networks for keypoints: a body, a light decoder that adds its maps up again, a head."""

from functools import partial

import keras
from keras import layers, ops

from fkp.models.bodies import BODIES, convolution, residual
from fkp.models.contract import pixels_in
from fkp.models.heads import HEADS
from fkp.record.files import named


@keras.saving.register_keras_serializable("fkp")
class Enlarge(layers.Layer):
    """To (rows, columns) by repeating cells: the resize that every runtime has in int8."""

    def __init__(self, size: tuple[int, int], **kwargs: object):
        super().__init__(**kwargs)
        self.size = tuple(size)

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return ops.image.resize(x, self.size, interpolation="nearest", data_format="channels_last")


def keypoint_net(
    input_shape: tuple[int, int, int],
    n_points: int,
    *,
    body: str = "plain",
    head: str = "soft_argmax",
    widths: tuple[int, ...] = (16, 48, 80, 128, 160),
    blocks: tuple[int, ...] = (0, 1, 3, 1, 1),
    decoder: tuple[int, ...] = (96, 64, 48),
    **options: object,
) -> keras.Model:
    """An encoder of stages at half the size each, a decoder that adds them up again, a head.

    Args:
        input_shape: (h, w, c); best with sides that 2 ** len(widths) divides.
        body: a key of `fkp.models.bodies.BODIES`.
        head: a key of `fkp.models.heads.HEADS`.
        widths: filters of each stage; a stage halves the side.
        blocks: blocks of each stage.
        decoder: filters of each step up, from the smallest stage; fewer than there are stages.
        **options: of the body.

    Returns:
        keras.Model; the logits of `soft_argmax` are the output of its layer "heatmap".

    Raises:
        ValueError: an unknown body or head, or options of lengths that do not go together.
    """
    if len(blocks) != len(widths):
        raise ValueError(
            f"blocks: expected one count a width, got {len(blocks)} for {len(widths)} widths"
        )
    inputs, x = pixels_in(input_shape)
    stages = named(BODIES, "body", body)(x, widths, blocks, **options)
    if len(decoder) >= len(stages):
        raise ValueError(
            f"decoder: expected fewer steps up than the {len(stages)} stages, got {len(decoder)}"
        )
    x = stages[-1]
    for up, (filters, skip) in enumerate(zip(decoder, stages[-2::-1], strict=False), 1):
        x = convolution(x, filters, 1, name=f"narrow{up}")
        x = Enlarge(skip.shape[1:3], name=f"up{up}")(x)
        beside = convolution(skip, filters, 1, relu=False, name=f"skip{up}")
        x = layers.ReLU(name=f"join{up}")(layers.Add(name=f"sum{up}")([x, beside]))
        x = residual(x, filters, f"fine{up}")
    points = named(HEADS, "head", head)(x, stages[-1], input_shape, n_points)
    return keras.Model(inputs, points, name="keypoint_net")


small = keypoint_net
# For images of 96 px: a third of the multiply-adds and of the parameters of `small`.
tiny = partial(keypoint_net, widths=(16, 32, 56, 80), blocks=(0, 1, 3, 2), decoder=(48, 32))
