"""Drawn faces: a procedural renderer whose keypoints are exact in every scheme.

`face` says where the curves of a face run, `paint` makes a picture of them; the
keypoints are picked from the curves that are painted. `render(person(), frame())` is the mean
face, frontal and neutral, before a plain wall.
"""

import cv2
import numpy as np

from fkp.data.drawing.face import camera, frame, person, pick, view
from fkp.data.drawing.paint import picture
from fkp.data.faces import Faces
from fkp.data.schemes import KAGGLE_15, SCHEMES, Scheme

MIN_SIZE = 32

# Kaggle's two labelling regimes, computed from the genuine training labels (7049 rows, the first
# 2284 of which are of the first regime; 2140 of those are complete).
FIRST_REGIME = 2284 / 7049
MISSING_FIRST = (
    0.0044, 0.0057, 0.0057, 0.0074, 0.0070, 0.0070, 0.0061, 0.0258, 0.0061, 0.0210, 0.0000,
    0.0066, 0.0061, 0.0039, 0.0101,
)  # fmt: skip
MISSING_SECOND = (0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 0.0021)
_INCOMPLETE = 0.071  # share of first-regime rows that may lack points: gives 2140 / 2284 complete
# Published estimates of how the second regime's marks differ, pixels of a 96 px image; the plain
# means of the genuine labels, less the shift of the eyes, differ by +6.6 and -6.3.
SECOND_REGIME_DOWN = {"nose_tip": 5.3, "mouth_center_bottom_lip": -3.4}


def read(
    n: int = 2000,
    scheme: Scheme = KAGGLE_15,
    size: int = 96,
    channels: int = 1,
    seed: int = 0,
    regimes: bool = False,
    frames: int = 1,
) -> Faces:
    """Draw n faces.

    The same arguments give the same bytes, and (without `regimes`) row i is the same at every n.

    Args:
        n: number of images.
        scheme: any Scheme of `fkp.data.schemes`. Kaggle's points come in crops as close as
            Kaggle's, the others in wider crops that hold the chin.
        size: side of the square images in pixels, at least 32.
        channels: 1 = gray (the luminance of the RGB picture), 3 = RGB.
        seed: non-negative int.
        regimes: label as in Kaggle's training set (KAGGLE_15 only): the first 2284/7049 of the
            rows carry nearly all points, the others four, two of them marked elsewhere.
        frames: images per drawn person (other pose, expression, light); they share a group.

    Raises:
        ValueError: an argument is out of range; the message names it and what was expected.
    """
    _check(n, scheme, size, channels, seed, frames)
    if regimes and scheme.name != KAGGLE_15.name:
        raise ValueError(f"regimes: Kaggle's labelling needs kaggle15, got {scheme.name}")
    images = np.empty((n, size, size, channels), np.uint8)
    points = np.empty((n, len(scheme), 2), np.float32)
    groups = np.arange(n) // frames
    for row, group in enumerate(groups):
        who = person(np.random.default_rng([seed, group]))
        rng = np.random.default_rng([seed, group, 1 + row % frames])
        images[row], points[row] = render(who, frame(rng), scheme, size, channels, rng)
    if regimes:
        points = _relabel(points, size, np.random.default_rng([seed, 0, 0, 1]))
    return Faces(images, points, scheme, "drawn", groups=groups)


def _check(n, scheme, size, channels, seed, frames):
    lowest = {"n": (n, 1), "size": (size, MIN_SIZE), "seed": (seed, 0), "frames": (frames, 1)}
    for name, (value, least) in lowest.items():
        if not isinstance(value, (int, np.integer)) or value < least:
            raise ValueError(f"{name}: expected an integer of at least {least}, got {value!r}")
    if channels not in (1, 3):
        raise ValueError(f"channels: expected 1 (gray) or 3 (RGB), got {channels!r}")
    if getattr(scheme, "name", None) not in SCHEMES:
        raise ValueError(f"scheme: expected a Scheme ({', '.join(SCHEMES)}), got {scheme!r}")


def _relabel(points, size, rng):
    """Kaggle's labelling regimes and missing points on complete KAGGLE_15 points."""
    n = len(points)
    second = np.arange(n) >= round(n * FIRST_REGIME)
    points = points.copy()
    for label, down in SECOND_REGIME_DOWN.items():
        points[second, KAGGLE_15.labels.index(label), 1] += down * size / 96
    draws = rng.random((n, 16))
    may_miss = second | (draws[:, 15] < _INCOMPLETE)
    rates = np.where(second[:, None], MISSING_SECOND, np.array(MISSING_FIRST) / _INCOMPLETE)
    points[may_miss[:, None] & (draws[:, :15] < rates)] = np.nan
    return points


def render(
    p: dict[str, float],
    f: dict[str, float],
    scheme: Scheme = KAGGLE_15,
    size: int = 96,
    channels: int = 1,
    rng: np.random.Generator | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """One picture.

    Args:
        p, f: traits of the person and the frame, see `person` and `frame`.
        rng: numpy Generator for what belongs to neither: background, clutter, occluders, grain.
            Without it the wall is plain and nothing is in the way.

    Returns:
        uint8 (size, size, channels) and float32 (len(scheme), 2), pixels.
    """
    face = view(p, f)
    matrix = camera(f, scheme, size)
    pixels = picture(face, p, f, matrix, size, rng)
    points = pick(face, scheme) @ matrix[:, :2].T + matrix[:, 2]
    if channels == 1:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None]
    return pixels, points.astype(np.float32)
