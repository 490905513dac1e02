"""Expected errors: from the spread of a heat map to the error in pixels that goes with it.

A spread is in pixels but is no error: a network may be sure and wrong. `fit` learns on faces that
were not trained on what error a spread means, `deciles` and `risk_coverage` show on others whether
it holds (reliability and risk-coverage as in "Selective Classification for Deep Neural Networks",
Geifman and El-Yaniv, 2017).
"""

import numpy as np
from sklearn.linear_model import GammaRegressor

LEAST = 1e-3  # px; a spread or an error below is taken as this, so that it has a logarithm


def fit(spread: np.ndarray, apart: np.ndarray) -> dict:
    """Learn what error a spread means: a Gamma regression, so that means come out right.

    Expected error = exp(offset_k + slope log s + curve log(s)^2) for point k and spread s.

    Args:
        spread: (n, k), px, of faces that the network was not trained on.
        apart: (n, k), distances of predicted from labelled points, px; NaN = unlabelled. A point
            without any label is taken for a middling one.

    Returns:
        dict: offset (k numbers), slope, curve, as `fkp.models.trust.ExpectedError` takes them.

    Raises:
        ValueError: no label at all.
    """
    known = ~np.isnan(apart)
    if not known.any():
        raise ValueError("apart: no point has a label")
    seen = known.any(axis=0)
    points = np.broadcast_to(np.arange(spread.shape[1]), spread.shape)[known]
    s = np.log(np.maximum(spread[known], LEAST))
    columns = np.column_stack([np.eye(spread.shape[1])[points][:, seen], s, s**2])
    model = GammaRegressor(alpha=0, fit_intercept=False, solver="newton-cholesky", max_iter=200)
    model.fit(columns, np.maximum(apart[known], LEAST))
    *fitted, slope, curve = model.coef_
    offset = np.full(len(seen), np.mean(fitted))
    offset[seen] = fitted
    return {"offset": offset.tolist(), "slope": float(slope), "curve": float(curve)}


def deciles(expected: np.ndarray, apart: np.ndarray) -> dict[str, list[float]]:
    """Mean expected and measured error of the points, in ten equal parts by expected error.

    Args:
        expected: (n, k), px.
        apart: (n, k), measured distances, px; NaN = unlabelled.

    Returns:
        dict: expected, measured (px), ratio (measured over expected), one value a part.
    """
    known = ~np.isnan(apart)
    order = np.argsort(expected[known], kind="stable")
    said = [part.mean() for part in np.array_split(expected[known][order], 10)]
    found = [part.mean() for part in np.array_split(apart[known][order], 10)]
    ratios = [float(b / a) for a, b in zip(said, found, strict=True)]
    return {"expected": [*map(float, said)], "measured": [*map(float, found)], "ratio": ratios}


def risk_coverage(expected: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean error of the faces that remain when those of the largest expected error are left out.

    Args:
        expected: (n,), of each face.
        error: (n,), measured, such as the NME in %; a face with NaN is left out.

    Returns:
        (coverage in 0..1, mean error of that share), a value per face, from the surest one on.
    """
    known = ~np.isnan(error)
    expected, error = np.asarray(expected)[known], np.asarray(error)[known]
    order = np.argsort(expected, kind="stable")
    counts = np.arange(1, len(order) + 1)
    return counts / len(order), np.cumsum(error[order]) / counts
