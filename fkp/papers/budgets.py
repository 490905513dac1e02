"""Paper A's treatments against the budget: scores on the way of trainings, and what they say.

A training that was given `marks` has the scores of its best network so far in its history; one
without has those of its end.
"""

import numpy as np
import pandas as pd

from fkp.papers import claims
from fkp.record import results

# What a training with hidden labels adds to the name of its variant.
_HIDDEN = {"kaggle": ", labels hidden", "nothing": ", no label hidden"}
# And which rows its conclusions are of: all complete, unlike those of paper A's study.
_OF_ONE_COLLECTION = "faces of one collection, labels hidden"


def on_the_way(runs: list[dict]) -> pd.DataFrame:
    """A row per training and mark.

    Args:
        runs: as `fkp.record.results.load` returns them, of the notebooks "train" and "tune".

    Returns:
        DataFrame: the columns of `results.TRAITS`, variant, treatment, seed, parameters (their
        number), images (seen), imputed (RMSE of filled-in hidden labels, px, NaN where there are
        none), and `claims.ROWS` (px) with _low and _high, ends of the bootstrap interval.
    """
    several = []
    for run in runs:
        marked = [row for row in run["history"] if "scores" in row]
        size = run["run"]["parameters"]["epoch_size"] or run["training"]["rows"]
        end = {"seen": len(run["history"]) * size, "scores": run["scores"]}
        for row in marked or [end]:
            told = run | {"scores": row["scores"]}
            told["run"] = run["run"] | {
                "parameters": run["run"]["parameters"]
                | {"images": row["seen"], "imputed": run["training"].get("imputed_rmse")}
                | {"parameters": run["model"]["parameters"]}
            }
            several.append(told)
    columns = [*results.TRAITS, "variant", "treatment", "hide", "seed", "parameters"]
    frame = results.frame(several, [*claims.ROWS], [*columns, "images", "imputed"])
    frame["variant"] += frame.pop("hide").map(_HIDDEN).fillna("")
    return frame.astype({"imputed": float})


def verdicts(frame: pd.DataFrame, floor: float = np.nan) -> pd.DataFrame:
    """What each budget says of paper A's conclusions that training decides, and of doing both.

    Args:
        frame: as `on_the_way` returns it.
        floor: RMSE of the mean face, px; see `claims.conclusions`.

    Returns:
        DataFrame: the columns of `claims.row`, and images after the first; a claim's budgets follow
        one another.
    """
    budgets = []
    for images, part in frame.groupby("images"):
        said = claims.conclusions(part, None, None, (), floor)
        said = pd.concat([said[said["comparisons"] > 0], pd.DataFrame(_both(part))])
        budgets.append(said.assign(images=images))
    table = pd.concat(budgets, ignore_index=True)
    claim, *others = table.columns.drop("images")
    if frame["variant"].str.endswith(_HIDDEN["kaggle"]).any():
        table[claim] = table[claim].str.replace(claims.ROWS["rmse"], _OF_ONE_COLLECTION)
    order = pd.Categorical(table[claim], table[claim].unique()).codes
    return table.iloc[np.argsort(order, kind="stable")][[claim, "images", *others]]


def _both(part):
    """The treatment that the paper never tried: impute, then augment."""
    for score, words in claims.rows_apart(part).items():
        means = part.groupby(["variant", "treatment"])[score].mean().unstack()
        if {"knn", "augment", "knn_augment"} <= set(means):
            yield claims.row(
                f"(not in the paper) Imputing, then augmenting beats either alone ({words})",
                f"RMSE, both less the better one (px), per model, below -{claims.ALIKE}",
                means["knn_augment"] - means[["knn", "augment"]].min(axis=1),
                -claims.ALIKE,
            )


def overtaking(frame: pd.DataFrame, score: str, first: str, second: str) -> dict[str, str]:
    """From which number of images on one treatment errs less than another, per variant.

    Args:
        frame: as `on_the_way` returns it.
        score: one of `claims.ROWS`.

    Returns:
        variant -> "from 100,000 images on", "at every budget (from 30,000)" or "at none (to
        300,000)".
    """
    found = {}
    for variant, part in frame.groupby("variant", sort=False):
        means = part.groupby(["images", "treatment"])[score].mean().unstack()
        if not {first, second} <= set(means):
            continue
        pair = means[[first, second]].dropna()
        worse = np.flatnonzero(~(pair[first] < pair[second]))
        after = worse[-1] + 1 if len(worse) else 0
        if after == len(pair):
            found[variant] = f"at none (to {pair.index[-1]:,})"
        elif after == 0:
            found[variant] = f"at every budget (from {pair.index[0]:,})"
        else:
            found[variant] = f"from {pair.index[after]:,} images on"
    return found
