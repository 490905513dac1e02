"""The page of all studies, and the gallery of notebooks."""

import json

import pytest

from fkp.record.files import write_json
from fkp.record.machine import environment
from fkp.study.conclusions import conclusions
from fkp.study.gallery import write_gallery
from fkp.study.hub import write_hub
from fkp.study.manifest import read_manifest, read_study, write_manifest
from fkp.study.report import write_report

PNG = (  # one pixel
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
    "awAAAABJRU5ErkJggg=="
)
VERDICTS = {
    "title": "Conclusions",
    "columns": ["the paper's conclusion", "verdict", "comparisons"],
    "rows": [["a", "holds", 2], ["b", "does not hold", 2], ["c", "holds", 2]],
}


def write_run(reports, profile="quick", source="drawn", **sections):
    """A study of one finished run."""
    metrics = {"run": {"name": "train", "notebook": "train", "label": "train", "finished": True}}
    metrics["run"] |= {"environment": environment(), "git": None}
    metrics |= {"data": {"source": source}, **sections}
    write_json(reports / "runs" / "train-1" / "metrics.json", metrics)
    (reports / "runs" / "train-1" / "notebook.html").write_text(
        f"<p>{reports}/runs <img src='{PNG}'>"
    )
    record = {"name": "train", "label": "train", "folder": "train-1", "grid": {}}
    section = {
        "title": f"About {reports.name}",
        "question": "Is it so?",
        "updated": "2026-01-01T00:00:00+00:00",
        "data": {"source": source, "name": source, "fingerprint": "1"},
        "runs": [record | {"status": "finished", "collect": False}],
    }
    write_manifest(reports, reports.name, profile, section)


@pytest.fixture
def reports(tmp_path):
    score = {"rmse": {"value": 1.25, "unit": "px", "low": 1.0, "high": 1.5}}
    write_run(tmp_path / "reports" / "mine", scores=score)
    write_run(tmp_path / "reports" / "published" / "theirs", tables=[VERDICTS], source="300-W")
    return tmp_path / "reports"


def test_each_study_has_a_card_with_its_answer_and_verdicts(reports):
    html = write_hub(reports).read_text()
    assert 'href="mine/index.html"' in html and 'href="published/theirs/index.html"' in html
    assert "The lowest <abbr" not in html and "1.25 px [1.00, 1.50]" in html
    assert "Is it so?" in html and "2× holds" in html and "1× does not hold" in html
    assert "drawn faces" in html
    published = write_hub(reports / "published").read_text()
    assert 'href="theirs/index.html"' in published and "mine" not in published


def test_a_study_run_here_goes_before_the_published_one_and_damage_is_passed_over(reports):
    write_run(reports / "theirs")
    (reports / "mine" / "manifest.json").write_text("{")
    html = write_hub(reports).read_text()
    assert 'href="theirs/index.html"' in html
    assert "published/theirs" not in html and "About mine" not in html


def test_the_chart_of_models_stands_where_it_was_measured(reports):
    assert "pareto" not in write_hub(reports).read_text().split("</style>")[1].split("<script>")[0]
    row = {"name": "<m>", "ours": True, "mb": 1.0, "ms": None, "nme": 3.0}
    write_json(reports.parent / "benchmarks" / "peers" / "pareto.json", [row])
    html = write_hub(reports / "published").read_text()
    assert 'class="pareto"' in html and "&lt;m&gt;" in html
    assert json.loads(html.split("data-model='")[1].split("'")[0]) == row


def judged(*rows, images=False):
    """A table of a paper's conclusions, of rows (images,) claim, verdict, median."""
    columns = ["the paper's conclusion", "verdict", "median"]
    rows = [[*row, "measure", "1.00 to 2.00", 2] for row in rows]
    columns = [*(["images"] if images else []), *columns, "measured", "range", "comparisons"]
    return {"title": "Conclusions", "columns": columns, "rows": rows}


