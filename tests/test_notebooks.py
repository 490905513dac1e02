"""Every notebook, run through the engine at toy size in a project folder of its own."""

import json
import shutil
from pathlib import Path

import pytest

from fkp.runner import run_study
from fkp.study import plan
from fkp.studyfile import load_study

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted(path.stem.partition("-")[2] for path in (ROOT / "notebooks").glob("*.ipynb"))


# Studies whose notebooks the tour does not run: the runs of them that are carried out here, all for
# None, and overrides.
OTHERS = {
    "across-sets": (["from-helen"], {"paper": "D"}),
    "imputation": (None, {}),
    "paper-a": (["train", "mobilenet-tuned", "tuned", "leak", "inference"], {}),
    "paper-b": (None, {"model": "manual_cnn", "trials": 1}),
    "paper-c": (["forest", "lbf", "cnn"], {}),
    "recolour": (None, {}),
}


def run_smoke(root, study, only=None, overrides=None):
    planned = plan(study, profile="smoke", overrides=overrides, root=root)
    records = run_study(planned, only=only)
    return [r for r in records if only is None or r["name"] in only or r["collect"]]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A project folder with the package and the notebooks and no reports."""
    root = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "notebooks", root / "notebooks")
    (root / "fkp").symlink_to(ROOT / "fkp")
    return root


@pytest.fixture(scope="module")
def tour(root):
    """The tour at profile smoke: (project folder, records of its runs)."""
    return root, run_smoke(root, "tour")


def test_every_run_of_the_tour_finishes(tour):
    _, records = tour
    assert [r.get("error") for r in records if r["status"] != "finished"] == []


@pytest.mark.parametrize("study", OTHERS)
def test_every_run_of_the_study_finishes(root, study):
    records = run_smoke(root, study, *OTHERS[study])
    assert [r.get("error") for r in records if r["status"] != "finished"] == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_notebook_is_run_here(name):
    studies = [load_study(study, ROOT) for study in ("tour", *OTHERS)]
    assert name in {entry["notebook"] for study in studies for entry in study["runs"]}


def test_training_writes_what_a_comparison_needs(tour):
    root, records = tour
    run = next(r for r in records if r["name"] == "train")
    metrics = json.loads((root / "reports/tour/runs" / run["folder"] / "metrics.json").read_text())
    assert metrics["data"]["source"] == "drawn" and metrics["data"]["rows"] == 300
    assert 0 < metrics["scores"]["rmse"]["low"] < metrics["scores"]["rmse"]["high"]
    assert len(metrics["per_point"]) == 15 and len(metrics["history"]) == 1
    assert metrics["run"]["parameters"]["treatment"] == run["grid"]["treatment"]


def test_the_report_shows_tables_and_charts_and_names_the_data(tour):
    root, _ = tour
    page = (root / "reports/tour/index.html").read_text()
    assert "RMSE in px on the test rows, drawn faces" in page
    assert "manual_cnn" in page and ".svg" in page
    assert str(Path.home()) not in page and str(root) not in page


def test_committed_files_hold_no_path_of_the_machine(tour):
    root, _ = tour
    for path in (root / "reports").rglob("metrics.json"):
        assert str(root) not in path.read_text()
