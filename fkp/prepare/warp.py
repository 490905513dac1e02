"""Crops warped from larger pictures: random ones to train on, plain ones to predict on.

Faces are read with room around them (`size=192, margin=0.5`: the picture's side is twice the longer
side of the landmarks' box). A crop is cut by one affine map that rotates, scales, shifts and may
mirror, so no corner is padded, and then shrinks to the `side` that the network takes, px; `zoom` is
the side of a plain crop over the longer side of the landmarks' box.
"""

from dataclasses import dataclass, fields, replace

import cv2
import numpy as np

from fkp.data.faces import Faces
from fkp.data.schemes import Scheme
from fkp.prepare.affine import composed, cut, inverse, moved, turned

ROOM = 2.0  # side of the picture over the longer side of the landmarks' box


def matrices(
    picture: int,
    side: int,
    zoom: float,
    degrees: np.ndarray,
    scale: np.ndarray,
    shift: np.ndarray,
    flip: np.ndarray,
) -> np.ndarray:
    """Affine maps from pictures to crops about the picture's middle.

    Args:
        picture: side of the pictures, px.
        degrees: (n,), counter-clockwise as seen on the image.
        scale: (n,), of the face in the crop; 1 = plain.
        shift: (n, 2), of the face in the crop, as a share of its side.
        flip: bool (n,), mirror left and right.

    Returns:
        float64 (n, 2, 3); crop = matrix @ (x, y, 1), pixel centres on integers.
    """
    middle = np.full((len(scale), 2), (picture - 1) / 2)
    maps = frames(middle, picture / ROOM / scale, degrees, side, zoom)
    maps[flip, :, 2] += maps[flip, :, 0] * (picture - 1)
    maps[flip, :, 0] *= -1
    maps[:, :, 2] += shift * side
    return maps


def plain(
    faces: Faces,
    side: int,
    zoom: float = 1.4,
    *,
    size: float = 0.0,
    centre: float = 0.0,
    rng: np.random.Generator | None = None,
) -> Faces:
    """The faces cut as a network is shown them, neither rotated nor mirrored.

    Args:
        faces: read with `ROOM` around them.
        size, centre: standard deviations by which the box is shaken as a detector's would be: of
            its size (log) and of its centre in x and y, as shares of the box's side.
        rng: of the shaking.
    """
    n = len(faces)
    scale, shift = np.ones(n), np.zeros((n, 2))
    if rng is not None:
        scale = np.exp(rng.normal(0, size, n))
        shift = rng.normal(0, centre, (n, 2)) / zoom
    flat = np.zeros(n)
    maps = matrices(faces.image_shape[0], side, zoom, flat, scale, shift, flat > 0)
    images, points = cut(faces.images, faces.points, maps, (side, side))
    return replace(faces, images=images, points=points)


def frames(
    centre: np.ndarray, span: np.ndarray, degrees: np.ndarray, side: int, zoom: float
) -> np.ndarray:
    """Affine maps from pictures to crops about places of their own.

    Args:
        centre: (n, 2), px, comes to lie in the crop's middle.
        span: (n,), the longer side of the landmarks' box, px.
        degrees: (n,), counter-clockwise as seen on the image.

    Returns:
        float64 (n, 2, 3), as `matrices`.
    """
    linear = turned(degrees, side / (zoom * np.asarray(span, float)))
    offset = (side - 1) / 2 - linear @ np.asarray(centre, float)[:, :, None]
    return np.concatenate([linear, offset], axis=2)


