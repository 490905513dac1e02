"""Kaggle's files: written in their true format, read back, and every fault named."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fkp.data.readers import SourceError, read, recognise
from fkp.data.readers.kaggle import COLUMNS, parse_pixels, read_lookup, read_sample

DATA = os.environ.get("FKP_DATA")
HEADER = ",".join((*COLUMNS, "Image"))


@pytest.fixture(autouse=True)
def user_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))


def faces(n=3, seed=0):
    """(images (n, 96, 96) uint8, points (n, 30) with one unlabelled coordinate pair)."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 95, (n, 30)).round(6).astype(np.float32)
    points[-1, 4:6] = np.nan
    return rng.integers(0, 256, (n, 96, 96), dtype=np.uint8), points


def cells(images, points):
    """Rows of text fields: 30 coordinates and the pixels."""
    return [
        [*("" if np.isnan(value) else repr(float(value)) for value in row), pixels(image)]
        for image, row in zip(images, points, strict=True)
    ]


def pixels(image):
    return " ".join(map(str, image.ravel().tolist()))


def write_training(folder, rows=None, header=HEADER, name="training.csv", end="\n"):
    file = folder / name
    rows = cells(*faces()) if rows is None else rows
    file.write_text(end.join([header, *(",".join(row) for row in rows), ""]), newline="")
    return file


