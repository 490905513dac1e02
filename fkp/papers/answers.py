"""The answer of a study in two sentences, made by rule from the metrics of its runs.

A rule takes the runs' metrics and gives a text; it raises LookupError where what it needs has not
been run. A study without a rule of its own is answered with its verdicts and its lowest error.
"""

import re
from statistics import mean, median

import numpy as np

from fkp.measure.landmarks import PIXELS
from fkp.papers import claims, phrases, published
from fkp.record import results

ANSWERED = {"holds": "Yes", "mixed": "In part", "does not hold": "No"}
_LOWER_IS_BETTER = re.compile(r"rmse|mse|nme")


def answer(study: str, runs: list[dict]) -> str:
    """What a study has found, in about two sentences; "" if nothing can be said yet.

    Args:
        study: its name; one of `ANSWERS`, or any other.
        runs: contents of the runs' metrics.json.
    """
    for rule in filter(None, (ANSWERS.get(study), _in_general, _lowest)):
        try:
            return rule(runs)
        except LookupError:
            continue
    return ""


def _judgement(rows, *words):
    """The first of the rows of verdicts that has all these words."""
    return phrases.first(row for row in rows if all(word in str(row) for word in words))


def _compared(row):
    """ "3 models, 0.23 to 0.60" of a row of verdicts."""
    models = f"{row['comparisons']} model{'s' * (row['comparisons'] != 1)}"
    return f"{models}, {row['range']}" if row["range"] else models


def _both(*rows):
    """ "Yes" or "No" where the verdicts of two rows agree."""
    said = {row["verdict"] for row in rows}
    return ANSWERED[said.pop()] if len(said) == 1 else "In part"


def _more(number, unit):
    return f"{abs(number):.2f} {unit} {'more' if number > 0 else 'less'}"


def _paper_a(runs):
    rows = phrases.judged(runs)
    every = _judgement(rows, "Augmented", "(all test rows)")
    complete = _judgement(rows, "Augmented", "(complete test rows)")
    trained = [
        run
        for run in phrases.scored(runs, "rmse")
        if run["run"]["notebook"] in ("train", "tune")
        and not run["run"]["parameters"].get("jitter")
    ]
    best = phrases.first(trained)
    held = sum(row["verdict"] == "holds" for row in rows)
    return (
        f"{_both(every, complete)}: on {best['data']['source']} faces, models trained on "
        f"augmented complete rows err by {_more(every['median'], 'px')} than on imputed ones "
        f"(median of {_compared(every)}); on complete test rows alone the claim "
        f"{_claim(complete['verdict'])} ({complete['median']:.2f} px, {_compared(complete)}). Of "
        f"{len(trained)} trainings without jitter {results.variant(best)} has the lowest "
        f"RMSE, {phrases.text(best['scores']['rmse'])}, after treatment "
        f"{best['training']['treatment']} and with {best['model']['parameters']:,} parameters; "
        f"{held} of {len(rows)} statements hold."
    )


def _budget(runs):
    claims = phrases.by_claim(phrases.judged(runs))
    turned = [claim for claim, said in claims.items() if _turns(said)]
    told = {
        "all test rows" if "(all" in claim else "complete ones alone": said
        for claim, said in claims.items()
        if "Augmented" in claim
    }
    over = [_turns(said) for said in told.values()]
    words = "Yes" if all(over) else "In part" if any(over) else "No"
    changes = "; ".join(
        f"on {rows} {_each('{:+.2f}', said, 'median')} px after {_each('{:,}', said, 'images')} "
        f"images (median of {_each('{}', said, 'comparisons')} networks)"
        for rows, said in told.items()
    )
    return (
        f"{words}: RMSE after training on augmented complete rows minus after imputed ones, "
        f"{changes}. Verdicts that turn: {len(turned)} of {len(claims)}{': ' * bool(turned)}"
        f"{'; '.join(turned)}."
    )


def _each(form, rows, key):
    return ", ".join(form.format(row[key]) for row in rows)


def _turns(said):
    """Whether the same models are judged otherwise at their largest budget."""
    same = phrases.alike(said)
    return same[0]["verdict"] != same[-1]["verdict"]


