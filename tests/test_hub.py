"""The page of all studies, and the gallery of notebooks."""

import json

import pytest

from fkp.record.files import write_json
from fkp.study.gallery import write_gallery
from fkp.study.hub import write_hub
from fkp.study.manifest import write_manifest

VERDICTS = {
    "title": "Conclusions",
    "columns": ["claim", "verdict"],
    "rows": [["a", "holds"], ["b", "does not hold"], ["c", "holds"]],
}


def write_run(reports, profile="quick", source="drawn", **sections):
    """A study of one finished run."""
    metrics = {"run": {"name": "train", "notebook": "train", "label": "train", "finished": True}}
    metrics |= {"data": {"source": source}, **sections}
    write_json(reports / "runs" / "train-1" / "metrics.json", metrics)
    (reports / "runs" / "train-1" / "notebook.html").write_text(f"<html>{reports}/runs</html>")
    record = {"name": "train", "label": "train", "folder": "train-1", "grid": {}}
    section = {
        "title": f"About {reports.name}",
        "question": "Is it so?",
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


def test_a_gallery_shows_notebooks_of_drawn_faces_and_names_no_place(reports):
    pages = write_gallery(reports / "mine", reports.parent)
    assert [page.name for page in pages] == ["index.html", "train.html"]
    assert str(reports.parent) not in pages[1].read_text()
    assert 'href="train.html"' in pages[0].read_text()
    assert 'href="gallery/index.html"' in write_hub(reports / "published").read_text()
    with pytest.raises(ValueError, match=r"expected a finished run of drawn faces .* 300-W faces"):
        write_gallery(reports / "published" / "theirs", reports.parent)
