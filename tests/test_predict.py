"""`fkp predict` as a stranger would use it: pictures in, overlays and points out."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from fkp import cli
from fkp.data import readers
from fkp.data.readers.ibug import read_pts
from fkp.data.schemes import IBUG_68
from fkp.photo.picture import read
from fkp.photo.predictions import pictures


@pytest.fixture
def drawn():
    return readers.read(n=2, size=160, channels=3, scheme=IBUG_68, seed=0)


@pytest.fixture
def folder(tmp_path, monkeypatch, drawn):
    monkeypatch.chdir(tmp_path)
    Path("in/deep").mkdir(parents=True)
    Image.fromarray(np.hstack(list(drawn.images))).save("in/two.png")
    Image.fromarray(drawn.images[0]).save("in/deep/two.jpg", quality=95)
    Image.new("RGB", (90, 70)).save("in/none.jpg")
    return tmp_path


def predict(*arguments, status=0):
    result = CliRunner().invoke(cli.app, ["predict", *map(str, arguments)])
    assert result.exit_code == status, result.output
    return result


@pytest.mark.parametrize("model", ["small", "tiny"])
def test_a_folder_becomes_overlays_and_points(folder, drawn, model):
    for _ in range(2):  # what the first call wrote is no picture for the second
        told = predict("in", "--model", model, *("--save", "csv", "--save", "pts")).stdout
        assert "in/none.jpg: no face" in told and "in/two.png: 2 faces" in told
        assert "pictures: 3, faces: 3" in told
    names = {file.name for file in Path("predictions").iterdir()}
    assert names >= {"two.jpg", "none.jpg", "two-1.png", "two_1.pts", "two-1_2.pts"}
    assert Image.open("predictions/two-1.png").size == (320, 160)
    assert (np.asarray(Image.open("predictions/two-1.png")) != np.hstack(list(drawn.images))).any()
    rows = pd.read_csv("predictions/predictions.csv")
    two = rows[rows.file == "in/two.png"]
    assert len(two) == 136 and list(two.point[:68]) == list(IBUG_68.labels)
    wanted = [drawn.points[0], drawn.points[1] + (160, 0)]
    for place in wanted:
        found = [two[two.face == i][["x", "y"]].to_numpy() for i in (1, 2)]
        apart = [np.linalg.norm(points - place, axis=1).mean() for points in found]
        assert min(apart) < 6
    stored = read_pts(Path("predictions/two-1_2.pts"))
    np.testing.assert_allclose(stored, two[two.face == 2][["x", "y"]], atol=0.011)


def test_json_goes_to_standard_output_alone(folder):
    found = json.loads(predict("in/two.png", "--json", "--max-faces", 1).stdout)
    assert not Path("predictions").exists()
    (picture,) = found
    assert picture["file"] == "in/two.png" and (picture["width"], picture["height"]) == (320, 160)
    (face,) = picture["faces"]
    assert np.shape(face["points"]) == (68, 2) and np.shape(face["error"]) == (68,)
    assert 0.5 <= face["score"] <= 1 and len(face["box"]) == 4
    assert set(face["pose"]) == {"yaw", "pitch", "roll"}


def test_pictures_of_one_name_keep_apart(folder):
    predict("in/two.png", "in/deep/two.jpg", "in/two.png")
    names = {file.name for file in Path("predictions").glob("[!.]*")}
    assert names == {"two.png", "two-1.jpg"}


def test_a_picture_that_lies_where_overlays_go_is_not_written_over(folder):
    before = Path("in/two.png").read_bytes()
    predict("in/two.png", "--out", "in")
    assert Path("in/two.png").read_bytes() == before and Path("in/two-1.png").is_file()


def test_what_is_not_ours_is_not_written_over(folder):
    Path("mine").mkdir()
    Image.new("RGB", (8, 8)).save("mine/none.jpg")
    Path("mine/two_1.pts").write_text("by hand")
    for _ in range(2):  # the second time what the first wrote is replaced
        predict("in/none.jpg", "in/two.png", "--out", "mine", "--save", "pts")
        names = {file.name for file in Path("mine").glob("[!.]*")}
        ours = {"none-1.jpg", "two-1.png", "two-1_1.pts", "two-1_2.pts"}
        assert names == {"none.jpg", "two_1.pts"} | ours
    assert Image.open("mine/none.jpg").size == (8, 8)
    assert Path("mine/two_1.pts").read_text() == "by hand"
    told = predict("mine", "--out", "mine").stdout
    assert "pictures: 1," in told, "overlays are no pictures"


def test_pictures_of_one_name_in_two_calls_keep_apart(folder):
    Image.open("in/none.jpg").save("in/deep/two.png")
    for _ in range(2):
        predict("in/two.png", "--save", "pts")
        predict("in/deep/two.png", "--save", "pts")
        names = {file.name for file in Path("predictions").glob("[!.]*")}
        assert names == {"two.png", "two_1.pts", "two_2.pts", "two-1.png"}


def test_overlays_of_a_call_that_was_killed_are_replaced(folder, monkeypatch):
    def killed(file):
        return sys.exit(1) if file.name == "none.jpg" else read(file)

    with monkeypatch.context() as patch:
        patch.setattr("fkp.photo.picture.read", killed)
        predict("in", status=1)
    assert [file.name for file in Path("predictions").glob("[!.]*")] == ["two.jpg"]
    predict("in")
    names = {file.name for file in Path("predictions").glob("[!.]*")}
    assert names == {"two.jpg", "two-1.png", "none.jpg"}


def test_what_is_ours_is_no_source_however_it_is_named(folder, monkeypatch):
    monkeypatch.chdir("in")
    Path("notes.txt").write_text("no picture")
    for names in (["two.png", "none.jpg"], ["two.png", "none.jpg", "two-1.png"], ["*"]):
        told = predict(*names, "--out", ".").stdout
        assert "pictures: 2, faces: 2," in told
        assert {f.name for f in Path().glob("*.*g")} == {
            *("two.png", "two-1.png", "none.jpg", "none-1.jpg")
        }
    with pytest.raises(FileNotFoundError, match="all that was named is what fkp wrote there"):
        pictures(["two-1.png"], Path())
    with pytest.raises(FileNotFoundError, match=r"\*\.txt: no picture or video among these"):
        pictures(["*.txt"], Path())


def test_points_of_faces_that_are_no_longer_found_are_removed(folder):
    def names():
        return {file.name for file in Path("predictions").glob("*.pts")}

    Path("predictions").mkdir()
    Path("predictions/two_4.pts").write_text("by hand")
    predict("in/two.png", "--save", "pts")
    assert names() == {"two_4.pts", "two-1_1.pts", "two-1_2.pts"}
    predict("in/two.png", "--save", "pts", "--max-faces", 1)
    assert names() == {"two_4.pts", "two-1_1.pts"}


def test_a_table_in_place_of_an_earlier_one_is_told(folder):
    again = ", in place of an earlier file"
    for said in (False, True):
        told = predict("in/two.png", "--save", "csv").stdout
        assert (f"written: predictions/predictions.csv{again}" in told) == said


def test_an_overlay_that_its_format_cannot_hold_is_named(folder):
    Image.new("RGB", (66_000, 4)).save("in/wide.bmp")
    result = predict("in/wide.bmp", "in/two.png", status=2)
    assert "wide.jpg: 66000 x 4 px do not fit into a .jpg file" in result.stderr
    assert {f.name for f in Path("predictions").glob("[!.]*")} == {"two.png"}


def test_a_name_that_is_no_utf8_is_written_all_the_same(folder):
    name = os.fsdecode(b"in/B\xe4r.png")
    Path("in/two.png").rename(name)
    predict(name, "--save", "csv")
    assert Path("predictions", Path(name).name).is_file()
    assert "B\\udce4r" in Path("predictions/predictions.csv").read_text()
    Path(name).rename(os.fsdecode(b"in/B\xe4r.mp4"))
    assert "expected a name in UTF-8" in predict(name[:-3] + "mp4", status=2).stderr


def test_what_was_found_before_an_interruption_is_kept(folder, monkeypatch):
    def stopped(file):
        if file.name == "none.jpg":
            raise KeyboardInterrupt
        return read(file)

    monkeypatch.setattr("fkp.photo.picture.read", stopped)
    assert "stopped" in predict("in/two.png", "in/none.jpg", "--save", "csv", status=130).stderr
    assert len(pd.read_csv("predictions/predictions.csv")) == 136


def test_where_nothing_can_be_read_earlier_tables_stay(folder):
    predict("in/two.png", "--save", "csv")
    Path("in/two.png").write_text("no picture")
    predict("in/two.png", "--save", "csv", status=2)
    assert len(pd.read_csv("predictions/predictions.csv")) == 136


def test_a_broken_picture_is_named_and_the_others_go_on(folder):
    Path("in/broken.jpg").write_bytes(b"no picture")
    result = predict("in", status=2)
    assert "error: in/broken.jpg: got" in result.stderr and "pictures: 3" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("nothing.jpg",), "nothing.jpg: no such file or folder"),
        (("*.gif",), "*.gif: no such file or folder"),
        (("empty",), "empty: no picture or video in this folder"),
        (("in", "--save", "xml"), "--save: got 'xml', expected json, csv, pts"),
        (("in", "--model", "giant"), "giant: no such file"),
        (("in", "--out", "in/two.png"), "in/two.png is no folder that can be written to"),
    ],
)
def test_a_wrong_call_ends_at_once(folder, monkeypatch, capsys, arguments, complaint):
    Path("empty").mkdir()
    monkeypatch.setattr(sys, "argv", ["fkp", "predict", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 2
    told = capsys.readouterr().err
    assert complaint in told and len(told.splitlines()) == 1
    assert not Path("predictions").exists()