def test_conclusions_stand_at_their_smallest_and_largest_budget(reports):
    folder = reports / "published"
    table = judged(
        ["It errs less", "holds", 1.5], ["It is fast", "mixed", 0.5], ["x", "not run", 0]
    )
    write_run(folder / "paper-a", tables=[table], source="300-W")
    larger = [[30, "It errs less", "holds", 1.0], [900, "It errs less", "does not hold", 2.5]]
    table = judged(*larger, [2700, "It errs less", "holds", 3.5], images=True)
    table["rows"][-1][-1] = 1  # of two models one was trained for that long
    table["columns"] += ["clear", "seeds"]
    table["rows"] = [
        [*row, clear, "1 to 2"]
        for row, clear in zip(table["rows"], ("", "2 of 2", "1 of 1"), strict=True)
    ]
    write_run(folder / "budget", tables=[table], source="300-W")
    for name in ("paper-a", "budget"):
        manifest = read_manifest(folder / name)
        manifest["profiles"]["quick"]["title"] = f"Paper A: {name}"
        write_json(folder / name / "manifest.json", manifest)
    first, second = conclusions([folder / "budget", folder / "paper-a", folder / "theirs"])
    assert (first["paper"], first["claim"], first["turned"]) == ("Paper A", "It errs less", True)
    # Like is compared with like: the study of several budgets with itself.
    assert [first[size]["median"] for size in ("small", "large")] == [1.0, 2.5]
    assert first["large"]["budget"] == "900 images" and first["folder"].name == "budget"
    assert (second["claim"], second["large"], second["turned"]) == ("It is fast", None, False)
    html = write_hub(folder).read_text()
    assert "Paper A: 2 statements, 1 turned" in html and "not run" in html
    assert (
        "2 compared, clear: 2 of 2, seeds:\N{NO-BREAK SPACE}1" in html
        and html.count(", clear: ") == 1
    )
    # A card counts a claim once, as its largest budget has it.
    cards = html.split('id="conclusions"')[0]
    assert cards.count("1× does not hold") == 2 and cards.count("1× holds") == 1
    assert 'href="paper-a/index.html#verdicts"' in html  # judged there alone
    write_run(folder / "budget", tables=[judged(*larger[1:], images=True)], source="300-W")
    manifest = read_manifest(folder / "budget")
    manifest["profiles"]["quick"]["title"] = "Paper A: budget"
    write_json(folder / "budget" / "manifest.json", manifest)
    first, _ = conclusions([folder / "budget", folder / "paper-a"])
    assert [first[size]["median"] for size in ("small", "large")] == [1.5, 2.5]


def test_a_gallery_shows_notebooks_of_drawn_faces_and_names_no_place(reports):
    pages = write_gallery(reports / "mine", reports.parent)
    assert [page.name for page in pages] == ["index.html", "train.html"]
    html = pages[1].read_text()
    assert str(reports.parent) not in html and "data:image/webp" in html and "png" not in html
    assert 'href="train.html"' in pages[0].read_text()
    assert 'href="gallery/index.html"' in write_hub(reports / "published").read_text()
    with pytest.raises(ValueError, match=r"expected a finished run of drawn faces .* 300-W faces"):
        write_gallery(reports / "published" / "theirs", reports.parent)


def test_a_page_opens_with_its_chart_and_shows_pictures_of_who_ran_it(reports):
    figures = [{"file": f"figures/{name}.svg", "caption": name} for name in ("first", "second")]
    write_run(reports / "mine", figures=figures, tables=[VERDICTS])
    run = reports / "mine" / "runs" / "train-1"
    for folder, name in (("figures", "first.svg"), ("figures", "second.svg")):
        (run / folder).mkdir(exist_ok=True)
        (run / folder / name).write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (run / "pictures").mkdir()
    (run / "pictures" / "01-where-it-errs.png").write_bytes(b"")
    html = write_report(reports / "mine", lead="train/second").read_text()
    top, parts = html.split('class="contents"')
    assert "figures/second.svg" in top and "figures/second.svg" not in parts
    assert "figures/first.svg" in parts and "pictures/01-where-it-errs.png" in parts
    assert 'alt="Where it errs"' in parts
    assert "pill does-not-hold" in top and "pill" not in parts.split("<script>")[0]
    html = write_report(reports / "mine", text="Both.", changes=["Split *first*."]).read_text()
    assert "figures/first.svg" in html.split('class="contents"')[0]
    assert "Changed against the paper" in html and "Split <em>first</em>." in html


def test_a_study_half_done_says_so(reports):
    manifest = read_manifest(reports / "mine")
    runs = manifest["profiles"]["quick"]["runs"]
    runs.append(runs[0] | {"folder": "train-2", "status": "pending"})
    write_json(reports / "mine" / "manifest.json", manifest)
    assert read_study(reports / "mine")["answer"].startswith("So far, with 1 of 2 runs. The lowest")
    # The result that a failed repetition leaves behind is of an earlier state.
    runs[1] = runs[0] | {"status": "failed"}
    write_json(reports / "mine" / "manifest.json", manifest)
    assert len(read_study(reports / "mine")["done"]) == 1


def test_every_profile_of_a_study_has_a_page(reports):
    def ways(page):
        text = (reports / "mine" / page).read_text()
        return [name for name in ("index", "quick", "paper") if f'href="{name}.html"' in text]

    folder = reports / "mine"
    write_run(folder, profile="paper")
    write_report(folder)
    assert ways("index.html") == ["quick"] and ways("quick.html") == ["index"]
    write_report(folder, "quick")
    assert ways("index.html") == ["paper"] and ways("paper.html") == ["index"]
    assert not (folder / "quick.html").exists()