def _hidden(runs):
    """Of the paper's network."""
    found = {}
    for run in phrases.scored(runs, "rmse"):
        parameters = run["run"]["parameters"]
        key = parameters.get("hide"), parameters.get("treatment")
        if parameters.get("model") not in claims.OURS:
            found.setdefault(key, []).append(run["scores"]["rmse"]["value"])
    means = {key: mean(values) for key, values in found.items()}
    whole, none = means["nothing", "none"], means["kaggle", "none"]
    order = [name for hide, name in sorted(means, key=means.get) if hide == "kaggle"]
    others = [name for name in order if "augment" not in name]
    best = phrases.first(others)
    level = [n for n in others if min(found["kaggle", n]) <= max(found["kaggle", best])]
    back = (100 * (none - means["kaggle", name]) / (none - whole) for name in level)
    spread = phrases.over_seeds(found["kaggle", best], "px")
    claim = _judgement(phrases.judged(runs), "Augmented")
    return (
        f"Hiding labels as Kaggle's rows lack them and training on the complete rest costs "
        f"{none - whole:.2f} px of RMSE ({none:.2f} against {whole:.2f} px with every label). "
        f"Of the treatments without copies, {' and '.join(level)} win{'s' * (len(level) == 1)} "
        f"back most, {phrases.span(map(round, back))} % ({best} {spread}). Where all faces are of "
        f"one collection, paper A's claim that augmenting complete rows beats imputing "
        f"{_claim(claim['verdict'])} ({_more(claim['median'], 'px')}); the order of all, best "
        f"first: {', '.join(order)}."
    )


def _claim(verdict):
    return "is mixed" if verdict == "mixed" else verdict


def _paper_b(runs):
    faces = {row.pop("faces"): row for row in phrases.rows(runs, "Mean squared error")}
    ours, theirs = faces["ours, test"], faces["paper B, test"]
    column = phrases.first(name for name in ours if name.startswith("MSE"))
    first = phrases.first(phrases.rows(runs, "Harm of hiding"))
    return (
        f"On {ours['number']} test faces its squared error is {ours[column]:.2f} px² "
        f"[{ours['95 % interval']}], and the paper states {theirs[column]:.2f} px², of other "
        f"points and crops. Hiding the most salient patches first costs {first['above random']} px "
        "more than hiding at random, and "
        f"{first['above most salient in another face']} px more than hiding by the map of another "
        "face."
    )


def _paper_c(runs):
    cnn, cascade = (
        _judgement(phrases.judged(runs), f"ahead of the {other}") for other in ("CNN", "cascade")
    )
    name, values = phrases.first(phrases.entries(runs, "nme_ocular").items())
    return (
        f"{_both(cnn, cascade)}: the ResNets' squared error is "
        f"{cnn['median']:.2f} of the CNNs' and {cascade['median']:.2f} of the cascades' (medians "
        f"of {cnn['comparisons']} and {cascade['comparisons']} pairs of entries). {name} has the "
        f"lowest inter-ocular NME of all: {phrases.over_seeds(values, '%')}."
    )


def _paper_d(runs):
    (stated,) = published.PAPER_D_TABLE.values()
    claim, scaled = (
        _judgement(phrases.judged(runs), start)
        for start in (f"'NME {stated['nme_ocular']}", "are one model's")
    )
    ours = phrases.entries(runs, "nme_ocular")
    phrases.first(ours)
    found = "; ".join(f"{name} {phrases.over_seeds(values, '%')}" for name, values in ours.items())
    could = "could" if scaled["verdict"] == "holds" else "can hardly"
    scores = [(run["within"], run["scores"]["nmse"]["value"]) for run in runs if "within" in run]
    phrases.first(scores)
    of_side = median(
        100 * _mean_distance(within) * (stated["nmse_validation"] / nmse) ** 0.5
        for within, nmse in scores
    )
    return (
        f"{ANSWERED[claim['verdict']]}: the paper states an NME of {stated['nme_ocular']} %; ours: "
        f"{found}. If its NME is inter-ocular, it and its squared error {could} be one "
        f"model's: scaled to that squared error, ours would have {scaled['median']:.1f} %; in % of "
        f"the image's side, which the paper does not rule out, {of_side:.1f} %."
    )


