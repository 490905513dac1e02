"""The models of a benchmark: saved ones, and stand-ins for those not yet trained."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fkp import models
from fkp.models import layers_of
from fkp.models.contract import regresses, start_at
from fkp.models.files import title

if TYPE_CHECKING:
    import keras


def candidate(
    entry: str, images: np.ndarray | None, n_points: int, seed: int = 0
) -> "tuple[str, keras.Model, bool]":
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
    if entry in models.MODELS:
        model = models.build(entry, images.shape[1:], n_points, seed=seed)
        return entry, stand_in(model, images[:16], seed=seed), False
    path = Path(entry)
    if path.suffix != ".keras":
        raise ValueError(f"{entry}: neither a .keras file nor one of {', '.join(models.MODELS)}")
    model = models.load(path)
    if images is not None and model.input_shape[1:] != images.shape[1:]:
        raise ValueError(
            f"{path.name}: takes images {model.input_shape[1:]}, got {images.shape[1:]}"
        )
    return title(path), model, True


def stand_in(model: "keras.Model", images: np.ndarray, seed: int = 0) -> "keras.Model":
    """Make an untrained model behave like a trained one, in place, for timing and export.

    Every batch normalisation takes its statistics from `images`, so that values keep their scale
    through the layers (vanishing ones are slow or hide rounding), and a linear head gets random
    weights such that the points lie about the centre and differ from image to image. Those of heat
    maps do so as they start.

    Args:
        model: as `fkp.models.build` returns it.
        images: uint8 (n, h, w, c); n = 16 is enough.
        seed: of the head's weights.
    """
    norms = [layer for layer in layers_of(model) if hasattr(layer, "moving_mean")]
    momenta = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = 0.0
    model(images, training=True)
    for layer, momentum in zip(norms, momenta, strict=True):
        layer.momentum = momentum
    if not regresses(model):
        return model
    kernel = model.get_layer("coordinates").kernel
    values = np.random.default_rng(seed).normal(size=kernel.shape).astype(np.float32)
    kernel.assign(values)
    h, w = images.shape[1:3]
    centre = np.full(model.output_shape[1:], [(w - 1) / 2, (h - 1) / 2])
    start_at(model, centre)
    points = model.predict_on_batch(images)
    scale = 4.0 / points.std(axis=0).mean()
    kernel.assign(values * scale)
    start_at(model, centre - scale * (points.mean(axis=0) - centre))
    return model
