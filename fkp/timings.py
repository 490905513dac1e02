"""Tables and judgements from the rows that `fkp.benchmark.measure` returns."""

import pandas as pd

TWICE, FASTER = 1.75, 1.05


def summarise(rows):
    """Medians over rounds.

    Args:
        rows: as `fkp.benchmark.measure` returns them.

    Returns:
        DataFrame indexed by (model, runtime, batch), in order of first appearance in `rows`:
        median_ms, low_ms, high_ms (range of the rounds' medians), p90_ms, images_per_s, first_ms,
        load_s, memory_mb; calls (timed, all rounds), rounds, stable (in every round).
    """
    groups = pd.DataFrame(rows).groupby(["model", "runtime", "batch"], sort=False)
    middle = groups[["median_ms", "p90_ms", "images_per_s", "first_ms", "load_s", "memory_mb"]]
    table = middle.median()
    table.insert(1, "low_ms", groups["median_ms"].min())
    table.insert(2, "high_ms", groups["median_ms"].max())
    return table.assign(
        calls=groups["calls"].sum(), rounds=groups["round"].nunique(), stable=groups["stable"].all()
    )


def unstack(summary, batch, column="median_ms", runtimes=None, models=None):
    """One column of a summary at one batch size: a row per model, a column per runtime."""
    table = summary.xs(batch, level="batch")[column].unstack("runtime")
    models = [m for m in models or table.index if m in table.index and m]
    return table.reindex(index=models, columns=[r for r in runtimes or table if r in table])


def speed_ratios(rows, model, others):
    """How many times as fast as each of `others` a model is, in every runtime and batch size.

    Returns:
        DataFrame: other, runtime, batch, ratio (median over rounds of the rounds' ratios), low,
        high (their range), judgement (see `judge`).
    """
    times = pd.DataFrame(rows).set_index(["model", "runtime", "batch", "round"])["median_ms"]
    parts = []
    for other in others:
        ratio = (times[other] / times[model]).groupby(["runtime", "batch"], sort=False)
        part = ratio.agg(ratio="median", low="min", high="max").reset_index()
        parts.append(part.assign(other=other))
    table = pd.concat(parts, ignore_index=True)
    table["judgement"] = [judge(row.low, row.high) for row in table.itertuples()]
    return table[["other", "runtime", "batch", "ratio", "low", "high", "judgement"]]


def judge(low, high):
    """The claim "twice as fast" against the range of measured ratios, in words."""
    if low >= TWICE:
        return "at least twice as fast" if low >= 2 else "about twice as fast"
    if high < 1 / FASTER:
        return "slower"
    return "faster, not twice" if low > FASTER else "no clear difference"


def in_words(model, other, ratios):
    """Sentences for one pair of models: where it is twice as fast, where merely faster, where not.

    Args:
        ratios: rows of `speed_ratios` for this pair.
    """
    lines = []
    for judgement, part in ratios.groupby("judgement", sort=False):
        where = ", ".join(
            f"{row.runtime} at batch {row.batch} ({row.ratio:.2f}x)" for row in part.itertuples()
        )
        lines.append(f"*{judgement}*: {where}")
    return f"`{model}` against `{other}`: " + "; ".join(lines) + "."