def _mean_distance(within):
    """Mean distance of the points from their labels over the image's side, from `within_by_size`.

    The integral of the share of points further off, up to 5 px of the smallest images.
    """
    shares = [
        (pixels / size, 1 - share / 100)
        for pixels in PIXELS
        for size, share in zip(within["size"], within[f"within_{pixels}px"], strict=True)
    ]
    far, left = zip(*sorted([(0, 1), *shares]), strict=True)
    return float(np.trapezoid(left, far))


def _stall(runs):
    (stated,) = published.PAPER_D_TABLE.values()
    last = _judgement(reversed(phrases.judged(runs)), f"'NME {stated['nme_ocular']}")
    found = []
    for run in phrases.scored(runs, "nme_ocular"):
        errors = [row["validation_rmse"] for row in run["history"]]
        early = phrases.first(row for row in run["history"] if "scores" in row)
        found.append(
            f"{run['run']['name']} {phrases.text(run['scores']['nme_ocular'])} after {len(errors)} "
            f"epochs ({phrases.text(early['scores']['nme_ocular'])} after {early['epoch'] + 1}; "
            f"lowest validation error in epoch {errors.index(min(errors)) + 1})"
        )
    return (
        f"{ANSWERED[last['verdict']]}: the paper states an NME of {stated['nme_ocular']} %; ours: "
        f"{'; '.join(found)}. One training each."
    )


def _across_sets(runs):
    parts = []
    scored = [run for run in runs if run.get("by_set")]
    for which in phrases.first(scored)["by_set"]:
        collection, means = which.split("/")[0], {}
        for run in scored:
            sets = run["run"]["parameters"]["train_sets"] or ()
            knows = any(name.split("/")[0] == collection for name in sets)
            value = run["by_set"][which]["nme_ocular"]["value"]
            means.setdefault((knows, len(sets)), []).append(value)
        known, unknown = (
            mean(means[phrases.first(sorted(key for key in means if key[0] is knows))])
            for knows in (True, False)
        )
        parts.append(
            f"{100 * (unknown / known - 1):.0f} % on {which} ({unknown:.2f} against {known:.2f} %)"
        )
    return (
        "Not having trained on a collection adds to the inter-ocular NME of "
        f"{phrases.first(scored)['model']['name']} {' and '.join(parts)}, means over seeds."
    )


def _best(runs):
    found, off = [], []
    audited = [run for run in runs if run.get("audits")]
    source = phrases.first(audited)["data"]["source"]
    for run in audited:
        for name, audit in run["audits"].items():
            files = phrases.rows([run], "Every file")
            size = phrases.first(row["MB"] for row in files if "int8" in row["file"])
            score = audit["scores"]["nme_ocular"]
            found.append(
                (score["value"], f"`{name}`, a file of {size:.2f} MB, {phrases.text(score)}")
            )
            off += [abs(ratio - 1) for ratio in audit["reliability"]["ratio"]]
    return (
        f"On {score['n']} {source} test faces the inter-ocular NME is: "
        f"{'; '.join(text for _, text in sorted(found))}. The error that they expect of a point is "
        f"off by at most {100 * max(off):.0f} % in any tenth of the points."
    )


def _kaggle(runs):
    proof = phrases.first(run for run in runs if run["run"]["notebook"] == "kaggle")
    seeds = phrases.rows([proof], "Every seed")
    size = phrases.first(
        r["MB"] for r in phrases.rows([proof], "Every file") if "int8" in r["file"]
    )
    score = proof["scores"]["rmse"]
    return (
        f"A file of {size:.2f} MB has an RMSE of {phrases.text(score)} on {score['n']} test rows "
        f"of {proof['data']['source']} faces "
        f"(in float32 {phrases.over_seeds([row['rmse'] for row in seeds], 'px')}). "
        "Not told which of the two labelling regimes a row is of, it has "
        f"{phrases.over_seeds([row['one regime'] for row in seeds], 'px')}."
    )


