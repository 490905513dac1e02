"""Kaggle's Facial Keypoints Detection files: training and test, .csv or .zip, and the lookup table.

One row is one 96x96 gray face; coordinates are 0-based pixels, an empty field is an unlabelled
coordinate. The pixels of a row are one field of 9216 numbers. Reading them a number at a time is
what makes the usual `Image.apply(np.fromstring)` slow, so `parse_pixels` turns a row's digits into
numbers by array arithmetic, and nothing but the finished uint8 images stays in memory. Known quirks
of the genuine file (duplicates, wrong labels) are kept: this module reads, later stages judge.
"""

import io
import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from fkp.data.faces import Faces
from fkp.data.readers import SourceError, cache, columns, fault
from fkp.data.schemes import KAGGLE_15
from fkp.record.digests import array_digest

SIZE = 96
COLUMNS = tuple(f"{label}_{axis}" for label in KAGGLE_15.labels for axis in "xy")
_STEMS = {"train": "training", "test": "test"}
_NAMES = tuple(f"{stem}{suffix}" for stem in _STEMS.values() for suffix in (".csv", ".zip"))
_VERSION = 1
_LIMIT = 2**31  # bytes of a .csv in an archive; Kaggle's own has an eighth of that
_GENUINE = "c4e7a4dafe02bbb4"  # digest of the coordinates of Kaggle's own training file


def recognises(path: Path | str) -> bool:
    """A folder with training or test data, any .zip, or a .csv of them, by name or columns."""
    path = Path(path)
    if path.is_dir():
        return any((path / name).is_file() and recognises(path / name) for name in _NAMES)
    if path.suffix.lower() != ".csv":
        return path.suffix.lower() == ".zip"
    # An empty training.csv, or one with semicolons, is told so by `read`.
    names = columns.header(path) or ["Image"]
    words = {word for name in names for word in name.split(";")}
    told = path.name in _NAMES or not words.isdisjoint((*COLUMNS, "ImageId"))
    return "Image" in words and told


def read(path: Path | str, part: str = "train", use_cache: bool = True) -> Faces:
    """Read a training or test file.

    `Faces.source` is "kaggle" for Kaggle's own training labels, else "Kaggle format", or "kaggle
    stand-in" where the path says "standin".

    Args:
        path: .csv or .zip file (its columns tell training from test), or a folder.
        part: "train" or "test": which file of a folder to read; .csv goes before .zip.
        use_cache: keep the parsed arrays beside the file for next time.

    Returns:
        Faces: images uint8 (n, 96, 96, 1), points float32 (n, 15, 2) in `KAGGLE_15`, all NaN for a
        test file; names "row 1", "row 2" ... (for a test file row i is ImageId i); each row its
        own group; no parts, for Kaggle splits by file.

    Raises:
        SourceError: names file, row, column and value.
    """
    path = Path(path)
    file = _find(path, part) if path.is_dir() else path
    if not file.is_file():
        raise fault(file, f"a file, such as {_NAMES[0]}, or its folder")

    def parse():
        with _open(file) as stream:
            images, points = _parse(file, stream)
        return {"images": images, "points": points}

    found = cache.arrays(file, [file], parse, version=_VERSION) if use_cache else parse()
    images, points = found["images"], found["points"]
    standin = any("standin" in name for name in file.resolve().parts)
    source = "kaggle stand-in" if standin else "Kaggle format"
    if array_digest("", points) == _GENUINE:
        source = "kaggle"
    names = np.array([f"row {i + 1}" for i in range(len(images))])
    return Faces(images=images, points=points, scheme=KAGGLE_15, source=source, names=names)


def read_lookup(path: Path | str) -> pd.DataFrame:
    """IdLookupTable.csv, given the file or its folder.

    Returns:
        DataFrame of RowId (int64), ImageId (int64) and FeatureName (one of `COLUMNS`), as ordered
        in the file.

    Raises:
        SourceError: a column or value is missing, RowId repeats or a feature is unknown.
    """
    path, table = _table(path, "IdLookupTable.csv", ("RowId", "ImageId", "FeatureName"))
    unknown = ~table["FeatureName"].isin(COLUMNS)
    columns.refuse(path, table, "FeatureName", unknown, "a coordinate such as nose_tip_x")
    return table.assign(RowId=_ids(path, table, "RowId"), ImageId=_ids(path, table, "ImageId"))


def read_sample(path: Path | str) -> pd.DataFrame:
    """SampleSubmission.csv, given the file or its folder.

    Returns:
        DataFrame of RowId (int64) and Location (float64).

    Raises:
        SourceError: a column or value is missing, or RowId repeats.
    """
    path, table = _table(path, "SampleSubmission.csv", ("RowId", "Location"))
    location = columns.numbers(path, table, "Location", "a number")
    columns.refuse(path, table, "Location", np.isnan(location), "a number")
    return table.assign(RowId=_ids(path, table, "RowId"), Location=location)


def _find(folder, part):
    if part not in _STEMS:
        raise fault(folder, "part 'train' or 'test'", part)
    for suffix in (".csv", ".zip"):
        file = folder / f"{_STEMS[part]}{suffix}"
        if file.is_file():
            return file
    raise fault(folder, f"{_STEMS[part]}.csv or {_STEMS[part]}.zip in this folder")


