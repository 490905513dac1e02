"""Numbers, scores and durations as reports and the terminal show them."""

import re


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
    """A table cell: two decimals from 1 on, three digits below, a dash for None."""
    if value is None or value == "":
        return "–"
    if isinstance(value, float):
        size = abs(value)
        return f"{value:.3g}" if size < 1 else f"{value:.2f}" if size < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


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


def sides(table):
    """ "n" for each column of numbers (or of texts that begin with one), "" for the others."""
    columns = zip(*table["rows"], strict=True) if table["rows"] else [[] for _ in table["columns"]]
    return ["n" if all(map(_is_number, filter(_is_given, column))) else "" for column in columns]


def _is_given(value):
    return value is not None and value != ""


def _is_number(value):
    return isinstance(value, int | float) or re.match(r"[-−+]?\d", str(value)) is not None
