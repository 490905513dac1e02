"""Readers, one module per file format; `read` recognises the format and returns `Faces`.

Each module in `SOURCES` offers `recognises(path) -> bool`, which looks but never raises, and
`read(path, **options) -> Faces`. Modules are imported only when asked for. `drawn` alone needs no
path: it draws its faces.
"""

import inspect
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np

from fkp.data.faces import Faces
from fkp.data.schemes import SCHEMES
from fkp.record.digests import digest, file_fingerprint

# name -> (module, what it reads, in words).
SOURCES = {
    "kaggle": ("fkp.data.readers.kaggle", "training.csv or training.zip, or its folder"),
    "ibug": ("fkp.data.readers.ibug", "a folder of images and .pts files"),
    "helen": ("fkp.data.readers.helen", "a folder with annotation/1.txt ..."),
    "wflw": ("fkp.data.readers.wflw", "list_98pt*.txt, or its folder"),
    "coco": ("fkp.data.readers.coco", "a .json file of keypoints, or its folder"),
    "table": ("fkp.data.readers.table", "a .csv of images with NAME_x, NAME_y ..."),
    "npz": ("fkp.data.readers.npz", "a .npz file, or its folder"),
    "drawn": ("fkp.data.drawing", "no path"),
}
LISTS = ("coco", "table", "wflw")  # of points, whose images lie elsewhere
ENDINGS = {"coco": ".json", "npz": ".npz"}  # of the one file of a format


class SourceError(ValueError):
    """What was read is not what was expected; the message names file, row, column and value."""


def fault(
    path: Path | str,
    expected: str,
    got: object | None = None,
    row: int | None = None,
    line: int | None = None,
    column: str | None = None,
) -> SourceError:
    """A `SourceError` that says where and what.

    Args:
        path: file (or folder) at fault.
        expected: what should have been there, in words.
        got: the value found; shown by repr and shortened. None: not shown.
        row: data row, counted from 1 without the header.
        line: line of the file, counted from 1 with the header.
        column: name of the column.
    """
    place = [str(path)]
    if row is not None:
        place.append(f"data row {row}" + (f" (line {line})" if line is not None else ""))
    elif line is not None:
        place.append(f"line {line}")
    if column is not None:
        place.append(f"column {column}")
    value = "" if got is None else f"got {_short(got)}, "
    return SourceError(f"{', '.join(place)}: {value}expected {expected}")


def _short(value, limit=60):
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def module(name: str) -> ModuleType:
    """The module that reads format `name`; SourceError lists the known names."""
    if name not in SOURCES:
        raise SourceError(f"unknown source {name!r} (known: {', '.join(SOURCES)})")
    return import_module(SOURCES[name][0])


def recognise(path: Path | str) -> str:
    """The name of the format that `path` holds, a key of `SOURCES`.

    Raises:
        SourceError: nothing is there, or nothing that a reader knows; lists the known formats.
    """
    path = Path(path)
    if not path.exists():
        raise SourceError(f"{path}: no such file or folder")
    if path.is_dir() and not any(path.iterdir()):
        raise SourceError(f"{path}: the folder is empty. {_known()}")
    for name in SOURCES:
        if name != "drawn" and module(name).recognises(path):
            return name
    why = "".join(f" ({error})" for error in module("table").lists(path)[1][:1])
    raise SourceError(f"{path}: not recognised{why}. {_known()}")


def only(path: Path | str, source: str) -> Path | None:
    """The file of one of `ENDINGS`, given it or a folder in which it is the only one."""
    path, ending = Path(path), ENDINGS.get(source)
    files = path.glob("[!.]*") if path.is_dir() else [path]
    found = [file for file in files if file.suffix.lower() == ending and file.is_file()]
    return found[0] if len(found) == 1 else None


def within(path: Path | str, source: str | None = None) -> Path | None:
    """The path or the first of its subfolders that holds a format (None: any), None without one."""
    path = Path(path)
    for place in (path, *(sorted(path.glob("[!.]*")) if path.is_dir() else ())):
        with suppress(SourceError):
            if recognise(place) == source or source is None:
                return place
    return None


