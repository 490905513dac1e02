"""What the answers of studies are put together from: rows, scores and their words.

What is not there raises LookupError.
"""

from collections.abc import Iterable
from statistics import mean, stdev

CLAIM = "the paper's conclusion"


def verdicts(runs: Iterable[dict]) -> dict | None:
    """The first table with a column "verdict", as it stands in metrics.json; None without one."""
    tables = (table for run in runs for table in run.get("tables") or [])
    return next((table for table in tables if "verdict" in table["columns"]), None)


def said(runs):
    """Rows of the table of verdicts, as dicts."""
    table = verdicts(runs)
    return _dicts(table) if table else []


def judged(runs):
    """Those of `said` whose claim was judged."""
    return [row for row in said(runs) if row["verdict"] != "not run"]


def by_claim(rows):
    """Claim -> what is said of it, in order."""
    found = {}
    for row in rows:
        found.setdefault(row[CLAIM], []).append(row)
    return found


def alike(said):
    """Of what is said of one claim budget by budget, the rows that compare the most models.

    Those are of the same models, where others were trained for less long.
    """
    most = max(row["comparisons"] for row in said)
    return [row for row in said if row["comparisons"] == most]


def rows(runs, start):
    """Rows of the first table whose title begins so, as dicts."""
    tables = (table for run in runs for table in run.get("tables") or [])
    table = first(table for table in tables if table["title"].startswith(start))
    return _dicts(table)


def _dicts(table):
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


def first(values):
    for value in values:
        return value
    raise LookupError("nothing of the kind")


def scored(runs, score):
    """The runs that have a score {value, ...}, the lowest first."""
    found = [run for run in runs if isinstance((run.get("scores") or {}).get(score), dict)]
    return sorted(found, key=lambda run: run["scores"][score]["value"])


def text(score):
    """ "3.05 % [2.98, 3.14]" of a score."""
    ends = [score.get("low"), score.get("high")]
    interval = "" if None in ends else " [{:.2f}, {:.2f}]".format(*ends)
    return f"{score['value']:.2f} {score.get('unit', '')}".strip() + interval


def span(numbers):
    """ "1" if all are, "1 to 3" from the lowest to the highest; "" for none."""
    ends = sorted(set(numbers))
    return " to ".join(map(str, dict.fromkeys((*ends[:1], *ends[-1:]))))


def over_seeds(values, unit):
    """ "3.41 ± 0.02 % over 3 seeds", "4.21 %, one training"."""
    if len(values) < 2:
        return f"{first(values):.2f} {unit}, one training"
    spread = f"{mean(values):.2f} ± {stdev(values):.2f}"
    return f"{spread} {unit} over {len(values)} seeds"


def entries(runs, score):
    """Name of an entry -> values of a score over its seeds, the lowest mean first."""
    found = {}
    for run in scored(runs, score):
        found.setdefault(run["run"]["name"], []).append(run["scores"][score]["value"])
    return dict(sorted(found.items(), key=lambda item: mean(item[1])))