def zipped(file):
    with zipfile.ZipFile(file.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(file, file.name)
    file.unlink()
    return file.with_suffix(".zip")


def check(found, images, points):
    assert np.array_equal(found.images[..., 0], images)
    assert np.array_equal(found.points.reshape(-1, 30), points, equal_nan=True)


def test_training_csv_is_read_as_written(tmp_path):
    file = write_training(tmp_path)
    for path in (file, tmp_path):
        assert recognise(path) == "kaggle"
        found = read(path)
        check(found, *faces())
        assert found.source == "Kaggle format"
        assert found.scheme.name == "kaggle15"
        assert found.names.tolist() == ["row 1", "row 2", "row 3"]
        assert found.groups.tolist() == [0, 1, 2]
        assert set(found.parts) == {""}


def test_quotes_crlf_a_byte_order_mark_and_blank_lines_are_fine(tmp_path):
    rows = [[*row[:-1], f'"{row[-1]}"'] for row in cells(*faces())]
    header = ",".join(f'"{name}"' for name in HEADER.split(","))
    file = write_training(tmp_path, rows, "\ufeff" + header, end="\r\n")
    file.write_bytes(file.read_bytes() + b"\r\n\r\n")
    check(read(file), *faces())


def test_odd_white_space_and_leading_zeros_are_fine(tmp_path):
    rows = cells(*faces())
    rows[1][-1] = " " + "\t".join(f"{int(value):04d}" for value in rows[1][-1].split()) + "  "
    check(read(write_training(tmp_path, rows)), *faces())


def test_columns_are_found_by_name(tmp_path):
    order = np.random.default_rng(1).permutation(31)
    names = HEADER.split(",")
    rows = [[row[i] for i in order] for row in cells(*faces())]
    check(read(write_training(tmp_path, rows, ",".join(names[i] for i in order))), *faces())


def test_zip_is_read_and_a_csv_beside_it_goes_first(tmp_path):
    file = zipped(write_training(tmp_path))
    check(read(file), *faces())
    check(read(tmp_path), *faces())
    write_training(tmp_path, cells(*faces(2, seed=9)))
    check(read(tmp_path), *faces(2, seed=9))


def test_zip_of_another_name_holds_any_csv(tmp_path):
    file = zipped(write_training(tmp_path, name="faces.csv"))
    assert recognise(file) == "kaggle"
    check(read(file.rename(tmp_path / "download.zip")), *faces())


@pytest.mark.parametrize("zip_it", [False, True])
def test_test_file_has_no_points(tmp_path, zip_it):
    images, _ = faces()
    rows = [[str(i + 1), pixels(image)] for i, image in enumerate(images)]
    file = write_training(tmp_path, rows, "ImageId,Image", "test.csv")
    file = zipped(file) if zip_it else file
    for found in (read(file), read(tmp_path, part="test")):
        assert np.array_equal(found.images[..., 0], images)
        assert np.isnan(found.points).all()
        assert found.points.shape == (3, 15, 2)
    with pytest.raises(SourceError, match=r"training\.csv or training\.zip"):
        read(tmp_path)


def test_test_rows_out_of_order_are_refused(tmp_path):
    rows = [[str(i), pixels(image)] for i, image in zip((1, 3), faces()[0], strict=False)]
    file = write_training(tmp_path, rows, "ImageId,Image", "test.csv")
    with pytest.raises(SourceError, match=r"data row 2 \(line 3\), column ImageId: got '3'"):
        read(file)


def test_the_source_is_a_stand_in_by_its_path(tmp_path):
    folder = tmp_path / "kaggle_standin"
    folder.mkdir()
    file = write_training(folder)
    assert read(folder).source == read(file).source == "kaggle stand-in"


def test_cache_gives_the_same_faces_and_notices_a_change(tmp_path):
    file = write_training(tmp_path)
    first, second = read(file), read(file)
    assert first.fingerprint == second.fingerprint
    assert list(tmp_path.rglob("*.npz"))
    write_training(tmp_path, cells(*faces(seed=5)))
    check(read(file), *faces(seed=5))


def test_without_cache_nothing_is_written(tmp_path):
    check(read(write_training(tmp_path), use_cache=False), *faces())
    assert not list(tmp_path.rglob("*.npz"))


def test_results_can_be_written_to(tmp_path):
    for use_cache in (False, True, True):
        found = read(write_training(tmp_path), use_cache=use_cache)
        found.images[0, 0, 0, 0] = 1


def spoil_pixel(value, at=3):
    def spoil(rows):
        tokens = rows[1][-1].split()
        tokens[at] = value
        rows[1][-1] = " ".join(tokens)

    return spoil


def spoil_field(column, value):
    def spoil(rows):
        rows[1][column] = value

    return spoil


WHERE = r"training\.csv, data row 2 \(line 3\)"


@pytest.mark.parametrize(
    "spoil, message",
    [
        (spoil_pixel("256"), ", column Image: got '256', expected a whole number 0-255 as pixel 4"),
        (spoil_pixel("1000"), ", column Image: got '1000'"),
        (spoil_pixel("999", 9215), ", column Image: got '999'.*pixel 9216 of 9216"),
        (spoil_pixel("-1"), ", column Image: got '-1'"),
        (spoil_pixel("12.5"), r", column Image: got '12\.5'"),
        (spoil_pixel("é"), ", column Image: got"),
        (spoil_pixel("1 2"), ", column Image: got '9217 pixels', expected 9216 pixels"),
        (spoil_pixel(""), ", column Image: got '9215 pixels'"),
        (spoil_field(-1, ""), ", column Image: got '0 pixels'"),
        (spoil_field(1, "abc"), ", column left_eye_center_y: got 'abc', expected a number"),
        (spoil_field(0, "inf"), ", column left_eye_center_x: got 'inf', expected a number"),
        (spoil_field(0, "1,2"), ": got '32 fields', expected 31 fields"),
    ],
)
def test_a_bad_row_is_named(tmp_path, spoil, message):
    rows = cells(*faces())
    spoil(rows)
    with pytest.raises(SourceError, match=WHERE + message):
        read(write_training(tmp_path, rows))


def test_a_missing_or_repeated_column_is_named(tmp_path):
    file = write_training(tmp_path, header=HEADER.replace("nose_tip_x", "nose_x"))
    with pytest.raises(SourceError, match=r"training\.csv, column nose_tip_x: .*expected this"):
        read(file)
    file = write_training(tmp_path, header=HEADER.replace("nose_tip_x", "nose_tip_y"))
    with pytest.raises(SourceError, match="column nose_tip"):
        read(file)
    file = write_training(tmp_path, header=HEADER.replace("Image", "Pixels"))
    with pytest.raises(SourceError, match="column Image"):
        read(file, source="kaggle")


def test_empty_and_header_only_files_are_refused(tmp_path):
    file = tmp_path / "training.csv"
    file.write_text("")
    with pytest.raises(SourceError, match="expected a header and data rows"):
        read(file)
    with pytest.raises(SourceError, match="a header only"):
        read(write_training(tmp_path, rows=[]))


def test_broken_zips_are_refused(tmp_path):
    file = zipped(write_training(tmp_path))
    whole = file.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"PK nonsense"):
        file.write_bytes(content)
        with pytest.raises(SourceError, match=r"training\.zip.*expected a whole zip"):
            read(file)
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 0xFF
    file.write_bytes(bytes(damaged))
    with pytest.raises(SourceError, match=r"training\.zip"):
        read(file)


