"""Numbers, scores, durations and tables as reports and the terminal show them."""

import re
from itertools import pairwise

_MINUS = re.compile(r"(?<![\w.)-])-(?=\.?\d)")  # of a number, not of a name or a date
_NUMBER = re.compile(r"[-−+]?\d[\d,]*\.?\d*(e[-+]?\d+)?")
_OF_PAPER = re.compile(r"^paper(?: \w+)?(?:'s|:|,) ?")


def headline(metrics):
    """The first score of a run in words, "rmse 2.31 px"; "" without scores."""
    for name, score in (metrics.get("scores") or {}).items():
        if (text := score_text(score)) != "":
            unit = score.get("unit") if isinstance(score, dict) else None
            return " ".join([name, text, *([unit] if unit and unit != name else [])])
    return ""


def duration(seconds):
    """ "8.2s", "1m32s", "2h05m"."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02d}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02d}m"


def cell(value):
    """A table cell: two decimals from 1 on, three digits below; "–" for none, "−" is minus."""
    if value is None or value == "":
        return "–"
    if isinstance(value, float):
        size = abs(value)
        text = f"{value:.3g}" if size < 1 else f"{value:.2f}" if size < 1000 else f"{value:,.0f}"
    else:
        whole = isinstance(value, int) and not isinstance(value, bool)
        text = f"{value:,}" if whole else str(value)
    return "−" if text == "-" else _MINUS.sub("−", text)


def score_text(score):
    """The value of a score, "" if it is no number."""
    value = score.get("value") if isinstance(score, dict) else score
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return cell(value)


def interval(score):
    """ "2.25–2.38", "" for a score without an interval."""
    if not isinstance(score, dict) or score.get("low") is None or score.get("high") is None:
        return ""
    return f"{cell(score['low'])}–{cell(score['high'])}"


def seeds(numbers):
    """ "seed 0, one training", "seeds 0, 1, 2"; "" for none."""
    if len(numbers) == 1:
        return f"seed {numbers[0]}, one training"
    return f"seeds {', '.join(map(str, numbers))}" if numbers else ""


def sides(table):
    """ "n" for each column of numbers (or of texts that begin with one), "" for the others."""
    columns = zip(*table["rows"], strict=True) if table["rows"] else [[] for _ in table["columns"]]
    given = [[value for value in column if value not in (None, "")] for column in columns]
    return ["n" if all(_value(value) is not None for value in column) else "" for column in given]


def differences(table):
    """(row, column) -> how far ours is from the paper's figure in the same row, as "+4 %".

    Ours stands in the column that the paper's is named after ("paper's MB": "keras MB"), or in the
    one before it if both are in the same unit.
    """
    pairs, names = {}, table["columns"]
    for theirs, name in enumerate(names):
        if name.startswith("paper") and (ours := _ours(names, theirs)) is not None:
            pairs[ours] = theirs
    found = {}
    for i, row in enumerate(table["rows"]):
        for ours, theirs in pairs.items():
            mine, other = _value(row[ours]), _value(row[theirs])
            if mine is not None and other:
                percent = round(100 * (mine / other - 1))
                found[i, ours] = cell(f"{percent:+d} %" if percent else "0 %")
    return found


def repeated(table):
    """(row, column) of each cell of a table of verdicts that says what the one above it says.

    The claim and what was measured, where one claim is judged at several budgets.
    """
    names = table["columns"]
    said = [0, names.index("measured")] if {"verdict", "measured"} <= {*names} else []
    return {
        (i, column)
        for i, (above, row) in enumerate(pairwise(table["rows"]), 1)
        for column in said
        if (above[0], above[column]) == (row[0], row[column])
    }


def _ours(names, theirs):
    name = names[theirs]
    wanted = _OF_PAPER.sub("", name)
    for i, other in enumerate(names):
        if not other.startswith("paper") and (other == wanted or other.endswith(f" {wanted}")):
            return i
    unit = re.search(r"\([^)]*\)$", name)
    before = names[theirs - 1] if theirs else ""
    same = unit and before.endswith(unit[0]) and not before.startswith("paper")
    return theirs - 1 if same else None


def _value(cell_value):
    if isinstance(cell_value, int | float):
        return cell_value
    match = _NUMBER.match(str(cell_value or ""))
    return float(match[0].replace(",", "").replace("−", "-")) if match else None
