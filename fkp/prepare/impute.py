"""Fill missing keypoint coordinates: fit on training rows, apply anywhere.

Every imputer has `fit(points, labels=None) -> self` and `transform(points) -> points` on float32
(n, k, 2) with NaN = missing; known values come back untouched. Forward fill and nearest neighbours
are the two of Bhandari et al.'s study; the other two use that coordinates of a face go together.
"""

from collections.abc import Sequence
from typing import Self

import numpy as np
import pandas as pd


class Imputer:
    """Shared part: checks, flattening to (n, 2k), and putting the known values back.

    A subclass gives `_fit(table)` and `_fill(table) -> table` on float64 (n, 2k).
    """

    def fit(self, points: np.ndarray, labels: Sequence[str] | None = None) -> Self:
        """Learn from training rows.

        Args:
            points: (n, k, 2), NaN = missing.
            labels: k names for error messages; default: point numbers.

        Raises:
            ValueError: a coordinate has no known value at all; the message names the point.
        """
        points = np.asarray(points, dtype=np.float64)
        known = ~np.isnan(points)
        empty = np.argwhere(~known.any(axis=0))
        if len(empty):
            point, axis = empty[0]
            name = point if labels is None else labels[point]
            raise ValueError(
                f"point {name} has no known {'xy'[axis]} in any of {len(points)} training rows"
            )
        self.shape = points.shape[1:]
        table = points.reshape(len(points), -1)
        self.medians = np.nanmedian(table, axis=0)
        self._fit(table)
        return self

    def transform(self, points: np.ndarray) -> np.ndarray:
        """The same points, float32 (n, k, 2), with every NaN filled.

        Raises:
            ValueError: other points than fitted on.
        """
        points = np.asarray(points, dtype=np.float32)
        if points.shape[1:] != self.shape:
            raise ValueError(f"fitted on points of shape {self.shape}, got {points.shape[1:]}")
        if not np.isnan(points).any():
            return points.copy()
        table = points.reshape(len(points), -1).astype(np.float64)
        filled = self._fill(table).reshape(points.shape)
        return np.where(np.isnan(points), filled, points).astype(np.float32)

    def _fit(self, table):
        pass


class Median(Imputer):
    """The training median of the coordinate: the yardstick that any imputer should beat."""

    def _fill(self, table):
        return np.where(np.isnan(table), self.medians, table)


class ForwardFill(Imputer):
    """The last known value of the coordinate in an earlier row, in the order the rows come.

    Before the first known value there is none to carry on; the training median is used there.
    """

    def _fill(self, table):
        return pd.DataFrame(table).ffill().fillna(pd.Series(self.medians)).to_numpy()


class NearestNeighbours(Imputer):
    """Mean over the five training rows that are nearest in the coordinates both know."""

    def _fit(self, table):
        from sklearn.impute import KNNImputer

        self._fill = KNNImputer(n_neighbors=5).fit(table).transform


class Iterative(Imputer):
    """Each coordinate regressed on all others (Bayesian ridge), in rounds until it settles."""

    def _fit(self, table):
        from sklearn.experimental import enable_iterative_imputer  # noqa: F401
        from sklearn.impute import IterativeImputer

        model = IterativeImputer(max_iter=50, tol=1e-2, random_state=0)
        self._fill = model.fit(table).transform


class ProbabilisticPCA(Imputer):
    """Conditional mean of a Gaussian whose covariance is low rank plus equal noise.

    Fitted by 30 steps of expectation-maximisation over the rows' missing patterns: each completes
    every row by its conditional mean, adds the conditional covariance of what was missing, and
    replaces the smaller eigenvalues of the resulting covariance by their mean (Tipping and Bishop,
    1999).

    Args:
        components: rank kept; the rest is noise.
    """

    def __init__(self, components: int = 20):
        self.components = components

    def _fit(self, table):
        self.mean = np.nanmean(table, axis=0)
        self.covariance = np.diag(np.nanvar(table, axis=0) + 1e-3)
        for _ in range(30):
            filled, extra = self._expect(table)
            self.mean = filled.mean(axis=0)
            centred = filled - self.mean
            self.covariance = self._shrink((centred.T @ centred + extra) / len(table))

    def _shrink(self, covariance):
        values, vectors = np.linalg.eigh(covariance)
        rest = len(values) - min(self.components, len(values) - 1)
        values[:rest] = values[:rest].mean()
        return (vectors * np.maximum(values, 1e-3)) @ vectors.T

    def _expect(self, table):
        """Completed table, and the summed conditional covariance of what was missing."""
        filled, extra = table.copy(), np.zeros_like(self.covariance)
        patterns, member = np.unique(np.isnan(table), axis=0, return_inverse=True)
        for i, missing in enumerate(patterns):
            rows, known = np.flatnonzero(member.ravel() == i), ~missing
            inverse = np.linalg.inv(self.covariance[np.ix_(known, known)])
            weights = self.covariance[np.ix_(missing, known)] @ inverse
            centred = table[np.ix_(rows, known)] - self.mean[known]
            filled[np.ix_(rows, missing)] = self.mean[missing] + centred @ weights.T
            rest = self.covariance[np.ix_(missing, missing)]
            rest = rest - weights @ self.covariance[np.ix_(known, missing)]
            extra[np.ix_(missing, missing)] += len(rows) * rest
        return filled, extra

    def _fill(self, table):
        return self._expect(table)[0]


IMPUTERS = {
    "median": Median,
    "ffill": ForwardFill,
    "knn": NearestNeighbours,
    "iterative": Iterative,
    "pca": ProbabilisticPCA,
}


def hide(points: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Hide labels of complete rows the way the data itself misses them, to measure an imputer.

    Every complete row gets the missing pattern of a random incomplete row (rows without any label
    are not drawn from).

    Args:
        points: float32 (n, k, 2), NaN = missing.

    Returns:
        (points with more NaN, bool (n, k, 2) True where a label was hidden).

    Raises:
        ValueError: there are no incomplete rows to learn the patterns from.
    """
    points = np.asarray(points, dtype=np.float32)
    missing = np.isnan(points)
    rows = missing.any(axis=(1, 2))
    patterns = missing[rows & ~missing.all(axis=(1, 2))]
    if not len(patterns):
        raise ValueError(f"none of {len(points)} rows is incomplete: no missing pattern to draw")
    hidden = np.zeros_like(missing)
    hidden[~rows] = patterns[rng.integers(len(patterns), size=(~rows).sum())]
    return np.where(hidden, np.float32(np.nan), points), hidden
