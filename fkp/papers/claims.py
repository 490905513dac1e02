"""What papers A, C and D conclude, each conclusion judged by what finished runs have measured.

A conclusion comes down to numbers, one per model, treatment or runtime; their median and range are
stated, and the verdict follows from the range: "holds" if all of them are on the claim's side,
"does not hold" if none is, "mixed" otherwise. Where runs kept their scores on resampled test faces
(`fkp.measure.scores`), each number has an interval, and it is said how many intervals lie wholly on
one side of the limit.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from fkp.papers import phrases, published
from fkp.record import results

ALIKE = 0.1  # px of RMSE below which two models count as equally good
IMPUTED = ("ffill", "knn")
TREATMENTS = ("none", *IMPUTED, "augment")  # the paper's
ROWS = {"rmse": "all test rows", "rmse_complete": "complete test rows"}
SIMILAR = 0.05  # share of another's error by which one may be larger and still counts as similar
OURS = ("keypoint_net", "small", "tiny")
# A model that predicts nearly the same for every face says nothing of a treatment: it counts where
# its best RMSE is below this share of the mean face's.
LEARNT = 0.9
NOTE = (
    "Range: lowest and highest of the comparisons. They are means over seeds (seeds: of how "
    "many); no interval enters a verdict. Clear, where it is known: the comparisons whose 95 % "
    "interval over test faces (1.96 standard deviations over 200 draws of them, the same for all "
    "networks) lies wholly on one side of the limit, out of those whose runs kept such draws; of "
    f"another training, which may differ by {ALIKE} px, it says nothing. Interval: the median's, "
    f"likewise, where all comparisons have draws. Models within {ALIKE} px count as equally good "
    "in (1) and (4), which speak of comparable ones; (3) says lower, so its limit is 0. (1) and "
    "(4) are of one pair of networks each, after the paper's treatments. Left out "
    f"of (3) is a model that does not get below {LEARNT:.0%} of the mean face's RMSE on the same "
    "rows; the better imputer is that of the lower test error, which favours imputing. The epoch "
    "is the one best on all validation rows, for complete test rows too. On all rows, (3) depends "
    "on the rows with few labels, of which a training on complete rows sees none. (4) is at odds "
    "with the paper's own section 4.1, where fine-tuning makes the error four to five times "
    "smaller. (6) compares with 1.77, 2.23, 1.97 and 1.75, each on rows of its own; that the "
    "paper's rows leak is inferred from its notebooks, see the leak study. Not judged: the "
    "training curves, in (5) anything but time, and that augmentation does not change the time of "
    "inference, as the same network takes the same time."
)

UNJUDGED = {
    "C": "Not judged: that a ResNet copes better with expressions and occlusions.",
    "D": "Not judged: what the paper says of MTCNN, of convergence and of ease of use.",
}


def row(claim: str, measure: str, numbers: ArrayLike, below: float) -> dict:
    """One line of the table of conclusions.

    Args:
        claim: what the paper concludes.
        measure: what the numbers are, with their unit.
        numbers: (n,), one per comparison, or (1 + draws, n): as measured, then on resampled test
            faces, NaN where that is not known; without any the claim is "not run".
        below: the claim is that they are below this.

    Returns:
        dict: the paper's conclusion, verdict, measured, median, range, comparisons; clear, if any
        comparison has draws: "4 of 5", those whose 95 % interval leaves out `below`; interval, if
        all have: the median's, "[0.05, 0.58]".
    """
    numbers = np.atleast_2d(np.asarray(numbers, dtype=float))
    numbers = numbers[:, ~np.isnan(numbers[0])]
    known = numbers[0]
    found = {"median": None, "range": "", "comparisons": len(known)}
    if len(known):
        ends = f"{known.min():.2f} to {known.max():.2f}"
        found |= {"median": float(np.median(known)), "range": ends if len(known) > 1 else ""}
    low, high = interval(numbers)
    if several := np.sum(~np.isnan(low)):
        found["clear"] = f"{np.sum((high < below) | (low >= below))} of {several}"
    if several and several == len(known):
        (low,), (high,) = interval(np.median(numbers, axis=1))
        found["interval"] = f"[{low:.2f}, {high:.2f}]"
    side = known < below
    said = "holds" if side.all() else "mixed" if side.any() else "does not hold"
    said = said if len(known) else "not run"
    return {"the paper's conclusion": claim, "verdict": said, "measured": measure} | found


def side_by_side(columns: list) -> pd.DataFrame | list:
    """Comparisons beside one another, as `row` takes them."""
    return pd.concat(columns, axis=1) if columns else []


def rows_apart(every: pd.DataFrame) -> dict[str, str]:
    """Those of `ROWS` that differ: where all test rows are complete, only the first."""
    return {k: words for k, words in ROWS.items() if k == "rmse" or any(every[k] != every["rmse"])}


def interval(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the 95 % interval over test faces: 1.96 standard deviations of the draws either way.

    Args:
        numbers: (1 + draws,) or (1 + draws, n), as `row` takes them.

    Returns:
        low, high: (n,); NaN where draws are not known.
    """
    apart = 1.96 * pd.DataFrame(numbers[1:]).std(skipna=False).to_numpy()
    return numbers[0] - apart, numbers[0] + apart


