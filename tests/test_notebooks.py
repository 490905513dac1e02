"""Every notebook, run through the engine at toy size in a project folder of its own.

What a notebook does with numbers that no toy run has is tested on made-up ones, in this process.
"""

import json
import shutil
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")

import cv2
import matplotlib.pyplot as plt
import numpy as np
import pytest

from fkp.data.faces import Faces
from fkp.data.schemes import IBUG_68, by_count
from fkp.measure import landmarks
from fkp.photo.detected import detected_scores
from fkp.record import results
from fkp.study.notebooks import find_notebook
from fkp.study.plan import plan
from fkp.study.runner import run_study
from fkp.study.studyfile import load_study

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted(path.stem.partition("-")[2] for path in (ROOT / "notebooks").glob("*.ipynb"))


# Studies whose notebooks the tour does not run: the runs of them that are carried out here, all for
# None, and overrides.
OTHERS = {
    "ablation": (["recipe", "head-simcc", "ablation"], {}),
    "best": (["tiny", "proof-tiny"], {}),
    "budget": (["explore", "manual", "tuned", "treatments"], {}),
    "hidden": (None, {}),
    "kaggle": (None, {}),
    "train": (None, {}),
    "across-sets": (["from-helen", "landmarks-compared"], {"paper": "D"}),
    "imputation": (None, {}),
    "paper-a": (
        ["train", "tuned", "leak", "inference", "paper-a", "compare", "leak-size"],
        {},
    ),
    "paper-b": (
        ["search", "resnet18", "explain", "landmarks-compared"],
        {"model": "manual_cnn", "trials": 1},
    ),
    "paper-c": (["forest", "lbf", "cnn", "landmarks-compared"], {}),
    "recolour": (None, {}),
    "stall": (["resnet18", "landmarks-compared"], {}),
}


def run_smoke(root, study, only=None, overrides=None):
    planned = plan(study, profile="smoke", overrides=overrides, root=root)
    records = run_study(planned, only=only)
    return [r for r in records if only is None or r["name"] in only]


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
    assert "RMSE in px on the test rows, drawn faces" in page and "mean face" in page
    assert "manual_cnn" in page and ".svg" in page
    assert str(Path.home()) not in page and str(root) not in page


def test_committed_files_hold_no_path_of_the_machine(tour):
    root, _ = tour
    for path in (root / "reports").rglob("metrics.json"):
        assert str(root) not in path.read_text()


def run_cells(name, **parameters):
    """Run the cells of a notebook in this process."""
    notebook = find_notebook(ROOT / "notebooks", name)
    names = notebook.defaults | parameters
    with plt.rc_context():
        for cell in notebook.code:
            exec(cell, names)
    plt.close("all")


def write_landmark_run(folder, size, points, source="300-W", detected=False):
    """The metrics of a made-up run of the notebook `landmarks` on images of `size` px."""
    shape = np.random.default_rng(0).uniform(0.2, 0.8, (6, len(IBUG_68), 2)) * size
    images = np.zeros((6, size, size, 3), np.uint8)
    read = Faces(images, shape.astype(np.float32), IBUG_68, source)
    faces = read.to_scheme(by_count(points))
    parts = {n: faces.take([i, i + 1]) for i, n in enumerate(("training", "validation", "test"))}
    found = landmarks.measures(parts, {name: part.points + 2 for name, part in parts.items()})
    if detected:
        test = parts["test"]
        found["scores"] |= detected_scores(test, test.points + 4, np.array([True, True, False]))
    run = {"notebook": "landmarks", "name": "net", "parameters": {"seed": 0}, "seconds": 60}
    model = {"name": "paper_c_cnn", "input": (size, size, 1)}
    results.record(
        folder,
        results.describe(read),
        **found,
        mean_shape=found,
        model=model,
        training={"rows": 2},
        history=[{"epoch": 0, "train_rmse": 3.0, "validation_rmse": 2.0}],
        run=run,
    )


@pytest.mark.parametrize("size", [128, 256])
@pytest.mark.parametrize(("paper", "points"), [("D", 68), ("C", 44), ("B", 68), (None, 68)])
def test_landmark_models_are_compared_at_the_size_of_any_paper(tmp_path, paper, points, size):
    write_landmark_run(tmp_path / "runs/net", size, points)
    run_cells("landmarks-compared", runs_dir=tmp_path / "runs", paper=paper, out=tmp_path)
    tables = json.loads((tmp_path / "metrics.json").read_text())["tables"]
    tables = {table["title"].removesuffix(", 300-W faces"): table for table in tables}
    columns = [f"{p} px of {s} (%)" for s in sorted({size, 256}) for p in (3, 5)]
    if paper == "D":
        columns += ["3 px of ? (%)", "5 px of ? (%)"]
        assert tables["Points found"]["rows"][-1][-2:] == ["95.4", "98.2"]
    assert tables["Points found"]["columns"] == ["run", *columns]
    assert f"{size}×{size}×1" in tables["The runs"]["rows"][0]


@pytest.mark.parametrize(
    ("paper", "points", "source", "shown"),
    [("D", 68, "300-W", True), ("D", 68, "drawn", False), ("C", 44, "300-W", False)],
)
def test_published_errors_stand_beside_68_points_of_300w_alone(
    tmp_path, paper, points, source, shown
):
    write_landmark_run(tmp_path / "runs/net", 64, points, source)
    run_cells("landmarks-compared", runs_dir=tmp_path / "runs", paper=paper, out=tmp_path)
    tables = json.loads((tmp_path / "metrics.json").read_text())["tables"]
    notes = [table["note"] for table in tables if "published" in table["title"]]
    assert ["cut round their labels" in note for note in notes] == [True] * shown


def test_errors_in_a_detector_s_boxes_have_a_table_and_a_row_of_the_ladder(tmp_path):
    write_landmark_run(tmp_path / "runs/net", 128, 68, detected=True)
    run_cells("landmarks-compared", runs_dir=tmp_path / "runs", paper="D", out=tmp_path)
    tables = json.loads((tmp_path / "metrics.json").read_text())["tables"]
    boxed = next(t for t in tables if t["title"].startswith("Normalised mean error from a"))
    assert boxed["rows"][0][0] == "net" and boxed["rows"][0][-1].startswith("33.3 [")
    ladder = next(t for t in tables if "published" in t["title"])
    methods = [row[0] for row in ladder["rows"]]
    assert methods[:3] == ["ours, net", "ours, mean shape", "ours, net, detector's boxes"]


def test_an_explanation_without_a_model_says_what_it_lacks(tmp_path):
    write_landmark_run(tmp_path / "runs/net", 64, 68)
    with pytest.raises(ValueError, match=r"net has no model\.keras \(published runs ship none\)"):
        run_cells("explain", runs_dir=tmp_path / "runs")


def test_helen_without_its_list_of_test_faces_is_refused(tmp_path):
    points = np.random.default_rng(0).uniform(20, 80, (194, 2))
    (tmp_path / "annotation").mkdir()
    text = "\n".join(["1_1", *(f"{x} , {y}" for x, y in points)])
    (tmp_path / "annotation/1.txt").write_text(text)
    cv2.imwrite(str(tmp_path / "1_1.jpg"), np.zeros((100, 100, 3), np.uint8))
    with pytest.raises(ValueError, match=r"no face is marked as test.*testnames\.txt"):
        run_cells("search", data=tmp_path)
