"""Where lips and irises show: how much of each pixel of a photograph is their surface.

The outlines come from the points of a scheme; what no point marks, the iris and, in schemes without
inner lips, the mouth's opening, is found by its lightness and colour. Sizes are shares of the
region's width, the longest distance between two points of its outline.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from scipy.interpolate import CubicSpline

from fkp.data.schemes import Scheme

PARTS = {"lips": "outer_lips", "right_eye": "right_eye", "left_eye": "left_eye"}

SHUT_EYE, SHUT_MOUTH = 0.1, 0.03  # openness: thinner outlines are closed
_SOFT = 0.02  # width of the soft edge, which lies inside of the outline
_IRIS = (0.19, 0.21, 0.23)  # radii; an iris is about 12 mm, an eye 30 mm wide


def surface(image: np.ndarray, points: np.ndarray, scheme: Scheme, part: str) -> np.ndarray:
    """How much of each pixel is surface of lips or iris.

    Lips: inside of the outer outline and, where the mouth is open, outside of the inner one. In a
    scheme without inner lips, such as `POINTS_44`, what does not look like the rim of the outline,
    and the less so the deeper inside, is taken for teeth, tongue or shadow: a guess. Eye: a disc of
    an iris' size, the darkest between the lids, without its pupil and without what is nearly as
    bright as the white around it; nothing where the eye is closed.

    Args:
        image: uint8 RGB (h, w, 3).
        points: (k, 2), pixels.
        scheme: Scheme of the k points.
        part: a key of `PARTS`.

    Returns:
        float32 (h, w), 0 to 1; 0 everywhere outside of the outline.

    Raises:
        ValueError: see `outline`; a wrong image.
    """
    check(image)
    edge = outline(points, scheme, PARTS[part])
    low = np.maximum(edge.min(axis=0) - 2, 0).astype(int)
    high = np.maximum(edge.max(axis=0) + 3, 0).astype(int)
    window = np.s_[low[1] : high[1], low[0] : high[0]]
    found, patch = np.zeros(image.shape[:2], np.float32), image[window]
    if not patch.size or _width(edge) < 2:
        return found
    if part != "lips":
        found[window] = _iris(patch, edge - low)
    elif "inner_lips" in scheme.regions:
        inner = outline(points, scheme, "inner_lips")
        found[window] = _lips(patch, edge - low, inner - low)
    else:
        found[window] = _like_the_rim(patch, edge - low)
    return found


def check(image: np.ndarray) -> None:
    """ValueError unless it is uint8 RGB (h, w, 3)."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"image: expected uint8 RGB (h, w, 3), got {image.dtype} {image.shape}")


def outline(points: np.ndarray, scheme: Scheme, region: str) -> np.ndarray:
    """The corners of a region's closed outline, float64 (m, 2).

    Raises:
        ValueError: points of another shape than the scheme's, a scheme without this outline, or a
            corner without a position; names it.
    """
    points = np.asarray(points, dtype=np.float64)
    if points.shape != (len(scheme), 2):
        raise ValueError(
            f"points: expected {(len(scheme), 2)} for {scheme.name}, got {points.shape}"
        )
    if region not in scheme.closed:
        raise ValueError(f"scheme {scheme.name} has no outline of the {region.replace('_', ' ')}")
    indices = list(scheme.regions[region])
    missing = [scheme.labels[i] for i in indices if not np.isfinite(points[i]).all()]
    if missing:
        raise ValueError(f"points: {region} needs positions of {', '.join(missing)}, got NaN")
    return points[indices]


def openness(corners: np.ndarray) -> float:
    """Area of an outline (m, 2) over its width²."""
    return cv2.contourArea(corners.astype(np.float32)) / max(_width(corners), 1e-6) ** 2


def fill(
    canvas: np.ndarray, corners: np.ndarray, value: int | Sequence[int], line: int = cv2.LINE_8
) -> None:
    """cv2.fillPoly, in place, with corners to 1/16 pixel."""
    cv2.fillPoly(canvas, [np.rint(corners * 16).astype(np.int32)], value, line, 4)


def lab(image: np.ndarray) -> np.ndarray:
    """uint8 RGB (h, w, 3) -> CIE L* (0 to 100), a*, b*, float32."""
    return cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)


def _inside(shape, corners):
    """Share of each pixel inside of a smooth outline through the corners, float32 (h, w).

    The first corner and the one half way round, those of an eye or mouth, stay sharp.
    """
    half, closed = len(corners) // 2, np.concatenate([corners, corners[:1]])
    curve = [
        CubicSpline(np.arange(len(arc)), arc, bc_type="natural")(np.arange(0, len(arc) - 1, 0.125))
        for arc in (closed[: half + 1], closed[half:])
    ]
    canvas = np.zeros(shape[:2], np.uint8)
    fill(canvas, np.concatenate(curve), 255, cv2.LINE_AA)
    return canvas.astype(np.float32) / 255


