"""Errors and normalisers of (n, k, 2) points, in pixels on the original labels; NaN is ignored.

They are separate functions; `fkp.measure.scores` composes them into the figures of `metrics.json`.
"""

import numpy as np

from fkp.data.schemes import Scheme


def squared_errors(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
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


def distances(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Point-to-point distance |p - t| in px, float64 (n, k); NaN where unlabelled."""
    return np.sqrt(squared_errors(truth, predicted).sum(axis=2))


def _mean(values, axis=None):
    """Mean of what is not NaN; NaN, without a warning, where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def rmse(truth: np.ndarray, predicted: np.ndarray) -> float:
    """sqrt(mean of (p - t)^2 over all labelled coordinate values), px: Kaggle's score."""
    return float(np.sqrt(_mean(squared_errors(truth, predicted))))


def rmse_per_point(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """`rmse` of each point, px, float64 (k,); NaN for a point that is never labelled."""
    return np.sqrt(_mean(squared_errors(truth, predicted), axis=(0, 2)))


def inter_ocular(points: np.ndarray, scheme: Scheme) -> np.ndarray:
    """Distance of the outer eye corners, px, (n,); NaN where one is unlabelled (300-W's norm)."""
    if scheme.ocular is None:
        return np.full(len(points), np.nan)
    left, right = scheme.ocular
    return np.linalg.norm(np.float64(points[:, left] - points[:, right]), axis=1)


def inter_pupil(points: np.ndarray, scheme: Scheme) -> np.ndarray:
    """Distance of the two pupils (mean of `scheme.pupils`), px, (n,); NaN where unlabelled."""
    if scheme.pupils is None:
        return np.full(len(points), np.nan)
    left, right = (points[:, list(indices)].mean(axis=1) for indices in scheme.pupils)
    return np.linalg.norm(np.float64(left - right), axis=1)


def box(points: np.ndarray) -> np.ndarray:
    """sqrt(w h) of the box round the labelled points, px, (n,); NaN with fewer than two points.

    A face with few labels has a smaller box: compare complete faces only.
    """
    known = ~np.isnan(points).any(axis=2, keepdims=True)
    low = np.where(known, points, np.inf).min(axis=1)
    high = np.where(known, points, -np.inf).max(axis=1)
    sides = np.where(known.sum(axis=1) > 1, high.astype(np.float64) - low, np.nan)
    return np.sqrt(sides.prod(axis=1))


def nme(truth: np.ndarray, predicted: np.ndarray, normaliser: np.ndarray) -> np.ndarray:
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
