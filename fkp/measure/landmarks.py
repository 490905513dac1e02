"""Dense landmarks, 68, 44 or 194 points: the faces of papers C and D, and what they measure.

Papers: "Facial Landmark Detection Using Deep Learning: A Comprehensive Approach with Resnet18" (D)
and paper C on 44 points (CNN, cascade regression, ResNet). The papers give errors in pixels of an
image whose size one of them leaves open, so `LANDMARK_METRICS` adds figures that do not depend on
it: `within_3px` is in the pixels of the images at hand, `within_3px_at_256` in those of 256 px.
"""

from collections.abc import Sequence

import numpy as np

from fkp.data.faces import Faces
from fkp.data.sets import set_of
from fkp.measure import errors
from fkp.measure.scores import METRICS, Metric, by_point, nme_ocular, score, within

SIDE = 256  # px, paper C's images; errors "at 256 px" are scaled to it
PIXELS = (3, 5)  # paper D's tolerances


def _side(faces):
    return max(faces.image_shape[:2])


def _normalised(faces, predicted):
    return errors.squared_errors(faces.points, predicted) / _side(faces) ** 2


# Of coordinates over the image's longer side (paper D's, from 0 to 1), and in px^2 of images of
# 256 px (paper C's).
MSE_METRICS = {
    "nmse": Metric("side^2", _normalised),
    "mse_256px": Metric("px^2", lambda *given: _normalised(*given) * SIDE**2),
}
LANDMARK_METRICS = (
    METRICS | MSE_METRICS | {f"within_{p}px_at_256": Metric("%", within(p, SIDE)) for p in PIXELS}
)
SET_METRICS = {name: METRICS[name] for name in ("nme_ocular", "failure_8")}


def by_set(
    faces: Faces, predicted: np.ndarray, sets: Sequence[str] | None = None
) -> dict[str, dict]:
    """Set (`set_of`) -> `nme_ocular` and `failure_8` of its faces; {} if there is only one set."""
    which = set_of(faces, sets)
    names = list(dict.fromkeys(which.tolist()))
    if len(names) == 1:
        return {}
    rows = {name: which == name for name in names}
    return {n: score(faces.take(r), predicted[r], metrics=SET_METRICS) for n, r in rows.items()}


def by_region(faces: Faces, predicted: np.ndarray) -> dict[str, float]:
    """Region of the scheme -> mean distance of its points in % of the inter-ocular distance."""
    if faces.scheme.ocular is None:
        return {}
    norm = errors.inter_ocular(faces.points, faces.scheme)
    found = {
        region: errors.nme(faces.points[:, list(rows)], predicted[:, list(rows)], norm)
        for region, rows in faces.scheme.regions.items()
    }
    return {region: float(np.nanmean(values)) for region, values in found.items()}


def within_by_size(
    faces: Faces, predicted: np.ndarray, sizes: Sequence[int] = tuple(range(32, 513, 16))
) -> dict[str, list]:
    """Share of points within 3 and 5 px if images were rescaled to other sizes.

    Returns:
        dict: `size`, px; `within_3px` and `within_5px`, % at each size.
    """
    apart = errors.distances(faces.points, predicted) / _side(faces)
    apart = apart[~np.isnan(apart)]
    return {"size": list(sizes)} | {
        f"within_{pixels}px": [100 * float((apart * size <= pixels).mean()) for size in sizes]
        for pixels in PIXELS
    }


def mean_face(faces: Faces) -> np.ndarray:
    """Mean of each point's labels, float32 (k, 2), px; where none has any, of the other points."""
    known = faces.labelled.any(axis=0)
    found = np.empty(faces.points.shape[1:], np.float32)
    found[known] = np.nanmean(faces.points[:, known], axis=0)
    found[~known] = found[known].mean(axis=0)
    return found


def mean_shape(parts: dict[str, Faces]) -> dict[str, np.ndarray]:
    """The mean of the training labels for every face, in the shape of a prediction.

    Args:
        parts: as in `measures`, "training" among them.

    Returns:
        part -> float32 (n, k, 2), px; what a model is measured against.
    """
    shape = mean_face(parts["training"])
    return {name: np.broadcast_to(shape, part.points.shape) for name, part in parts.items()}


def measures(
    parts: dict[str, Faces],
    predicted: dict[str, np.ndarray],
    sets: Sequence[str] | None = None,
) -> dict:
    """All figures of one model, as they stand in the metrics.json of a run.

    Args:
        parts: "training", "validation" and "test" -> Faces with the original labels, without
            augmentation; "test" alone is a must.
        predicted: the same names -> (n, k, 2) px.
        sets: test sets to score apart, as in `by_set`.

    Returns:
        dict: `scores` (of the test faces; of the others `MSE_METRICS`), `by_set`, `per_point`
        (RMSE, px), `regions` (`by_region`), `within` (`within_by_size`), `nme` (inter-ocular, %, of
        each test face).
    """
    test, answer = parts["test"], predicted["test"]
    found = score(test, answer, metrics=LANDMARK_METRICS)
    for part in [name for name in parts if name != "test"]:
        squares = score(parts[part], predicted[part], metrics=MSE_METRICS)
        found |= {f"{name}_{part}": figure for name, figure in squares.items()}
    return {
        "scores": found,
        "by_set": by_set(test, answer, sets),
        "per_point": by_point(test, answer),
        "regions": by_region(test, answer),
        "within": within_by_size(test, answer),
        "nme": nme_ocular(test, answer).round(3),
    }
