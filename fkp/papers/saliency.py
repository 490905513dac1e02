"""Saliency: which pixels the error of a face depends on, and whether a map of them is right.

The map of paper B (section IV) is |dL/dI|, with L the mean squared error over the labelled
coordinate values of one face (px^2) and I its pixels (0..255), so its unit is px^2 per gray level.
L is a square: its gradient is proportional to the error that is left, and a perfect prediction has
a map of zeros. Gradients need Keras' TensorFlow backend.
"""

from collections.abc import Sequence

import cv2
import keras
import numpy as np

from fkp.data.schemes import Scheme
from fkp.measure.errors import squared_errors
from fkp.measure.scores import mean_score
from fkp.models.predict import predict

_BATCH = 32  # images whose gradients are taken at once
ORDERS = ("most salient", "most salient in another face", "random", "least salient")


def gradient(model: keras.Model, images: np.ndarray, points: np.ndarray) -> np.ndarray:
    """|dL/dI|, the largest of the channels (Simonyan et al., 2014, section 3).

    The maximum, as there: in a sum, channels of opposite sign would cancel, as those of an edge in
    colour do.

    Args:
        model: pixels -> points; one of mixed precision gives coarse gradients, see
            `fkp.models.in_float32`.
        images: (n, h, w, c), gray levels 0..255.
        points: (n, k, 2) labels, pixels; NaN = not in the loss.

    Returns:
        float32 (n, h, w), px^2 per gray level; zeros for a face without labels.

    Raises:
        ValueError: the points do not fit images or model, or a backend other than TensorFlow.
    """
    return np.abs(_gradient(model, images, points)).max(axis=-1)


def smooth(
    model: keras.Model,
    images: np.ndarray,
    points: np.ndarray,
    samples: int = 16,
    sigma: float = 0.1,
    seed: int = 0,
) -> np.ndarray:
    """`gradient` of noisy copies, averaged before the magnitude is taken (SmoothGrad).

    Reference: "SmoothGrad: removing noise by adding noise" (Smilkov et al., 2017). What differs
    from copy to copy in sign cancels. Noisy pixels may leave 0..255.

    Args:
        samples: noisy copies of each image.
        sigma: standard deviation of the noise as a share of the 255 gray levels; 0.1 to 0.2 there.
        seed: of the noise.

    Returns:
        float32 (n, h, w), px^2 per gray level.

    Raises:
        ValueError: as `gradient`, or fewer than one sample.
    """
    if samples < 1:
        raise ValueError(f"samples: expected at least 1, got {samples}")
    rng = np.random.default_rng(seed)
    total = np.zeros(images.shape, np.float32)
    for _ in range(samples):
        noise = rng.standard_normal(images.shape, dtype=np.float32) * np.float32(255 * sigma)
        total += _gradient(model, images + noise, points)
    return np.abs(total / samples).max(axis=-1)


def per_region(
    model: keras.Model, images: np.ndarray, points: np.ndarray, scheme: Scheme
) -> dict[str, dict[str, np.ndarray]]:
    """Where the error of each region's points comes from: L over those points alone.

    Args:
        scheme: Scheme of the points, whose regions count one by one.

    Returns:
        region -> dict of float64 (n,): `mean`, of |dL/dI| over the image, px^2 per gray level;
        `near`, the share of |dL/dI| on pixels near the region's points, within a 16th of the
        image's width; `area`, the share of the pixels that are: a map that ignores the region has
        `near` equal to `area`. NaN for a face without a label there, or without a gradient.
    """
    found = {}
    for region, indices in scheme.regions.items():
        chosen = np.isin(np.arange(len(scheme)), indices)
        own = np.where(chosen[:, None], points, np.float32(np.nan))
        maps = gradient(model, images, own).astype(np.float64)
        near = _near(own, images.shape[1:3], images.shape[2] / 16)
        total = maps.sum(axis=(1, 2))
        total[total == 0] = np.nan
        found[region] = {
            "mean": total / near[0].size,
            "near": (maps * near).sum(axis=(1, 2)) / total,
            "area": np.where(np.isnan(total), np.nan, near.mean(axis=(1, 2))),
        }
    return found


def half_area(saliency: np.ndarray) -> np.ndarray:
    """Smallest share of the pixels that holds half of a map: 0.5 = even, near 0 = a few pixels.

    Args:
        saliency: (n, h, w), not negative.

    Returns:
        float64 (n,); NaN for a map of zeros.
    """
    values = -np.sort(-saliency.reshape(len(saliency), -1).astype(np.float64), axis=1)
    held = np.cumsum(values, axis=1)
    pixels = (held < held[:, -1:] / 2).sum(axis=1) + 1
    return np.where(held[:, -1] > 0, pixels / values.shape[1], np.nan)


