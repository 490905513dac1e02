"""The published tables of conclusions come out of the published runs, digit for digit."""

import json
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
import pytest

from fkp.study.notebooks import find_notebook

ROOT = Path(__file__).parents[1]
STUDIES = ROOT / "reports" / "published"


def published(study, notebook):
    """Metrics of the collecting run of a study, and its folder of runs."""
    runs = STUDIES / study / "runs"
    (file,) = runs.glob(f"{notebook}-*/metrics.json")
    return json.loads(file.read_text()), runs


def run_cells(notebook, study, needed, **parameters):
    """Names that the cells of a notebook with one of the texts `needed` define."""
    metrics, runs = published(study, notebook)
    found = find_notebook(ROOT / "notebooks", notebook)
    names = found.defaults | parameters | {"runs_dir": runs, "runs": list(metrics["run"]["inputs"])}
    with plt.rc_context():
        for cell in found.code:
            if any(text in cell for text in needed):
                exec(cell, names)
    plt.close("all")
    return metrics, names


def as_json(tables):
    return json.loads(json.dumps(tables))


def test_the_conclusions_on_paper_a_are_the_published_ones():
    needed = ("results.load(runs_dir, [", "claims.conclusions(")
    metrics, names = run_cells("paper-a", "paper-a", needed)
    assert as_json(names["tables"][:1]) == metrics["tables"][:1]
    table = names["table"].astype(object)
    assert table.where(table.notna(), None).to_dict("records") == metrics["conclusions"]


@pytest.mark.parametrize(
    ("study", "paper"),
    [
        (study, paper)
        for study, paper in (("paper-b", "B"), ("paper-c", "C"), ("paper-d", "D"))
        if any((STUDIES / study).glob("runs/landmarks-compared-*"))
    ]
    + [("across-sets", None)],
)
def test_all_tables_of_landmarks_are_the_published_ones(study, paper):
    metrics, names = run_cells("landmarks-compared", study, [""], paper=paper)
    assert as_json(names["tables"]) == metrics["tables"]
    assert names["coverage"] == metrics["coverage"]
    captions = [figure["caption"] for figure in names["figures"]]
    assert captions == [figure["caption"] for figure in metrics["figures"]]