def floor_of(runs_dir: Path | str, runs: list[Path | str] | None = None) -> dict[str, float]:
    """RMSE of the mean face after the treatment that suits it best, px, by the keys of `ROWS`.

    Args:
        runs_dir, runs: as for `fkp.record.results.load`.
    """
    return results.mean_face(runs_dir, [*ROWS], runs)[[*ROWS]].min().to_dict()


def resampled(every: pd.DataFrame, score: str) -> pd.DataFrame:
    """A score of each variant and treatment, mean over seeds, and what it is on resampled faces.

    Args:
        every: a row per training: variant, treatment, the score and, where runs kept them, its
            draws (see `fkp.record.results.frame`).

    Returns:
        DataFrame with the columns (variant, treatment): row 0 as measured, the others one draw of
        test faces each, the same for all columns; NaN where no seed kept draws. (How far a draw is
        from what was measured is the mean over the seeds that kept some.)
    """
    cells = [every["variant"], every["treatment"]]
    means = every.groupby(cells)[score].mean()
    kept = every.get(f"{score}_draws", pd.Series(dtype=object)).dropna()
    draws = pd.DataFrame(kept.tolist(), kept.index).reindex(every.index)
    apart = draws.sub(every[score], axis=0).groupby(cells).mean()
    return pd.concat([means, apart.add(means, axis=0)], axis=1).T.reset_index(drop=True)


