"""Scores: what `metrics.json` says of a prediction, each figure with its interval.

A score is the dict {"value", "unit", "low", "high", "n"}: the figure, its 95 % bootstrap interval
over groups of faces, and the number of faces it is taken over. `mean_score` alone builds them. If
asked to, it keeps "draws" too: the figure on resampled faces, the same ones for every network that
is scored on the same faces, so that differences between networks have intervals as well.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from fkp.data.faces import Faces
from fkp.measure import errors


def mean_score(
    values: np.ndarray,
    unit: str,
    groups: np.ndarray,
    seed: int = 0,
    finish: Callable[[float], float] = float,
    keep: bool = False,
) -> dict:
    """The mean of the values that are not NaN, as a score.

    Its interval is the 95 % percentile one over resampled groups of faces (Efron, 1979).

    Args:
        values: (n, ...), a row per face; at least one is not NaN.
        unit: of the figure.
        groups: (n,); whole ones are drawn, as rows of one are not independent.
        seed: of the bootstrap.
        finish: what the figure is of the mean; np.sqrt makes squared errors an RMSE.
        keep: 200 of the 1000 resampled figures, as "draws".
    """
    values = values.reshape(len(values), -1)
    known = ~np.isnan(values)
    rows = known.any(axis=1)
    member = np.unique(groups[rows], return_inverse=True)[1]
    parts = np.where(known, values, 0), known
    total, count = (np.bincount(member, part.sum(axis=1)[rows]) for part in parts)
    rng = np.random.default_rng(seed)
    resampled = (rng.integers(len(total), size=len(total)) for _ in range(1000))
    means = [finish(total[drawn].sum() / count[drawn].sum()) for drawn in resampled]
    low, high = np.quantile(means, (0.025, 0.975)).tolist()
    value = float(finish(total.sum() / count.sum()))
    found = {"value": value, "unit": unit, "low": low, "high": high, "n": int(rows.sum())}
    return found | ({"draws": np.round(means[:200], 4).tolist()} if keep else {})


@dataclass(frozen=True)
class Metric:
    """A figure of predictions: what is averaged, and what is made of the mean.

    Attributes:
        unit: of the figure.
        values: (faces, predicted (n, k, 2) px) -> (n, ...); NaN is left out of the mean.
        finish: as in `mean_score`.
    """

    unit: str
    values: Callable[[Faces, np.ndarray], np.ndarray]
    finish: Callable[[float], float] = float


def _squared(faces, predicted):
    return errors.squared_errors(faces.points, predicted)


def _complete(faces, predicted):
    return np.where(faces.complete[:, None, None], _squared(faces, predicted), np.nan)


def _partial(faces, predicted):
    return np.where(faces.complete[:, None, None], np.nan, _squared(faces, predicted))


def nme_ocular(faces: Faces, predicted: np.ndarray) -> np.ndarray:
    """Inter-ocular NME of each face, %, (n,)."""
    return errors.nme(faces.points, predicted, errors.inter_ocular(faces.points, faces.scheme))


def _pupil(faces, predicted):
    return errors.nme(faces.points, predicted, errors.inter_pupil(faces.points, faces.scheme))


def _box(faces, predicted):
    normaliser = np.where(faces.complete, errors.box(faces.points), np.nan)
    return errors.nme(faces.points, predicted, normaliser)


def within(pixels: float, side: int | None = None) -> Callable:
    """Points no further off, in px of the images or of images of another side, as a metric's %."""

    def share(faces, predicted):
        scale = 1 if side is None else side / max(faces.image_shape[:2])
        return percent(
            scale * errors.distances(faces.points, predicted), lambda apart: apart <= pixels
        )

    return share


def percent(values: np.ndarray, condition: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """100 where the condition is met, 0 elsewhere; NaN stays."""
    return np.where(np.isnan(values), np.nan, 100.0 * condition(values))


METRICS = {
    "rmse": Metric("px", _squared, np.sqrt),
    "mse": Metric("px^2", _squared),
    "rmse_complete": Metric("px", _complete, np.sqrt),
    "rmse_partial": Metric("px", _partial, np.sqrt),
    "nme_ocular": Metric("%", nme_ocular),
    "failure_8": Metric("%", lambda *given: percent(nme_ocular(*given), lambda nme: nme > 8)),
    "auc_8": Metric("", lambda *given: np.clip(1 - nme_ocular(*given) / 8, 0, 1)),
    "nme_pupil": Metric("%", _pupil),
    "nme_box": Metric("%", _box),
    "within_3px": Metric("%", within(3)),
    "within_5px": Metric("%", within(5)),
}


def score(
    faces: Faces,
    predicted: np.ndarray,
    seed: int = 0,
    metrics: dict[str, Metric] = METRICS,
    keep: Collection[str] = (),
) -> dict[str, dict]:
    """All figures of one prediction, with 95 % bootstrap intervals over groups of faces.

    Args:
        faces: Faces with the original labels.
        predicted: (n, k, 2) px.
        seed: of the bootstrap.
        metrics: name -> Metric.
        keep: names of those whose draws are kept.

    Returns:
        name -> score; n = faces the figure is taken over (faces whose normaliser is unlabelled are
        not in an NME; nme_box and rmse_complete are over completely labelled faces; failure_8 and
        auc_8 use the inter-ocular NME). Figures that nothing can be computed from are left out.

    Raises:
        ValueError: shapes differ, or a labelled point has no prediction.
    """
    found = {}
    for name, metric in metrics.items():
        values = metric.values(faces, predicted)
        if not np.isnan(values).all():
            found[name] = mean_score(
                values, metric.unit, faces.groups, seed, metric.finish, name in keep
            )
    return found


def by_point(faces: Faces, predicted: np.ndarray) -> dict[str, float]:
    """Point label -> rmse in px, for the points that are labelled at all."""
    values = errors.rmse_per_point(faces.points, predicted)
    return {
        label: float(value)
        for label, value in zip(faces.scheme.labels, values, strict=True)
        if not np.isnan(value)
    }
