"""Label tables without pixels and the labelling regimes in them."""

import os
from pathlib import Path

import numpy as np
import pytest

from fkp.data import drawing, readers
from fkp.data.readers import SourceError
from fkp.data.readers.kaggle import COLUMNS
from fkp.data.schemes import KAGGLE_15, of_regime
from fkp.papers import regimes

DATA = os.environ.get("FKP_DATA")


def write(folder, rows, columns=COLUMNS, name="facial_keypoints.csv"):
    file = folder / name
    text = "\n".join(",".join(map(str, row)) for row in (columns, *rows)) + "\n"
    file.write_text(text, encoding="utf-8")
    return file


def values(n=3):
    return np.random.default_rng(0).uniform(0, 95, (n, 30)).round(4).astype(str).tolist()


def test_columns_are_read_by_name_and_empty_is_unlabelled(tmp_path):
    rows = values()
    rows[1][4] = rows[1][5] = ""
    expected = np.array([[v or "nan" for v in row] for row in rows], np.float32)
    points = regimes.read(write(tmp_path, rows))
    assert points.dtype == np.float32
    np.testing.assert_array_equal(points, expected.reshape(3, 15, 2))
    turned = [[7, *row[::-1]] for row in rows]
    file = write(tmp_path, turned, ["number", *COLUMNS[::-1]])
    np.testing.assert_array_equal(regimes.read(file), points)


def test_only_a_table_without_pixels_is_recognised(tmp_path):
    assert regimes.recognises(write(tmp_path, values()))
    assert not regimes.recognises(write(tmp_path, [], [*COLUMNS, "Image"], "training.csv"))
    assert not regimes.recognises(write(tmp_path, [], ["a", "b"], "other.csv"))
    assert not regimes.recognises(tmp_path)
    assert not regimes.recognises(tmp_path / "absent.csv")
    assert not regimes.recognises(None)


def test_errors_name_file_row_column_and_value(tmp_path):
    rows = values()
    rows[2][7] = "n/a"
    with pytest.raises(SourceError, match=rf"keypoints.csv.*row 3.*line 4.*{COLUMNS[7]}.*'n/a'"):
        regimes.read(write(tmp_path, rows))
    with pytest.raises(SourceError, match="column mouth_center_bottom_lip_y"):
        regimes.read(write(tmp_path, [row[:-1] for row in values()], COLUMNS[:-1]))
    with pytest.raises(SourceError, match="a header only"):
        regimes.read(write(tmp_path, []))
    with pytest.raises(SourceError, match="with the 30 coordinate columns"):
        regimes.read(tmp_path / "absent.csv")


def test_the_second_regime_starts_behind_the_last_full_row():
    points = drawing.read(n=60, regimes=True).points
    second = regimes.second_regime(points)
    np.testing.assert_array_equal(second, np.arange(60) >= round(60 * drawing.FIRST_REGIME))
    found = [KAGGLE_15.labels[i] for i in regimes.shared_points(points)]
    assert found == ["left_eye_center", "right_eye_center", "nose_tip", "mouth_center_bottom_lip"]
    with pytest.raises(ValueError, match="none of 5 rows is of a second"):
        regimes.shared_points(points[:5])


def test_the_shift_of_the_second_regimes_marks_is_found():
    points = drawing.read(n=1500, regimes=True).points
    shift = regimes.regime_shift(points)
    for label, down in drawing.SECOND_REGIME_DOWN.items():
        assert shift[KAGGLE_15.labels.index(label), 1] == pytest.approx(down, abs=0.6)
    moved = [KAGGLE_15.labels.index(label) for label in drawing.SECOND_REGIME_DOWN]
    np.testing.assert_array_equal(np.delete(shift, moved, axis=0), 0)
    assert np.abs(shift[:, 0]).max() < 0.6


def test_a_description_counts_and_fingerprints():
    points = np.arange(60, dtype=np.float32).reshape(2, 15, 2)
    other = points.copy()
    other[1, 3] = np.nan
    first, second = regimes.describe(points, "a"), regimes.describe(other, "a")
    assert (first["rows"], first["complete_rows"], second["complete_rows"]) == (2, 2, 1)
    assert first["fingerprint"] != second["fingerprint"]


@pytest.mark.skipif(not DATA, reason="FKP_DATA names no folder of data sets")
def test_the_genuine_labels():
    file = Path(DATA or "", "kaggle_labels", "facial_keypoints.csv")
    if not file.is_file():
        pytest.skip(f"no {file.name}")
    found = regimes.describe(regimes.read(file), "kaggle labels")
    assert (found["rows"], found["complete_rows"]) == (7049, 2140)
    assert np.flatnonzero(regimes.second_regime(regimes.read(file)))[0] == 2284


def test_each_regime_has_points_of_its_own():
    faces = readers.read(n=60, regimes=True)
    second, shared = regimes.second_regime(faces.points), regimes.shared_points(faces.points)
    both = regimes.apart(faces)
    assert len(both.scheme) == 30 and sorted(both.scheme.mirror) == [*range(30)]
    first, other = both.points[:, :15], both.points[:, 15:]
    assert np.isnan(first[second][:, shared]).all() and np.isnan(other[~second][:, shared]).all()
    np.testing.assert_array_equal(first[~second], faces.points[~second])
    np.testing.assert_array_equal(other[second], faces.points[second])
    alone = np.setdiff1d(np.arange(15), shared)
    np.testing.assert_array_equal(first[:, alone], other[:, alone])
    np.testing.assert_array_equal(of_regime(both.points, second), faces.points)
