"""Predictions of a Keras model, batch by batch."""

import numpy as np


def predict(model, images, batch_size=128):
    """Points for images.

    Args:
        model: pixels -> points.
        images: uint8 (n, h, w, c).
        batch_size: images per call.

    Returns:
        float32 (n, k, 2), pixels.
    """
    starts = range(0, len(images), batch_size)
    parts = [np.asarray(model.predict_on_batch(images[i : i + batch_size])) for i in starts]
    if not parts:
        return np.empty((0, *model.output_shape[1:]), np.float32)
    return np.concatenate(parts).astype(np.float32)
