"""300-W: photographs with 68 points in .pts files, in the folders in which 300-W is published.

Folders: `afw`, `helen/trainset`, `helen/testset`, `lfpw/trainset`, `lfpw/testset`, `ibug`. The
official split follows from them: afw and trainset are train, testset and ibug are test. The copy we
ran on lacks 1130 of Helen's 2000 training images, 6 of LFPW's 811 and all 135 of iBUG (the
"challenge" set), so its 2012 train and 554 test faces are not the official 3148 and 689: say so
beside every figure.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fkp.data.faces import Faces
from fkp.data.readers import SourceError, crop, fault
from fkp.data.schemes import IBUG_68

SETS = ("afw", "helen", "lfpw", "ibug")
_PARTS = {"trainset": "train", "testset": "test", "afw": "train", "ibug": "test"}


def recognises(path: Path | str) -> bool:
    """A folder with a .pts file at any depth."""
    path = Path(path)
    return path.is_dir() and next(path.rglob("*.pts"), None) is not None


def read(path: Path | str, sets: Sequence[str] | str | None = None, **cut: object) -> Faces:
    """Read the faces below a folder: the whole of 300-W, one set, or any folder of .pts files.

    Args:
        sets: names in `SETS` to read; None: all.
        **cut: how the faces are cut out, `crop.OPTIONS`.

    Returns:
        Faces: images uint8 (n, size, size, channels), points float32 (n, 68, 2) in `IBUG_68`;
        parts "train" or "test" by folder, "" elsewhere; source "300-W" where all lie in folders of
        `SETS`, else the folder's name; names such as "helen/testset/296814969_3";
        the faces of one photograph share a group.

    Raises:
        SourceError: names the file and, in a .pts file, the line and value.
    """
    path = Path(path).resolve()
    if not path.is_dir():
        raise fault(path, "a folder of .pts files and images")
    photos = _photos(path, _known(sets))
    names = [_name(path, points.with_suffix("")) for _, points in photos]
    images, points = crop.crops(path, photos, read_pts, **cut)
    known = all(name.split("/")[0] in SETS for name in names)
    return Faces(
        images=images,
        points=points,
        scheme=IBUG_68,
        source="300-W" if known else f"{path.name} (.pts)",
        groups=np.unique([photograph(name) for name in names], return_inverse=True)[1],
        parts=np.array([_part(name) for name in names], dtype="<U5"),
        names=np.array(names),
    )


def read_pts(file: Path | str) -> np.ndarray:
    """The 68 points of a .pts file, float64 (68, 2), 0-based: the file counts pixels from 1.

    The header (`version`, `n_points`, braces) may be absent.

    Raises:
        SourceError: a wrong number of points, or a line that is not two numbers.
    """
    lines = Path(file).read_text(encoding="latin-1").splitlines()
    points = []
    for number, line in enumerate(lines, start=1):
        line = line.strip()
        if not line or line in "{}" or line.startswith(("version", "n_points")):
            continue
        points.append(crop.read_point(file, number, line, "x and y, two numbers"))
    if len(points) != len(IBUG_68):
        raise fault(file, f"{len(IBUG_68)} points", f"{len(points)} points")
    return np.array(points) - 1


def photograph(name: str) -> str:
    """The photograph a face's name belongs to.

    AFW and Helen name a face `photo_face`; LFPW and iBUG number photographs, `image_0001`, and
    iBUG adds the face, `image_003_1`. LFPW numbers its two parts apart; AFW and Helen photographs
    carry Flickr's number, in whatever folder. Other folders: every name its own photograph.
    """
    folder, _, stem = name.rpartition("/")
    place = folder.split("/")[0]
    if place in ("afw", "helen"):
        return f"{place}/{stem.rpartition('_')[0] or stem}"
    numbered = re.match(r"image_\d+", stem)
    if place in ("lfpw", "ibug") and numbered:
        return f"{folder}/{numbered.group()}"
    return name


def _known(sets):
    if sets is None:
        return None
    sets = (sets,) if isinstance(sets, str) else tuple(sets)
    unknown = [name for name in sets if name not in SETS]
    if unknown or not sets:
        raise SourceError(f"option sets: got {sets!r}, expected names from {', '.join(SETS)}")
    return sets


def _photos(path, sets):
    """[(image, .pts)] below a folder, sorted; every file must have its partner."""
    found = sorted(
        file for file in path.rglob("*") if file.suffix.lower() in (*crop.IMAGES, ".pts")
    )
    if sets is not None:
        found = [file for file in found if _name(path, file).split("/")[0] in sets]
    marked = {file.with_suffix(""): file for file in found if file.suffix.lower() == ".pts"}
    images = {file.with_suffix(""): file for file in found if file.suffix.lower() != ".pts"}
    for stem, file in images.items():
        if stem not in marked:
            raise fault(file, f"{stem.name}.pts beside it")
    for stem, file in marked.items():
        if stem not in images:
            raise fault(file, f"{stem.name}.jpg, .jpeg or .png beside it")
    if not marked:
        chosen = "" if sets is None else f" of {', '.join(sets)}"
        raise fault(path, f".pts files{chosen} in this folder")
    return [(images[stem], marked[stem]) for stem in marked]


def _name(path, stem):
    """Path below 300-W's root, known by the set's folder; else below the folder read."""
    parts = stem.parts
    for i in range(len(parts) - 2, max(0, len(parts) - 4), -1):
        if parts[i] in SETS:
            return "/".join(parts[i:])
    return stem.relative_to(path).as_posix()


def _part(name):
    return next((_PARTS[f] for f in reversed(name.split("/")[:-1]) if f in _PARTS), "")
