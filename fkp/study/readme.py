"""Tables of a Markdown page, filled from the metrics of finished runs.

A table stands between two comments and is replaced as a whole:

    <!-- table: STUDY PROFILE RUN NUMBER -->
    ...
    <!-- end of table -->

NUMBER counts the tables of the run called RUN in `reports/published/STUDY`, from 1.
"""

import re

from fkp.record.files import write_text
from fkp.study.manifest import metrics_of, read_manifest
from fkp.study.wording import cell, repeated

_TABLE = re.compile(
    r"(<!-- table: (\S+) (\S+) (\S+) (\d+) -->\n)(.*?)(<!-- end of table -->)", re.DOTALL
)


def refresh(page, reports):
    """Rewrite every marked table of a page.

    Args:
        page: Markdown file.
        reports: folder of the studies' reports.

    Raises:
        ValueError: the page marks no table, or names one that is not there.
    """

    def fill(match):
        head, study, profile, run, number, _, tail = match.groups()
        return head + _markdown(_table(reports / study, profile, run, int(number))) + tail

    text, count = _TABLE.subn(fill, page.read_text(encoding="utf-8"))
    if not count:
        raise ValueError(f"{page.name}: no table is marked")
    write_text(page, text)


def _table(reports, profile, run, number):
    records = read_manifest(reports)["profiles"].get(profile, {}).get("runs", [])
    folder = next((record["folder"] for record in records if record["name"] == run), "")
    tables = metrics_of(reports / "runs" / folder).get("tables", [])
    if not 0 < number <= len(tables):
        where = f"{reports.name}, profile {profile}, run {run}, table {number}"
        raise ValueError(f"{where}: a finished run of that name has {len(tables)} tables")
    return tables[number - 1]


def _markdown(table):
    again = repeated(table)
    rows = [
        ["" if (i, k) in again else cell(value) for k, value in enumerate(row)]
        for i, row in enumerate(table["rows"])
    ]
    lines = [table["columns"], ["---"] * len(table["columns"]), *rows]
    body = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    caption = " ".join(text for text in (f"**{table['title']}.**", table.get("note", "")) if text)
    return f"{caption}\n\n{body}"
