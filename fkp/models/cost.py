"""What a model costs whatever runs it: multiply-adds; a stand-in for a model not yet trained."""

from math import prod
from pathlib import Path

import numpy as np
import pandas as pd

# Layers with kernels, and the map over whose positions each kernel is applied.
_POSITIONS = {
    "Conv2D": "output",
    "DepthwiseConv2D": "output",
    "SeparableConv2D": "output",
    "Conv2DTranspose": "input",
    "Dense": "output",
}


def layers_of(model):
    """The layers of a model; in place of a model inside it, that model's layers."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from layers_of(layer)
        else:
            yield layer


def multiply_adds(model):
    """Multiplications (each with an addition) of all kernels for one image; FLOPs are twice that.

    Normalisation, activations, pooling and resizing are left out: together a few per cent.

    Raises:
        ValueError: a layer has a kernel and this function does not know how it is applied.
    """
    total = 0
    for layer in layers_of(model):
        kernels = [weight for weight in layer.weights if weight.name.endswith("kernel")]
        kind = type(layer).__name__
        if kernels and kind not in _POSITIONS:
            raise ValueError(f"{layer.name}: cannot count the multiply-adds of a {kind}")
        if kernels:
            positions = prod(getattr(layer, _POSITIONS[kind]).shape[1:-1])
            total += positions * sum(prod(kernel.shape) for kernel in kernels)
    return total


def load(entry, images, n_points, seed=0):
    """A model to measure.

    Args:
        entry: a name of `fkp.models.MODELS`, for which there will be a stand-in, or a .keras file.
        images: uint8 (n, h, w, c) that it must take; None for a file = whatever it takes.
        n_points: points of a stand-in.
        seed: of a stand-in.

    Returns:
        (name, keras.Model, whether it is a trained one). A file model.keras is called by its
        folder.

    Raises:
        ValueError: neither a name nor a file, or a file whose model takes other images.
    """
    from fkp import models

    if entry in models.MODELS:
        model = models.build(entry, images.shape[1:], n_points, seed=seed)
        return entry, stand_in(model, images[:16], seed=seed), False
    path = Path(entry)
    if path.suffix != ".keras" or not path.is_file():
        raise ValueError(f"{entry}: neither a .keras file nor one of {', '.join(models.MODELS)}")
    import keras

    model = keras.models.load_model(path, compile=False)
    if images is not None and model.input_shape[1:] != images.shape[1:]:
        raise ValueError(
            f"{path.name}: takes images {model.input_shape[1:]}, got {images.shape[1:]}"
        )
    return path.parent.name if path.stem == "model" else path.stem, model, True


def stand_in(model, images, spread=4.0, seed=0):
    """Make an untrained model behave like a trained one, in place, for timing and export.

    Every batch normalisation takes its statistics from `images`, so that values keep their scale
    through the layers (vanishing ones are slow or hide rounding), and the head gets random weights
    such that the points lie about the centre and differ from image to image.

    Args:
        model: as `fkp.models.build` returns it.
        images: uint8 (n, h, w, c); n = 16 is enough.
        spread: standard deviation of a coordinate over images, px.
        seed: of the head's weights.

    Returns:
        The model.
    """
    from fkp.models.contract import start_at

    norms = [layer for layer in layers_of(model) if hasattr(layer, "moving_mean")]
    momenta = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = 0.0
    model(images, training=True)
    for layer, momentum in zip(norms, momenta, strict=True):
        layer.momentum = momentum
    kernel = model.get_layer("coordinates").kernel
    values = np.random.default_rng(seed).normal(size=kernel.shape).astype(np.float32)
    kernel.assign(values)
    h, w = images.shape[1:3]
    centre = np.full(model.output_shape[1:], [(w - 1) / 2, (h - 1) / 2])
    start_at(model, centre)
    points = model.predict_on_batch(images)
    scale = spread / points.std(axis=0).mean()
    kernel.assign(values * scale)
    start_at(model, centre - scale * (points.mean(axis=0) - centre))
    return model


def stages(model):
    """The architecture in short: the layers with weights, summed up by the side of their maps.

    Returns:
        DataFrame, largest maps first: layer (how many there are), kind, output (of the last one,
        without the batch), parameters; as `fkp.plots.architecture` takes it.
    """
    sides = {}
    for layer in layers_of(model):
        if layer.weights:
            shape = tuple(layer.output.shape[1:])
            side = shape[:2] if len(shape) == 3 else layer.name
            sides.setdefault(side, []).append((shape, layer.count_params()))
    rows = [
        {
            "layer": f"{len(found)} layer{'s' * (len(found) > 1)}",
            "kind": "Dense" if isinstance(side, str) else "Conv2D",
            "output": found[-1][0],
            "parameters": sum(count for _, count in found),
        }
        for side, found in sides.items()
    ]
    first = {"layer": "pixels", "kind": "InputLayer", "output": model.input_shape[1:]}
    rows.sort(key=lambda row: -prod(row["output"][:2]) if len(row["output"]) == 3 else 0)
    return pd.DataFrame([first | {"parameters": 0}, *rows])
