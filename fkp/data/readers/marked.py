"""Faces marked in lists: one image file and its points a row."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fkp.data.faces import Faces
from fkp.data.readers import crop, fault
from fkp.data.schemes import Scheme
from fkp.record.digests import digest


@dataclass(frozen=True, eq=False)
class Marked:
    """One thing marked in an image.

    Attributes:
        file: the list, for messages.
        image: its name in the list.
        points: float (k, 2), 0-based px; NaN = unlabelled.
        row: of the list, from 1.
        part: "train", "test" or "".
    """

    file: Path
    image: str
    points: np.ndarray
    row: int
    part: str = ""

    def __str__(self):
        return f"{self.file}, row {self.row}, {self.image}"


def faces(
    path: Path,
    rows: Sequence[Marked],
    scheme: Scheme,
    *,
    files: Sequence[Path],
    images: str | Path | None,
    **cut: object,
) -> Faces:
    """The things marked, each in a square crop of its image; those of one image share a group.

    Args:
        path: of the list, for messages; a row without a labelled point is left out.
        scheme: of the points.
        files: the lists that the rows are from.
        images: folder of the images; None: the list's folder, those in it, its parent and those
            in that; of several that have an image of that name the one called as the list.
        **cut: `crop.OPTIONS`.

    Raises:
        SourceError: an image that is not there, no row with a point, an option.
    """
    rows = [row for row in rows if not np.isnan(row.points).any(axis=1).all()]
    if not rows:
        raise fault(path, "rows with labelled points", "none")
    levels, found = _levels(path, images), {}
    for row in rows:
        if (row.file, row.image) not in found:
            found[row.file, row.image] = _image(levels, row)
    places = [found[row.file, row.image] for row in rows]
    pixels, points = crop.crops(
        path if path.is_dir() else path.parent,
        [*zip(places, rows, strict=True)],
        lambda row: row.points,
        files=[*files, *dict.fromkeys(places)],
        key=digest([(row.part, row.row) for row in rows]),
        **cut,
    )
    names, numbers, counts = [row.image for row in rows], [], {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
        numbers.append(counts[name])
    return Faces(
        images=pixels,
        points=points,
        scheme=scheme,
        source=path.stem,
        groups=np.unique([*map(str, places)], return_inverse=True)[1],
        parts=np.array([row.part for row in rows], dtype="<U5"),
        names=np.array([f"{a}#{i}" if i > 1 else a for a, i in zip(names, numbers, strict=True)]),
    )


def part_of(file: Path) -> str:
    """The part that a list's name speaks of: "train", "test" or ""."""
    word, stem = r"(?<![a-z]){}(ing|set)?(?![a-z])", file.stem.lower()
    return next((part for part in ("train", "test") if re.search(word.format(part), stem)), "")


def _levels(path, images):
    """Folders where images may lie, the nearest first: one that has a name ends the search."""
    if images is not None:
        return [[Path(images)]]
    here = path if path.is_dir() else path.parent
    inside = ([f for f in sorted(folder.iterdir()) if f.is_dir()] for folder in (here, here.parent))
    return [[here], next(inside), [here.parent], next(inside)]


def _image(levels, row):
    for folders in levels:
        found = {f: (f / row.image).resolve() for f in folders if (f / row.image).is_file()}
        named = [folder for folder in found if folder.name == row.file.stem]
        if len({*found.values()}) > 1 and not named:
            first, other, *_ = found
            expected = f"one image of that name, not {first} and {other} (option images says where)"
            raise fault(row.file, expected, row.image, row=row.row)
        if found:
            return [*named, *found][0] / row.image
    raise fault(row.file, f"its image in {levels[0][0]} or beside it", row.image, row=row.row)
