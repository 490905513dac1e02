"""Pictures and videos by name in, the faces found in them as files out: JSON, CSV, .pts."""

import glob
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count, takewhile
from pathlib import Path

import numpy as np

from fkp.measure.pose import Pose
from fkp.photo import video
from fkp.photo.finder import Face
from fkp.record.files import whole, write_json, write_text

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif")
_WRITTEN = ".written"  # in the folder of overlays: names of what is ours there, and what it shows


@dataclass(frozen=True)
class Found:
    """A picture, or one of a video, and its faces.

    Attributes:
        file: of the picture.
        stem: what files about it are called.
        width, height: of the picture as shown, px.
        faces: in it.
        time: in the video, s; None of a picture by itself.
        numbers: of the faces; 1, 2... unless they are followed.
    """

    file: Path
    stem: str
    width: int
    height: int
    faces: Sequence[Face]
    time: float | None = None
    numbers: Sequence[int] | None = None

    def numbered(self) -> list[tuple[int, Face]]:
        """Each face with its number."""
        numbers = self.numbers or range(1, len(self.faces) + 1)
        return list(zip(numbers, self.faces, strict=True))

    def facts(self) -> dict:
        """{file, width, height, faces: [{box, score, scheme, points, error, pose}]}, plain values.

        Lengths are px; pose is {yaw, pitch, roll} in degrees, None of points other than the 68.
        Pictures of a video have a time, s, and their faces a number.
        """
        faces = [
            ({} if self.time is None else {"number": number})
            | {
                "box": _short(face.box),
                "score": face.score and round(face.score, 3),
                "scheme": face.scheme.name,
                "points": _short(face.points),
                "error": None if face.error is None else _short(face.error),
                "pose": face.pose and dict(zip(Pose._fields, _short(face.pose), strict=True)),
            }
            for number, face in self.numbered()
        ]
        time = {} if self.time is None else {"time": round(self.time, 4)}
        size = {"width": self.width, "height": self.height}
        return {"file": self.file.as_posix(), **time, **size, "faces": faces}


def pictures(sources: Sequence[str], leave: Path) -> dict[Path, str]:
    """The pictures and videos of files, folders (whole trees) and globs.

    Args:
        sources: names.
        leave: the folder that is written to: passed over inside other folders, and what is ours
            in it however it is named.

    Returns:
        file -> a name of its own for what is written about it: its stem, numbered if that is taken
        by another, here or earlier in `leave`, or there by a file that is not ours.

    Raises:
        FileNotFoundError: a source that is not there, or holds neither; sources of which all is
            ours.
    """
    files, known, leave = {}, (*SUFFIXES, *video.SUFFIXES), leave.resolve()
    ours = _ours(leave)
    for source in sources:
        path = Path(source)
        if path.is_dir() and source:
            found = sorted(f for f in path.rglob("*") if f.suffix.lower() in known and f.is_file())
            if path.resolve() in leave.parents:
                found = [file for file in found if leave not in file.resolve().parents]
            what = "no picture or video in this folder"
        else:
            # Path.glob refuses absolute patterns.
            named = [Path(name) for name in sorted(glob.glob(source, recursive=True))]  # noqa: PTH207
            found = [f for f in named if f.suffix.lower() in known and f.is_file()]
            found = [path] if path.is_file() else found
            what = "no picture or video among these" if named else "no such file or folder"
        if not found:
            raise FileNotFoundError(f"{source or repr(source)}: {what}")
        found = [f for f in found if f.resolve().parent != leave or f.stem not in ours]
        files |= {file.resolve(): file for file in found}
    if sources and not files:
        raise FileNotFoundError(f"{leave}: all that was named is what fkp wrote there")
    names, used = {}, set()
    there = {re.sub(r"_\d+$", "", f.stem) for f in leave.glob("*.pts")}
    there |= {f.stem for f in leave.glob("*") if f.suffix.lower() in known}
    for shown, file in files.items():
        numbered = (f"{file.stem}{f'-{i}' if i else ''}" for i in count())
        free = (n for n in numbered if n not in there or ours.get(n) == str(shown))
        names[file] = next(name for name in free if name not in used)
        used.add(names[file])
    return names


def remember(folder: Path, names: Mapping[Path, str]) -> None:
    """Note that what is called so in the folder is ours: shown again it may be replaced."""
    write_json(folder / _WRITTEN, _ours(folder) | {n: str(f.resolve()) for f, n in names.items()})


def _ours(folder):
    """Name -> the picture or video that it is about."""
    note = folder / _WRITTEN
    with suppress(ValueError):  # of an earlier version: lines
        return json.loads(note.read_text("utf-8")) if note.is_file() else {}
    return {}


def to_json(found: Sequence[Found], folder: Path) -> Path:
    """predictions.json: a list of `Found.facts`."""
    write_json(folder / "predictions.json", [picture.facts() for picture in found])
    return folder / "predictions.json"


def to_csv(found: Sequence[Found], folder: Path) -> Path:
    """predictions.csv: a row a point; file, time (s, of videos), face, point, x, y, error."""
    import pandas as pd  # slow to import, and only needed here

    columns = ["file", "time", "face", "point", "x", "y", "error"]
    rows = [
        (picture.file.as_posix(), time, number, label, *xy, error)
        for picture in found
        for time in [None if picture.time is None else f"{picture.time:.4f}"]
        for number, face in picture.numbered()
        for label, xy, error in zip(
            face.scheme.labels,
            face.points,
            np.full(len(face.points), np.nan) if face.error is None else face.error,
            strict=True,
        )
    ]
    with whole(folder / "predictions.csv") as part:
        table = pd.DataFrame(rows, columns=columns)
        videos = any(picture.time is not None for picture in found)
        table = table if videos else table.drop(columns="time")
        table.to_csv(part, index=False, float_format="%.2f", errors="backslashreplace")
    return folder / "predictions.csv"


def to_pts(found: Sequence[Found], folder: Path) -> Path:
    """PICTURE_1.pts, PICTURE_2.pts ...: a file a face, pixels counted from 1 as 300-W does.

    Those of an earlier call that found more faces are removed.
    """
    for picture in found:
        for number, face in enumerate(picture.faces, 1):
            lines = "".join(f"{x:.2f} {y:.2f}\n" for x, y in face.points + 1)
            text = f"version: 1\nn_points: {len(face.points)}\n{{\n{lines}}}\n"
            write_text(folder / f"{picture.stem}_{number}.pts", text)
        more = (folder / f"{picture.stem}_{n}.pts" for n in count(len(picture.faces) + 1))
        for earlier in takewhile(Path.is_file, more):
            earlier.unlink()
    return folder


FORMS: dict[str, Callable[[Sequence[Found], Path], Path]] = {
    "json": to_json,
    "csv": to_csv,
    "pts": to_pts,
}


def _short(values):
    return np.asarray(values, float).round(2).tolist()
