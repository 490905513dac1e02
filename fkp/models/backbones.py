"""Keras' own mobile backbones with a GAP + Dense head (paper A, section 3.8).

References: "MobileNetV2: Inverted Residuals and Linear Bottlenecks" (Sandler et al., 2018);
"Learning Transferable Architectures for Scalable Image Recognition" (Zoph et al., 2018).
"""

from pathlib import Path

import keras
from keras import layers

from fkp.models.contract import as_rgb, pixels_in, points_out

# Keras' own backbones average batch statistics over thousands of updates (momentum 0.999 in
# MobileNetV2, 0.9997 in NASNetMobile): more than a training here has.
_MOMENTUM = 0.9


def _backbone(application, input_shape, weights):
    """The application without its top, with weights "imagenet", "none" or from a file."""
    path = None if weights in (None, "none", "imagenet") else Path(weights)
    if path is not None and not path.is_file():
        raise ValueError(f"weights: expected imagenet, none or a file, and {weights} is none")
    arguments = {"include_top": False, "input_shape": (*input_shape[:2], 3)}
    if weights == "imagenet":
        try:
            return application(weights="imagenet", **arguments)
        except Exception as error:  # keras raises a bare Exception when a download fails
            raise ValueError(
                f"ImageNet weights of {application.__name__} could not be loaded ({error}); "
                "without a network give weights=FILE (the no-top .h5 file of keras-applications) "
                "or weights=none"
            ) from error
    backbone = application(weights=None, **arguments)
    if path is not None:
        try:
            backbone.load_weights(path)
        except (ValueError, OSError, KeyError) as error:
            raise ValueError(
                f"weights file {path.name} does not fit {application.__name__}: {error}"
            ) from error
    return backbone


def _train_from(backbone, fine_tune):
    """Freeze the layers before `fine_tune`: "all", "none" or a layer's name.

    A frozen batch normalisation runs on its stored statistics, one that is trained renews them.
    """
    names = [layer.name for layer in backbone.layers]
    if fine_tune not in ("all", "none", *names):
        raise ValueError(
            f"fine_tune: expected all, none or a layer of {backbone.name}, got {fine_tune!r}"
        )
    first = {"all": 0, "none": len(names)}.get(fine_tune)
    if first is None:
        first = names.index(fine_tune)
    for layer in backbone.layers[:first]:
        layer.trainable = False
    for layer in backbone.layers[first:]:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = _MOMENTUM


def _model(application, input_shape, n_points, weights, fine_tune, size, name):
    inputs, x = pixels_in(input_shape)
    x = as_rgb(x)
    if size is not None and tuple(input_shape[:2]) != (size, size):
        x = layers.Resizing(size, size, name="resize")(x)
    backbone = _backbone(application, x.shape[1:], weights)
    _train_from(backbone, fine_tune)
    x = layers.GlobalAveragePooling2D(name="average")(backbone(x))
    return keras.Model(inputs, points_out(x, input_shape, n_points), name=name)


def mobilenet_v2(
    input_shape: tuple[int, int, int],
    n_points: int,
    *,
    weights: str = "none",
    fine_tune: str = "all",
    size: int | None = None,
) -> keras.Model:
    """MobileNetV2 (alpha 1): 2,257,984 parameters and the head.

    Args:
        input_shape: (h, w, c); gray is repeated to three channels.
        weights: "imagenet" (downloaded by Keras), "none" or a file of no-top weights.
        fine_tune: "all", "none" (frozen backbone) or the first layer to train, by name.
        size: side in pixels to which the model resizes its input; None keeps it.

    Raises:
        ValueError: weights that cannot be had or do not fit, unknown layer.
    """
    application = keras.applications.MobileNetV2
    return _model(application, input_shape, n_points, weights, fine_tune, size, "mobilenet_v2")


def nasnet_mobile(
    input_shape: tuple[int, int, int],
    n_points: int,
    *,
    weights: str = "none",
    fine_tune: str = "all",
    size: int | None = 224,
) -> keras.Model:
    """NASNetMobile: 4,301,426 parameters with the head for 15 points.

    Args, Returns, Raises: as `mobilenet_v2`; the paper's input is 224x224x3, so is the default.
    """
    application = keras.applications.NASNetMobile
    return _model(application, input_shape, n_points, weights, fine_tune, size, "nasnet_mobile")


# The last layer of MobileNetV2 at each side, from a half to a sixteenth.
_CUTS = ("block_1_expand_relu", "block_3_expand_relu", "block_6_expand_relu", "block_12_add")


def cut_mobilenet_v2(x: keras.KerasTensor, weights: str) -> list[keras.KerasTensor]:
    """Maps of MobileNetV2's first twelve blocks, finest first: a half to a sixteenth of the side.

    Args:
        x: scaled pixels, gray or RGB.
        weights: as for `mobilenet_v2`.

    Raises:
        ValueError: weights that cannot be had or do not fit.
    """
    x = as_rgb(x)
    backbone = _backbone(keras.applications.MobileNetV2, x.shape[1:], weights)
    _train_from(backbone, "all")
    cut = [backbone.get_layer(name).output for name in _CUTS]
    return keras.Model(backbone.inputs, cut, name="cut_mobilenet_v2")(x)
