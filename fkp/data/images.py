"""What is done to images on the way: mirrored, gray, equalised."""

from collections.abc import Callable

import cv2
import numpy as np

from fkp.data.schemes import Scheme


def mirror(images: np.ndarray, points: np.ndarray, scheme: Scheme) -> tuple[np.ndarray, np.ndarray]:
    """Left-right mirror: x -> w - 1 - x, and left and right labels swap."""
    flipped = points[:, list(scheme.mirror or range(len(scheme)))].copy()
    flipped[..., 0] = images.shape[2] - 1 - flipped[..., 0]
    return images[:, :, ::-1], flipped


def seen_in_mirror(
    model: Callable[[np.ndarray], np.ndarray],
    images: np.ndarray,
    scheme: Scheme,
    offset: np.ndarray | None = None,
) -> np.ndarray:
    """What a model says of the mirrored images, mirrored back.

    Args:
        model: images -> points (n, k, 2).
        offset: (k, 2), what the model adds to its points, see `fkp.models.trust`; it has to point
            the same way after mirroring.
    """
    flipped = np.ascontiguousarray(images[:, :, ::-1])
    points = model(flipped)
    if offset is None:
        return mirror(flipped, points, scheme)[1]
    return mirror(flipped, points - offset, scheme)[1] + offset


def gray(images: np.ndarray, finish: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Gray images (h, w) of images (n, h, w, c), each passed through `finish`: (n, h, w)."""
    flat = (i[..., 0] if i.shape[2] == 1 else cv2.cvtColor(i, cv2.COLOR_RGB2GRAY) for i in images)
    return np.stack([finish(np.ascontiguousarray(image)) for image in flat])


def equalised(images: np.ndarray) -> np.ndarray:
    """Gray with equalised histograms (paper C, section 2.2), uint8 (n, h, w, 1).

    A model trained on such images expects them.
    """
    return gray(images, cv2.equalizeHist)[..., None]
