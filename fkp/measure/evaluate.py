"""Errors, normalisers and intervals, in pixels on the original labels; NaN is ignored.

Errors and normalisers are separate functions of (n, k, 2) points; `scores` composes them into the
figures that `metrics.json` holds.
"""

import numpy as np


def squared_errors(truth, predicted):
    """(p - t)^2 per coordinate, px^2, float64 (n, k, 2); NaN where unlabelled.

    Raises:
        ValueError: different shapes, or a labelled point without a prediction.
    """
    truth = np.asarray(truth, dtype=np.float64)
    predicted = np.asarray(predicted, dtype=np.float64)
    if truth.shape != predicted.shape:
        raise ValueError(f"truth has shape {truth.shape}, predicted {predicted.shape}")
    errors = np.square(predicted - truth)
    gaps = np.argwhere(np.isnan(errors) & ~np.isnan(truth))
    if len(gaps):
        raise ValueError(f"predicted is NaN at row {gaps[0][0]}, point {gaps[0][1]}")
    return errors


def distances(truth, predicted):
    """Point-to-point distance |p - t| in px, float64 (n, k); NaN where unlabelled."""
    return np.sqrt(squared_errors(truth, predicted).sum(axis=2))


def _mean(values, axis=None):
    """Mean of what is not NaN; NaN, without a warning, where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def mse(truth, predicted):
    """Mean of (p - t)^2 over all labelled coordinate values, px^2."""
    return float(_mean(squared_errors(truth, predicted)))


def rmse(truth, predicted):
    """sqrt(mean of (p - t)^2 over all labelled coordinate values), px: Kaggle's score."""
    return float(np.sqrt(mse(truth, predicted)))


def rmse_per_point(truth, predicted):
    """`rmse` of each point, px, float64 (k,); NaN for a point that is never labelled."""
    return np.sqrt(_mean(squared_errors(truth, predicted), axis=(0, 2)))


def inter_ocular(points, scheme):
    """Distance of the outer eye corners, px, (n,); NaN where one is unlabelled (300-W's norm)."""
    left, right = scheme.ocular
    return np.linalg.norm(np.float64(points[:, left] - points[:, right]), axis=1)


def inter_pupil(points, scheme):
    """Distance of the two pupils (mean of `scheme.pupils`), px, (n,); NaN where unlabelled."""
    left, right = (points[:, list(indices)].mean(axis=1) for indices in scheme.pupils)
    return np.linalg.norm(np.float64(left - right), axis=1)


def box(points):
    """sqrt(w h) of the box round the labelled points, px, (n,); NaN with fewer than two points.

    A face with few labels has a smaller box: compare complete faces only.
    """
    known = ~np.isnan(points).any(axis=2, keepdims=True)
    low = np.where(known, points, np.inf).min(axis=1)
    high = np.where(known, points, -np.inf).max(axis=1)
    sides = np.where(known.sum(axis=1) > 1, high.astype(np.float64) - low, np.nan)
    return np.sqrt(sides.prod(axis=1))


def nme(truth, predicted, normaliser):
    """Normalised mean error of each face: 100 mean_k |p - t| / normaliser.

    Args:
        truth, predicted: (n, k, 2).
        normaliser: px, (n,), of the same faces; NaN or 0 makes the face's error NaN.

    Returns:
        %, float64 (n,); NaN for a face without labels.
    """
    normaliser = np.asarray(normaliser, dtype=np.float64)
    normaliser = np.where(normaliser > 0, normaliser, np.nan)
    return 100 * _mean(distances(truth, predicted), axis=1) / normaliser


def within(truth, predicted, pixels):
    """Percentage of labelled points with |p - t| <= pixels."""
    return float(_share(distances(truth, predicted), lambda d: d <= pixels))


def failure_rate(nme, threshold=8.0):
    """Percentage of faces with NME > threshold (%); NaN faces are left out."""
    return float(_share(nme, lambda e: e > threshold))


def _share(values, condition):
    return 100 * _mean(np.where(np.isnan(values), np.nan, condition(values)))


def ced(nme, limit=8.0):
    """Cumulative error distribution: share of faces with NME <= x, for x from 0 to `limit`.

    Returns:
        (x, y): the steps of the curve, x in %, y in [0, 1]; y[i] holds from x[i] to x[i + 1].
    """
    nme = np.sort(nme[~np.isnan(nme)])
    inside = nme[nme <= limit]
    share = np.arange(1, len(inside) + 1) / max(len(nme), 1)
    last = share[-1] if len(inside) else 0.0
    return np.concatenate([[0.0], inside, [limit]]), np.concatenate([[0.0], share, [last]])


def auc(nme, limit=8.0):
    """Area under `ced` up to `limit`, divided by it: mean of max(0, 1 - NME / limit), in [0, 1]."""
    return float(_mean(np.clip(1 - np.asarray(nme) / limit, 0, 1)))


