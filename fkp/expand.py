"""Offline expansion of a data set by random copies."""

from dataclasses import replace

import numpy as np

from fkp.augment import Jitter
from fkp.faces import Faces


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
    rows = np.arange(total - len(faces)) % len(faces)
    originals = faces.take(rows)
    images, points = (jitter or Jitter(faces.scheme))(
        originals.images, originals.points, np.random.default_rng(seed)
    )
    copies = replace(originals, images=images, points=points)
    return Faces.concat([faces, copies])
