"""Errors point by point, laid out on the mean face."""

from contextlib import suppress
from statistics import fmean

import numpy as np

from fkp.data.schemes import IBUG_68, SCHEMES, convert
from fkp.measure.pose import mean_face

SIDE, EDGE = 240, 14  # of a drawing, in its own units
MOST = 4  # faces side by side
LABELS_SIDE = 96  # px of the images of Kaggle's labels, where they come without
_COLOURS = np.array([(58, 124, 190), (226, 150, 20), (190, 30, 45)])  # low, middle, high


def face_map(runs: list[dict]) -> dict | None:
    """Errors of a study's best runs on one face each, for the page to draw.

    Args:
        runs: contents of metrics.json; those with `per_point` ({label: px} or {name: {label: px}})
            or `audits` count, of each run name the one of the lowest mean, `MOST` in all. A run
            with the very errors of another, as one that explains it, does not.

    Returns:
        dict: `names`; `outlines`, lists of "x,y"; `points`: dicts with label, x, y and, for each
        name, an error in % of the image's side, a radius and a colour; `highest`, of each name the
        point with the largest error. None if no run has errors of points with a known place.
    """
    every = [series for series in _series(runs) if series[2]]
    every.sort(key=lambda series: fmean(series[2].values()))
    labels = tuple(every[0][2]) if every else ()
    best = {}
    for name, label, errors in every:
        shown = [of for _, of in best.values()]
        if tuple(errors) == labels and len(best) < MOST and errors not in shown:
            best.setdefault(name, (label, errors))
    order = [label for label, _ in best.values()]
    places = _places(labels)
    if places is None:
        return None
    errors = np.array([[*errors.values()] for _, errors in best.values()])
    share = np.clip(errors / np.quantile(errors, 0.98), 0, 1)
    points = [
        {
            "label": label.replace("_", " "),
            "x": x,
            "y": y,
            "errors": errors[:, i].tolist(),
            "radii": (2 + 6 * share[:, i]).round(1).tolist(),
            "colours": [_colour(value) for value in share[:, i]],
        }
        for i, (label, (x, y)) in enumerate(zip(labels, places.tolist(), strict=True))
    ]
    highest = [points[i]["label"] for i in errors.argmax(axis=1)]
    return {"names": order, "points": points, "highest": highest, "outlines": [*_outlines()]}


def _series(runs):
    """(name, label, {point: error in % of the image's side}) of every run that has them."""
    inputs = {run["run"].get("name"): (run.get("model") or {}).get("input") for run in runs}
    for run in runs:
        name, label = (run["run"].get(key, "") for key in ("name", "label"))
        # Errors are in px of what the network sees, which may be a crop of the image.
        shapes = (run.get("model") or {}).get("input"), (run.get("data") or {}).get("image_shape")
        side = next(filter(None, shapes), [0])[0]
        per_point = run.get("per_point") or {}
        several = any(isinstance(value, dict) for value in per_point.values())
        for key, errors in (per_point if several else {label: per_point}).items():
            scaled = {point: 100 * px / (side or LABELS_SIDE) for point, px in errors.items()}
            yield key if several else name, key, scaled
        for key, audit in (run.get("audits") or {}).items():
            side = (inputs.get(key) or [0])[0]
            if side and "per_point" in audit:
                yield key, key, {p: 100 * px / side for p, px in audit["per_point"].items()}


def _places(labels):
    """(k, 2) places of points on a drawing, None where no scheme or the mean face lacks them."""
    known = (s for s in SCHEMES.values() if labels and set(labels) <= set(s.labels))
    for scheme in known:
        with suppress(ValueError):
            every = convert(mean_face()[0][None, :, :2], IBUG_68, scheme)[0]
            return _drawn(every[[scheme.labels.index(label) for label in labels]])
    return None


def _drawn(points):
    """Points of the mean face, (k, 2), in units of a drawing."""
    face = mean_face()[0][:, :2]
    low, high = face.min(axis=0), face.max(axis=0)
    scale = (SIDE - 2 * EDGE) / (high - low).max()
    return (SIDE / 2 + (points - (low + high) / 2) * scale).round(1)


def _outlines():
    """The lines of the whole mean face, whichever of its points a study has."""
    places = _drawn(mean_face()[0][:, :2])
    for region, indices in IBUG_68.regions.items():
        closed = [*indices, indices[0]] if region in IBUG_68.closed else [*indices]
        yield " ".join(f"{x:.1f},{y:.1f}" for x, y in places[closed])


def _colour(share):
    mixed = [np.interp(share, (0, 0.5, 1), channel) for channel in _COLOURS.T]
    return "#{:02x}{:02x}{:02x}".format(*(round(value) for value in mixed))