def test_a_zip_needs_one_csv(tmp_path):
    file = tmp_path / "training.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(SourceError, match=r"readme\.txt.*expected one \.csv inside"):
        read(file)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 255), min_size=1, max_size=40))
def test_pixels_round_trip(values):
    text = " ".join(map(str, values)).encode()
    assert [*parse_pixels(text, len(values), "a.csv", 0, 2)] == values


@settings(max_examples=300, deadline=None)
@given(st.text("0123456789 .-x\t", max_size=24), st.integers(0, 6))
def test_pixels_agree_with_plain_parsing(text, count):
    tokens = text.split()
    good = len(tokens) == count and all(t.isdigit() and int(t) < 256 for t in tokens)
    if good:
        assert [*parse_pixels(text.encode(), count, "a", 0, 2)] == [int(t) for t in tokens]
    else:
        with pytest.raises(SourceError):
            parse_pixels(text.encode(), count, "a", 0, 2)


def test_lookup_and_sample(tmp_path):
    lookup = tmp_path / "IdLookupTable.csv"
    lookup.write_text("RowId,ImageId,FeatureName,Location\n1,1,nose_tip_x,\n2,1,nose_tip_y,\n")
    sample = tmp_path / "SampleSubmission.csv"
    sample.write_text("RowId,Location\n1,0.0\n2,0\n")
    for path in (tmp_path, lookup):
        table = read_lookup(path)
        assert table.to_dict("list") == {
            "RowId": [1, 2], "ImageId": [1, 1], "FeatureName": ["nose_tip_x", "nose_tip_y"],
        }  # fmt: skip
        assert table["ImageId"].dtype == np.int64
    assert read_sample(tmp_path).to_dict("list") == {"RowId": [1, 2], "Location": [0.0, 0.0]}


@pytest.mark.parametrize(
    "body, message",
    [
        ("RowId,ImageId\n1,1\n", "column FeatureName"),
        ("RowId,ImageId,FeatureName\n1,1,nose\n", r"data row 1 \(line 2\), column FeatureName"),
        ("RowId,ImageId,FeatureName\n1,x,nose_tip_x\n", "data row 1.*ImageId: got 'x'"),
        ("RowId,ImageId,FeatureName\n1,,nose_tip_x\n", "data row 1.*ImageId: got ''"),
        ("RowId,ImageId,FeatureName\n1,1.5,nose_tip_x\n", "data row 1.*ImageId: got '1.5'"),
        ("RowId,ImageId,FeatureName\n1,1,nose_tip_x\n1,1,nose_tip_y\n", "data row 2.*RowId once"),
        ("RowId,ImageId,FeatureName\n", "a header only"),
        ("", "expected a table"),
    ],
)
def test_a_bad_lookup_table_is_named(tmp_path, body, message):
    (tmp_path / "IdLookupTable.csv").write_text(body)
    with pytest.raises(SourceError, match=rf"IdLookupTable\.csv.*{message}"):
        read_lookup(tmp_path)


def test_a_missing_or_bad_sample_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"SampleSubmission\.csv: expected"):
        read_sample(tmp_path)
    (tmp_path / "SampleSubmission.csv").write_text("RowId,Location\n1,zero\n")
    with pytest.raises(SourceError, match=r"data row 1.*Location: got 'zero'"):
        read_sample(tmp_path)


@pytest.mark.skipif(not DATA, reason="FKP_DATA does not point at the real data")
def test_real_stand_in():
    folder = Path(DATA) / "kaggle_standin"
    train, test = read(folder), read(folder, part="test")
    assert (len(train), int(train.complete.sum()), len(test)) == (7049, 1736, 1783)
    assert train.source == test.source == "kaggle stand-in"
    lookup = read_lookup(folder)
    assert len(lookup) == len(read_sample(folder))
    assert lookup["ImageId"].max() <= len(test)
