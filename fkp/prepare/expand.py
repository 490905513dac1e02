"""Offline expansion of a data set by random copies."""

import numpy as np

from fkp.prepare.augment import Jitter

BLOCK = 256  # rows moved at a time, as pixels on the way take several times their final memory


def jittered(faces, total, seed=0, jitter=None):
    """The faces and random copies of them, up to a number of rows (paper B: 8000).

    A copy is rotated, cropped (scaled and shifted), changed in brightness, contrast and colour,
    noised, and mirrored with left and right labels swapped, as `jitter` says. Copies are taken of
    all rows in turn and keep their original's group: expand training rows only, after the split.

    Args:
        faces: Faces.
        total: number of rows of the result; at least len(faces).
        seed: of the random draws.
        jitter: augment.Jitter; default: its own settings for the faces' scheme.

    Returns:
        Faces, the originals first.

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
