"""Tables of a Markdown page, filled from the metrics of finished runs.

A table stands between two comments and is replaced as a whole:

    <!-- table: STUDY PROFILE RUN NUMBER -->
    ...
    <!-- end of table -->

NUMBER counts the tables of the run called RUN in `reports/published/STUDY`, from 1.
"""

import json
import re
from pathlib import Path

from fkp.record.files import write_text
from fkp.study.manifest import read_manifest
from fkp.study.wording import cell, repeated

_TABLE = re.compile(
    r"(<!-- table: (\S+) (\S+) (\S+) (\d+) -->\n)(.*?)(<!-- end of table -->)", re.DOTALL
)


def refresh(page, reports):
    """Rewrite every marked table of a page.

    Args:
        page: Markdown file.
        reports: folder of the studies' reports.

    Returns:
        Number of tables written.

    Raises:
        ValueError: the page marks no table, or names one that is not there.
    """
    page, reports = Path(page), Path(reports)

    def fill(match):
        head, study, profile, run, number, _, tail = match.groups()
        return head + _markdown(_table(reports / study, profile, run, int(number))) + tail

    text, count = _TABLE.subn(fill, page.read_text(encoding="utf-8"))
    if not count:
        raise ValueError(f"{page.name}: no table is marked")
    write_text(page, text)
    return count


def _table(reports, profile, run, number):
    where = f"{reports.name}, profile {profile}, run {run}, table {number}"
    records = read_manifest(reports)["profiles"].get(profile, {}).get("runs", [])
    folders = [record["folder"] for record in records if record["name"] == run]
    path = reports / "runs" / (folders[0] if folders else "") / "metrics.json"
    if not folders or not path.is_file():
        raise ValueError(f"{where}: no such finished run")
    tables = json.loads(path.read_text()).get("tables", [])
    if not 0 < number <= len(tables):
        raise ValueError(f"{where}: the run has {len(tables)} tables")
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
