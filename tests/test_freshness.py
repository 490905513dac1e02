import contextlib
import json
import shutil
from functools import partial
from pathlib import Path

import pytest
from toy import write_project, write_study

from fkp.record.code import reachable_modules
from fkp.study import freshness, job, studyfile
from fkp.study.freshness import Freshness, accept
from fkp.study.plan import plan
from fkp.study.records import read_metrics
from fkp.study.runner import run_study

pytestmark = pytest.mark.usefixtures("one_host")

TRAINED = {"train cnn seed 0", "train cnn seed 1", "train tree seed 0"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    root = write_project(tmp_path_factory.mktemp("fresh"))
    run_study(plan("toy", root=root), workers=2)
    return root


@pytest.fixture
def root(finished, tmp_path):
    """A project whose study is finished."""
    return shutil.copytree(finished, tmp_path / "project")


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def states(root):
    planned = plan("toy", root=root)
    judge = Freshness(planned)
    return {run.label: judge.state(run) for run in planned.runs}


def stale(root):
    return {label for label, state in states(root).items() if state.status == "stale"}


def never(root):
    raise AssertionError("nothing had to be proved")


def passes(root):
    pass


def fails(root):
    raise ValueError("2.31 is not 2.3")


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("fkp/scale.py", "1.5", "1.75", {"train cnn seed 0", "train cnn seed 1"}),
        ("fkp/models/tree.py", "3.0", "4.0", {"train tree seed 0"}),
        ("fkp/models/tree.py", "def", "# why\ndef", set()),
        ("fkp/models/tree.py", "():\n", '():\n    """What."""\n', set()),
        ("fkp/plots.py", "red", "blue", set()),
        ("fkp/unused.py", "", "WHAT = 1", set()),
        ("fkp/__init__.py", "return load()", "return load", TRAINED),
        (
            "fkp/models/__init__.py",
            '"tree": (',
            '"new": ("fkp.models.cnn", "other"), "tree": (',
            set(),
        ),
        ("fkp/models/__init__.py", '"fkp.models.tree"', '"fkp.models.cnn"', {"train tree seed 0"}),
        ("notebooks/01-train.ipynb", "# A title", "# Another", set()),
        ("notebooks/02-compare.ipynb", "All <runs>", "The runs", {"compare"}),
    ],
)
def test_a_change_of_code_makes_stale_what_it_can_matter_to(root, file, old, new, changed):
    names = {run.label: run.folder for run in plan("toy", root=root).runs}
    edit(root / file, old, new)
    assert stale(root) == changed
    assert {run.label: run.folder for run in plan("toy", root=root).runs} == names


def test_a_new_parameter_renames_nothing_another_default_is_another_run(root):
    notebook = root / "notebooks/01-train.ipynb"
    edit(notebook, "epochs = 2", "epochs = 2\\ndropout = 0.0")
    assert {state.status for state in states(root).values()} == {"fresh"}
    edit(notebook, 'treatment = \\"none\\"', 'treatment = \\"mask\\"')
    assert {state.status for state in states(root).values()} == {"missing"}
    edit(notebook, 'treatment = \\"mask\\"', 'treatment = \\"none\\"')
    edit(notebook, "seed = 0", "seed = 3")
    found = states(root)
    assert found["train cnn seed 1"].status == "fresh"
    edit(notebook, "trouble = None", 'trouble = \\"none\\"')
    why = states(root)["train cnn seed 1"].why
    assert why == "made when the notebook had another default of trouble"


def test_runs_that_collect_follow_the_plots_those_that_measure_do_not(root):
    write_study(root, "runs: [{notebook: train}, {notebook: train, name: all, collect: [train]}]")
    planned = plan("toy", root=root)
    before = [Freshness(planned).made_by(run) for run in planned.runs]
    edit(root / "fkp/plots.py", "red", "blue")
    after = [Freshness(planned).made_by(run) for run in planned.runs]
    assert after[0] == before[0] and after[1] != before[1]


def test_every_status_comes_with_its_reason(root, monkeypatch):
    assert {state.status for state in states(root).values()} == {"fresh"}
    edit(root / "fkp/scale.py", "1.5", "1.75")
    found = states(root)
    assert found["train cnn seed 0"].why == "made by an earlier scale.py"
    monkeypatch.setattr(
        freshness, "environment", lambda: {"versions": {"keras": "9"}, "backend": "jax"}
    )
    why = states(root)["train tree seed 0"].why
    assert "made with keras 3" in why and "here is 9" in why and "here is jax" in why
    shutil.rmtree(next((root / "reports/toy/runs").glob("train-tree-0-*")))
    assert states(root)["train tree seed 0"].status == "missing"
    assert states(root)["compare"].why == "what it reads has changed"


