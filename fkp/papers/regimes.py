"""Labels without pixels: a table of Kaggle's 30 coordinates, and its two labelling regimes.

Kaggle's labels are shared without the images as one .csv with the 30 coordinate columns of
training.csv and no `Image`: enough to study what is missing and how well it can be filled in.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from fkp.data.faces import Faces
from fkp.data.readers import columns, fault
from fkp.data.readers.kaggle import COLUMNS
from fkp.data.schemes import KAGGLE_15, twice
from fkp.record.digests import digest


def recognises(path: Path | str | None) -> bool:
    """Whether `path` is a .csv file with coordinate columns and no pixels; None is not."""
    if path is None or Path(path).suffix.lower() != ".csv" or not Path(path).is_file():
        return False
    names = columns.header(Path(path))
    return COLUMNS[0] in names and "Image" not in names


def read(path: Path | str) -> np.ndarray:
    """Points of every row of a label table, columns by name, in any order.

    Args:
        path: .csv with the 30 columns left_eye_center_x ... mouth_center_bottom_lip_y, pixels of a
            96x96 image, empty = unlabelled; further columns are not read.

    Returns:
        float32 (n, 15, 2) in the order of `KAGGLE_15`, NaN = unlabelled.

    Raises:
        SourceError: names file, row, column and value.
    """
    path = Path(path)
    if not path.is_file():
        raise fault(path, "a .csv file with the 30 coordinate columns")
    table = columns.read(path, "the 30 coordinate columns", COLUMNS)
    expected = "a number of pixels, or an empty field"
    values = [columns.numbers(path, table, name, expected) for name in COLUMNS]
    return np.stack(values, axis=1).reshape(len(table), len(KAGGLE_15), 2).astype(np.float32)


def describe(points: np.ndarray, source: str) -> dict:
    """The data's entry in metrics.json: source, scheme, rows, complete rows, fingerprint."""
    complete = ~np.isnan(points).any(axis=(1, 2))
    return {
        "source": source,
        "scheme": KAGGLE_15.name,
        "rows": len(points),
        "complete_rows": int(complete.sum()),
        "fingerprint": digest(np.nan_to_num(points, nan=-1).round(4), size=8),
    }


def second_regime(points: np.ndarray) -> np.ndarray:
    """bool (n,): the rows behind the last one that has more than half of its points.

    In Kaggle's training file rows 1-2284 were labelled by one convention, nearly all of them with
    15 points, and the rest by another, with four: the eye centres, the nose tip and the mouth's
    bottom centre, the last two marked elsewhere than in the first part.
    """
    full = (~np.isnan(points).any(axis=2)).mean(axis=1) > 0.5
    last = np.flatnonzero(full)[-1] if full.any() else -1
    return np.arange(len(points)) > last


def shared_points(points: np.ndarray) -> np.ndarray:
    """Indices of the points that most rows of the second regime have.

    Raises:
        ValueError: no row is of the second regime, or none of its points is labelled.
    """
    rows = points[second_regime(points)]
    shared = (~np.isnan(rows).any(axis=2)).mean(axis=0) > 0.5 if len(rows) else np.zeros(0, bool)
    if not shared.any():
        raise ValueError(f"none of {len(points)} rows is of a second labelling regime")
    return np.flatnonzero(shared)


def apart(faces: Faces) -> Faces:
    """The faces with a second block of points: all of them as the second regime marks them.

    A point that the second regime shares (`shared_points`) has a label in the block of its row's
    regime alone; for the others both regimes are one, and both blocks hold the same label.

    Raises:
        ValueError: as `shared_points`.
    """
    second, shared = second_regime(faces.points), shared_points(faces.points)
    blocks = np.repeat(faces.points[None], 2, axis=0)
    for block, rows in zip(blocks, (second, ~second), strict=True):
        block[np.ix_(rows, shared)] = np.nan
    return replace(faces, points=np.concatenate([*blocks], axis=1), scheme=twice(faces.scheme))


def regime_shift(points: np.ndarray) -> np.ndarray:
    """How far the second regime's marks lie from the first's, estimated from the labels alone.

    Means of the two regimes are compared after placing every face by the middle of its eye centres
    and scaling it by their distance. That both regimes label the same kind of faces is assumed.

    Args:
        points: (n, 15, 2) px, all rows.

    Returns:
        float64 (15, 2) px at the mean eye distance; 0 for the eyes and for points that the second
        regime does not label.
    """
    (left,), (right,) = KAGGLE_15.pupils
    eyes = points[:, [left, right]].astype(float)
    distance = np.linalg.norm(eyes[:, 0] - eyes[:, 1], axis=1)
    placed = (points - eyes.mean(axis=1, keepdims=True)) / distance[:, None, None]
    second, shift = second_regime(points), np.zeros((len(KAGGLE_15), 2))
    for point in set(shared_points(points).tolist()) - {left, right}:
        apart = np.nanmean(placed[second, point], axis=0) - np.nanmean(
            placed[~second, point], axis=0
        )
        shift[point] = apart * np.nanmean(distance)
    return shift
