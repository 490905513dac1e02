"""Helen's own annotation: 194 points per face in `annotation/1.txt`, `2.txt` ...

The first line of a file names the photograph (without suffix), 194 lines `x , y` follow. Points are
0-based as given in the files. Images lie as NAME.jpg anywhere below the data set's folder
(`images/`, `train_1/` ... `test/`); where `trainnames.txt` and `testnames.txt` are present, they
give the parts.
"""

from pathlib import Path

import numpy as np

from fkp.data.faces import Faces
from fkp.data.readers import crop, fault
from fkp.data.schemes import HELEN_194

_LISTS = {"train": "trainnames.txt", "test": "testnames.txt"}


def recognises(path: Path | str) -> bool:
    """A folder that is, or holds, `annotation` with .txt files."""
    folder = _annotation(Path(path))
    return folder.is_dir() and next(folder.glob("*.txt"), None) is not None


def read(path: Path | str, **cut: object) -> Faces:
    """Read Helen's faces.

    Args:
        path: the data set's folder, or its `annotation` folder.
        **cut: how the faces are cut out, `crop.OPTIONS`.

    Returns:
        Faces: images uint8 (n, size, size, channels), points float32 (n, 194, 2) in `HELEN_194`,
        in the order of the files' numbers; names as in the files ("296814969_3"); faces of one
        photograph (the name before its last underscore) share a group.

    Raises:
        SourceError: names the file and, in an annotation, the line and value.
    """
    folder = _annotation(Path(path).resolve())
    files = sorted(folder.glob("*.txt"), key=lambda file: (len(file.stem), file.stem))
    if not files:
        raise fault(folder, "annotation files 1.txt, 2.txt ... here")
    root = folder.parent
    names = [_head(file) for file in files]
    images = {
        file.stem: file for file in sorted(root.rglob("*")) if file.suffix.lower() in crop.IMAGES
    }
    for file, name in zip(files, names, strict=True):
        if name not in images:
            raise fault(file, f"an image {name}.jpg below {root}", name, line=1)
    photos = [(images[name], file) for file, name in zip(files, names, strict=True)]
    pixels, points = crop.crops(root, photos, lambda file: read_annotation(file)[1], **cut)
    photographs = [name.rpartition("_")[0] or name for name in names]
    return Faces(
        images=pixels,
        points=points,
        scheme=HELEN_194,
        source="Helen",
        groups=np.unique(photographs, return_inverse=True)[1],
        parts=_parts(root, names),
        names=np.array(names),
    )


def read_annotation(file: Path | str) -> tuple[str, np.ndarray]:
    """(image name, float64 (194, 2) 0-based points) of one annotation file.

    Raises:
        SourceError: a wrong number of points, or a line that is not `x , y`.
    """
    lines = Path(file).read_text(encoding="latin-1").splitlines()
    points = []
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        points.append(crop.read_point(file, number, line, "x , y: two numbers", ","))
    if len(points) != len(HELEN_194):
        raise fault(file, f"{len(HELEN_194)} points", f"{len(points)} points")
    return _head(file), np.array(points)


def _annotation(path):
    return path if path.name == "annotation" else path / "annotation"


def _head(file):
    with Path(file).open(encoding="latin-1") as stream:
        name = stream.readline().strip()
    if not name or "," in name:
        raise fault(file, "the image's name", name, line=1)
    return name


def _parts(root, names):
    """ "train" or "test" per name from the two lists; "" where neither has it."""
    part = {}
    for value, list_name in _LISTS.items():
        file = root / list_name
        if not file.is_file():
            continue
        for number, line in enumerate(file.read_text("latin-1").split("\n"), start=1):
            name = line.strip()
            if part.get(name, value) != value:
                raise fault(file, f"names that are not in {_LISTS[part[name]]}", name, line=number)
            if name:
                part[name] = value
    return np.array([part.get(name, "") for name in names], dtype="<U5")
