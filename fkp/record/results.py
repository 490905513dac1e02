"""What a run leaves behind and what a comparison reads: `metrics.json` and charts."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from fkp.record.files import whole, write_json
from fkp.record.machine import environment

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def describe(faces: Any) -> dict:
    """The data's entry in metrics.json: source label, scheme, rows, image shape, fingerprint."""
    return {
        "source": faces.source,
        "scheme": faces.scheme.name,
        "rows": len(faces),
        "complete_rows": int(faces.complete.sum()),
        "image_shape": list(faces.image_shape),
        "fingerprint": faces.fingerprint,
    }


def record(out: Path | str | None, data: dict, **sections: object) -> dict:
    """Write `out`/metrics.json: the data, the given sections and the versions it was made with.

    Args:
        out: run folder; None (a notebook opened by hand) writes nothing.
        data: as `describe` returns it, of the faces as read, before any split.
        **sections: JSON-ready values: scores, model, history, tables, figures, ...

    Returns:
        The dict that was written.
    """
    metrics = {"data": data, **sections, "environment": environment()}
    if out is not None:
        write_json(Path(out) / "metrics.json", metrics)
    return metrics


def save_chart(figure: "Figure", out: Path | str | None, name: str, caption: str) -> dict:
    """Save a chart as `out`/figures/<name>.svg and return its entry for metrics.json.

    Charts only: a picture that shows a face of a data set stays inside the notebook's own page.
    """
    if out is not None:
        with whole(Path(out) / "figures" / f"{name}.svg") as path:
            figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    return {"file": f"figures/{name}.svg", "caption": caption}


def table(frame: pd.DataFrame, title: str, note: str = "") -> dict:
    """A DataFrame as a table entry of metrics.json; the cells are shown as they are."""
    return {
        "title": title,
        "columns": [str(column) for column in frame.columns],
        "rows": frame.astype(object).where(frame.notna(), "").to_numpy().tolist(),
        "note": note,
    }


def load(
    runs_dir: Path | str,
    notebooks: str | list[str],
    runs: list[Path | str] | None = None,
    *,
    needed: bool = True,
) -> list[dict]:
    """The metrics of the finished runs of one notebook or several.

    Args:
        runs_dir: folder of run folders.
        notebooks: name without number, e.g. "train", or a list of names.
        runs: run folders to read, by name or absolute path, in that order; None = all.
        needed: there has to be such a run.

    Returns:
        List of metrics dicts, each with its `folder`.

    Raises:
        ValueError: there is no such run though one is needed, or the runs are on different data.
    """
    notebooks = [notebooks] if isinstance(notebooks, str) else notebooks
    folders = sorted(p.name for p in Path(runs_dir).glob("*/")) if runs is None else runs
    files = [Path(runs_dir) / name / "metrics.json" for name in folders]
    several = [
        json.loads(path.read_text()) | {"folder": str(path.parent)}
        for path in files
        if path.exists()
    ]
    several = [m for m in several if m.get("run", {}).get("notebook") in notebooks]
    if needed and not several:
        raise ValueError(
            f"{runs_dir}: no finished run of the notebook {' or '.join(map(repr, notebooks))}"
        )
    prints = {m["data"]["fingerprint"] for m in several}
    if len(prints) > 1:
        raise ValueError(f"{runs_dir}: runs on different data ({', '.join(sorted(prints))})")
    return several


# How a model came about: what tells it from others beside its training rows and its seed.
TRAITS = ("model", "fine_tune", "scratch", "size", "space", "jitter")


def traits(metrics: dict) -> dict:
    """A value for each of `TRAITS`; "" or False where a model has nothing of the kind.

    `fine_tune` and `size` (px) are options of backbones, `scratch` is one with random weights,
    `space` what a search has searched.
    """
    parameters = metrics["run"]["parameters"]
    options = parameters.get("model_options") or {}
    fine_tune = options.get("fine_tune", "")
    return {
        "model": metrics["model"]["name"],
        "fine_tune": fine_tune,
        "scratch": bool(fine_tune) and options.get("weights") in (None, "none"),
        "size": options.get("size", ""),
        "space": metrics["search"]["space"] if "search" in metrics else "",
        "jitter": bool(parameters.get("jitter")),
    }