def test_stale_runs_are_kept_and_repeated_on_request_collecting_ones_always(root):
    edit(root / "fkp/scale.py", "1.5", "1.75")
    edit(root / "notebooks/02-compare.ipynb", "All <runs>", "The runs")
    records = run_study(plan("toy", root=root))
    assert [record["status"] for record in records] == ["skipped"] * 3 + ["finished"]
    assert "made by an earlier scale.py" in (root / "reports/toy/index.html").read_text()
    (earlier,) = (root / "reports/toy/runs").glob("train-cnn-0-*")
    (earlier / "pictures").mkdir()
    (earlier / "pictures" / "01-of-an-earlier-heading.png").touch()
    records = run_study(plan("toy", root=root), stale=True, workers=2)
    assert not list((earlier / "pictures").glob("*"))
    assert [record["status"] for record in records] == ["finished"] * 2 + ["skipped", "finished"]
    cnn = read_metrics(root / "reports/toy/runs" / records[0]["folder"])
    assert cnn["scores"]["rmse"]["value"] == 3.5 and cnn["resumed"], "the folder was kept"
    assert not stale(root)


def test_a_training_that_reads_a_run_is_kept_when_that_one_changes(root):
    first = "{notebook: train, name: search}"
    long = "{notebook: train, name: long, parameters: {seed: 5}, reads: [search]}"
    write_study(root, f"runs: [{first}, {long}]")
    planned = plan("toy", root=root)
    assert [r["status"] for r in run_study(planned)] == ["finished"] * 2
    edit(root / "fkp/scale.py", "1.5", "1.75")
    assert [r["status"] for r in run_study(planned)] == ["skipped"] * 2
    records = run_study(planned, again=["search"])
    assert [r["status"] for r in records] == ["finished", "skipped"]
    assert records[1]["stale"] == "what it reads has changed"
    records = run_study(planned, stale=True)
    assert [r["status"] for r in records] == ["skipped", "finished"]
    assert read_metrics(planned.reports / "runs" / records[1]["folder"])["resumed"]


def test_accepting_needs_a_proof_and_a_reason_and_shows_both(root):
    planned = plan("toy", root=root)
    assert accept(planned, "nothing to do", never) == []
    edit(root / "fkp/scale.py", "1.5", "3 / 2")
    with pytest.raises(ValueError, match="expected the reason"):
        accept(planned, " ", passes)
    with pytest.raises(ValueError, match=r"2\.31 is not"):
        accept(planned, "same numbers", fails)
    assert stale(root) == {"train cnn seed 0", "train cnn seed 1"}
    assert len(accept(planned, "a fraction, not a decimal", passes)) == 2
    assert not stale(root)
    run_study(plan("toy", root=root))
    assert "a fraction, not a decimal" in (root / "reports/toy/index.html").read_text()
    edit(root / "fkp/scale.py", "3 / 2", "2")
    assert stale(root) == {"train cnn seed 0", "train cnn seed 1"}
    entries = json.loads((root / "reports/toy/accepted.json").read_text())
    assert {entry["because"] for entry in entries.values()} == {"a fraction, not a decimal"}


def test_what_has_to_be_collected_anew_is_not_accepted(root):
    shutil.rmtree(next((root / "reports/toy/runs").glob("train-tree-0-*")))
    assert accept(plan("toy", root=root), "same", never) == []


def test_an_interrupted_repetition_leaves_the_result_as_it_was(root, monkeypatch):
    before = {f: f.read_bytes() for f in (root / "reports/toy/runs").rglob("*.*") if f.is_file()}
    edit(root / "fkp/scale.py", "1.5", "boom")
    edit(root / "notebooks/02-compare.ipynb", "All <runs>", "The runs")
    records = run_study(plan("toy", root=root), stale=True)
    assert [r["status"] for r in records] == ["failed", "failed", "skipped", "finished"]
    assert "NameError" in records[0]["error"]
    for file, content in before.items():
        if "train-cnn" in str(file) and file.suffix in (".json", ".svg"):
            assert file.read_bytes() == content
    assert not list((root / "reports/toy/runs").glob(".*"))


def test_a_failed_repetition_leaves_the_model_that_the_result_is_of(root):
    (folder,) = (root / "reports/toy/runs").glob("train-cnn-0-*")
    (folder / "model.keras").write_text("old")
    spoilt = "_ = Path(out, 'model.keras').write_text('new'); boom(); metrics = {"
    edit(root / "notebooks/01-train.ipynb", "metrics = {", spoilt)
    records = run_study(plan("toy", root=root), stale=True)
    assert records[0]["status"] == "failed" and "boom" in records[0]["error"]
    assert (folder / "model.keras").read_text() == "old" and read_metrics(folder)["scores"]


