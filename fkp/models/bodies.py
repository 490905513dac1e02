"""Bodies: from scaled pixels to maps, one for each halving of the side.

Plain 3x3 convolutions train several times as fast on a CPU as inverted residuals of equal
multiply-adds, and run well in int8.
"""

import keras
from keras import layers

from fkp.models.backbones import cut_mobilenet_v2
from fkp.models.resnet import stages

_MOMENTUM = 0.95


def convolution(
    x: keras.KerasTensor,
    filters: int | None,
    size: int = 3,
    strides: int = 1,
    relu: bool = True,
    name: str = "",
) -> keras.KerasTensor:
    """Convolution, batch normalisation and, if wanted, ReLU; `filters` None = depthwise."""
    shape = {"strides": strides, "padding": "same", "use_bias": False, "name": f"{name}_conv"}
    if filters is None:
        x = layers.DepthwiseConv2D(size, depthwise_initializer="he_normal", **shape)(x)
    else:
        x = layers.Conv2D(filters, size, kernel_initializer="he_normal", **shape)(x)
    x = layers.BatchNormalization(momentum=_MOMENTUM, epsilon=1e-5, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x) if relu else x


def residual(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    """One 3x3 convolution and what it was given."""
    y = convolution(x, filters, relu=False, name=name)
    return layers.ReLU(name=f"{name}_out")(layers.Add(name=f"{name}_add")([x, y]))


def plain(
    x: keras.KerasTensor, widths: tuple[int, ...], blocks: tuple[int, ...]
) -> list[keras.KerasTensor]:
    """Each stage: a 3x3 convolution with stride 2, then `residual` ones."""
    stages = []
    for stage, (filters, count) in enumerate(zip(widths, blocks, strict=True), 1):
        x = convolution(x, filters, strides=2, name=f"down{stage}")
        for block in range(count):
            x = residual(x, filters, f"stage{stage}_{block + 1}")
        stages.append(x)
    return stages


def inverted(
    x: keras.KerasTensor, widths: tuple[int, ...], blocks: tuple[int, ...], expansion: int = 4
) -> list[keras.KerasTensor]:
    """Each stage: inverted residuals, the first with stride 2; a plain convolution before all.

    Reference: "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (Sandler et al., 2018).
    """
    x = convolution(x, widths[0], strides=2, name="down1")
    stages = []
    for stage, (filters, count) in enumerate(zip(widths, blocks, strict=True), 1):
        for block in range(count + (stage > 1)):
            name, down = f"stage{stage}_{block}", stage > 1 and block == 0
            y = convolution(x, expansion * x.shape[-1], 1, name=f"{name}_expand")
            y = convolution(y, None, strides=2 if down else 1, name=f"{name}_depth")
            y = convolution(y, filters, 1, relu=False, name=f"{name}_project")
            x = y if down else layers.Add(name=f"{name}_add")([x, y])
        stages.append(x)
    return stages


def mobilenet_v2(
    x: keras.KerasTensor, widths: object, blocks: object, weights: str = "imagenet"
) -> list[keras.KerasTensor]:
    """MobileNetV2 up to its block 12, a sixteenth of the side; widths and blocks are its own."""
    return cut_mobilenet_v2(x, weights)


def resnet18(x: keras.KerasTensor, widths: object, blocks: object) -> list[keras.KerasTensor]:
    """ResNet-18 without its head; widths and blocks are its own."""
    return stages(x, (2, 2, 2, 2))


# name -> function of (scaled pixels, widths, blocks, **options) -> maps, finest first.
BODIES = {
    "plain": plain,
    "inverted": inverted,
    "mobilenet_v2": mobilenet_v2,
    "resnet18": resnet18,
}