def _soft(shape, corners, sigma):
    """Like `_inside`, but 0 at the edge and 1 from about 2 `sigma` inwards."""
    inside = _inside(shape, corners)
    return inside * np.clip(2 * cv2.GaussianBlur(inside, (0, 0), sigma) - 1, 0, 1)


def _width(corners):
    return np.linalg.norm(corners[:, None] - corners, axis=2).max()


def _lips(patch, outer, inner):
    found = _soft(patch.shape, outer, _SOFT * _width(outer))
    if openness(inner) > SHUT_MOUTH:
        found *= 1 - _inside(patch.shape, inner)
    return found


def _like_the_rim(patch, outer):
    """Lips of which only the outer outline is known.

    The colours of a rim a tenth of the mouth wide, without its oddest fifth, stand for the lips as
    a normal distribution. A pixel at the edge may be 3.5 standard deviations away, one a quarter of
    the width deep none.
    """
    width = _width(outer)
    found, colours = _soft(patch.shape, outer, _SOFT * width), lab(patch)
    depth = cv2.distanceTransform((found > 0).astype(np.uint8), cv2.DIST_L2, 5) / width
    rim = colours[(found > 0.5) & (depth < 0.1)]
    if len(rim) < 10:
        return found
    odd = np.abs(rim - np.median(rim, axis=0)).sum(axis=1)
    rim = rim[odd <= np.quantile(odd, 0.8)]
    spread = np.cov(rim.T) + np.diag([64, 9, 9])  # even lips are not of one colour
    off = colours - rim.mean(axis=0)
    far = np.sqrt(np.einsum("hwi,ij,hwj->hw", off, np.linalg.inv(spread), off))
    like = np.clip(np.interp(depth, (0.05, 0.25), (3.5, 0)) + 1 - far, 0, 1)
    like = cv2.medianBlur(like.astype(np.float32), 3)
    return found * cv2.GaussianBlur(like, (0, 0), max(0.01 * width, 0.5))


def _iris(patch, eye):
    none, width = np.zeros(patch.shape[:2], np.float32), _width(eye)
    if openness(eye) < SHUT_EYE:
        return none
    light = lab(patch)[..., 0]
    between_lids = _soft(patch.shape, eye, 0.04 * width)
    ball = between_lids > 0.5
    if not ball.any():
        return none
    score, x, y, radius = _darkest_disc(light, eye, between_lids)
    if score <= 0:
        return none
    rows, columns = np.indices(light.shape)
    far = np.hypot(columns - x, rows - y) / radius
    dark, around = np.median(light[ball & (far < 0.9)]), light[ball & (far > 1.15)]
    contrast = max(np.quantile(around, 0.75) - dark, 15) if around.size else 100 - dark
    edge = np.clip((1.1 - far) * radius / (2 * _SOFT * width) + 0.5, 0, 1)
    pupil = np.clip((0.45 - far) / 0.2, 0, 1)
    bright = np.clip(((light - dark) / contrast - 0.35) / 0.4, 0, 1)
    return _soft(patch.shape, eye, _SOFT * width) * edge * (1 - pupil) * (1 - bright)


def _darkest_disc(light, eye, between_lids):
    """The disc with the most dark and the fewest bright pixels: score, centre x, y and radius.

    Dark is below the middle between the eye's darkest tenth and its brightest seventh. The centre
    is likely near the middle of the eye, above all between the lids.
    """
    width, ball = _width(eye), between_lids > 0.5
    low, high = np.quantile(light[ball], (0.1, 0.85))
    dark = (np.clip((high - light) / max(high - low, 1e-3), 0, 1) - 0.5) * between_lids
    axis = eye[len(eye) // 2] - eye[0]
    axis = axis / max(np.linalg.norm(axis), 1e-6)
    offset = (np.stack(np.indices(light.shape)[::-1], axis=-1) - eye.mean(axis=0)) / width
    along, across = offset @ axis, offset @ np.array([-axis[1], axis[0]])
    likely = ball * np.exp(-((along / 0.3) ** 2 + (across / 0.1) ** 2) / 2)
    best = []
    for radius in np.multiply(_IRIS, width):
        reach = np.arange(-np.ceil(radius), np.ceil(radius) + 1)
        disc = np.clip(radius - np.hypot(reach, reach[:, None]) + 0.5, 0, 1)
        score = likely * cv2.filter2D(dark, -1, disc, borderType=cv2.BORDER_CONSTANT)
        y, x = np.unravel_index(score.argmax(), score.shape)
        best.append((score[y, x], x, y, radius))
    return max(best)