def deletion_curve(
    model: keras.Model,
    images: np.ndarray,
    points: np.ndarray,
    saliency: np.ndarray,
    fractions: Sequence[float],
    seed: int = 0,
    patch: int = 8,
) -> dict[str, np.ndarray]:
    """Error of each face while its patches are hidden in four orders (see `ORDERS`).

    A map that is right about the pixels that matter does more harm when it goes first than chance
    does. Random patches mostly hit the surroundings, so a map that merely points to the middle
    beats them: the map of another face of `images` shows what is special to this one.

    A hidden patch shows the image blurred (Gaussian, sigma a tenth of the width): its brightness
    stays, its detail goes, and it leaves less of an edge than one colour would. Patches rather than
    single pixels (`patch=1`): hidden pixels among visible ones are noise, and harm by being noise.

    Args:
        saliency: (n, h, w); a patch counts by its mean.
        fractions: shares of the patches to hide, ascending, in [0, 1].
        seed: of the random order, of ties and of who gets whose map.
        patch: side of a patch, pixels.

    Returns:
        order -> float64 (n, len(fractions)), RMSE in px of each face over its labelled points.
    """
    _check(model, images, points)
    down, across = (np.arange(side) // patch for side in images.shape[1:3])
    cells = down[:, None] * (across[-1] + 1) + across  # number of the patch of each pixel
    sigma = images.shape[2] / 10
    blurred = np.stack([cv2.GaussianBlur(image, (0, 0), sigma) for image in images])
    blurred = blurred.reshape(images.shape)
    errors = {}
    for order, rank in _ranks(saliency, cells, np.random.default_rng(seed)).items():
        columns = []
        for fraction in fractions:
            hidden = (rank < round(fraction * rank.shape[1]))[:, cells, None]
            predicted = predict(model, np.where(hidden, blurred, images))
            columns.append(np.sqrt(np.nanmean(squared_errors(points, predicted), axis=(1, 2))))
        errors[order] = np.stack(columns, axis=1)
    return errors


def over_faces(values: np.ndarray, groups: np.ndarray) -> list[np.ndarray]:
    """Mean over the rows of (n, m) values but NaN, with its interval: [mean, low, high]."""
    nothing = dict.fromkeys(("value", "low", "high"), np.nan)
    found = [
        nothing if np.isnan(column).all() else mean_score(column, "", groups) for column in values.T
    ]
    return [np.array([score[end] for score in found]) for end in ("value", "low", "high")]


def _gradient(model, images, points):
    """dL/dI, float32 (n, h, w, c)."""
    _check(model, images, points)
    import tensorflow as tf

    known = ~np.isnan(points)
    labels = np.where(known, points, 0).astype(np.float32)
    weights = known / np.maximum(known.sum(axis=(1, 2), keepdims=True), 1)
    weights = weights.astype(np.float32)
    found = np.empty(images.shape, np.float32)
    for start in range(0, len(images), _BATCH):
        rows = slice(start, start + _BATCH)
        pixels = tf.convert_to_tensor(images[rows].astype(np.float32))
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            errors = tf.square(model(pixels, training=False) - labels[rows])
            # Each face's own loss; their sum has the gradients of all, as no face affects another.
            loss = tf.reduce_sum(weights[rows] * errors)
        found[rows] = tape.gradient(loss, pixels)
    return found


def _near(points, shape, radius):
    """bool (n, h, w): within `radius` pixels of a labelled point."""
    masks = np.zeros((len(points), *shape), np.uint8)
    for mask, own in zip(masks, points, strict=True):
        for x, y in own[~np.isnan(own).any(axis=1)]:
            cv2.circle(mask, (round(float(x)), round(float(y))), round(radius), 1, cv2.FILLED)
    return masks.astype(bool)


def _ranks(saliency, cells, rng):
    """Order -> int (n, patches): the how-manieth each patch is hidden."""
    n, flat = len(saliency), cells.ravel()
    values = np.stack([np.bincount(flat, one.ravel()) for one in saliency]) / np.bincount(flat)
    chance = rng.permuted(np.tile(np.arange(values.shape[1]), (n, 1)), axis=1)
    # Ties, such as patches without any gradient, fall at random.
    most = np.lexsort((chance, -values)).argsort(axis=1)
    circle = rng.permutation(n)
    other = np.empty_like(most)
    other[circle] = most[np.roll(circle, 1)]
    return dict(zip(ORDERS, (most, other, chance, values.shape[1] - 1 - most), strict=True))


def _check(model, images, points):
    if keras.config.backend() != "tensorflow":
        raise ValueError(f"saliency needs KERAS_BACKEND=tensorflow, not {keras.config.backend()}")
