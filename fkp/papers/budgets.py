"""Scores on the way of trainings, and what they say of a paper's conclusions, budget by budget.

A training that was given `marks` has the scores of its best network so far in its history.
"""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from fkp.papers import claims
from fkp.record import results

# What a training with hidden labels adds to the name of its variant.
_HIDDEN = {"kaggle": ", labels hidden", "nothing": ", no label hidden"}
_ALONE = ("knn", "augment")  # of which "knn_augment" does both
# And which rows its conclusions are of: all complete, unlike those of paper A's study.
_OF_ONE_COLLECTION = "faces of one collection, labels hidden"


def at_marks(runs: list[dict]) -> list[dict]:
    """Every run once for each budget at which it was scored, the last at its end.

    Args:
        runs: as `fkp.record.results.load` returns them.

    Returns:
        list of runs whose scores are those at that budget, and whose parameters name its number of
        images seen: "images".
    """
    several = []
    for run in runs:
        size = run["run"]["parameters"].get("epoch_size") or run["training"]["rows"]
        seen = {row["seen"]: row["scores"] for row in run["history"] if "scores" in row}
        for images, scores in (seen | {len(run["history"]) * size: run["scores"]}).items():
            given = run["run"] | {"parameters": run["run"]["parameters"] | {"images": images}}
            several.append(run | {"run": given, "scores": scores})
    return several


def on_the_way(runs: list[dict]) -> pd.DataFrame:
    """A row per training of paper A's and budget.

    Args:
        runs: as `fkp.record.results.load` returns them, of the notebooks "train" and "tune".

    Returns:
        DataFrame: the columns of `results.TRAITS`, variant, treatment, seed, parameters (their
        number), images (seen), imputed (RMSE of filled-in hidden labels, px, NaN where there are
        none), and `claims.ROWS` (px) and within_3px (%), with what `results.frame` adds to them.
    """
    several = at_marks(runs)
    columns = [*results.TRAITS, "variant", "treatment", "hide", "seed", "images"]
    frame = results.frame(several, [*claims.ROWS, "within_3px"], columns)
    frame["variant"] += frame.pop("hide").map(_HIDDEN).fillna("")
    frame["parameters"] = [run["model"]["parameters"] for run in several]
    frame["imputed"] = [run["training"].get("imputed_rmse") for run in several]
    return frame.astype({"imputed": float})


def by_budget(frame: pd.DataFrame, judge: Callable[[pd.DataFrame], pd.DataFrame]) -> pd.DataFrame:
    """What each budget says of a paper's conclusions; those without a comparison are left out.

    Args:
        frame: a row per training and budget, its number of images in the column images.
        judge: rows of one budget -> DataFrame of the columns of `claims.row`.

    Returns:
        DataFrame: the columns of `claims.row`, and images after the first; a claim's budgets follow
        one another.
    """
    budgets = [judge(part).assign(images=images) for images, part in frame.groupby("images")]
    table = pd.concat(budgets, ignore_index=True).query("comparisons > 0")
    claim, *others = table.columns.drop("images")
    order = pd.Categorical(table[claim], table[claim].unique()).codes
    return table.iloc[np.argsort(order, kind="stable")][[claim, "images", *others]]


def verdicts(frame: pd.DataFrame, floor: Mapping[str, float] | None = None) -> pd.DataFrame:
    """What each budget says of paper A's conclusions that training decides, and of doing both.

    Args:
        frame: as `on_the_way` returns it.
        floor: RMSE of the mean face, px; see `claims.conclusions`.

    Returns:
        DataFrame: see `by_budget`.
    """
    frame = frame[~frame["model"].isin(claims.OURS)]

    def judge(part):
        said = claims.conclusions(part, None, None, (), floor)
        return pd.concat([said, pd.DataFrame(_both(part))])

    table = by_budget(frame, judge)
    if frame["variant"].str.endswith(_HIDDEN["kaggle"]).any():
        claim = table.columns[0]
        table[claim] = table[claim].str.replace(claims.ROWS["rmse"], _OF_ONE_COLLECTION)
    return table


def landmark_verdicts(paper: str, frame: pd.DataFrame, models: pd.Series) -> pd.DataFrame:
    """What each budget says of the conclusions of paper C or D.

    Args:
        paper: see `claims.of_landmarks`.
        frame: a row per training and budget: run (its entry of the study), images, and scores.
        models: entry -> name of the model.

    Returns:
        DataFrame: see `by_budget`.
    """

    def judge(part):
        means = part.groupby("run").mean(numeric_only=True)
        return claims.of_landmarks(paper, means, models.loc[means.index])

    return by_budget(frame, judge)


def _both(part):
    """The treatment that the paper never tried: impute, then augment."""
    for score, words in claims.rows_apart(part).items():
        rmse = claims.resampled(part, score)
        three = {"knn_augment", *_ALONE}
        names = [name for name in rmse.columns.unique("variant") if three <= set(rmse[name])]
        ahead = [
            rmse[name]["knn_augment"] - rmse[name][[*_ALONE]].min(axis=1, skipna=False)
            for name in names
        ]
        if ahead:
            yield claims.row(
                f"(not in the paper) Imputing, then augmenting beats either alone ({words})",
                f"RMSE, both minus the better one (px), per model, below -{claims.ALIKE}",
                claims.side_by_side(ahead),
                -claims.ALIKE,
            ) | claims.seeds_of(part, names, three)


def overtaking(frame: pd.DataFrame, score: str, first: str, second: str) -> dict[str, dict]:
    """From which number of images on one treatment errs less than another, per variant.

    Args:
        frame: as `on_the_way` returns it.
        score: one of `claims.ROWS`.

    Returns:
        variant -> since: "from 100,000 images on", "at every budget (from 30,000)" or "at none (to
        300,000)"; at the end (px): "0.32 [0.10, 0.59]", by how much more the first errs after the
        most images, with the 95 % interval over test faces where runs kept draws of them.
    """
    found = {}
    for variant, part in frame.groupby("variant", sort=False):
        apart = {}
        for images, rows in part.groupby("images"):
            rmse = claims.resampled(rows, score)[variant]
            if {first, second} <= set(rmse):
                apart[images] = rmse[first] - rmse[second]
        if not apart:
            continue
        behind = max((images for images, by in apart.items() if not by[0] < 0), default=0)
        ahead = [images for images in apart if images > behind]
        if not ahead:
            since = f"at none (to {behind:,})"
        elif len(ahead) == len(apart):
            since = f"at every budget (from {ahead[0]:,})"
        else:
            since = f"from {ahead[0]:,} images on"
        last = apart[max(apart)].to_numpy()
        (low,), (high,) = claims.interval(last)
        ends = "" if np.isnan(low) else f" [{low:.2f}, {high:.2f}]"
        found[variant] = {"since": since, "at the end (px)": f"{last[0]:.2f}{ends}"}
    return found
