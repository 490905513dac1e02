"""What cascades look at around points: paper C's hand-made features, and single pixels.

A window is the square of pixels up to `radius` away from a point; where it leaves the image the
border is repeated. Images are uint8 (n, h, w, c), gray ones (n, h, w), points float (n, k, 2), px.
"""

from functools import partial

import cv2
import numpy as np

from fkp.data.images import gray

BINS = 8  # of a histogram


def smoothed(images: np.ndarray) -> np.ndarray:
    """Gray, every pixel the mean of 3 x 3, uint8 (n, h, w)."""
    return gray(images, partial(cv2.blur, ksize=(3, 3)))


def windows(image: np.ndarray, points: np.ndarray, radius: int) -> np.ndarray:
    """Values of the windows round the points of one image.

    Args:
        image: (h, w) or (h, w, c).
        points: (k, 2).
        radius: px.

    Returns:
        (k, (2 radius + 1)^2) or (k, (2 radius + 1)^2, c), of the image's dtype.
    """
    step = np.arange(-radius, radius + 1)
    x, y = np.rint(points).astype(int).T
    x = np.clip(x[:, None] + step, 0, image.shape[1] - 1)
    y = np.clip(y[:, None] + step, 0, image.shape[0] - 1)
    found = image[y[:, :, None], x[:, None, :]]
    return found.reshape(len(points), len(step) ** 2, *image.shape[2:])


def _histograms(values, weights=None):
    """Histograms of rows of whole numbers (k, m) below `BINS`, each of sum 1, float32 (k, BINS)."""
    k = len(values)
    places = values + BINS * np.arange(k)[:, None]
    weights = None if weights is None else weights.ravel()
    counts = np.bincount(places.ravel(), weights, minlength=k * BINS).reshape(k, BINS)
    return (counts / np.maximum(counts.sum(axis=1, keepdims=True), 1e-6)).astype(np.float32)


def colour_histograms(images: np.ndarray, points: np.ndarray, radius: int) -> np.ndarray:
    """Histogram of each channel in the window of each point, the channels one after the other.

    Returns:
        float32 (n, k, c BINS); every channel's `BINS` values have sum 1.
    """
    found = []
    for image, shape in zip(images, points, strict=True):
        levels = windows(image, shape, radius).astype(int) * BINS // 256
        found.append(np.concatenate([_histograms(v) for v in np.moveaxis(levels, 2, 0)], 1))
    return np.stack(found)


def gradient_histograms(gray: np.ndarray, points: np.ndarray, radius: int) -> np.ndarray:
    """Histogram of Sobel gradient directions in the window of each point, weighted by magnitude.

    The first part of the circle is centred on the direction of x.

    Returns:
        float32 (n, k, BINS), each of sum 1, or 0 where the window is flat.
    """
    found = []
    for image, shape in zip(gray, points, strict=True):
        dx, dy = (cv2.Sobel(image, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
        magnitude, angle = cv2.cartToPolar(dx, dy)
        part = np.rint(angle * (BINS / (2 * np.pi))).astype(int) % BINS
        found.append(_histograms(windows(part, shape, radius), windows(magnitude, shape, radius)))
    return np.stack(found)


def sift(gray: np.ndarray, points: np.ndarray, size: float) -> np.ndarray:
    """Upright SIFT descriptors (Lowe, 2004) at given points; points outside are moved to the edge.

    Args:
        size: diameter of the keypoint in px; the descriptor sees a square of about 6 `size`.

    Returns:
        float32 (n, k, 128), OpenCV's values of 0..255.
    """
    extractor = cv2.SIFT_create()
    h, w = gray.shape[1:]
    inside = np.clip(points, 0, np.array([w - 1, h - 1])).astype(float)
    return np.stack(
        [
            extractor.compute(image, [cv2.KeyPoint(x, y, size, 0) for x, y in shape])[1]
            for image, shape in zip(gray, inside, strict=True)
        ]
    )


def paper_c(
    images: np.ndarray, gray: np.ndarray, points: np.ndarray, radius: int, size: float
) -> np.ndarray:
    """Paper C's three features at every point, as the vectors that its forests are given.

    The paper does not say where its histograms are taken, nor their bins. Here all three are taken
    around the points, so that they change as a cascade moves them: colours from the image as it
    is, SIFT and gradients from the equalised gray image.

    Args:
        gray: with equalised histograms.
        radius: px, of the histograms' windows.
        size: px, of the SIFT keypoints.

    Returns:
        float32 (n, k (8 c + 128 + 8)).
    """
    parts = (
        colour_histograms(images, points, radius),
        sift(gray, points, size),
        gradient_histograms(gray, points, radius),
    )
    return np.concatenate([part.reshape(len(images), -1) for part in parts], axis=1)


def gray_at(gray: np.ndarray, places: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
    """Gray levels at the nearest pixels; places off the image are moved to its edge.

    Args:
        places: complex (n, ...).
        rows: image of each n; default: n is the number of images.

    Returns:
        int16 (n, ...).
    """
    h, w = gray.shape[1:]
    rows = np.arange(len(gray)) if rows is None else rows
    x = np.clip(np.rint(places.real), 0, w - 1).astype(np.intp)
    y = np.clip(np.rint(places.imag), 0, h - 1).astype(np.intp)
    first = h * w * rows.reshape(-1, *[1] * (places.ndim - 1))
    return gray.ravel()[first + y * w + x].astype(np.int16)
