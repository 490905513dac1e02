"""Paper A's conclusions (its section 5, in order), each judged by what finished runs have measured.

A conclusion comes down to numbers, one per model, treatment or runtime; their median and range are
stated, and the verdict follows from the range: "holds" if all of them are on the claim's side,
"does not hold" if none is, "mixed" otherwise.
"""

import numpy as np
import pandas as pd

ALIKE = 0.1  # px of RMSE below which two models count as equally good
IMPUTED = ("ffill", "knn")


def verdict(numbers, below):
    """The claim that every number is below `below`: "holds", "mixed" or "does not hold"."""
    side = np.asarray(numbers, dtype=float) < below
    return "holds" if side.all() else "mixed" if side.any() else "does not hold"


def row(claim, measure, numbers, below):
    """One line of the table of conclusions.

    Args:
        claim: what the paper concludes.
        measure: what the numbers are, with their unit.
        numbers: (n,), one per comparison; without any the claim is "not run".
        below: the claim is that they are below this.

    Returns:
        dict: the paper's conclusion, verdict, measured, median, range, comparisons.
    """
    numbers = np.asarray(list(numbers), dtype=float)
    known = numbers[~np.isnan(numbers)]
    found = {"median": None, "range": "", "comparisons": len(known)}
    if len(known):
        found |= {"median": float(np.median(known)), "range": _range(known)}
    said = verdict(known, below) if len(known) else "not run"
    return {"the paper's conclusion": claim, "verdict": said, "measured": measure} | found


def _range(numbers):
    return f"{numbers.min():+.2f} to {numbers.max():+.2f}"


def conclusions(scores, times, costs, leaks):
    """Paper A's six conclusions.

    Args:
        scores: DataFrame indexed by variant (as `fkp.results.variant` names them), a column per
            (score, treatment), means over seeds in px; scores rmse, rmse_complete, rmse_partial.
        times: DataFrame indexed by model, a column per (runtime, batch): median ms per call; None
            if nothing was timed.
        costs: model -> parameters; None as above.
        leaks: px by which the validation error of a split after augmentation is below that on
            copies of unseen faces, one per seed; a leak leaves the last conclusion not shown.

    Returns:
        DataFrame of `row`s.
    """
    rmse = scores["rmse"]
    tuned = [name for name in rmse.index if name.startswith("tuned_cnn")]
    rows = [
        row(
            "(1) The CNN optimised by hand is comparable to the auto-tuned ones, or better",
            f"RMSE, by hand less tuned (px), below {ALIKE}",
            _differences(rmse, ["manual_cnn"], tuned),
            ALIKE,
        )
    ]
    if times is not None:
        fastest = times.drop(index="mobilenet_v2").min()
        others = times.loc["mobilenet_v2"] / fastest
        rows.append(
            row(
                "(2) MobileNetV2 has the fastest inference",
                "its time over the fastest other model's, per runtime and batch, below 1",
                others,
                1,
            )
        )
    for words, name in (("all test rows", "rmse"), ("complete test rows", "rmse_complete")):
        part = scores[name]
        imputed = part[[t for t in IMPUTED if t in part]].min(axis=1)
        rows.append(
            row(
                f"(3) Augmentation is superior to imputation ({words})",
                "RMSE, augmented less better imputed (px), per model, below 0",
                part["augment"] - imputed if "augment" in part else [],
                0,
            )
        )
    frozen = [name for name in rmse.index if ", frozen" in name]
    rows.append(
        row(
            "(4) Frozen and completely fine-tuned backbones do not differ",
            f"RMSE, distance of fine-tuned from frozen (px), per treatment, below {ALIKE}",
            np.concatenate([[], *(_fine_tuning(rmse, name) for name in frozen)]),
            ALIKE,
        )
    )
    if times is not None:
        ratio = costs["mobilenet_v2"] / costs["manual_cnn"]
        rows.append(
            row(
                "(5) The architecture, not the number of parameters, decides the time: MobileNetV2",
                f"its time over the small CNN's, below the ratio of parameters, {ratio:.1f}",
                times.loc["mobilenet_v2"] / times.loc["manual_cnn"],
                ratio,
            )
        )
    leak = row(
        "(6) Lowest RMSE of all architectures, on its notebooks' own validation rows",
        "how far such a validation error is below that on copies of unseen faces (px), per seed",
        leaks,
        0,
    )
    rows.append(leak | ({"verdict": "not shown"} if leak["verdict"] == "does not hold" else {}))
    return pd.DataFrame(rows)


def _differences(rmse, those, others):
    """Every difference between a variant of `those` and one of `others`, per treatment."""
    pairs = [rmse.loc[a] - rmse.loc[b] for a in those for b in others if a in rmse.index]
    return np.concatenate([[], *pairs])


def _fine_tuning(rmse, frozen):
    twin = frozen.replace("frozen", "fine-tuned")
    return (rmse.loc[twin] - rmse.loc[frozen]).abs() if twin in rmse.index else []
