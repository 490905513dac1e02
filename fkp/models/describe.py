"""What a model is, in numbers and tables: layers, parameters, size, multiply-adds."""

from math import prod
from typing import TYPE_CHECKING

import pandas as pd

from fkp.models import layers_of

if TYPE_CHECKING:
    import keras

# Layers whose kernels are applied at every position of their output.
_COUNTED = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Dense")


def multiply_adds(model: "keras.Model") -> int:
    """Multiplications (each with an addition) of all kernels for one image; FLOPs are twice that.

    Normalisation, activations, pooling and resizing are left out: together a few per cent.

    Raises:
        ValueError: a layer has a kernel and this function does not know how it is applied.
    """
    total = 0
    for layer in layers_of(model):
        kernels = [weight for weight in layer.weights if weight.name.endswith("kernel")]
        kind = type(layer).__name__
        if kernels and kind not in _COUNTED:
            raise ValueError(f"{layer.name}: cannot count the multiply-adds of a {kind}")
        if kernels:
            positions = prod(layer.output.shape[1:-1])
            total += positions * sum(prod(kernel.shape) for kernel in kernels)
    return total


def size(model: "keras.Model") -> dict[str, float]:
    """Parameters and float32 size of a model.

    Returns:
        dict: parameters, trainable_parameters, float32_mb (4 bytes each, in 10^6 bytes).
    """
    trainable = sum(prod(weight.shape) for weight in model.trainable_weights)
    parameters = model.count_params()
    return {
        "parameters": parameters,
        "trainable_parameters": trainable,
        "float32_mb": parameters * 4 / 1e6,
    }


def layer_table(model: "keras.Model") -> pd.DataFrame:
    """The architecture as a DataFrame: layer, kind, output shape, parameters."""
    rows = [
        (layer.name, type(layer).__name__, tuple(layer.output.shape[1:]), layer.count_params())
        for layer in model.layers
    ]
    return pd.DataFrame(rows, columns=["layer", "kind", "output", "parameters"])


def stages(model: "keras.Model") -> pd.DataFrame:
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
