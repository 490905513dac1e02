"""Measure imputers on labels that are known: hide them, fill them in, compare.

Rows are points only, float32 (n, k, 2) in pixels with NaN = missing. Every measurement draws its
own rows to fit on and rows to hide in, from its seed.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import sklearn.impute  # noqa: F401  (loads its libraries before their threads are limited)
from threadpoolctl import threadpool_limits

from fkp.measure.errors import rmse
from fkp.prepare.impute import IMPUTERS, Imputer, hide


@dataclass(frozen=True)
class Trial:
    """What the imputers made of one draw of hidden labels.

    Attributes:
        truth: (n, k, 2), the labels that were hidden, NaN everywhere else.
        filled: imputer -> (n, k, 2), the same rows filled in.
        moved: as `filled`, where what stayed visible had been moved.
        seconds: imputer -> (fitting, filling) in seconds, on one thread.
    """

    truth: np.ndarray
    filled: dict
    moved: dict
    seconds: dict

    def rmse(self) -> dict[str, float]:
        """imputer -> RMSE over the hidden coordinate values, px."""
        return {name: rmse(self.truth, points) for name, points in self.filled.items()}


def draw(points: np.ndarray, seed: int, test: float = 0.2) -> np.ndarray:
    """bool (n,): the rows to hide in, drawn at random; the imputers are fitted on the others."""
    return np.random.default_rng(seed).random(len(points)) < test


def trial(
    points: np.ndarray,
    seed: int,
    imputers: dict[str, Callable[[], Imputer]] | None = None,
    move: np.ndarray | float = 0.0,
) -> Trial:
    """Fit on four fifths of the rows, hide labels of the complete ones of the rest, fill them in.

    A complete row loses what a random incomplete row of the same part lacks (`impute.hide`), so
    labels go missing in the data's own pattern.

    Args:
        points: all rows in file order.
        imputers: name -> function that makes an imputer; None = all of `IMPUTERS`.
        move: px, (k, 2) or a number; added to what stays visible for `moved`, as if another
            convention had marked it. The hidden labels stay as they are.
    """
    held = draw(points, seed)
    visible, mask = hide(points[held], np.random.default_rng([seed, 1]))
    truth = np.where(mask, points[held], np.float32(np.nan))
    found = Trial(truth, {}, {}, {})
    # The tables are narrow: on more threads the linear algebra waits for itself.
    with threadpool_limits(1):
        for name, make in (imputers or IMPUTERS).items():
            started = time.perf_counter()
            imputer = make().fit(points[~held])
            fitted = time.perf_counter()
            found.filled[name] = imputer.transform(visible)
            found.seconds[name] = (fitted - started, time.perf_counter() - fitted)
            found.moved[name] = imputer.transform(visible + np.float32(move))
    return found


def across_regimes(
    points: np.ndarray,
    second: np.ndarray,
    labels: Sequence[str],
    seed: int,
    imputers: dict[str, Callable[[], Imputer]] | None = None,
) -> pd.DataFrame:
    """Hide one point of every held-out row of either regime; fit on the others of one or of both.

    Args:
        points: (n, k, 2) of the points that both regimes label; rows that lack one are left out.
        second: bool (n,), the rows of the second regime.
        labels: k names.
        imputers: as for `trial`.

    Returns:
        DataFrame: imputer, fitted (on "first", "second", "both"), regime (of the rows filled),
        point, rmse (px), dx, dy: mean of filled minus labelled x and y (px).
    """
    whole = ~np.isnan(points).any(axis=(1, 2))
    points, second = points[whole], second[whole]
    held = draw(points, seed)
    hidden = np.random.default_rng([seed, 1]).integers(len(labels), size=len(points))
    visible = points.copy()
    visible[np.arange(len(points)), hidden] = np.nan
    rows = []
    every = np.ones(len(points), bool)
    for fitted, chosen in {"first": ~second, "second": second, "both": every}.items():
        for name, make in (imputers or IMPUTERS).items():
            with threadpool_limits(1):
                filled = make().fit(points[chosen & ~held]).transform(visible[held])
            for regime, side in {"first": ~second[held], "second": second[held]}.items():
                for point, label in enumerate(labels):
                    where = side & (hidden[held] == point)
                    off = (filled - points[held])[where, point]
                    error, bias = np.sqrt(np.mean(off**2)), off.mean(axis=0)
                    rows.append((name, fitted, regime, label, error, *bias))
    columns = ["imputer", "fitted", "regime", "point", "rmse", "dx", "dy"]
    return pd.DataFrame(rows, columns=columns)