@contextmanager
def _open(file):
    """The lines of a .csv, or of the one .csv in a .zip, as a binary stream."""
    if file.suffix.lower() != ".zip":
        with file.open("rb", buffering=1 << 20) as stream:
            yield stream
        return
    try:
        with zipfile.ZipFile(file) as archive, archive.open(_member(file, archive)) as member:
            try:
                yield io.BufferedReader(member, 1 << 20)
            except SourceError:  # a damaged archive may still unpack, to rubbish
                if archive.testzip() is not None:
                    raise zipfile.BadZipFile("its checksums are wrong") from None
                raise
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        expected = f"a whole zip file (fetch it again? {error})"
        raise fault(file, expected, f"{file.stat().st_size} bytes") from error


def _member(file, archive):
    names = [
        name
        for name in archive.namelist()
        if name.lower().endswith(".csv") and not name.startswith("__MACOSX")
    ]
    if any(Path(name).is_absolute() or ".." in Path(name).parts for name in names):
        raise fault(file, "one .csv inside whose name stays inside", archive.namelist())
    same = [name for name in names if Path(name).stem == file.stem]
    chosen = same if len(same) == 1 else names
    if len(chosen) != 1:
        raise fault(file, f"one .csv inside, such as {file.stem}.csv", archive.namelist())
    size = archive.getinfo(chosen[0]).file_size
    if size > _LIMIT:
        raise fault(file, f"at most {_LIMIT:,} bytes inside", f"{size:,} bytes in {chosen[0]}")
    return chosen[0]


def _fields(line):
    return [field.strip(b'" \r\n') for field in line.removeprefix(b"\xef\xbb\xbf").split(b",")]


def _parse(file, stream):
    """Images (n, 96, 96, 1) and points (n, 15, 2) of all data rows."""
    header = _fields(stream.readline())
    if header == [b""]:
        raise fault(file, "a header and data rows", "an empty first line")
    places = _columns(file, [name.decode("latin-1") for name in header])
    pixels, coordinates, row = bytearray(), [], 0
    for line, text in enumerate(stream, start=2):
        if text.isspace():
            continue
        row += 1
        fields = _fields(text)
        if len(fields) != len(header):
            raise fault(file, f"{len(header)} fields", f"{len(fields)} fields", row, line)
        pixels += parse_pixels(fields[places["Image"]], SIZE * SIZE, file, row, line)
        if "ImageId" in places:
            number = fields[places["ImageId"]]
            if number != str(row).encode():
                expected = f"{row}: test rows count up from 1"
                raise fault(file, expected, number.decode("latin-1"), row, line, "ImageId")
        else:
            coordinates.append(_coordinates(fields, places, file, row, line))
    if row == 0:
        raise fault(file, "data rows below the header", "a header only")
    images = np.frombuffer(pixels, dtype=np.uint8).reshape(row, SIZE, SIZE, 1)
    if "ImageId" in places:
        return images, np.full((row, len(KAGGLE_15), 2), np.nan, dtype=np.float32)
    return images, np.array(coordinates, dtype=np.float32).reshape(row, len(KAGGLE_15), 2)


def parse_pixels(text: bytes, count: int, file: Path, row: int, line: int) -> bytes:
    """A row's pixels, written out as whole numbers 0-255 between spaces."""
    if text.strip() and not text.translate(None, b"0123456789 "):
        values = np.fromstring(text, np.int64, sep=" ")
        if len(values) == count and values.max() < 256:
            return values.astype(np.uint8).tobytes()
    # Slowly: knows other white space, and names the value at fault.
    tokens = text.split()
    if len(tokens) != count:
        raise fault(file, f"{count} pixels", f"{len(tokens)} pixels", row, line, "Image")
    for i, token in enumerate(tokens):
        if not token.isdigit() or int(token) > 255:
            expected = f"a whole number 0-255 as pixel {i + 1} of {count}"
            raise fault(file, expected, token.decode("latin-1"), row, line, "Image")
    return bytes(map(int, tokens))


def _columns(file, header):
    """Name -> position for a training file (30 coordinates) or a test file (ImageId)."""
    test = not any(name in COLUMNS for name in header)
    if len(header) == 1 and ";" in header[0]:
        raise fault(file, "commas between the columns", "semicolons", line=1)
    needed = ("ImageId", "Image") if test else (*COLUMNS, "Image")
    for name in needed:
        if header.count(name) != 1:
            raise fault(file, "this column once in the header", header.count(name), column=name)
    return {name: header.index(name) for name in needed}


def _coordinates(fields, places, file, row, line):
    """The 30 coordinates of a row in the order of `COLUMNS`; empty -> NaN."""
    values = []
    for name in COLUMNS:
        text = fields[places[name]]
        try:
            value = float(text) if text else np.nan
        except ValueError:
            value = np.inf
        if np.isinf(value):
            expected = "a number of pixels, or an empty field"
            raise fault(file, expected, text.decode("latin-1"), row, line, name)
        values.append(value)
    return values


def _table(path, name, needed):
    """(file, its columns as text)."""
    path = Path(path)
    path = path / name if path.is_dir() else path
    if not path.is_file():
        raise fault(path, f"{name}, or a folder that holds it")
    return path, columns.read(path, f"columns {', '.join(needed)}", needed)


def _ids(path, table, column):
    ids = pd.to_numeric(table[column], errors="coerce")
    bad = ~(ids.between(1, 2**53) & ids.mod(1).eq(0))
    columns.refuse(path, table, column, bad, "a whole number from 1")
    if column == "RowId":
        columns.refuse(path, table, column, ids.duplicated(), "every RowId once")
    return ids.astype(np.int64)
