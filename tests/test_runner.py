import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from toy import faces_of, write_project, write_study

from fkp.cli import main
from fkp.record import machine
from fkp.study import cost, manifest, wording
from fkp.study import records as records_module
from fkp.study.plan import Run, plan
from fkp.study.runner import run_study

TROUBLED = """
runs:
  - {notebook: train, grid: {trouble: [null, flu]}}
  - {notebook: compare, collect: true}
"""
# Runs the command line on the project whose folder is the last argument.
COMMAND = """
import pathlib, sys, fkp.cli, fkp.study.studyfile
root = pathlib.Path(sys.argv.pop())
fkp.study.studyfile.project = lambda: root
fkp.cli.main()
"""

pytestmark = pytest.mark.usefixtures("one_host")


class Watch:
    def __init__(self):
        self.begun, self.done = [], []

    def started(self, run, folder):
        self.begun.append(run.label)

    def ended(self, run, record):
        self.done.append((run.label, record["status"]))


def carry_out(root, **options):
    watch = Watch()
    planned = plan("toy", root=root, **options)
    return planned, run_study(planned, workers=2, watch=watch), watch


def metrics(planned, record):
    return json.loads((planned.reports / "runs" / record["folder"] / "metrics.json").read_text())


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A project whose study has been carried out once on a 'data set'."""
    root = write_project(tmp_path_factory.mktemp("finished"))
    data = faces_of(root)
    planned, records, watch = carry_out(root, data=data, profile="smoke")
    return planned, records, watch


def test_every_run_is_finished_and_leaves_its_files(finished):
    planned, records, watch = finished
    assert [record["status"] for record in records] == ["finished"] * 3
    assert watch.begun[-1] == "compare"
    for record in records:
        folder = planned.reports / "runs" / record["folder"]
        names = {path.name for path in folder.iterdir()}
        assert names >= {"metrics.json", "notebook.ipynb", "notebook.html"}
        assert not names & {"running.ipynb", "failed.ipynb"}


def test_metrics_say_how_they_came_about(finished):
    planned, records, _ = finished
    run = metrics(planned, records[0])["run"]
    assert run["label"] == "train cnn seed 0"
    assert run["profile"] == "smoke"
    assert run["parameters"]["epochs"] == 1
    assert run["data"] == {
        "source": "kaggle",
        "name": "faces",
        "fingerprint": planned.data.fingerprint,
    }
    assert run["environment"]["versions"]["papermill"]
    assert run["environment"]["cores"] == os.cpu_count()
    assert run["seconds"] > 0


def test_what_is_committed_names_no_place_of_this_machine(finished):
    planned, records, _ = finished
    assert metrics(planned, records[0])["where"] == "x"
    assert metrics(planned, records[0])["data_path"] == "faces"
    kept = [*planned.reports.glob("*.*"), *planned.reports.glob("runs/*/metrics.json")]
    assert len(kept) == 5
    for path in kept:
        assert str(planned.root) not in path.read_text()


def test_pages_need_no_network(finished):
    planned, records, _ = finished
    pages = [planned.reports / "runs" / r["folder"] / "notebook.html" for r in records]
    for page in [planned.reports / "index.html", *pages]:
        html = page.read_text()
        assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=.https?:", html)
        assert "@import url(http" not in html
    assert "data:image/png" in pages[-1].read_text(), "figures are shown where they are drawn"


def test_repeating_skips_what_is_finished(finished):
    planned, first, _ = finished
    _, records, watch = carry_out(planned.root, data=planned.data, profile="smoke")
    assert watch.begun == []
    assert {record["status"] for record in records} == {"skipped"}
    assert [r["folder"] for r in records] == [r["folder"] for r in first]


@pytest.mark.parametrize(
    ("scores", "text"),
    [
        ({"rmse": {"value": 2.3149, "unit": "px"}, "nme": 3.0}, "rmse 2.31 px"),
        ({"rows": {"value": 7049, "unit": "rows"}}, "rows 7,049"),
        ({"note": "none", "share": 0.12345}, "share 0.123"),
        ({}, ""),
    ],
)
def test_a_headline_is_the_first_score(scores, text):
    assert wording.headline({"scores": scores}) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(8.24, "8.2s"), (92.4, "1m32s"), (7512, "2h05m"), (None, "")]
)
def test_durations_are_short(seconds, text):
    assert wording.duration(seconds) == text


def test_index_shows_comparison_data_runs_and_links(finished):
    planned, records, _ = finished
    html = (planned.reports / "index.html").read_text()
    assert "All &lt;runs&gt;" in html
    assert "<em>text</em>" in html
    assert f"{os.cpu_count()} cores" in html and "papermill" in html
    assert "Data: kaggle" in html and "drawn faces" not in html
    assert f'src="runs/{records[-1]["folder"]}/figures/bars.svg"' in html
    for record in records:
        assert f'href="runs/{record["folder"]}/notebook.html"' in html


def test_only_the_named_runs_are_carried_out_and_what_reads_them(tmp_path):
    root = write_project(tmp_path)
    write_study(
        root,
        "runs:\n - {notebook: train, name: a}\n"
        " - {notebook: train, name: b, parameters: {seed: 1}}\n"
        " - {notebook: compare, collect: true}\n - {notebook: compare, name: late, collect: [b]}",
    )
    file = root / "data" / "w.h5"
    file.write_text("1")
    planned = plan("toy", root=root, overrides={"treatment": str(file)})
    records = run_study(planned, only=["a"])
    assert [r["status"] for r in records] == ["finished", "pending", "pending", "pending"]
    assert metrics(planned, records[0])["run"]["parameters"]["treatment"] == "w.h5"
    assert metrics(planned, records[0])["run"]["name"] == "a"
    (section,) = manifest.read_manifest(planned.reports)["profiles"].values()
    assert section["overrides"] == {"treatment": "w.h5"}
    page = (planned.reports / "index.html").read_text()
    assert "--profile quick -p &#39;treatment=&#34;w.h5&#34;&#39;</code>" in page
    records = run_study(planned, only=["b"])
    assert [r["status"] for r in records] == ["finished"] * 4
    assert len(metrics(planned, records[2])["tables"][0]["rows"]) == 2
    assert len(metrics(planned, records[3])["tables"][0]["rows"]) == 1
    repeated = run_study(planned, only=["a"], again=["a"])
    assert [r["status"] for r in repeated] == ["finished", "finished", "finished", "skipped"]
    assert metrics(planned, repeated[0])["resumed"] is False, "again means from nothing"
    with pytest.raises(ValueError, match=r"--only: unknown 'c' \(known: a, b"):
        run_study(planned, only=["c"])


def test_a_failure_is_reported_the_rest_carried_on_and_later_resumed(tmp_path):
    root = write_project(tmp_path)
    write_study(root, TROUBLED)
    planned, records, _ = carry_out(root)
    assert [record["status"] for record in records] == ["finished", "failed", "finished"]
    assert records[1]["error"] == "AssertionError: cnn has flu"
    assert (planned.reports / records[1]["notebook_file"]).exists()
    html = (planned.reports / "index.html").read_text()
    assert "AssertionError: cnn has flu" in html and "1 failed" in html
    assert len(metrics(planned, records[2])["tables"][0]["rows"]) == 1

    _, again, watch = carry_out(root)
    assert [record["status"] for record in again] == ["skipped", "finished", "finished"]
    assert metrics(planned, again[1])["resumed"] is True
    assert not (planned.reports / records[1]["notebook_file"]).exists()
    assert watch.begun == [again[1]["label"], "compare"]
    assert len(metrics(planned, again[2])["tables"][0]["rows"]) == 2
    stale = planned.reports / "runs" / "train-old-0123456789ab"
    stale.mkdir()
    litter = [stale.with_name(name) for name in (".DS_Store", f".{records[0]['folder']}.before")]
    litter[0].touch()
    litter[1].mkdir()
    assert manifest.remove_unshown(planned.reports) == [stale.name]
    assert all(path.exists() for path in litter), "what a repetition has set aside is a result"
    assert " failed" not in (planned.reports / "index.html").read_text()


def test_the_command_line_ends_with_status_1_after_a_failure(tmp_path, monkeypatch, capsys):
    root = write_project(tmp_path)
    write_study(root, "runs: [{notebook: train, parameters: {trouble: flu}}]")
    monkeypatch.setattr("fkp.study.studyfile.project", lambda: root)
    monkeypatch.setattr(sys, "argv", ["fkp", "run", "toy", "--source", "drawn"])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert "no notebook of this study has a parameter `source`" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["fkp", "run", "toy", "-p", "seed=3"])
    with pytest.raises(SystemExit, match="1"):
        main()
    out, err = capsys.readouterr()
    assert "✗ train  AssertionError: cnn has flu" in out
    assert "failed.ipynb" in err


def test_nothing_to_read_is_said_and_is_no_success(tmp_path, monkeypatch, capsys):
    root = write_project(tmp_path)
    flu = "{notebook: train, parameters: {trouble: flu}}"
    write_study(root, f"runs: [{flu}, {{notebook: compare, collect: true}}]")
    monkeypatch.setattr("fkp.study.studyfile.project", lambda: root)
    monkeypatch.setattr(sys, "argv", ["fkp", "run", "toy", "--only", "compare"])
    with pytest.raises(SystemExit, match="1"):
        main()
    assert "pending: compare: there is nothing to read yet" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["fkp", "run", "toy"])
    with pytest.raises(SystemExit, match="1"):
        main()
    assert "failed: compare: there is no finished run to read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "place", "kept"),
    [
        ("/data/x.csv", "/data", "faces/x.csv"),
        ("https://example.org/data/faces, reports/database", "/data", None),
        ("/tmp/run/figures/a.svg", "/tmp/run/", "facesfigures/a.svg"),
        ("in /tmp/run.", "/tmp/run", "in faces."),
        ("--data …/data", "/data", None),
    ],
)
def test_a_place_is_replaced_as_a_whole_only(text, place, kept):
    assert records_module._without_places([text], [(place, "faces")]) == [kept or text]


def test_a_study_cannot_be_run_twice_at_a_time_and_stops_when_told_to(tmp_path):
    root = write_project(tmp_path)
    write_study(root, "runs: [{notebook: train, grid: {seed: [0, 1]}}]")
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "run", "toy", str(root)],
        cwd=Path(__file__).parents[1],
        stderr=subprocess.PIPE,
        text=True,
    )
    while not list(root.glob("reports/toy/runs/*/log.txt")):
        assert process.poll() is None
        time.sleep(0.05)
    with pytest.raises(ValueError, match="toy is in use by another process"):
        run_study(plan("toy", root=root))
    process.send_signal(signal.SIGTERM)
    error = process.communicate(timeout=120)[1]
    assert process.returncode == 130
    assert "resumes" in error
    shown = manifest.read_manifest(root / "reports" / "toy")
    assert {run["status"] for run in shown["profiles"]["quick"]["runs"]} == {"pending"}


def test_data_that_changes_under_a_study_is_noticed(tmp_path):
    root = write_project(tmp_path)
    write_study(root, "runs: [{notebook: train}, {notebook: train, name: late}]")
    planned = plan("toy", root=root, data=faces_of(root))

    class Edit(Watch):
        def started(self, run, folder):
            if run.name == "late":
                planned.data.path.write_text("1")

    records = run_study(planned, workers=1, watch=Edit())
    assert [record["status"] for record in records] == ["finished", "failed"]
    assert records[1]["error"] == "faces: the data has changed while the notebook ran"


def test_a_table_of_many_runs_is_folded(tmp_path):
    root = write_project(tmp_path)
    write_study(root, f"runs: [{{notebook: train, grid: {{seed: {list(range(25))}}}}}]")
    planned = plan("toy", root=root)
    for run in planned.runs:
        folder = planned.reports / "runs" / run.folder
        folder.mkdir(parents=True)
        (folder / "metrics.json").write_text('{"scores": {"rmse": 1.5}}')
        about = {"environment": machine.environment(), "git": None, "seconds": 60.0, "started": "-"}
        records_module.seal(folder, records_module.section_of(planned, run, **about), [], root)
    records = run_study(planned)
    assert {record["status"] for record in records} == {"skipped"}
    html = (planned.reports / "index.html").read_text()
    assert "<summary>25 runs</summary>" in html
    for damage in (b"\xff\x00", b'{"study": "toy", "pro', b"[1]", b'{"study": "toy"}'):
        (planned.reports / "manifest.json").write_bytes(damage)
        with pytest.raises(ValueError, match=r"manifest\.json: damaged; `fkp run` makes it anew"):
            manifest.read_manifest(planned.reports)
        assert {record["status"] for record in run_study(planned)} == {"skipped"}
        assert len(manifest.read_manifest(planned.reports)["profiles"]["quick"]["runs"]) == 25
    (other,) = (replace(run, name="other") for run in planned.runs[:1])
    assert cost.estimates(replace(planned, study="b", runs=(other,)))[other.folder] == 60.0
    search = replace(other.notebook, name="search")
    search = replace(other, notebook=search)  # another notebook's of the same parameters
    assert cost.estimates(replace(planned, study="b", runs=(search,)))[search.folder] is None
    missing = plan("toy", root=root, overrides={"epochs": 7})
    assert set(cost.estimates(missing).values()) == {185.0}, "10 s and 50 s of 2 epochs, 175 of 7"
    assert cost.makespan(missing.runs, cost.estimates(missing), 10) == 555.0
    assert set(cost.estimates(planned).values()) == {60.0}, "as that very run took"
    other = plan("toy", root=root, overrides={"model": "wide"})
    assert set(cost.estimates(other).values()) == {60.0}, "as runs of that name took"
    (table,) = (replace(run, parameters={}, key="") for run in planned.runs[:1])
    at = replace(planned, runs=(table,), profile="smoke")
    assert cost.estimates(at)[table.folder] is None, "it trains nothing that could be scaled"


class Refusing(nullcontext):
    """A place where every run fails, in the order that is kept."""

    workers, submitted = 1, ()

    def submit(self, job):
        self.submitted = (*self.submitted, job.run.axes["seed"])
        refused = Future()
        refused.set_result(("failed", "no"))
        return refused


def test_the_longest_run_is_handed_over_first(tmp_path, monkeypatch):
    root = write_project(tmp_path)
    write_study(root, "runs: [{notebook: train, grid: {seed: [0, 1, 2, 3]}}]")
    seconds = {0: 1.0, 1: 3.0, 2: None, 3: 2.0}
    monkeypatch.setattr(
        "fkp.study.runner.estimates",
        lambda plan: {run.folder: seconds[run.axes["seed"]] for run in plan.runs},
    )
    place = Refusing()
    records = run_study(plan("toy", root=root), place=place)
    assert place.submitted == (1, 3, 0, 2)
    assert [record["error"] for record in records] == ["no"] * 4


def test_what_reads_others_starts_last_and_the_longest_first():
    def run(name, *reads):
        return Run(None, name, {}, {}, reads, name)

    runs = [run("a"), run("b"), run("c"), run("table", "a", "b", "c")]
    seconds = dict(zip((r.folder for r in runs), (2.0, 3.0, 5.0, 1.0), strict=True))
    assert cost.makespan(runs, seconds, 1) == 11.0
    assert cost.makespan(runs, seconds, 2) == 6.0
    assert cost.makespan(runs, seconds, 9) == 6.0
    assert cost.makespan([], {}, 2) == 0.0
