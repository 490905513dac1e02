"""Columns of .csv files, read as text so that a fault can be shown as it stands there."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from fkp.data.readers import fault


def header(file: Path) -> list[str]:
    """The names in a file's first line, [] where there is none to read."""
    try:
        with file.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
            return [name.strip() for name in next(csv.reader([lines.readline(1 << 16)]), [])]
    except (OSError, csv.Error):
        return []


def read(file: Path, what: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Columns of a file as text, "" where a field is empty.

    Args:
        what: the columns in words, for the message.
        columns: that the file must have, others are left out; None: all there are.

    Raises:
        SourceError: says what is wrong.
    """
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
        names = list(table)
        columns = names if columns is None else list(columns)
        for column in columns:
            if column not in names:
                raise fault(file, "this column in the header", names, column=column)
        _count(file, 1 + max(map(names.index, columns)), len(names))
    except UnicodeError:
        raise fault(file, "text in UTF-8", "text in another encoding") from None
    except (pd.errors.EmptyDataError, pd.errors.ParserError, csv.Error) as error:
        raise fault(file, f"a table with {what} ({error})") from error
    if table.empty:
        raise fault(file, "data rows below the header", "a header only")
    return table[columns]


def _count(file, least, most):
    """SourceError at a line of too few or too many fields, which pandas would fill or shift.

    A line need only reach the columns read: Kaggle's lookup table leaves out its empty last field.
    """
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines)
        for row in rows:
            if not least <= len(row) <= most and (len(row) > 1 or "".join(row).strip()):
                raise fault(file, f"{most} fields", f"{len(row)} fields", line=rows.line_num)


def numbers(file: Path, table: pd.DataFrame, column: str, expected: str) -> np.ndarray:
    """A column's numbers, NaN where it is empty or says so; SourceError if one is none."""
    texts = table[column].str.strip()
    values = pd.to_numeric(texts, errors="coerce").to_numpy(float)
    given = ~texts.str.lower().isin(["", "nan"]).to_numpy()
    refuse(file, table, column, given & ~np.isfinite(values), expected)
    return values


def refuse(file: Path, table: pd.DataFrame, column: str, bad: np.ndarray, expected: str) -> None:
    """SourceError at the first row that is bad, bool (n,), if any is."""
    if len(rows := np.flatnonzero(bad)):
        row = int(rows[0])
        raise fault(file, expected, table[column].iloc[row], row + 1, row + 2, column)
