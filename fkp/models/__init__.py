"""The models: name -> builder.

One contract: a model takes raw pixels, uint8-valued (n, h, w, c), and returns points in pixels,
float32 (n, k, 2). Scaling, channel repetition and resizing live inside the model, so nobody outside
asks which model it is.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

from fkp.models.files import in_float32, load, save
from fkp.record.files import named

if TYPE_CHECKING:
    import keras

__all__ = ["MODELS", "build", "in_float32", "layers_of", "load", "save"]

# name -> (module, builder). A module is imported when one of its models is built.
MODELS = {
    "baseline_cnn": ("fkp.models.cnn", "baseline_cnn"),
    "manual_cnn": ("fkp.models.cnn", "manual_cnn"),
    "tuned_cnn": ("fkp.models.tuned", "tuned_cnn"),
    "tuned_cnn_ffill": ("fkp.models.tuned", "tuned_cnn_ffill"),
    "tuned_cnn_augment": ("fkp.models.tuned", "tuned_cnn_augment"),
    "resnet18": ("fkp.models.resnet", "resnet18"),
    "mobilenet_v2": ("fkp.models.backbones", "mobilenet_v2"),
    "nasnet_mobile": ("fkp.models.backbones", "nasnet_mobile"),
    "paper_c_cnn": ("fkp.models.paper_c", "paper_c_cnn"),
    "keypoint_net": ("fkp.models.keypoint_net", "keypoint_net"),
    "small": ("fkp.models.keypoint_net", "small"),
    "tiny": ("fkp.models.keypoint_net", "tiny"),
}


def build(
    name: str,
    input_shape: tuple[int, int, int],
    n_points: int,
    *,
    precision: str = "float32",
    seed: int | None = None,
    momentum: float | None = None,
    **options: object,
) -> "keras.Model":
    """A freshly initialised model.

    Args:
        name: a key of `MODELS`.
        input_shape: (h, w, c) of the raw images, c = 1 or 3.
        precision: Keras dtype policy, "float32" or "mixed_bfloat16". Inputs and outputs stay in
            full precision.
        seed: seeds the initial weights; None leaves Keras' global seed alone.
        momentum: of all batch normalisations; None = the model's own. Their running statistics,
            which a model predicts with, remember about 1 / (1 - momentum) updates: where a
            training has few, Keras' 0.99 makes them lag behind the weights.
        **options: passed to the builder.

    Returns:
        keras.Model, (n, h, w, c) pixels -> (n, k, 2) pixels.

    Raises:
        ValueError: unknown model, or an option the builder refuses.
    """
    module, builder = named(MODELS, "model", name)
    import keras

    if seed is not None:
        keras.utils.set_random_seed(seed)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        model = getattr(import_module(module), builder)(tuple(input_shape), n_points, **options)
    finally:
        keras.config.set_dtype_policy(before)
    if momentum is not None:
        for layer in layers_of(model):
            if hasattr(layer, "moving_mean"):
                layer.momentum = momentum
    return model


def layers_of(model: "keras.Model") -> "Iterator[keras.Layer]":
    """The layers of a model; in place of a model inside it, that model's layers."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from layers_of(layer)
        else:
            yield layer
