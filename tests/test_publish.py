import json
import shutil
import subprocess

import pytest
from toy import faces_of, write_project, write_study

from fkp.study.freshness import Freshness, accept
from fkp.study.plan import plan
from fkp.study.publish import publish, rebuild
from fkp.study.records import read_metrics
from fkp.study.runner import run_study

pytestmark = pytest.mark.usefixtures("one_host")

IGNORED = "__pycache__/\n/data/*\n/reports/*\n!/reports/published/\n/reports/published/.*\n"


def git(root, *words):
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-C", str(root), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def planned(root, **options):
    return plan("toy", root=root, data=faces_of(root), **options)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A project under git whose study is finished and published, with nothing left here."""
    root = write_project(tmp_path_factory.mktemp("published"))
    (root / ".gitignore").write_text(IGNORED)
    run_study(planned(root), workers=2)
    publish(planned(root))
    (root / "reports" / "toy").rename(root / "elsewhere")
    git(root, "init", "-q")
    git(root, "add", "--all", ":!elsewhere")
    git(root, "commit", "-qm", "published")
    (root / "elsewhere").rename(root / "data" / "elsewhere")
    return root


def test_charts_metrics_and_page_are_published_and_no_picture(root):
    published = root / "reports/published"
    paths = [path for path in published.rglob("*") if path.is_file()]
    assert published / "index.html" in paths
    files = [path.relative_to(published / "toy") for path in paths if path.parent != published]
    assert {file.name for file in files} == {
        "index.html",
        "manifest.json",
        "metrics.json",
        "bars.svg",
    }
    html = (root / "reports/published/toy/index.html").read_text()
    assert "All &lt;runs&gt;" in html and "figures/bars.svg" in html
    assert "faces.png" not in html and "notebook.html" not in html
    for file in files:
        assert str(root) not in (root / "reports/published/toy" / file).read_text()


def test_published_runs_count_as_done_and_no_run_changes_them(root):
    records = run_study(planned(root))
    assert {record["status"] for record in records} == {"skipped"}
    assert all(record["published"] for record in records)
    html = (root / "reports/toy/index.html").read_text()
    assert "../published/toy/runs/" in html and "All &lt;runs&gt;" in html
    other = planned(root, overrides={"epochs": 9, "seed": 4})
    records = run_study(other, workers=2)
    assert [record["status"] for record in records] == ["finished"] * 3
    run_study(planned(root, profile="smoke"), only=["train"])
    assert git(root, "status", "--porcelain") == ""
    with pytest.raises(
        ValueError, match=r"smoke, is not finished: train cnn .*missing.* and 2 more"
    ):
        publish(plan("toy", root=root, profile="smoke"))


def test_publishing_shows_what_is_stale_and_takes_over_what_was_accepted(root):
    scale = root / "fkp" / "scale.py"
    before = scale.read_text()
    scale.write_text(before.replace("1.5", "3 / 2"))
    assert set(publish(planned(root))) == {"train cnn seed 0", "train cnn seed 1"}
    page = root / "reports/published/toy/index.html"
    assert "Stale, made by an earlier scale.py" in page.read_text()
    accept(planned(root), "a fraction", lambda root: None)
    assert publish(planned(root)) == {}
    assert "same numbers had passed: a fraction" in page.read_text()
    accepted = json.loads((root / "reports/published/toy/accepted.json").read_text())
    assert len(accepted) == 2
    (root / "reports" / "toy" / "accepted.json").unlink()
    judge = Freshness(planned(root))
    assert {judge.state(run).status for run in judge.plan.runs} == {"fresh"}
    scale.write_text(before)


def test_pages_are_written_anew_with_today_s_question_and_the_text_of_their_runs(root):
    study = root / "notebooks" / "studies" / "toy.yaml"
    before = study.read_text()
    study.write_text("question: Is it a toy?\n" + before.replace("Some *text*", "Other text"))
    pages = rebuild(root)
    assert [page.parent.name for page in pages] == ["toy", "published"]
    html = pages[0].read_text()
    assert "<h1>Is it a toy?</h1>" in html and "Some <em>text</em>" in html
    assert "Is it a toy?" in pages[1].read_text()
    study.write_text(before)
    rebuild(root)


def test_another_profile_joins_and_what_nobody_shows_goes(root):
    smoke = planned(root, profile="smoke")
    run_study(smoke)
    publish(smoke)
    manifest = json.loads((root / "reports/published/toy/manifest.json").read_text())
    assert set(manifest["profiles"]) == {"quick", "smoke"}
    folders = {path.name for path in (root / "reports/published/toy/runs").iterdir()}
    assert folders == {run.folder for run in (*smoke.runs, *planned(root).runs)}


def test_a_result_that_names_a_place_here_is_refused(root):
    write_study(root, "runs: [{notebook: train}]", name="place")
    placed = plan("place", root=root)
    run_study(placed)
    path = placed.reports / "runs" / placed.runs[0].folder / "metrics.json"
    path.write_text(json.dumps(read_metrics(path.parent) | {"note": f"see {root}/x"}))
    with pytest.raises(ValueError, match=r"metrics\.json: names a place here"):
        publish(placed)
    assert not placed.published.exists()


def test_other_data_replaces_what_is_published_only_if_meant(root):
    other = plan("toy", root=root, data=faces_of(root, "others"))
    run_study(other, workers=2)
    with pytest.raises(ValueError, match=r"is published on faces \(\w+\), this is others"):
        publish(other)
    chart = next((root / "reports/toy/runs").glob(f"{other.runs[-1].folder}/figures/bars.svg"))
    chart.rename(chart.with_suffix(".away"))
    with pytest.raises(ValueError, match=r"its chart figures/bars\.svg is not there"):
        publish(other, replace=True)
    assert not list((root / "reports/published").glob(".*"))


def test_half_a_study_is_published_if_meant_and_the_rest_named(tmp_path):
    root = write_project(tmp_path)
    run_study(planned(root), workers=2)
    shutil.rmtree(next((root / "reports/toy/runs").glob("compare-*")))
    with pytest.raises(ValueError, match="is not finished: compare"):
        publish(planned(root))
    publish(planned(root), partly=True)
    published = root / "reports/published/toy"
    manifest = json.loads((published / "manifest.json").read_text())
    states = [run["status"] for run in manifest["profiles"]["quick"]["runs"]]
    assert states == [*["finished"] * 3, "pending"]
    assert "3 of 4 runs" in (published / "index.html").read_text("utf-8")
    drawn = plan("toy", root=root, profile="smoke", overrides={"model": "cnn"})
    run_study(drawn)
    with pytest.raises(ValueError, match="profile quick, is published on faces"):
        publish(drawn)
    shutil.rmtree(root / "reports/toy")
    freshness = Freshness(planned(root))
    found = [freshness.state(run).status for run in planned(root).runs]
    assert found == [*["fresh"] * 3, "missing"]


def test_a_part_does_not_take_away_what_is_published(tmp_path):
    root = write_project(tmp_path)
    run_study(planned(root))
    publish(planned(root))
    published = root / "reports/published/toy"
    shutil.rmtree(root / "reports/toy")
    shutil.rmtree(next(published.glob("runs/compare-*")))
    before = {path: path.read_bytes() for path in published.rglob("*") if path.is_file()}
    with pytest.raises(ValueError, match="compare would no longer be published"):
        publish(planned(root), partly=True)
    assert before == {path: path.read_bytes() for path in published.rglob("*") if path.is_file()}
