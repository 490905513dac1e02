"""Dense landmarks, 68, 44 or 194 points: the faces of papers C and D, and what they measure.

Papers: "Facial Landmark Detection Using Deep Learning: A Comprehensive Approach with Resnet18" (D)
and paper C on 44 points (CNN, cascade regression, ResNet). The papers give errors in pixels of an
image whose size one of them leaves open, so `LANDMARK_METRICS` adds figures that do not depend on
it: `within_3px` is in the pixels of the images at hand, `within_3px_at_256` in those of 256 px.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fkp.data import images
from fkp.data.faces import Faces
from fkp.data.schemes import SCHEMES, convert
from fkp.measure import errors
from fkp.measure.scores import METRICS, Metric, by_point, percent, score

SIDE = 256  # px, paper C's images; errors "at 256 px" are scaled to it
PIXELS = (3, 5)  # paper D's tolerances

# Faces in the official parts of 300-W, by folder.
W300_FACES = {
    "afw": 337,
    "helen/trainset": 2000,
    "lfpw/trainset": 811,
    "helen/testset": 330,
    "lfpw/testset": 224,
    "ibug": 135,
}


def as_points(faces, count):
    """The faces with `count` points instead of theirs (68 -> 44, see `schemes.convert`).

    Raises:
        ValueError: no scheme has that many points, or none that theirs maps to.
    """
    schemes = {len(scheme): scheme for scheme in SCHEMES.values()}
    if count not in schemes:
        raise ValueError(f"points: expected one of {', '.join(map(str, schemes))}, got {count}")
    target = schemes[count]
    return replace(faces, points=convert(faces.points, faces.scheme, target), scheme=target)


def equalised(faces):
    """The faces in gray with equalised histograms (paper C, section 2.2).

    A model trained on them expects such images.

    Args:
        faces: Faces, gray or RGB.

    Returns:
        Faces with images uint8 (n, h, w, 1).
    """
    return replace(faces, images=images.equalised(faces.images)[..., None])


def set_of(faces, sets=None):
    """The set of each face, str (n,).

    Args:
        faces: Faces.
        sets: beginnings of names, such as "helen" or "helen/testset"; None: the face's folder.

    Returns:
        The first of `sets` that the name begins with, "" if it begins with none.
    """
    if sets is None:
        return np.array([name.rpartition("/")[0] for name in faces.names], dtype=str)
    return np.array([next(filter(str(n).startswith, sets), "") for n in faces.names], dtype=str)


def between_sets(faces, train_sets, test_sets):
    """The faces of the named sets, so marked that `split.holdout` trains on some, tests on others.

    Args:
        faces: Faces.
        train_sets, test_sets: as in `set_of`; None for both leaves the faces and the official
            split as they are.

    Returns:
        Faces with parts "train" and "test"; faces of other sets are left out.

    Raises:
        ValueError: only one side is given, a set without faces, or a face on both sides.
    """
    if train_sets is None and test_sets is None:
        return faces
    if train_sets is None or test_sets is None:
        raise ValueError(
            f"expected both or neither: train_sets {train_sets}, test_sets {test_sets}"
        )
    training, testing = set_of(faces, train_sets), set_of(faces, test_sets)
    for name in (*train_sets, *test_sets):
        if name not in training and name not in testing:
            known = ", ".join(sorted(set(set_of(faces)))) or "none"
            raise ValueError(f"no face is of set {name!r} (sets here: {known})")
    both = (training != "") & (testing != "")
    if both.any():
        raise ValueError(f"{faces.names[both][0]} is in train_sets and in test_sets")
    parts = np.where(training != "", "train", np.where(testing != "", "test", ""))
    return replace(faces, parts=parts).take(parts != "")


def coverage(faces):
    """How much of 300-W's official parts the faces are, in words; "" for other data."""
    if faces.source != "300-W":
        return ""
    here = {name: int((set_of(faces) == name).sum()) for name in W300_FACES}
    short = [f"{n} {here[n]} of {W300_FACES[n]}" for n in here if here[n] < W300_FACES[n]]
    train = [name for name in here if name == "afw" or name.endswith("trainset")]
    total, official = (sum(counts[name] for name in train) for counts in (here, W300_FACES))
    text = f"300-W with {total} of the {official} official training faces"
    return text + (f" (incomplete: {', '.join(short)})" if short else "")


def _side(faces):
    return max(faces.image_shape[:2])


def _normalised(faces, predicted):
    return errors.squared_errors(faces.points, predicted) / _side(faces) ** 2


