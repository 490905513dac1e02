"""Affine maps (n, 2, 3), one a picture: map @ (x, y, 1), pixel centres on integers."""

import cv2
import numpy as np


def turned(degrees: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The linear part (n, 2, 2) of maps that turn, counter-clockwise as seen, and scale."""
    angle = np.deg2rad(degrees)
    a, b = scale * np.cos(angle), scale * np.sin(angle)
    return np.stack([np.stack([a, b], -1), np.stack([-b, a], -1)], -2)


def cut(
    images: np.ndarray, points: np.ndarray, maps: np.ndarray, shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Pictures and points through maps; beyond a picture its border is replicated.

    Args:
        images: uint8 (n, h, w, c).
        points: (n, k, 2), px.
        maps: (n, 2, 3).
        shape: (height, width, ...) of the results, px.

    Returns:
        (uint8 (n, height, width, c), float32 (n, k, 2)).
    """
    h, w = shape[:2]
    crops = np.empty((len(images), h, w, images.shape[3]), np.uint8)
    for crop, image, matrix in zip(crops, images, maps, strict=True):
        crop[:] = cv2.warpAffine(
            image, matrix, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        ).reshape(crop.shape)
    return crops, moved(points, maps).astype(np.float32)


def moved(points: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Points (n, k, 2) through maps."""
    return points @ maps[:, :, :2].transpose(0, 2, 1) + maps[:, None, :, 2]


def inverse(maps: np.ndarray) -> np.ndarray:
    """The inverse maps."""
    linear = np.linalg.inv(maps[:, :, :2])
    return np.concatenate([linear, -linear @ maps[:, :, 2:]], axis=2)


def composed(last: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Maps that do what `first` does, then what `last` does."""
    linear = last[:, :, :2] @ first[:, :, :2]
    return np.concatenate([linear, moved(first[:, None, :, 2], last).transpose(0, 2, 1)], axis=2)