def conclusions(
    every: pd.DataFrame,
    times: pd.DataFrame | None,
    costs: pd.DataFrame | None,
    leaks: Sequence[float],
    floor: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Paper A's six conclusions, one of section 4.3 and two of its abstract.

    Of `OURS`, which stand beside its models, and of treatments that are not its own nothing is
    concluded.

    Args:
        every: a row per training: the columns `results.TRAITS`, variant, treatment, parameters,
            and of `ROWS` (px), these with _draws where runs kept them.
        times: DataFrame indexed by model, a column per (runtime, batch): median ms per call; None
            if nothing was timed.
        costs: DataFrame indexed by model: parameters, multiply_adds; None as above.
        leaks: px by which the validation error of a split after augmentation is below that on
            copies of unseen faces, one per seed.
        floor: RMSE of the mean face, px, by the columns of `ROWS`; see `LEARNT`. None: unknown.
    """
    every = every[~every["model"].isin(OURS) & every["treatment"].isin(TREATMENTS)]
    if timed := times is not None:
        times, costs = (table[~table.index.isin(OURS)] for table in (times, costs))
    words = rows_apart(every)
    scores = {score: resampled(every, score) for score in words}
    kinds = every.drop_duplicates("variant").set_index("variant")[[*results.TRAITS]]
    rows = [
        *_by_hand(every, scores["rmse"], kinds),
        *([_mobilenet_is_fastest(times)] if timed else []),
        *(
            _augmenting_beats_imputing(
                every, _learnt(rmse, (floor or {}).get(score, np.nan)), words[score]
            )
            for score, rmse in scores.items()
        ),
        _fine_tuning_changes_little(every, scores["rmse"], kinds),
        *([_multiply_adds_tell_the_time(times, costs)] if timed else []),
        _lowest_error(leaks),
        *([_mobilenet_is_twice_as_fast(times)] if timed else []),
        _mobilenet_errs_least(every, scores["rmse"], kinds["model"]),
        *([_by_hand_is_faster(times)] if timed else []),
    ]
    return pd.DataFrame(rows)


def _learnt(rmse, floor):
    """The columns of models that predict more than the mean face, see `LEARNT`."""
    best = rmse.loc[0].groupby("variant").min()
    return rmse[best.index[~(best >= LEARNT * floor)]]


def _of(kinds, **wanted):
    """The one variant of these traits and otherwise of none; None if it did not run."""
    plain = {"fine_tune": "", "scratch": False, "size": "", "space": "", "jitter": False}
    names = kinds.index[(kinds == pd.Series(plain | wanted)[kinds.columns]).all(axis=1)]
    return names[0] if len(names) else None


def seeds_of(every: pd.DataFrame, variants: Sequence[str], treatments: Sequence[str]) -> dict:
    """Of how many seeds the means of these are: {"seeds": "1 to 3"}; {} without a training.

    Args:
        every: a row per training: variant, treatment.
    """
    part = every[every["variant"].isin(variants) & every["treatment"].isin(treatments)]
    said = phrases.span(part.groupby(["variant", "treatment"]).size())
    return {"seeds": said} if said else {}


def _by_hand(every, rmse, kinds):
    """Of the CNN optimised by hand and the one tuned in the paper's space."""
    sizes = resampled(every, "parameters")
    pair = _of(kinds, model="manual_cnn"), _of(kinds, model="tuned_cnn", space="paper")
    by_hand, tuned = pair if None not in pair else ([], [])
    yield row(
        "(1) Manually optimised CNNs outperform auto-tuned ones or are comparable",
        f"RMSE, by hand minus tuned (px), per treatment, below {ALIKE}",
        rmse[by_hand] - rmse[tuned],
        ALIKE,
    ) | seeds_of(every, pair, TREATMENTS)
    yield row(
        "(1) They may be ideal in model size and parameters",
        "parameters, by hand over tuned, per treatment, below 1",
        sizes[by_hand] / sizes[tuned],
        1,
    )


def _mobilenet_is_fastest(times):
    return row(
        "(2) MobileNetV2 outperforms all other models with the fastest inference times",
        "its time over the fastest other model's, per runtime and batch, below 1",
        times.loc["mobilenet_v2"] / times.drop(index="mobilenet_v2").min(),
        1,
    )


def _augmenting_beats_imputing(every, rmse, words):
    ahead = []
    for variant in rmse.columns.unique("variant"):
        part = rmse[variant]
        imputed = part[[name for name in IMPUTED if name in part]].min(axis=1, skipna=False)
        ahead += [part["augment"] - imputed] if "augment" in part else []
    return row(
        f"(3) Augmented models have lower RMSE than imputed ones ({words})",
        "RMSE, augmented minus better imputed (px), per model, below 0",
        side_by_side(ahead),
        0,
    ) | seeds_of(every, rmse.columns.unique("variant"), (*IMPUTED, "augment"))


def _fine_tuning_changes_little(every, rmse, kinds):
    """Backbones from ImageNet's weights; from random ones nothing is transferred."""
    apart, compared = [], []
    for model, size in kinds[["model", "size"]].drop_duplicates().to_numpy():
        frozen, tuned = (
            _of(kinds, model=model, size=size, fine_tune=how) for how in ("none", "all")
        )
        if frozen is not None and tuned is not None:
            by = rmse[tuned] - rmse[frozen]
            apart.append(by * np.sign(by.loc[0]))
            compared += [frozen, tuned]
    return row(
        "(4) Frozen and completely fine-tuned baselines do not differ significantly",
        f"RMSE, distance of fine-tuned from frozen (px), per treatment, below {ALIKE}",
        side_by_side(apart),
        ALIKE,
    ) | seeds_of(every, compared, TREATMENTS)


def _multiply_adds_tell_the_time(times, costs):
    ranks = times.rank().apply(lambda column: costs.rank().corrwith(column))
    return row(
        "(5) Architectural efficiency significantly impacts inference time",
        "rank correlation of models' times with their parameters minus that with their "
        "multiply-adds, per runtime and batch, below 0",
        ranks.loc["parameters"] - ranks.loc["multiply_adds"],
        0,
    )


def _lowest_error(leaks):
    """A leak leaves open how low the error is on unseen faces; no leak would not show it either."""
    leak = row(
        "(6) The lowest RMSE, compared with four published architectures",
        "how far the RMSE on validation rows cut out of the augmented rows, as in the paper's "
        "notebooks, is below that on copies of unseen faces (px), per seed",
        leaks,
        0,
    )
    return leak | ({"verdict": "not shown"} if leak["comparisons"] else {})


def _mobilenet_is_twice_as_fast(times):
    return row(
        "(section 4.3) MobileNetV2 has ten times custom CNNs' parameters and is twice as fast",
        "its time over that of the CNN optimised by hand, which has a tenth of its parameters, per "
        "runtime and batch, below 0.5",
        times.loc["mobilenet_v2"] / times.filter(["manual_cnn"], axis="index").min(),
        0.5,
    )


def _by_hand_is_faster(times):
    by_hand, tuned = (times.filter(like=like, axis="index").min() for like in ("manual", "tuned"))
    return row(
        "(abstract) Manually optimised CNNs have better inference times than auto-tuned ones",
        "time, by hand over the fastest tuned one, per runtime and batch, below 1",
        by_hand / tuned,
        1,
    )


def _mobilenet_errs_least(every, rmse, models):
    shares = []
    for treatment in rmse.columns.unique("treatment"):
        part = rmse.xs(treatment, axis=1, level="treatment")
        named = models.loc[part.columns].to_numpy() == "mobilenet_v2"
        best, other = (part.loc[:, of].min(axis=1, skipna=False) for of in (named, ~named))
        shares.append(best / other)
    return row(
        "(abstract) MobileNetV2 produces the lowest RMSE",
        "RMSE of its best form over that of the best other model, per treatment, below 1",
        side_by_side(shares),
        1,
    ) | seeds_of(every, models.index, TREATMENTS)


def of_landmarks(paper: str | None, scores: pd.DataFrame, models: pd.Series) -> pd.DataFrame:
    """What paper C or D concludes of its models.

    Args:
        paper: "C" or "D"; for another, or None, there are no conclusions.
        scores: DataFrame indexed by entry of the study, means over seeds in the columns that
            `fkp.measure.landmarks.measures` names.
        models: Series entry -> name of the model, the mean shape not among them; of `OURS` and of
            MobileNetV2, which stand beside the papers', nothing is concluded.
    """
    models = models[~models.isin([*OURS, "mobilenet_v2"])]
    scores = scores.loc[models.index]
    if paper == "C":
        return pd.DataFrame(_paper_c(scores, models))
    return pd.DataFrame(_paper_d(scores) if paper == "D" else [])


def _paper_c(scores, models):
    names = ("paper_c_cnn", "forest", "resnet18")
    cnn, cascade, resnet = parts = [scores[models == name] for name in names]

    def over(first, second, score="mse_256px"):
        return np.divide.outer(first[score].to_numpy(), second[score].to_numpy()).ravel()

    pairs = "MSE of the {} faces, the first over the second, per pair of entries, below 1".format
    rows = [
        row("ResNet is ahead of the CNN", pairs("test"), over(resnet, cnn), 1),
        row("ResNet is ahead of the cascade", pairs("test"), over(resnet, cascade), 1),
        row("Table 1, MSE: the cascade is ahead of the CNN", pairs("test"), over(cascade, cnn), 1),
        row(
            "Table 1, validation loss: the cascade is ahead of the ResNet",
            pairs("validation"),
            over(cascade, resnet, "mse_256px_validation"),
            1,
        ),
    ]
    for (name, stated), part in zip(published.PAPER_C_TABLE.items(), parts, strict=True):
        claim = f"Table 1, MSE: {stated['mse_256px']:.2f} px² or less ({name})"
        measure = "MSE of the test faces at 256 px over the stated one, per entry, below 1"
        rows.append(row(claim, measure, part["mse_256px"] / stated["mse_256px"], 1))
    return rows


def _paper_d(scores):
    (stated,) = published.PAPER_D_TABLE.values()
    nme, nmse = stated["nme_ocular"], stated["nmse_validation"]
    ocular = scores["nme_ocular"]
    # The NME grows with the error, the MSE with its square.
    scaled = ocular * np.sqrt(nmse / scores["nmse"])
    rivals = [full for name, *_, full in published.W300_NME if name in published.PAPER_D_RIVALS]
    rows = [
        (f"NME {nme} % or less", "inter-ocular NME (%)", ocular, nme),
        (
            "Accuracy similar to or better than that of HRNet and D-ViT (section 3.2)",
            "inter-ocular NME over theirs of all 689 test faces, of which ours are the 554 easier "
            "ones, per method",
            np.divide.outer(ocular.to_numpy(), rivals).ravel(),
            1 + SIMILAR,
        ),
        (
            f"Validation MSE {nmse} or less on coordinates from 0 to 1",
            "validation MSE (10⁻³)",
            1000 * scores["nmse_validation"],
            1000 * nmse,
        ),
        (
            "(not in the paper) That NME, if inter-ocular, and that MSE are one model's",
            f"inter-ocular NME (%), errors in crops like ours scaled to an MSE of {nmse}",
            scaled,
            nme,
        ),
    ]
    said = [row(c, f"{what}, per entry, below {end:.3g}", n, end) for c, what, n, end in rows]
    return said + [_within(pixels, stated, scores) for pixels in (3, 5)]


def _within(pixels, stated, scores):
    """Pixels of images whose size the paper does not state; ours are of the size trained on."""
    name = f"within_{pixels}px"
    end = 100 - stated[name]
    said = row(
        f"{stated[name]} % or more of the points within {pixels} px",
        f"points further off in our images (%), per entry, below {end:.3g}",
        100 - scores[name],
        end,
    )
    return said | ({"verdict": "not comparable"} if said["comparisons"] else {})
