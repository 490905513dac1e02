"""The registry: recognition, options and errors that list what is known."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from fkp.data import readers
from fkp.data.readers import SOURCES, SourceError, fault, read, recognise


def test_fault_says_where_and_what():
    error = fault("a.csv", "a number", "abc", row=3, line=4, column="nose_tip_x")
    expected = "a.csv, data row 3 (line 4), column nose_tip_x: got 'abc', expected a number"
    assert str(error) == expected
    assert isinstance(error, ValueError)
    assert len(str(fault("a.csv", "less", "x" * 1000))) < 120


@pytest.mark.parametrize("name", [name for name in SOURCES if name != "drawn"])
def test_every_module_offers_recognises_and_read(name, tmp_path):
    module = readers.module(name)
    assert callable(module.read)
    assert module.recognises(tmp_path) is False
    assert module.recognises(tmp_path / "absent") is False


def test_a_path_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"absent: no such file or folder$"):
        read(tmp_path / "absent")
    with pytest.raises(SourceError, match="no such file or folder, expected"):
        read(tmp_path / "absent", source="kaggle")


def test_an_empty_folder_lists_the_formats(tmp_path):
    with pytest.raises(SourceError, match=r"the folder is empty.*training\.csv"):
        read(tmp_path)


def test_unknown_content_lists_the_formats(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    for path in (tmp_path, tmp_path / "notes.txt"):
        with pytest.raises(SourceError, match=r"not recognised.*training\.csv"):
            recognise(path)


def test_a_csv_without_images_is_not_recognised(tmp_path):
    (tmp_path / "lookup.csv").write_text("RowId,ImageId,FeatureName,Location\n1,1,nose_tip_x,\n")
    with pytest.raises(SourceError, match="not recognised"):
        recognise(tmp_path / "lookup.csv")


def test_unknown_source_and_options_are_named(tmp_path):
    with pytest.raises(SourceError, match=r"unknown source 'kagle' \(known: kaggle"):
        read(tmp_path, source="kagle")
    with pytest.raises(SourceError, match=r"source npz has no option 'sise' \(known: none\)"):
        read(tmp_path / "a.npz", source="npz", sise=96)
    with pytest.raises(SourceError, match="source ibug needs a path"):
        read(source="ibug")


def test_no_path_draws(monkeypatch, tmp_path):
    drawn = SimpleNamespace(read=lambda n=2000, seed=0: (n, seed))
    monkeypatch.setitem(sys.modules, SOURCES["drawn"][0], drawn)
    assert read() == (2000, 0)
    assert read(n=3, seed=1) == (3, 1)
    with pytest.raises(SourceError, match="reads no path"):
        read(tmp_path, source="drawn")


def test_source_overrides_recognition(tmp_path):
    file = tmp_path / "faces.npz"
    np.savez(file, images=np.zeros((2, 8, 8), np.uint8), points=np.zeros((2, 15, 2)))
    assert recognise(file) == "npz"
    assert len(read(file)) == 2
    with pytest.raises(SourceError, match=r"faces\.npz"):
        read(file, source="kaggle")


def test_without_a_path_faces_are_drawn_with_their_own_options(tmp_path):
    drawn = {"n": 3, "size": 32, "scheme": "ibug68"}
    faces = readers.read_or_draw(None, None, {"size": 64}, drawn)
    assert faces.images.shape == (3, 32, 32, 1) and faces.scheme.name == "ibug68"
    assert len(readers.read_or_draw(None, "drawn", {}, {"n": 2})) == 2
    with pytest.raises(ValueError, match=r"ibug68.*'ibug69'"):
        readers.read_or_draw(None, None, {}, {"scheme": "ibug69"})
    with pytest.raises(SourceError, match="absent"):
        readers.read_or_draw(tmp_path / "absent", None, {}, drawn)


def test_a_notebook_opened_by_hand_finds_data_from_the_projects_folder(tmp_path, monkeypatch):
    for name in ("notebooks", "data"):
        (tmp_path / name).mkdir()
    drawn = readers.read(n=2)
    np.savez(tmp_path / "data" / "faces.npz", images=drawn.images, points=drawn.points)
    monkeypatch.chdir(tmp_path / "notebooks")
    assert len(readers.read_or_draw("data/faces.npz", None, {}, {})) == 2