def variant(metrics: dict) -> str:
    """`traits` in words, for display.

    "mobilenet_v2, frozen"; "nasnet_mobile, fine-tuned, from scratch"; "tuned_cnn, wide space".
    """
    found = traits(metrics)
    fine_tune = found["fine_tune"]
    how = {"": "", "none": "frozen", "all": "fine-tuned"}
    words = [
        found["model"],
        how.get(fine_tune, f"fine-tuned from {fine_tune}"),
        "from scratch" if found["scratch"] else "",
        f"{found['size']} px" if found["size"] else "",
        f"{found['space']} space" if found["space"] else "",
        "jitter" if found["jitter"] else "",
    ]
    return ", ".join(filter(None, words))


def frame(runs: list[dict], scores: list[str], parameters: list[str]) -> pd.DataFrame:
    """One row per run: the named parameters and, per score, value, low, high and draws.

    Args:
        runs: as `load` returns them.
        scores: names of scores; a missing one is NaN.
        parameters: names of run parameters; also "variant" and `TRAITS`.

    Returns:
        DataFrame with columns *parameters, then score, score_low, score_high, score_draws for each
        score, as `fkp.measure.scores` explains them; None where a run has none.
    """
    rows = []
    for metrics in runs:
        given = metrics["run"]["parameters"]
        if "variant" in parameters:
            given = given | traits(metrics) | {"variant": variant(metrics)}
        row = {name: given.get(name) for name in parameters}
        for score in scores:
            entry = metrics["scores"].get(score, {})
            row[score] = entry.get("value")
            row |= {f"{score}_{part}": entry.get(part) for part in ("low", "high", "draws")}
        rows.append(row)
    columns = [f"{score}{end}" for score in scores for end in ("", "_low", "_high", "_draws")]
    return pd.DataFrame(rows, columns=[*parameters, *columns])


def mean_face(
    runs_dir: Path | str, scores: list[str], runs: list[Path | str] | None = None
) -> pd.DataFrame:
    """What the mean training face scores as the prediction for every test face (01-explore).

    Returns:
        DataFrame as `frame` returns it, with the columns model ("mean face"), treatment, seed; no
        rows where 01-explore has not run.
    """
    rows = [
        {"scores": found, "run": {"parameters": {"model": "mean face", "treatment": treatment}}}
        for run in load(runs_dir, "explore", runs, needed=False)
        for treatment, found in run.get("mean_face", {}).items()
    ]
    return frame(rows, scores, ["model", "treatment", "seed"])


def over_seeds(runs_frame: pd.DataFrame, score: str, by: list[str]) -> pd.DataFrame:
    """Mean and spread of a score over the runs that differ only in their seed.

    Args:
        runs_frame: as `frame` returns it.
        score: name of a score column.
        by: columns that tell the rows of the result apart.

    Returns:
        DataFrame indexed by `by`: mean, sd (NaN for one run), seeds, low and high: the range over
        seeds, or for one run the bootstrap interval of its test rows.
    """
    groups = runs_frame.dropna(subset=[score]).groupby(by, sort=False)
    summary = groups[score].agg(mean="mean", sd="std", seeds="count", low="min", high="max")
    single = summary["seeds"] == 1
    for side in ("low", "high"):
        summary.loc[single, side] = groups[f"{score}_{side}"].first()[single]
    return summary


SPREAD = (  # what `as_text` says
    "Mean ± standard deviation over seeds (number of seeds), of one split and the same test faces; "
    "for one seed the 95 % bootstrap interval over test faces."
)


def as_text(summary: pd.DataFrame, digits: int = 2) -> pd.Series:
    """ "2.31 ± 0.04 (3)" where several seeds ran, "2.31 [2.25, 2.38]" where one did."""

    def text(row):
        if row.seeds > 1:
            return f"{row['mean']:.{digits}f} ± {row.sd:.{digits}f} ({int(row.seeds)})"
        return f"{row['mean']:.{digits}f} [{row.low:.{digits}f}, {row.high:.{digits}f}]"

    return summary.apply(text, axis=1)


def in_order(table: pd.DataFrame, rows: Iterable, columns: Iterable) -> pd.DataFrame:
    """The table with rows and columns in the given order; what is not there is left out."""
    return table.reindex(
        index=[name for name in rows if name in table.index],
        columns=[name for name in columns if name in table.columns],
    )