def aligned(
    pictures: Faces, points: np.ndarray, side: int, zoom: float = 1.4, least: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Crops in which the faces stand upright and in the middle, as points found earlier say.

    Args:
        pictures: read with `ROOM` around them.
        points: (n, k, 2), px of `plain`'s crops of the same side and zoom.
        least: degrees; a face that is turned by less stays as it is.

    Returns:
        (uint8 (n, side, side, c), float64 (n, 2, 3): maps from these crops to the plain ones).
    """
    n, size = len(pictures), pictures.image_shape[0]
    flat, middle = np.zeros(n), np.full((n, 2), (size - 1) / 2)
    first = frames(middle, np.full(n, size / ROOM), flat, side, zoom)
    there = moved(points, inverse(first))
    left, right = pictures.scheme.ocular
    across = there[:, left] - there[:, right]
    degrees = np.rad2deg(np.arctan2(across[:, 1], across[:, 0]))
    degrees[np.abs(degrees) < least] = 0
    turn = frames(middle, np.full(n, side / zoom), degrees, side, zoom)  # at the picture's scale
    upright = moved(there, turn)
    low, high = upright.min(axis=1), upright.max(axis=1)
    centre = moved(((low + high) / 2)[:, None], inverse(turn))[:, 0]
    second = frames(centre, (high - low).max(axis=1), degrees, side, zoom)
    crops, _ = cut(pictures.images, there, second, (side, side))
    return crops, composed(first, inverse(second))


@dataclass(frozen=True)
class Warp:
    """Strong random augmentation on the fly: `Warp(scheme)(pictures, points, rng)`.

    Each face is rotated, scaled (log-normal) and shifted with the given standard deviations and
    mirrored with probability `flip`; then, each with its own probability, blurred or made coarse,
    partly covered by a patch (gray or cut from another face), and noised; its tone always changes
    by gamma, contrast and brightness. Points that leave the crop become NaN.

    Args:
        scheme: of the points, for the mirror; one without is never mirrored.
        degrees, scale, shift: standard deviations; the shift is a share of the crop's side.
        flip, blur, coarse, patch, noise: probabilities.
        gamma, contrast, brightness: standard deviations (of logarithms but for the last, which is
            a share of the range of gray levels).
    """

    scheme: Scheme
    side: int = 128
    zoom: float = 1.4
    degrees: float = 18.0
    scale: float = 0.13
    shift: float = 0.045
    flip: float = 0.5
    blur: float = 0.3
    coarse: float = 0.1
    patch: float = 0.4
    noise: float = 0.4
    gamma: float = 0.3
    contrast: float = 0.25
    brightness: float = 0.1

    def __call__(
        self, images: np.ndarray, points: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        n = len(images)
        flip = rng.random(n) < (self.flip if self.scheme.mirror else 0)
        maps = matrices(
            images.shape[1],
            self.side,
            self.zoom,
            degrees=rng.normal(0, self.degrees, n),
            scale=np.exp(rng.normal(0, self.scale, n)),
            shift=rng.normal(0, self.shift, (n, 2)),
            flip=flip,
        )
        other = list(self.scheme.mirror or range(len(self.scheme)))
        swapped = np.where(flip[:, None, None], points[:, other], points)
        crops, labels = cut(images, swapped, maps, (self.side, self.side))
        outside = ((labels < -0.5) | (labels > self.side - 0.5)).any(axis=2)
        labels[outside] = np.nan
        for crop in crops:
            self._soften(crop, rng)
            self._cover(crop, crops, rng)
            self._tone(crop, rng)
        return crops, labels

    def calmed(self, share: float = 0.4) -> "Warp":
        """The same with all spreads and probabilities, but the mirror's, at a share of theirs."""
        fixed = ("scheme", "side", "zoom", "flip")
        spreads = [field.name for field in fields(self) if field.name not in fixed]
        return replace(self, **{name: share * getattr(self, name) for name in spreads})

    def _soften(self, crop, rng):
        draw = rng.random()
        if draw < self.blur:
            blurred = cv2.GaussianBlur(crop, (0, 0), rng.uniform(0.4, 1.6))
        elif draw < self.blur + self.coarse:
            share = rng.uniform(0.3, 0.7)
            few = cv2.resize(crop, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
            blurred = cv2.resize(few, crop.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        else:
            return
        crop[:] = blurred.reshape(crop.shape)

    def _cover(self, crop, others, rng):
        if rng.random() >= self.patch:
            return
        w, h = (rng.uniform(0.1, 0.4, 2) * self.side).astype(int)
        (x, u), (y, v) = (rng.integers(self.side - length + 1, size=2) for length in (w, h))
        other = others[rng.integers(len(others))]
        gray = rng.random() < 0.5
        crop[y : y + h, x : x + w] = rng.integers(256) if gray else other[v : v + h, u : u + w]

    def _tone(self, crop, rng):
        levels = np.linspace(0, 1, 256) ** np.exp(rng.normal(0, self.gamma))
        levels = (levels - 0.5) * np.exp(rng.normal(0, self.contrast)) + 0.5
        levels = 255 * (levels + rng.normal(0, self.brightness))
        toned = cv2.LUT(crop, levels.clip(0, 255).astype(np.uint8)).reshape(crop.shape)
        if rng.random() < self.noise:
            grain = rng.normal(0, rng.uniform(1, 12), crop.shape)
            toned = (toned + grain + 0.5).clip(0, 255).astype(np.uint8)
        crop[:] = toned
