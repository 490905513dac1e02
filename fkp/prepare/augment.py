"""Augmentation: image and points moved together by one affine matrix.

Every function takes and returns a batch, images uint8 (n, h, w, c) and points float32 (n, k, 2) in
pixels with centres on integers. Offline expansion of a data set: `paper_a`, `jittered`; on the fly:
`Jitter`.
"""

from dataclasses import dataclass, replace

import numpy as np

from fkp.data.faces import ARRAYS, Faces
from fkp.data.images import mirror
from fkp.data.schemes import Scheme
from fkp.prepare.affine import cut, turned

BLOCK = 256  # rows moved at a time, as pixels on the way take several times their final memory


def rotation_scale_shift(
    image_shape: tuple[int, ...],
    degrees: np.ndarray | float = 0.0,
    scale: np.ndarray | float = 1.0,
    shift: np.ndarray | tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    """Affine matrices about the image centre.

    Args:
        image_shape: (h, w, ...).
        degrees: (n,) or scalar, counter-clockwise as seen on the image.
        scale: (n,) or scalar.
        shift: (n, 2) or (2,), pixels (x, y).

    Returns:
        float64 (n, 2, 3); out = matrix @ (x, y, 1).
    """
    h, w = image_shape[:2]
    turn = *np.atleast_1d(degrees, scale), *np.atleast_2d(shift).T
    degrees, scale, *shift = np.broadcast_arrays(*turn)
    linear, centre = turned(degrees, scale), np.array([(w - 1) / 2, (h - 1) / 2])
    offset = centre - linear @ centre + np.stack(shift, axis=1)
    return np.concatenate([linear, offset[:, :, None]], axis=2)


def tone(
    images: np.ndarray, gain: np.ndarray | float = 1.0, offset: np.ndarray | float = 0.0
) -> np.ndarray:
    """images * gain + offset, clipped to 0..255; both are scalars or go with (n, h, w, c)."""
    toned = images * np.float32(gain) + np.float32(offset)
    return np.clip(toned + 0.5, 0, 255).astype(np.uint8)


def noise(images: np.ndarray, sigma: np.ndarray | float, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise with standard deviation `sigma` gray levels (scalar or (n,))."""
    sigma = np.asarray(sigma, np.float32).reshape(-1, 1, 1, 1)
    return tone(images, offset=sigma * rng.standard_normal(images.shape, dtype=np.float32))


def inside(points: np.ndarray, image_shape: tuple[int, ...]) -> np.ndarray:
    """bool (n,): every labelled point lies on the image."""
    h, w = image_shape[:2]
    on = (points >= 0) & (points <= np.array([w - 1, h - 1]))
    return (on | np.isnan(points)).all(axis=(1, 2))


def paper_a(faces: Faces, rng: np.random.Generator, degrees: float = 12.0) -> Faces:
    """Paper A's offline expansion (section 3.4): the faces and up to nine variants of each.

    Rotations by +-`degrees`, brightness times 1.2 and 0.6, shifts by an eighth of the side along
    the four diagonals (a copy with a point off the image is dropped) and Gaussian noise of two gray
    levels: on Kaggle's 2140 complete rows about the 19,190 rows of the authors' notebook.

    Returns:
        Faces, the originals first; copies keep their original's group.
    """
    shape, images, points = faces.image_shape, faces.images, faces.points
    pixels = shape[1] / 8
    moves = [rotation_scale_shift(shape, degrees=d) for d in (degrees, -degrees)]
    diagonals = [(x, y) for x in (-pixels, pixels) for y in (-pixels, pixels)]
    moves += [rotation_scale_shift(shape, shift=d) for d in diagonals]
    copies = [faces]
    for i, matrix in enumerate(moves):
        moved, to = cut(images, points, np.repeat(matrix, len(faces), axis=0), shape)
        copy = replace(faces, images=moved, points=to)
        copies.append(copy if i < 2 else copy.take(inside(to, shape)))
    copies += [replace(faces, images=tone(images, gain)) for gain in (1.2, 0.6)]
    copies.append(replace(faces, images=noise(images, 2.0, rng)))
    return replace(
        faces, **{name: np.concatenate([getattr(c, name) for c in copies]) for name in ARRAYS}
    )


@dataclass(frozen=True)
class Jitter:
    """Random augmentation on the fly: `Jitter(scheme)(images, points, rng)`.

    Each face gets its own uniform draw from +-degrees, +-shift (share of the side), scale (log
    uniform in 1/(1+scale)..1+scale), tone gain (log uniform likewise), tone offset (+-gray levels),
    per-channel gain on RGB, noise (0..sigma gray levels), and is mirrored with probability `flip`,
    unless the scheme has no mirror.
    """

    scheme: Scheme
    degrees: float = 15.0
    shift: float = 0.06
    scale: float = 0.12
    gain: float = 0.3
    offset: float = 20.0
    colour: float = 0.1
    sigma: float = 6.0
    flip: float = 0.5

    def __call__(
        self, images: np.ndarray, points: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        n, h, w, c = images.shape
        flips = rng.random(n) < (self.flip if self.scheme.mirror else 0)
        flipped, moved = mirror(images, points, self.scheme)
        images = np.where(flips[:, None, None, None], flipped, images)
        points = np.where(flips[:, None, None], moved, points)
        matrices = rotation_scale_shift(
            (h, w),
            degrees=rng.uniform(-self.degrees, self.degrees, n),
            scale=self._ratio(self.scale, rng, n),
            shift=rng.uniform(-self.shift, self.shift, (n, 2)) * (w, h),
        )
        images, points = cut(images, points, matrices, (h, w))
        gain = self._ratio(self.gain, rng, (n, 1, 1, 1))
        if c == 3:
            gain = gain * self._ratio(self.colour, rng, (n, 1, 1, 3))
        images = tone(images, gain, rng.uniform(-self.offset, self.offset, (n, 1, 1, 1)))
        return noise(images, rng.uniform(0, self.sigma, n), rng), points

    @staticmethod
    def _ratio(amount, rng, size):
        limit = np.log1p(amount)
        return np.exp(rng.uniform(-limit, limit, size))


def jittered(faces: Faces, total: int, seed: int = 0, jitter: Jitter | None = None) -> Faces:
    """The faces and random copies of them, up to a number of rows (paper B: 8000).

    A copy is rotated, cropped (scaled and shifted), changed in brightness, contrast and colour,
    noised, and mirrored with left and right labels swapped, as `jitter` says. Copies are taken of
    all rows in turn and keep their original's group: expand training rows only, after the split.

    Args:
        total: number of rows of the result; at least len(faces).
        jitter: default: its own settings for the faces' scheme.

    Raises:
        ValueError: `total` is below the number of rows, or there is no row to copy.
    """
    if not len(faces) or total < len(faces):
        raise ValueError(f"cannot expand {len(faces)} rows to {total}")
    jitter, rng = jitter or Jitter(faces.scheme), np.random.default_rng(seed)
    expanded = faces.take(np.arange(total) % len(faces))
    images, points = expanded.images, expanded.points
    for start in range(len(faces), total, BLOCK):
        block = slice(start, start + BLOCK)
        images[block], points[block] = jitter(images[block], points[block], rng)
    return expanded
