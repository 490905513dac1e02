"""Pictures by name in, the faces found in them as files out: overlays, JSON, CSV, .pts."""

import glob
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fkp.measure.pose import Pose
from fkp.photo.finder import Face
from fkp.record.files import whole, write_json, write_text

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")


@dataclass(frozen=True)
class Found:
    """A picture and its faces.

    Attributes:
        file: of the picture.
        stem: what files about it are called.
        width, height: of the picture as shown, px.
        faces: in it.
    """

    file: Path
    stem: str
    width: int
    height: int
    faces: Sequence[Face]

    def facts(self) -> dict:
        """{file, width, height, faces: [{box, score, scheme, points, error, pose}]}, plain values.

        Lengths are px; pose is {yaw, pitch, roll} in degrees, None of points other than the 68.
        """
        faces = [
            {
                "box": _short(face.box),
                "score": face.score and round(face.score, 3),
                "scheme": face.scheme.name,
                "points": _short(face.points),
                "error": None if face.error is None else _short(face.error),
                "pose": face.pose and dict(zip(Pose._fields, _short(face.pose), strict=True)),
            }
            for face in self.faces
        ]
        size = {"width": self.width, "height": self.height}
        return {"file": self.file.as_posix(), **size, "faces": faces}


def pictures(sources: Sequence[str], leave: Path) -> dict[Path, str]:
    """The pictures of files, folders (whole trees) and globs.

    Args:
        sources: names.
        leave: a folder that is passed over inside other folders: the one that is written to.

    Returns:
        file -> a name of its own for what is written about it: its stem, numbered if taken.

    Raises:
        FileNotFoundError: a source that is not there, or holds no picture.
    """
    files = {}
    for source in sources:
        path = Path(source)
        if path.is_dir():
            found = sorted(f for f in path.rglob("*") if f.suffix.lower() in SUFFIXES)
            found = [file for file in found if leave.resolve() not in file.resolve().parents]
        else:
            # Path.glob refuses absolute patterns.
            named = glob.glob(source, recursive=True)  # noqa: PTH207
            found = [path] if path.exists() else [Path(name) for name in sorted(named)]
        files |= {file.resolve(): file for file in found}
        if not found:
            what = "no picture in this folder" if path.is_dir() else "no such file or folder"
            raise FileNotFoundError(f"{source}: {what}")
    names, taken = {}, set()
    for file in files.values():
        numbered = (f"{file.stem}{f'-{i}' if i else ''}" for i in range(len(files)))
        names[file] = next(name for name in numbered if name not in taken)
        taken.add(names[file])
    return names


def to_json(found: Sequence[Found], folder: Path) -> Path:
    """predictions.json: a list of `Found.facts`."""
    write_json(folder / "predictions.json", [picture.facts() for picture in found])
    return folder / "predictions.json"


def to_csv(found: Sequence[Found], folder: Path) -> Path:
    """predictions.csv: a row a point; file, face (from 1), point, x, y, error."""
    import pandas as pd  # slow to import, and only needed here

    columns = ["file", "face", "point", "x", "y", "error"]
    rows = [
        (picture.file.as_posix(), number, label, *xy, error)
        for picture in found
        for number, face in enumerate(picture.faces, 1)
        for label, xy, error in zip(
            face.scheme.labels,
            face.points,
            np.full(len(face.points), np.nan) if face.error is None else face.error,
            strict=True,
        )
    ]
    with whole(folder / "predictions.csv") as part:
        pd.DataFrame(rows, columns=columns).to_csv(part, index=False, float_format="%.2f")
    return folder / "predictions.csv"


def to_pts(found: Sequence[Found], folder: Path) -> Path:
    """PICTURE_1.pts, PICTURE_2.pts ...: a file a face, pixels counted from 1 as 300-W does."""
    for picture in found:
        for number, face in enumerate(picture.faces, 1):
            lines = "".join(f"{x:.2f} {y:.2f}\n" for x, y in face.points + 1)
            text = f"version: 1\nn_points: {len(face.points)}\n{{\n{lines}}}\n"
            write_text(folder / f"{picture.stem}_{number}.pts", text)
    return folder


FORMS: dict[str, Callable[[Sequence[Found], Path], Path]] = {
    "json": to_json,
    "csv": to_csv,
    "pts": to_pts,
}


def _short(values):
    return np.asarray(values, float).round(2).tolist()