def read(path: Path | str | None = None, source: str | None = None, **options: object) -> Faces:
    """Read faces from a file or folder.

    Args:
        path: file or folder; None draws synthetic faces.
        source: name in `SOURCES` to use instead of recognising the content.
        **options: passed to the `read` of that format.

    Raises:
        SourceError: unknown path, content, source or option, or a fault in the data.
    """
    name = source or ("drawn" if path is None else recognise(path))
    reader = module(name).read
    known = [option for option in inspect.signature(reader).parameters if option != "path"]
    if "cut" in known:
        known[known.index("cut") :] = import_module("fkp.data.readers.crop").OPTIONS
    unknown = [option for option in options if option not in known]
    if unknown:
        raise SourceError(
            f"source {name} has no option {', '.join(map(repr, unknown))} "
            f"(known: {', '.join(known) or 'none'})"
        )
    if name == "drawn":
        if path is not None:
            raise SourceError(f"source drawn reads no path, got {str(path)!r}")
        return reader(**options)
    if path is None:
        raise SourceError(f"source {name} needs a path: {SOURCES[name][1]}")
    if not Path(path).exists():
        raise SourceError(f"{path}: no such file or folder, expected {SOURCES[name][1]}")
    faces = reader(Path(path), **options)
    _check_points(path, faces)
    return faces


def fingerprint(path: Path, source: str, options: object = None) -> str:
    """Hex digest of a file or folder and of what is read with it from elsewhere.

    That is the points.yaml beside a file, and the images that a list of points names.

    Args:
        path, source: as for `read`.
        options: of the reader, of which the folder of images and the category count.

    Raises:
        SourceError: as `read`, of a list of points.
    """
    parts, said = [file_fingerprint(path)], path.parent / "points.yaml"
    if path.is_file() and said.is_file():
        parts.append(file_fingerprint(said))
    if source in LISTS:
        given = options if isinstance(options, dict) else {}
        which = {name: given[name] for name in ("images", "category") if name in given}
        parts.append(read(path, source, **which).fingerprint)
    return digest(parts, size=8) if parts[1:] else parts[0]


def beyond(points: np.ndarray, width: int, height: int) -> np.ndarray:
    """How far points (..., 2) lie off an image, px; negative on it, NaN where unlabelled."""
    x, y = np.moveaxis(np.asarray(points), -1, 0)
    across = np.maximum(-0.5 - x, x - width + 0.5)
    return np.maximum(across, np.maximum(-0.5 - y, y - height + 0.5))


def _check_points(path, faces):
    """Refuse labels that can only be a fault: far off the image, or most of them off it."""
    h, w, _ = faces.image_shape

    def place(row):  # a name that only counts says no more than the row
        name = str(faces.names[row])
        return path if name.removeprefix("row ").isdigit() else f"{path}, {name}"

    off = beyond(faces.points, w, h)
    far = np.argwhere(off > max(h, w))
    if len(far):
        row, point = far[0]
        got = tuple(float(value) for value in faces.points[row, point])
        label, expected = faces.scheme.labels[point], f"a point on the image, {w} x {h} px"
        raise fault(place(row), expected, got, row=row + 1, column=label)
    outside, labelled = (off > 0).sum(axis=1), faces.labelled.sum(axis=1)
    most = np.flatnonzero(2 * outside > labelled)
    if len(most):
        row = most[0]
        found = f"{outside[row]} of {labelled[row]} points outside"
        expected = f"most points on the image, {w} x {h} px"
        raise fault(place(row), expected, found, row=row + 1)


def read_or_draw(path: str | Path | None, source: str | None, options: dict, drawn: dict) -> Faces:
    """The faces a notebook works on: those of a file or folder, or drawn ones without a path.

    Args:
        path, source: as for `read`.
        options: of the reader; not used for drawn faces.
        drawn: options of the drawn faces, a scheme by its name.

    Returns, Raises: as `read`.
    """
    if path is not None and not Path(path).exists() and Path("..", path).exists():
        path = Path("..", path)  # a notebook opened by hand lies a folder below the project's
    if path is not None or source not in (None, "drawn"):
        return read(path, source, **options)
    scheme = drawn.get("scheme")
    return read(**drawn | ({"scheme": SCHEMES.get(scheme, scheme)} if scheme else {}))


def _known():
    return "Known formats: " + "; ".join(f"{name}: {text}" for name, (_, text) in SOURCES.items())
