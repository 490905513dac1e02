"""Predictions of any model, batch by batch."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras

    from fkp.models.cascade import Cascade
    from fkp.models.files import Runner


def predict(
    model: "keras.Model | Cascade | Runner", images: np.ndarray, batch_size: int = 128
) -> np.ndarray:
    """Points for images.

    Args:
        model: pixels -> points, as `fkp.models.build` or `fkp.models.load` returns it.
        images: uint8 (n, h, w, c).
        batch_size: images per call.

    Returns:
        float32 (n, k, 2), pixels.
    """
    # Keras' own `predict` would set up an input pipeline for every call.
    call = model.predict_on_batch if hasattr(model, "predict_on_batch") else model.predict
    starts = range(0, len(images), batch_size)
    parts = [np.asarray(call(images[i : i + batch_size])) for i in starts]
    if not parts:
        return np.empty((0, *model.output_shape[1:]), np.float32)
    return np.concatenate(parts).astype(np.float32)
