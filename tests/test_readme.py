import pytest

from fkp.record.files import write_json
from fkp.study.manifest import write_manifest
from fkp.study.readme import refresh

PAGE = """# fkp
<!-- table: s quick compare 2 -->
old
<!-- end of table -->
after
"""


@pytest.fixture
def project(tmp_path):
    tables = [
        {"title": "First", "columns": ["a"], "rows": [[1]]},
        {"title": "Second", "columns": ["model", "px"], "rows": [["x", 2.5]], "note": "Drawn."},
    ]
    write_json(tmp_path / "reports/s/runs/compare-1/metrics.json", {"tables": tables})
    records = [{"name": "compare", "folder": "compare-1"}]
    write_manifest(tmp_path / "reports/s", "s", "quick", {"runs": records})
    (tmp_path / "README.md").write_text(PAGE)
    return tmp_path


def test_the_marked_table_is_replaced_and_nothing_else(project):
    for _ in range(2):
        refresh(project / "README.md", project / "reports")
    assert (project / "README.md").read_text() == PAGE.replace(
        "old\n", "**Second.** Drawn.\n\n| model | px |\n| --- | --- |\n| x | 2.50 |\n"
    )


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        ("s quick compare 3", "2 tables"),
        ("s paper compare 1", "profile paper"),
        ("t quick compare 1", "t, profile quick"),
        ("s quick train 1", "run train"),
    ],
)
def test_a_table_that_is_not_there_leaves_the_page_alone(project, mark, message):
    page = project / "README.md"
    page.write_text(PAGE.replace("s quick compare 2", mark))
    before = page.read_text()
    with pytest.raises(ValueError, match=message):
        refresh(page, project / "reports")
    assert page.read_text() == before


def test_a_page_without_marks_is_an_error(project):
    (project / "README.md").write_text("# fkp\n")
    with pytest.raises(ValueError, match="no table is marked"):
        refresh(project / "README.md", project / "reports")
