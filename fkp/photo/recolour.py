"""Lips and irises of a face in another colour (paper C, section 5).

The paper fills the outlines of lips and eyes with one colour: `plain_fill`. That covers teeth and
the white of the eye and flattens what it covers. `recolour` paints the surface of lips and irises
alone and keeps its shading. It works in CIE L*a*b*, where (but for near-black) light s times as
strong multiplies L* + 16, a* and b* by the cube root of s: L* + 16 of a pixel over its mean is the
surface's shading, and the new colour times the shading is the new surface in the same light.
"""

import cv2
import numpy as np
from matplotlib.colors import to_rgb

from fkp.data.schemes import Scheme
from fkp.photo.surfaces import PARTS, SHUT_MOUTH, check, fill, lab, openness, outline, surface

_LIGHTNESS = 0.65  # how far the mean lightness follows the colour's; 1 would hide the photo's light


def recolour(
    image: np.ndarray,
    points: np.ndarray,
    scheme: Scheme,
    *,
    lips: str | None = None,
    eyes: str | None = None,
    opacity: float = 0.6,
) -> np.ndarray:
    """Paint lips and irises; every other pixel stays as it is.

    Args:
        image: uint8 RGB (h, w, 3).
        points: (k, 2), pixels; points of regions that are not painted may be NaN.
        scheme: Scheme of the k points, with the outlines of what is painted.
        lips, eyes: colours such as "#b03060" or "green"; None leaves them alone.
        opacity: 0 (nothing changes) to 1.

    Returns:
        uint8 (h, w, 3), a new array.

    Raises:
        ValueError: a colour, number or array that cannot be used, a painted region without a
            position for each point, or a scheme without its outline; the message names it.
    """
    if not 0 <= opacity <= 1:
        raise ValueError(f"opacity: expected a number from 0 to 1, got {opacity!r}")
    out = image.copy()
    for part, rgb in _colours(lips, eyes).items():
        _paint(out, opacity * surface(image, points, scheme, part), rgb)
    return out


def plain_fill(
    image: np.ndarray,
    points: np.ndarray,
    scheme: Scheme,
    *,
    lips: str | None = None,
    eyes: str | None = None,
) -> np.ndarray:
    """Fill the outlines of lips and eyes with one colour, as paper C does.

    Arguments, result and errors are those of `recolour`.
    """
    check(image)
    out = image.copy()
    for part, rgb in _colours(lips, eyes).items():
        fill(out, outline(points, scheme, PARTS[part]), rgb.tolist())
    return out


def kept_texture(before: np.ndarray, after: np.ndarray, inside: np.ndarray) -> tuple[float, float]:
    """How much of a surface's lightness pattern a change of colour has left.

    Args:
        before, after: uint8 RGB (h, w, 3).
        inside: bool (h, w), the surface.

    Returns:
        (correlation of L* before and after, standard deviation of L* after over before); NaN where
        a constant takes their meaning.
    """
    old, new = (lab(image)[inside, 0].astype(float) for image in (before, after))
    if not old.size or np.ptp(old) == 0:
        return np.nan, np.nan
    if np.ptp(new) == 0:
        return np.nan, 0.0
    return float(np.corrcoef(old, new)[0, 1]), float(new.std() / old.std())


def effects(
    before: np.ndarray, after: np.ndarray, points: np.ndarray, scheme: Scheme
) -> dict[str, float]:
    """What a change of colour did to one face.

    Args:
        before, after: uint8 RGB (h, w, 3).
        points: (k, 2), pixels, of a scheme with inner lips.

    Returns:
        dict of numbers, NaN where a mouth or both eyes are shut or a constant takes their meaning:
        lips_correlation, lips_spread, iris_correlation, iris_spread as of `kept_texture`;
        opening_changed, eyes_changed: share of the pixels between the inner lips and within the
        eyes' outlines that changed, in %; outside: largest change of a pixel value (0 to 255)
        further from lips and eyes than 5 % of the inter-ocular distance.
    """
    where = _places(before, points, scheme)
    levels = np.abs(after.astype(int) - before).max(axis=2)
    figures = {"outside": int(levels[where["outside"]].max())}
    for name in ("lips", "iris"):
        texture = kept_texture(before, after, where[name])
        figures |= dict(zip((f"{name}_correlation", f"{name}_spread"), texture, strict=True))
    for name in ("opening", "eyes"):
        changed = levels[where[name]] > 0
        figures[f"{name}_changed"] = 100 * changed.mean() if changed.size else np.nan
    return figures


def _places(image, points, scheme):
    """Name -> bool (h, w): the places that `effects` looks at."""
    drawn = {}
    for region in (*PARTS.values(), "inner_lips"):
        mask = np.zeros(image.shape[:2], np.uint8)
        fill(mask, outline(points, scheme, region), 1)
        drawn[region] = mask
    shown = {
        part: (surface(image, points, scheme, part) > 0.5) & (drawn[region] > 0)
        for part, region in PARTS.items()
    }
    opening = cv2.erode(drawn["inner_lips"], np.ones((3, 3))) > 0
    eyes = drawn["right_eye"] | drawn["left_eye"]
    far = cv2.distanceTransform(1 - (eyes | drawn["outer_lips"]), cv2.DIST_L2, 5)
    ocular = np.linalg.norm(np.subtract(*np.asarray(points)[list(scheme.ocular)]))
    return {
        "lips": shown["lips"],
        "iris": shown["right_eye"] | shown["left_eye"],
        "opening": opening & (openness(outline(points, scheme, "inner_lips")) > SHUT_MOUTH),
        "eyes": eyes > 0,
        "outside": far > 0.05 * ocular,
    }


def _colours(lips, eyes):
    """Part -> uint8 RGB (3,), for the parts to paint."""
    rgb = {}
    for part, name, colour in zip(PARTS, ("lips", "eyes", "eyes"), (lips, eyes, eyes), strict=True):
        if colour is None:
            continue
        try:
            if str(colour).lower() == "none":  # to Matplotlib, black that nobody sees
                raise ValueError
            rgb[part] = np.rint(np.multiply(to_rgb(colour), 255)).astype(np.uint8)
        except (ValueError, TypeError):
            known = 'a colour such as "#b03060" or "green"'
            raise ValueError(f"{name}: expected {known}, got {colour!r}") from None
    return rgb


def _paint(image, amount, rgb):
    """Blend a colour into `image`, in place, by `amount` (h, w), 0 to 1."""
    x, y, w, h = cv2.boundingRect((amount > 0).astype(np.uint8))
    if not w:
        return
    patch, amount = image[y : y + h, x : x + w], amount[y : y + h, x : x + w, None]
    old, target = lab(patch), lab(rgb[None, None])[0, 0]
    light = old[..., 0] + 16
    mean = np.average(light, weights=amount[..., 0])
    level = mean + _LIGHTNESS * (target[0] + 16 - mean)
    # Highlights are the lamp's, not the surface's: they grow no stronger and take less colour.
    gain = np.where(light < mean, level / mean, min(level / mean, 1))
    chroma = np.minimum(light / mean, mean / light)[..., None] * target[1:]
    new = np.dstack([level + gain * (light - mean) - 16, chroma])
    mixed = cv2.cvtColor((old + amount * (new - old)).astype(np.float32), cv2.COLOR_Lab2RGB)
    mixed = np.rint(np.clip(mixed, 0, 1) * 255).astype(np.uint8)
    patch[:] = np.where(amount > 0, mixed, patch)
