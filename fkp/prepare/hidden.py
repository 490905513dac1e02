"""Labels hidden in complete rows, so that what filling them in costs can be measured.

Kaggle's file misses labels in fifty patterns, nearly all rows in two: nothing missing, or all but
the eye centres, the nose tip and the mouth's bottom. A training whose rows lose what such rows lack
can be scored on faces of the same collection, all labelled (`fkp.training.runs.prepare`).
"""

import numpy as np

from fkp.data.faces import Faces
from fkp.data.schemes import KAGGLE_15

# Missing points of a row of Kaggle's training.csv (a bit each in the order of KAGGLE_15, the first
# the highest, in hexadecimal) : number of such rows; counted in its 7049 rows of coordinates.
_KAGGLE = """
1fee:4755 0:2140 80:31 20:26 1:13 1fef:10 a0:6 800:4 4:4 1e0:3 2600:3 3:3 f:3 8:3 15e0:3
1000:2 880:2 60:2 140:2 1800:2 88:2 220:2 260c:1 e0:1 600:1 1400:1 6400:1 180:1 c:1 2af:1
6200:1 7e00:1 88f:1 6000:1 204:1 2f:1 40:1 26c0:1 2000:1 4180:1 7f00:1 888:1 7fe0:1 200:1
8a0:1 5808:1 7fa4:1 81:1 4980:1 400:1
"""


def kaggle_patterns() -> tuple[np.ndarray, np.ndarray]:
    """(missing, share): bool (50, 15), and the share of Kaggle's rows that lack just these."""
    codes, rows = zip(*(pair.split(":") for pair in _KAGGLE.split()), strict=True)
    bits = np.array([int(code, 16) for code in codes])[:, None]
    missing = bits >> np.arange(len(KAGGLE_15))[::-1] & 1 > 0
    share = np.array(rows, float)
    return missing, share / share.sum()


def as_kaggle(faces: Faces, rng: np.random.Generator) -> Faces:
    """The faces with the labels gone that a random row of Kaggle's file lacks.

    Raises:
        ValueError: faces of another scheme.
    """
    if faces.scheme.labels != KAGGLE_15.labels:
        raise ValueError(f"expected Kaggle's 15 points, got the scheme {faces.scheme.name}")
    missing, share = kaggle_patterns()
    rows = rng.choice(len(missing), size=len(faces), p=share)
    return faces.with_points(np.where(missing[rows][:, :, None], np.float32(np.nan), faces.points))


# name -> function (complete training faces, rng) -> faces with labels gone.
HIDDEN = {"nothing": lambda faces, rng: faces, "kaggle": as_kaggle}
