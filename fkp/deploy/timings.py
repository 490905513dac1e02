"""Tables and judgements from the rows that `fkp.deploy.benchmark.measure` returns."""

from collections.abc import Sequence

import pandas as pd

from fkp.deploy.runtimes import UNPINNED

TWICE, FASTER = 1.75, 1.05  # ratios from which a model counts as twice as fast, as faster
BUSY_PERCENT = 10
UNTRACED = "keras_predict"


def summarise(rows: list[dict]) -> pd.DataFrame:
    """Medians over rounds.

    Args:
        rows: as `fkp.deploy.benchmark.measure` returns them.

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


def short_rows(rows: list[dict]) -> list[dict]:
    """The summary for a terminal: a dict of text and rounded numbers per line."""
    return [
        {
            "model": row.model or "-",
            "runtime": row.runtime,
            "batch": row.batch,
            "median ms": f"{row.median_ms:.2f}",
            "p90 ms": f"{row.p90_ms:.2f}",
            "images/s": round(row.images_per_s),
            "memory MB": round(row.memory_mb),
        }
        for row in summarise(rows).reset_index().itertuples()
    ]


def unsettled(rows: list[dict]) -> str:
    """A sentence on the measurements whose warm-up did not settle; "" if all did."""
    several = sum(not row["stable"] for row in rows)
    if not several:
        return ""
    return f" In {several} of {len(rows)} measurements the times had not settled when timing began."


def unstack(
    summary: pd.DataFrame,
    batch: int,
    column: str = "median_ms",
    runtimes: Sequence[str] | None = None,
) -> pd.DataFrame:
    """One column of a summary at one batch size: a row per model, a column per runtime."""
    table = summary.xs(batch, level="batch")[column].unstack("runtime")
    models = [model for model in table.index if model]
    return table.reindex(index=models, columns=[r for r in runtimes or table if r in table])


def speed_ratios(rows: list[dict], model: str, others: Sequence[str]) -> pd.DataFrame:
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


def judge(low: float, high: float) -> str:
    """The claim "twice as fast" against the range of measured ratios, in words."""
    if low >= TWICE:
        return "at least twice as fast" if low >= 2 else "about twice as fast"
    if high < 1 / FASTER:
        return "slower"
    return "faster, not twice" if low > FASTER else "no clear difference"


def in_words(model: str, other: str, ratios: pd.DataFrame) -> str:
    """What the ratios say of one pair of models, through Keras' predict and without its overhead.

    Args:
        ratios: rows of `speed_ratios` for this pair.
    """
    through = ratios["runtime"] == UNTRACED
    once = (ratios["low"] == ratios["high"]).all()
    alone = " (a single round, so no range)" if once else ""
    sentences = [f"{model} against {other}{alone}."]
    titles = f"Through {UNTRACED}", "Without its overhead"
    for rows, title in zip((ratios[through], ratios[~through]), titles, strict=True):
        for batch, part in rows.groupby("batch"):
            part = part.assign(text=part["runtime"] + part["ratio"].map(" {:.2f}x".format))
            same = part.groupby("judgement", sort=False)["text"].agg(", ".join)
            found = [f"{judgement} ({where})" for judgement, where in same.items()]
            sentences.append(f"{title}, batch {batch}: {'; '.join(found)}.")
    return " ".join(sentences)


def overhead(summary: pd.DataFrame, traced: str = "tf_function") -> pd.DataFrame:
    """What calling costs besides the model, in ms per call of one image.

    Returns:
        DataFrame indexed by model: the medians in both runtimes, overhead_ms (their difference) and
        times (their ratio).
    """
    table = unstack(summary, 1, runtimes=[UNTRACED, traced])
    table["overhead_ms"] = table[UNTRACED] - table[traced]
    table["times"] = table[UNTRACED] / table[traced]
    return table


def conditions_in_words(conditions: dict) -> str:
    """One sentence for the notes of tables: `fkp.deploy.benchmark.conditions` as text."""
    versions = ", ".join(f"{name} {version}" for name, version in conditions["versions"].items())
    threads = conditions["threads"]
    pinned = f", pinned (but for {' and '.join(UNPINNED)})" if conditions["pinned"] else ""
    text = (
        f"{conditions['cpu']}, {threads} of {conditions['cores']} cores, {threads} thread"
        f"{'s' * (threads > 1)}{pinned}; {versions}."
    )
    if conditions["load_percent"] > BUSY_PERCENT:
        text += (
            f" The machine was busy with other work ({conditions['load_percent']:.0f} % of all "
            "cores before the first measurement): read the times as ratios."
        )
    return text
