import pytest

from fkp.study.glossary import TERMS, explain, found
from fkp.study.wording import cell, differences, repeated, seeds


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        ("", "–"),
        (-0.506, "−0.506"),
        ("-0.91 to -0.22", "−0.91 to −0.22"),
        ("-17 %", "−17 %"),
        ("-", "−"),
        ("1.0e-02", "1.0e-02"),
        ("cnn-1e-3", "cnn-1e-3"),
        ("2026-11-21", "2026-11-21"),
        (1234567, "1,234,567"),
        (1234.5, "1,234"),
    ],
)
def test_a_dash_is_none_and_a_minus_is_a_minus(value, shown):
    assert cell(value) == shown


def test_seeds_read_as_what_they_are():
    assert seeds([0]) == "seed 0, one training"
    assert seeds([0, 1, 2]) == "seeds 0, 1, 2"
    assert seeds([]) == ""


def test_a_paper_s_figure_is_set_against_ours_in_the_same_row():
    table = {
        "columns": ["model", "paper's MB", "keras MB", "RMSE (px)", "paper A (px)", "paper: ffill"],
        "rows": [["a", 1.0, 1.09, "3.0 ± 0.1", 4.0, "++"], ["b", "", 7.7, 2.0, "2.0", 1.0]],
    }
    assert differences(table) == {(0, 2): "+9 %", (0, 3): "−25 %", (1, 3): "0 %"}


def test_a_claim_judged_at_several_budgets_is_stated_once():
    columns = ["the paper's conclusion", "images", "verdict", "measured", "range"]
    rows = [
        ["smaller is better", 100, "holds", "px", "1 to 2"],
        ["smaller is better", 300, "holds", "px", "1 to 2"],
        ["smaller is faster", 300, "holds", "px", "1 to 2"],
        ["smaller is faster", 900, "mixed", "ms", ""],
    ]
    assert repeated({"columns": columns, "rows": rows}) == {(1, 0), (1, 3), (3, 0)}
    columns[2] = "a table without verdicts repeats what it likes"
    assert repeated({"columns": columns, "rows": rows}) == set()


def test_words_are_explained_where_they_stand_and_nothing_is_left_unescaped():
    html = explain("AUC of <b> at bootstrap intervals, maskable; RMSE")
    assert f'<abbr title="{TERMS["AUC"]}">AUC</abbr> of' in html
    assert "&lt;b&gt;" in html and ">mask<" not in html
    assert [*found(html)] == ["AUC", "RMSE"]
