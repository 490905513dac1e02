"""The models: name -> builder.

One contract: a model takes raw pixels, uint8-valued (n, h, w, c), and returns points in pixels,
float32 (n, k, 2). Scaling, channel repetition and resizing live inside the model, so nobody outside
asks which model it is.
"""

from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd

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
}


@contextmanager
def _precision(policy):
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def build(name, input_shape, n_points, *, precision="float32", seed=None, **options):
    """A freshly initialised model.

    Args:
        name: a key of `MODELS`.
        input_shape: (h, w, c) of the raw images, c = 1 or 3.
        n_points: number of points k.
        precision: Keras dtype policy, "float32" or "mixed_bfloat16". Inputs and outputs stay in
            full precision.
        seed: seeds the initial weights; None leaves Keras' global seed alone.
        **options: passed to the builder.

    Returns:
        keras.Model, (n, h, w, c) pixels -> (n, k, 2) pixels.

    Raises:
        ValueError: unknown model, or an option the builder refuses.
    """
    if name not in MODELS:
        raise ValueError(f"unknown model {name!r}; known: {', '.join(MODELS)}")
    module, builder = MODELS[name]
    if seed is not None:
        import keras

        keras.utils.set_random_seed(seed)
    with _precision(precision):
        return getattr(import_module(module), builder)(tuple(input_shape), n_points, **options)


def in_float32(model):
    """The same model and weights with every layer in float32.

    A model trained in mixed precision predicts, measures and exports in full precision.
    """
    import keras

    architecture = model.to_json().replace('"mixed_bfloat16"', '"float32"')
    twin = keras.models.model_from_json(architecture)
    twin.set_weights(model.get_weights())
    return twin


def save(model, path):
    """Save a model as a .keras file that appears whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.stem}.part.keras")
    model.save(part)
    part.replace(path)


def size(model):
    """Parameters and float32 size of a model.

    Returns:
        dict: parameters, trainable_parameters, float32_mb (4 bytes each, in 10^6 bytes).
    """
    trainable = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    parameters = model.count_params()
    return {
        "parameters": parameters,
        "trainable_parameters": trainable,
        "float32_mb": parameters * 4 / 1e6,
    }


def layer_table(model):
    """The architecture as a DataFrame: layer, kind, output shape, parameters."""
    rows = [
        (layer.name, type(layer).__name__, tuple(layer.output.shape[1:]), layer.count_params())
        for layer in model.layers
    ]
    return pd.DataFrame(rows, columns=["layer", "kind", "output", "parameters"])
