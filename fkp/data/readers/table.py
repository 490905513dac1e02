"""Points in a CSV: a row an image, its name first, then NAME_x, NAME_y of each point.

Columns without names, or numbered, are x, y, x, y ... (so the 136 of Udacity's course on facial
keypoints are 300-W's 68 points). An empty cell is an unlabelled point.
"""

import re
from pathlib import Path

import numpy as np

from fkp.data.faces import Faces
from fkp.data.readers import columns, fault, marked, scheme

_FIRST = (
    "", "image", "image_name", "image_path", "image_id",
    "file", "file_name", "filename", "path", "name",
)  # fmt: skip
_END = re.compile(r"[ ._-]?([xy])$", re.IGNORECASE)


def recognises(path: Path) -> bool:
    """A .csv file of this form, or a folder that holds one."""
    return any(_header(file) is not None for file in _files(Path(path)))


def read(path: Path, images: str | None = None, **cut: object) -> Faces:
    """Read one list, or all of a folder; "train" and "test" in a list's name are official parts.

    Args:
        images: folder of the images; default: that of the list and those beside it.
        **cut: how they are cut out, `crop.OPTIONS`.

    Raises:
        SourceError: names the file, row, column and value.
    """
    path = Path(path).resolve()
    files = [file for file in _files(path) if _header(file) is not None]
    if not files:
        raise fault(path, "a .csv with an image's name and NAME_x, NAME_y of each point")
    rows, names = [], None
    for file in files:
        found, table = _header(file) or None, columns.read(file, "rows of one length")
        if names not in (None, found):
            raise fault(file, f"the points of {files[0].name}")
        names, part = found, marked.part_of(file)
        values = np.column_stack(
            [columns.numbers(file, table, c, "a number") for c in table.columns[1:]]
        )
        rows += [
            marked.Marked(str(image).strip(), points.reshape(-1, 2), i, part)
            for i, (image, points) in enumerate(zip(table.iloc[:, 0], values, strict=True), 1)
        ]
    k = len(rows[0].points) if rows else 0
    points = scheme.find(path, k, names=names)
    return marked.faces(path, rows, points, files=files, images=images, **cut)


def _files(path):
    if path.is_dir():
        return sorted(path.glob("*.csv"))
    return [path] if path.suffix.lower() == ".csv" and path.is_file() else []


def _header(file):
    """Names of the points, [] where they have none, None where the file is of another form."""
    first, *rest = columns.header(file) or [""]
    if first.lower() not in _FIRST or not rest or len(rest) % 2:
        return None
    if all(re.fullmatch(r"\d*|Unnamed: \d+", name) for name in rest):
        return []
    ends = [_END.search(name) for name in rest]
    if None in ends or [end[1].lower() for end in ends] != ["x", "y"] * (len(rest) // 2):
        return None
    names = [_END.sub("", name) for name in rest]
    return names[::2] if names[::2] == names[1::2] and len({*names}) == len(names) // 2 else None