def _within(pixels):
    return lambda faces, predicted: percent(
        errors.distances(faces.points, predicted) * SIDE / _side(faces),
        lambda apart: apart <= pixels,
    )


MSE_METRICS = {
    "nmse": Metric("side^2", _normalised),
    "mse_256px": Metric("px^2", lambda *given: _normalised(*given) * SIDE**2),
}
LANDMARK_METRICS = (
    METRICS | MSE_METRICS | {f"within_{p}px_at_256": Metric("%", _within(p)) for p in PIXELS}
)
SET_METRICS = {name: METRICS[name] for name in ("nme_ocular", "failure_8")}


def mse_scores(faces: Faces, predicted: np.ndarray, part: str = "", seed: int = 0) -> dict:
    """Mean squared errors that do not depend on the size of the images, as scores.

    Args:
        faces: Faces with the original labels.
        predicted: (n, k, 2) px.
        part: what the names end in: "training" gives "nmse_training".
        seed: of the bootstrap.

    Returns:
        dict: `nmse`, of coordinates divided by the image's longer side, as paper D's inputs are
        (0..1); `mse_256px`, the same in px^2 of images of 256 px, paper C's size.
    """
    ending = f"_{part}" if part else ""
    found = score(faces, predicted, seed, MSE_METRICS)
    return {f"{name}{ending}": figure for name, figure in found.items()}


def by_set(
    faces: Faces, predicted: np.ndarray, sets: Sequence[str] | None = None, seed: int = 0
) -> dict[str, dict]:
    """Set (`set_of`) -> `nme_ocular` and `failure_8` of its faces; {} if there is only one set."""
    which = set_of(faces, sets)
    names = list(dict.fromkeys(which.tolist()))
    if len(names) == 1:
        return {}
    rows = {name: which == name for name in names}
    return {n: score(faces.take(r), predicted[r], seed, SET_METRICS) for n, r in rows.items()}


def by_region(faces, predicted):
    """Region of the scheme -> mean distance of its points in % of the inter-ocular distance."""
    norm = errors.inter_ocular(faces.points, faces.scheme)
    found = {
        region: errors.nme(faces.points[:, list(rows)], predicted[:, list(rows)], norm)
        for region, rows in faces.scheme.regions.items()
    }
    return {region: float(np.nanmean(values)) for region, values in found.items()}


def within_by_size(faces, predicted, sizes=tuple(range(32, 513, 16))):
    """Share of points within 3 and 5 px, were the images of other sizes.

    Returns:
        dict: `size`, px; `within_3px` and `within_5px`, % at each size.
    """
    apart = errors.distances(faces.points, predicted) / _side(faces)
    apart = apart[~np.isnan(apart)]
    return {"size": list(sizes)} | {
        f"within_{pixels}px": [100 * float((apart * size <= pixels).mean()) for size in sizes]
        for pixels in PIXELS
    }


def mean_shape(parts):
    """The mean of the training labels as the answer to every face, in the shape of a prediction.

    Args:
        parts: as in `measures`, "training" among them.

    Returns:
        part -> float32 (n, k, 2), px; what a model is measured against.
    """
    shape = np.nanmean(parts["training"].points, axis=0)
    return {name: np.broadcast_to(shape, part.points.shape) for name, part in parts.items()}


def measures(parts, predicted, sets=None):
    """All figures of one model, as they stand in the metrics.json of a run.

    Args:
        parts: "training", "validation" and "test" -> Faces with the original labels, without
            augmentation; "test" alone is a must.
        predicted: the same names -> (n, k, 2) px.
        sets: test sets to score apart, as in `by_set`.

    Returns:
        dict: `scores` (of the test faces; of the others `mse_scores`), `by_set`, `per_point` (RMSE,
        px), `regions` (`by_region`), `within` (`within_by_size`), `nme` (inter-ocular, %, of each
        test face).
    """
    test, answer = parts["test"], predicted["test"]
    norm = errors.inter_ocular(test.points, test.scheme)
    found = score(test, answer, metrics=LANDMARK_METRICS)
    for part in [name for name in parts if name != "test"]:
        found |= mse_scores(parts[part], predicted[part], part)
    return {
        "scores": found,
        "by_set": by_set(test, answer, sets),
        "per_point": by_point(test, answer),
        "regions": by_region(test, answer),
        "within": within_by_size(test, answer),
        "nme": errors.nme(test.points, answer, norm).round(3),
    }
