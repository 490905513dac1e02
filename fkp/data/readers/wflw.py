"""WFLW's lists (Wu et al., "Look at Boundary", CVPR 2018): 98 points a face, a line each.

196 coordinates, the box (left, top, right, bottom), six attributes of 0 or 1, the image's name.
"""

from pathlib import Path

import numpy as np

from fkp.data.faces import Faces
from fkp.data.readers import SourceError, fault, marked
from fkp.data.schemes import WFLW_98

ATTRIBUTES = ("pose", "expression", "illumination", "make-up", "occlusion", "blur")
_FIELDS = 196 + 4 + len(ATTRIBUTES) + 1


def recognises(path: Path) -> bool:
    """A list of that form, or a folder that holds one at any depth."""
    return any(map(_is_list, _files(Path(path))))


def read(
    path: Path, attribute: str | None = None, images: str | None = None, **cut: object
) -> Faces:
    """Read one list, or all of a folder; a word "train" or "test" in a list's name is its part.

    Args:
        attribute: only faces with it, one of `ATTRIBUTES`.
        images: folder of the images; default: WFLW_images beside the lists' folder, or theirs.
        **cut: how they are cut out, `crop.OPTIONS`.

    Raises:
        SourceError: names the file, line and value.
    """
    path = Path(path).resolve()
    if attribute not in (None, *ATTRIBUTES):
        raise SourceError(f"option attribute: {attribute!r}, expected {', '.join(ATTRIBUTES)}")
    files = [file for file in _files(path) if _is_list(file)]
    if not files:
        raise fault(path, f"a list of {_FIELDS} fields a line")
    # The official lists lie in folders of their own, in a folder beside the images'.
    folder = path if path.is_dir() else path.parent
    beside = [place / "WFLW_images" for place in (folder, folder.parent, folder.parent.parent)]
    images = images or next((place for place in beside if place.is_dir()), None)
    rows = [row for file in files for row in _rows(file, attribute)]
    return marked.faces(path, rows, WFLW_98, files=files, images=images, **cut)


def _files(path):
    if path.is_dir():
        return sorted(path.rglob("list_98pt*.txt"))
    return [path] if path.suffix.lower() == ".txt" and path.is_file() else []


def _is_list(file):
    try:
        with file.open(encoding="utf-8", errors="replace") as lines:
            return len(next(lines, "").split()) == _FIELDS
    except OSError:
        return False


def _rows(file, attribute):
    for number, line in enumerate(file.read_text("utf-8", errors="replace").splitlines(), 1):
        *numbers, name = line.split() or [""]
        try:
            values = np.array(numbers, float)
        except ValueError:
            values = np.array([np.nan])
        if len(values) != _FIELDS - 1 or not np.isfinite(values).all():
            raise fault(file, f"{_FIELDS - 1} numbers and the image's name", line, line=number)
        if attribute is None or values[200 + ATTRIBUTES.index(attribute)]:
            points = values[:196].reshape(98, 2)
            yield marked.Marked(file, name, points, number, marked.part_of(file))
