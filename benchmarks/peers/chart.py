"""The chart of README: error against size and time, peers, paper D's networks and what ships.

    python -m benchmarks.peers.chart RESULT.json CHART.svg

What it shows is written as JSON beside it, for the page of all studies. Size and time are those
that `benchmarks.peers.measure --time` wrote. Errors are published: of what ships in
reports/published/best, of paper D's networks in paper-d and, after more epochs, in stall. Paper D's
files, which only hold random weights, are called as there (resnet18.tflite, mobilenet.tflite).
"""

import argparse
import json
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import pandas as pd

from fkp import plots
from fkp.record import results
from fkp.record.files import whole, write_json

ROOT = Path(__file__).parents[2]


def errors_of_ours() -> dict[str, tuple[str, float]]:
    """Stem of a shipped or published model's file -> (name, inter-ocular NME, %).

    Of the same name the last counts: paper D's networks as they stall, and what ships above all.
    """
    found = {}
    published = ROOT / "reports/published"
    for study in ("paper-d", "stall"):
        for run in results.load(published / study / "runs", "landmarks"):
            name = run["run"]["name"]
            found[name] = f"{name}, trained here", run["scores"]["nme_ocular"]["value"]
    for run in results.load(published / "best/runs", "best"):
        for name, audit in run["audits"].items():
            found[name] = f"fkp {name}", audit["scores"]["nme_ocular"]["value"]
    return found


def table(rows: list[dict]) -> pd.DataFrame:
    """name, ours, mb, ms, nme (% ; mapped where the peer's points are others) of each model."""
    ours, found = errors_of_ours(), []
    for row in rows:
        name, nme = ours.get(row["name"], (row["name"], row.get("nme_mapped")))
        found.append(
            {
                "name": name,
                "ours": name.startswith("fkp "),
                "mb": row["file_mb"],
                "ms": row.get("median_ms"),
                "nme": nme,
            }
        )
    return pd.DataFrame(found)


def as_rows(shown: pd.DataFrame) -> list[dict]:
    """Rows of `table` that have an error, the lowest first; None where nothing was timed."""
    rows = shown.dropna(subset="nme").sort_values("nme").round(4)
    return rows.astype(object).where(rows.notna(), None).to_dict("records")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("result", type=Path)
    parser.add_argument("chart", type=Path)
    options = parser.parse_args()
    plt.style.use(plots.STYLE)
    shown = table(json.loads(options.result.read_text("utf-8"))["rows"])
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), sharey=True)
    for ax, cost, label in ((axes[0], "mb", "file (MB)"), (axes[1], "ms", "one image (ms)")):
        plots.pareto(ax, shown, cost, "nme", label, "inter-ocular NME (%)")
    axes[1].set_ylabel("")
    figure.suptitle("300-W, 554 common test faces, boxes from the labels; LiteRT, one thread")
    with whole(options.chart) as path:
        figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
    write_json(options.chart.with_suffix(".json"), as_rows(shown))
    print(shown.sort_values("nme").round(3).to_string(index=False))


if __name__ == "__main__":
    main()