def _imputation(runs):
    scores = phrases.first(
        run["scores"] for run in runs if "rmse_ffill" in (run.get("scores") or {})
    )
    order = sorted(scores, key=lambda name: scores[name]["value"])
    best, named = order[0], [name for name in order[1:] if name in ("rmse_knn", "rmse_ffill")]
    level = [name[5:] for name in order if scores[name]["value"] <= scores[best]["high"]]
    others = " and ".join(f"{name[5:]} {scores[name]['value']:.2f} px" for name in named)
    median = scores["rmse_median"]["value"]
    side = "worse" if scores["rmse_ffill"]["value"] > median else "no worse"
    return (
        f"Best by {' and '.join(level)}, with an RMSE of {scores[best]['value']:.2f} px "
        f"({scores[best]['low']:.2f} to {scores[best]['high']:.2f} over draws) on hidden labels; "
        f"of the paper's two imputers, {others}. Forward fill is {side} than filling in the median "
        f"of a column ({median:.2f} px)."
    )


def _recolour(runs):
    rows = phrases.rows(runs, "What a change of colour does")
    fill = phrases.first(row for row in rows if row["change"] == "plain fill")
    ours = [r for r in rows if r["change"].startswith("ours") and "points" not in r["change"]]
    phrases.first(ours)
    one, opened = ours[len(ours) // 2], "open mouth changed (%)"
    first = lambda text: str(text).split(" [")[0]  # noqa: E731
    source = phrases.first(runs)["data"]["source"]
    return (
        f"On {source} faces, at an opacity of {one['change'].split()[-1]}, the lightness of the "
        f"lips before and after has a correlation of {first(one['lips: L* correlation'])} and "
        f"{first(one[opened])} % of an open mouth is coloured (medians). The paper's plain fill "
        f"leaves no shading and colours {first(fill[opened])} %."
    )


def _ablation(runs):
    rows = [row for row in phrases.rows(runs, "One choice changed") if row["against"]]
    rows.sort(key=lambda row: row["against"])
    phrases.first(rows)
    low, high = rows[0], rows[-1]
    clear = [row["run"] for row in rows if row["low"] > 0]
    every = phrases.span(row["seeds"] for row in rows)
    every += " seed" if every == "1" else " seeds"

    def text(row):
        spread = f", {row['low']:+.1f} to {row['high']:+.1f} over seeds" * (row["seeds"] > 1)
        return f"{row['run']} ({row['against']:+.1f} %{spread})"

    return (
        f"Of {len(rows)} changes the most harmful is {text(high)} and the most helpful, or least "
        f"harmful, {text(low)}, in % of the recipe's validation error. {len(clear)} of them do "
        f"harm with every seed ({every} each)."
    )


def _in_general(runs):
    said = [row["verdict"] for row in phrases.judged(runs)]
    phrases.first(said)
    counts = ", ".join(f"{said.count(word)} {word}" for word in dict.fromkeys(sorted(said)))
    try:
        return f"Of {len(said)} statements: {counts}. {_lowest(runs)}"
    except LookupError:
        return f"Of {len(said)} statements: {counts}."


def _lowest(runs):
    names = (name for run in runs for name in run.get("scores") or {})
    score = phrases.first(name for name in names if _LOWER_IS_BETTER.match(name))
    scored = phrases.scored(runs, score)
    found = phrases.text(scored[0]["scores"][score])
    label = scored[0]["run"].get("label", "")
    among = f" of {len(scored)} runs" if len(scored) > 1 else ""
    return f"The lowest {score.replace('_', ' ')}{among}: {found} ({label})."


ANSWERS = {
    "paper-a": _paper_a,
    "budget": _budget,
    "hidden": _hidden,
    "paper-b": _paper_b,
    "paper-c": _paper_c,
    "paper-d": _paper_d,
    "stall": _stall,
    "across-sets": _across_sets,
    "best": _best,
    "kaggle": _kaggle,
    "imputation": _imputation,
    "recolour": _recolour,
    "ablation": _ablation,
}