def test_a_notebook_edited_while_its_study_runs_is_the_one_that_is_recorded(root):
    planned = plan("toy", root=root)
    edit(root / "notebooks/01-train.ipynb", r"low\": 1.0", r"low\": 1.5")
    records = run_study(planned, again=["train"])
    assert {record["status"] for record in records} == {"finished"}
    assert not stale(root)


@pytest.mark.parametrize("moves", range(1, 9))
def test_whoever_is_killed_while_a_result_is_set_aside_loses_nothing(root, monkeypatch, moves):
    (folder,) = (root / "reports/toy/runs").glob("train-cnn-0-*")
    (folder / "model.keras").write_text("old")
    before = {path.name for path in folder.iterdir()}
    made, rename = [], Path.rename

    def killed(path, target):
        if len(made) == moves:
            raise KeyboardInterrupt
        made.append(path)
        return rename(path, target)

    with monkeypatch.context() as patch, contextlib.suppress(KeyboardInterrupt):
        patch.setattr(Path, "rename", killed)
        with job._set_aside(folder, checkpoints_stay=True):
            pass
    with job._set_aside(folder, checkpoints_stay=True):
        pass
    assert {path.name for path in folder.iterdir()} == before and read_metrics(folder)
    assert (folder / "model.keras").read_text() == "old"


def test_a_notebook_broken_while_its_study_runs_stops_nothing(root):
    planned = plan("toy", root=root)
    (root / "notebooks/02-compare.ipynb").write_text("<<<<<<< HEAD")
    records = run_study(planned, again=["train", "compare"])
    assert [record["status"] for record in records] == ["finished"] * 3 + ["failed"]


def test_a_folder_in_use_is_left_as_it_is(root, monkeypatch):
    planned = plan("toy", root=root)
    (folder,) = (root / "reports/toy/runs").glob("train-tree-0-*")
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    monkeypatch.setattr("fkp.study.job.alone", partial(job.alone, patience=0))
    run = next(run for run in planned.runs if run.folder == folder.name)
    work = job.job_of(planned, run, Freshness(planned), again=True)
    with job.alone(folder):
        found = job.carry_out(work, None, lambda: False)
    assert found == ("failed", "another process works on it")
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_what_was_accepted_does_not_hold_for_a_later_result(root):
    edit(root / "fkp/scale.py", "1.5", "3 / 2")
    planned = plan("toy", root=root)
    accept(planned, "same", passes)
    for run in planned.runs:
        path = planned.reports / "runs" / run.folder / "metrics.json"
        edit(path, '"started": "', '"started": "later than ')
    assert stale(root) >= {"train cnn seed 0", "train cnn seed 1"}


def test_the_proof_runs_the_projects_own_test(tmp_path):
    (tmp_path / "tests").mkdir()
    proof = tmp_path / freshness.PROOF
    proof.write_text("def test_numbers():\n    assert 1 + 1 == 2\n")
    freshness.prove_same_numbers(tmp_path)
    proof.write_text("def test_numbers():\n    assert 1 + 1 == 3\n")
    with pytest.raises(ValueError, match=r"does not pass, nothing is accepted.*== 3"):
        freshness.prove_same_numbers(tmp_path)


def test_the_package_has_such_a_test():
    assert (studyfile.project() / freshness.PROOF).is_file()


def test_a_fresh_result_that_is_published_goes_before_a_stale_one_of_here(root):
    here, published = root / "reports/toy", root / "reports/published/toy"
    shutil.copytree(here / "runs", published / "runs")
    assert {here / "runs"} == {state.folder.parent for state in states(root).values()}
    metrics = next(here.glob("runs/train-tree-0-*")) / "metrics.json"
    edit(metrics, '"backend": "', '"backend": "not ')
    found = states(root)
    assert {state.status for state in found.values()} == {"fresh"}
    assert found.pop("train tree seed 0").folder.parent == published / "runs"
    assert {here / "runs"} == {state.folder.parent for state in found.values()}


def test_what_functions_of_a_package_import_counts_where_they_may_be_called(root):
    def reached(cell):
        return {name.removeprefix("fkp.") for name in reachable_modules([cell], root / "fkp")}

    assert reached("from fkp import scale") == reached("import fkp.scale") == {"fkp", "scale"}
    assert reached("from fkp import load") == {"fkp", "unused"}
    assert reached("import fkp") == {"fkp", "unused"}