def bootstrap(statistic, *arrays, groups=None, n=1000, seed=0):
    """95 % percentile interval of a statistic over resampled faces (Efron, 1979).

    Args:
        statistic: function of arrays like the given ones -> number.
        arrays: each with one row per face.
        groups: (faces,); if given, whole groups are drawn, as rows of one group are not
            independent.
        n: number of resamples.
        seed: of the draw.

    Returns:
        (low, high); NaN where the statistic is NaN in every resample.

    Raises:
        ValueError: arrays of different lengths.
    """
    lengths = {len(array) for array in arrays}
    if len(lengths) != 1:
        raise ValueError(f"arrays: expected one length, got {sorted(lengths)}")
    size = lengths.pop()
    groups = np.arange(size) if groups is None else groups
    _, member, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order, starts = np.argsort(member, kind="stable"), np.cumsum(sizes) - sizes
    rng = np.random.default_rng(seed)
    values = np.full(n, np.nan)
    for i in range(n):
        drawn = rng.integers(len(sizes), size=len(sizes))
        count = sizes[drawn]
        ends = np.cumsum(count)
        within_group = np.arange(ends[-1]) - np.repeat(ends - count, count)
        rows = order[np.repeat(starts[drawn], count) + within_group]
        values[i] = statistic(*(array[rows] for array in arrays))
    values = values[~np.isnan(values)]
    return (
        tuple(float(v) for v in np.quantile(values, (0.025, 0.975)))
        if len(values)
        else (
            float("nan"),
            float("nan"),
        )
    )


def _ratio(total, count):
    return total.sum() / count.sum() if count.sum() else np.nan


def _root_ratio(total, count):
    return np.sqrt(_ratio(total, count))


def _percentage(total, count):
    return 100 * _ratio(total, count)


def _pooled(values):
    """Per face: (sum, number) of the values that are not NaN; means over faces pool these."""
    values = values.reshape(len(values), -1)
    known = ~np.isnan(values)
    return np.where(known, values, 0).sum(axis=1), known.sum(axis=1).astype(float)


def _statistics(faces, predicted):
    """name -> (unit, statistic, per-face arrays, faces it is taken over)."""
    truth, complete = faces.points, faces.complete
    errors, apart = squared_errors(truth, predicted), distances(truth, predicted)
    total, count = _pooled(errors)
    labelled = count > 0
    found = {}

    def add(name, unit, statistic, rows, *arrays):
        found[name] = (unit, statistic, [array[rows] for array in arrays], rows)

    add("rmse", "px", _root_ratio, labelled, total, count)
    add("mse", "px^2", _ratio, labelled, total, count)
    add("rmse_complete", "px", _root_ratio, complete, total, count)
    add("rmse_partial", "px", _root_ratio, labelled & ~complete, total, count)
    norms = {
        "ocular": inter_ocular(truth, faces.scheme),
        "pupil": inter_pupil(truth, faces.scheme),
        "box": np.where(complete, box(truth), np.nan),
    }
    for name, normaliser in norms.items():
        relative = nme(truth, predicted, normaliser)
        known = ~np.isnan(relative)
        add(f"nme_{name}", "%", np.mean, known, relative)
        if name == "ocular":
            add("failure_8", "%", failure_rate, known, relative)
            add("auc_8", "", auc, known, relative)
    for pixels in (3, 5):
        hits = np.where(np.isnan(apart), np.nan, apart <= pixels)
        inside, points = _pooled(hits)
        add(f"within_{pixels}px", "%", _percentage, points > 0, inside, points)
    return found


def scores(faces, predicted, seed=0):
    """All figures of one prediction, with 95 % bootstrap intervals over groups of faces.

    Args:
        faces: Faces with the original labels.
        predicted: (n, k, 2) px.
        seed: of the bootstrap.

    Returns:
        name -> {"value", "unit", "low", "high", "n"}; n = faces the figure is taken over (faces
        whose normaliser is unlabelled are not in an NME; nme_box and rmse_complete are over
        completely labelled faces; failure_8 and auc_8 use the inter-ocular NME). Figures that
        nothing can be computed from are left out.

    Raises:
        ValueError: shapes differ, or a labelled point has no prediction.
    """
    figures = {}
    for name, (unit, statistic, arrays, rows) in _statistics(faces, predicted).items():
        if not rows.any():
            continue
        low, high = bootstrap(statistic, *arrays, groups=faces.groups[rows], seed=seed)
        value = float(statistic(*arrays))
        figures[name] = {
            "value": value,
            "unit": unit,
            "low": low,
            "high": high,
            "n": int(rows.sum()),
        }
    return figures


def per_point(faces, predicted):
    """Point label -> rmse in px, for the points that are labelled at all."""
    values = rmse_per_point(faces.points, predicted)
    return {
        label: float(value)
        for label, value in zip(faces.scheme.labels, values, strict=True)
        if not np.isnan(value)
    }
