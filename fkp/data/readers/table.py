"""Points in a CSV: a row an image, its name first, then NAME_x, NAME_y of each point.

Columns without names, or numbered, are x, y, x, y ... (so the 136 of Udacity's course on facial
keypoints are 300-W's 68 points). An empty cell is an unlabelled point.
"""

import re
from itertools import zip_longest
from pathlib import Path

import numpy as np

from fkp.data.faces import Faces
from fkp.data.readers import SourceError, columns, fault, marked, scheme

_FIRST = (
    "", "image", "image_name", "image_path", "image_id",
    "file", "file_name", "filename", "path", "name",
)  # fmt: skip
_END = re.compile(r"[ ._-]?([xy])$", re.IGNORECASE)


def recognises(path: Path) -> bool:
    """A .csv file of this form, or a folder that holds one."""
    return bool(lists(path)[0])


def read(path: Path, images: str | None = None, **cut: object) -> Faces:
    """Read one list, or all of a folder; a word "train" or "test" in a list's name is its part.

    Args:
        images: folder of the images; default: that of the list and those beside it.
        **cut: how they are cut out, `crop.OPTIONS`.

    Raises:
        SourceError: names the file, row, column and value.
    """
    path = Path(path).resolve()
    files, faults = lists(path)
    if not files:
        raise [*faults, fault(path, "a .csv of images' names and NAME_x, NAME_y of points")][0]
    for file in sorted(path.glob("*.csv")) if path.is_dir() else ():
        if file not in files and marked.part_of(file):
            first, *rest = columns.header(file) or [""]
            if first.lower() in _FIRST and rest:
                _names(file)  # says what is wrong with a part of the data
    rows, names = [], None
    for file, found in files.items():
        table = columns.read(file, "rows of one length")
        found = found or len(table.columns) // 2
        if names not in (None, found):
            raise fault(file, f"the points of {next(iter(files)).name}")
        names, part = found, marked.part_of(file)
        values = np.column_stack(
            [columns.numbers(file, table, c, "a number") for c in table.columns[1:]]
        )
        rows += [
            marked.Marked(file, str(image).strip(), points.reshape(-1, 2), i, part)
            for i, (image, points) in enumerate(zip(table.iloc[:, 0], values, strict=True), 1)
        ]
    k = len(rows[0].points) if rows else 0
    points = scheme.find(path, k, names=names if isinstance(names, list) else None)
    return marked.faces(path, rows, points, files=[*files], images=images, **cut)


def lists(path: Path) -> tuple[dict[Path, list[str]], list[SourceError]]:
    """({list: names of its points}, what is wrong with the other .csv) of a file or folder."""
    found, faults = {}, []
    path = Path(path)
    for file in sorted(path.glob("*.csv")) if path.is_dir() else [path]:
        if file.suffix.lower() == ".csv" and file.is_file():
            try:
                found[file] = _names(file)
            except SourceError as error:
                faults.append(error)
    return found, faults


def _names(file):
    """Names of the points, [] where they have none; SourceError for a file of another form."""
    first, *rest = columns.header(file) or [""]
    if not rest and ";" in first:
        raise fault(file, "commas between the columns", "semicolons", line=1)
    if first.lower() not in _FIRST or not rest:
        raise fault(file, "an image's name, then NAME_x, NAME_y of each point", first, line=1)
    if all(re.fullmatch(r"\d*|Unnamed: \d+", name) for name in rest):
        if len(rest) % 2:
            raise fault(file, "x and y of each point", f"{len(rest)} columns", line=1)
        return []
    names = []
    for x, y in zip_longest(rest[::2], rest[1::2], fillvalue=""):
        name = _END.sub("", x)
        if (x[-1:] + y[-1:]).lower() != "xy" or name != _END.sub("", y) or name in names:
            expected = "NAME_x, then NAME_y, of every point once"
            raise fault(file, expected, f"{x}, {y}", line=1, column=x)
        names.append(name)
    return names
