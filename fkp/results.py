"""What a run leaves behind and what a comparison reads: `metrics.json` and charts."""

import json
from pathlib import Path

import pandas as pd

from fkp.provenance import environment, write_json


def describe(faces):
    """The data's entry in metrics.json: source label, scheme, rows, image shape, fingerprint."""
    return {
        "source": faces.source,
        "scheme": faces.scheme.name,
        "rows": len(faces),
        "complete_rows": int(faces.complete.sum()),
        "image_shape": list(faces.image_shape),
        "fingerprint": faces.fingerprint,
    }


def record(out, faces, **sections):
    """Write `out`/metrics.json: the data, the given sections and the versions it was made with.

    Args:
        out: run folder; None (a notebook opened by hand) writes nothing.
        faces: the faces as read, before any split.
        **sections: JSON-ready values: scores, model, history, tables, figures, ...

    Returns:
        The dict that was written.
    """
    metrics = {"data": describe(faces), **sections, "environment": environment()}
    if out is not None:
        write_json(Path(out) / "metrics.json", metrics)
    return metrics


def save_chart(figure, out, name, caption):
    """Save a chart as `out`/figures/<name>.svg and return its entry for metrics.json.

    Charts only: a picture that shows a face of a data set stays inside the notebook's own page.
    """
    if out is not None:
        path = Path(out) / "figures" / f"{name}.svg"
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    return {"file": f"figures/{name}.svg", "caption": caption}


def table(frame, title, note=""):
    """A DataFrame as a table entry of metrics.json; the cells are shown as they are."""
    return {
        "title": title,
        "columns": [str(column) for column in frame.columns],
        "rows": frame.astype(object).where(frame.notna(), "").to_numpy().tolist(),
        "note": note,
    }


def load(runs_dir, notebook, profile=None):
    """The metrics of the finished runs of one notebook.

    Args:
        runs_dir: folder of run folders.
        notebook: name without number, e.g. "train".
        profile: keep runs of this profile only.

    Returns:
        List of metrics dicts, sorted by folder name.
    """
    runs = []
    for path in sorted(Path(runs_dir).glob("*/metrics.json")):
        metrics = json.loads(path.read_text())
        run = metrics.get("run", {})
        if run.get("notebook") == notebook and profile in (None, run.get("profile")):
            runs.append(metrics)
    return runs


def frame(runs, scores, parameters):
    """One row per run: the named parameters and, per score, value, low and high.

    Args:
        runs: as `load` returns them.
        scores: names of scores; a missing one is NaN.
        parameters: names of run parameters.

    Returns:
        DataFrame with columns *parameters, then score, score_low, score_high for each score.
    """
    rows = []
    for metrics in runs:
        given = metrics["run"]["parameters"]
        row = {name: given.get(name) for name in parameters}
        for score in scores:
            entry = metrics["scores"].get(score, {})
            row[score] = entry.get("value")
            row[f"{score}_low"], row[f"{score}_high"] = entry.get("low"), entry.get("high")
        rows.append(row)
    return pd.DataFrame(rows)
