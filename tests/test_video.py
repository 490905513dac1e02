"""Videos and cameras: read, written, and through `fkp predict`."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from fkp import cli
from fkp.data import readers
from fkp.data.schemes import IBUG_68
from fkp.photo import video


@pytest.fixture(scope="module")
def drawn():
    return readers.read(n=2, size=160, channels=3, scheme=IBUG_68, seed=0)


@pytest.fixture
def clip(tmp_path, monkeypatch, drawn):
    """Twelve pictures of two faces, 25 a second."""
    monkeypatch.chdir(tmp_path)
    with video.recording(Path("clip.mp4"), (320, 160), 25) as record:
        for step in range(12):
            record(step / 25, np.hstack(list(drawn.images)))
    return Path("clip.mp4")


def predict(*arguments, status=0):
    result = CliRunner().invoke(cli.app, ["predict", *map(str, arguments)])
    assert result.exit_code == status, result.output
    return result


def pictures(file):
    film = video.Video(file)
    seen = list(film)
    film.close()
    return film, seen


def test_what_is_recorded_is_read_again(tmp_path):
    """Gray levels 0, 20 ...; the third picture stays for the time of two."""
    file = tmp_path / "new" / "gray.mp4"
    with video.recording(file, (64, 48), 20) as record:
        for step, seconds in enumerate((0, 0.05, 0.1, 0.2)):
            record(seconds, np.full((48, 64, 3), 20 * step, np.uint8))
    film, seen = pictures(file)
    assert film.rate == 20 and film.count == 5 and film.size == (64, 48) and not film.live
    np.testing.assert_allclose([seconds for seconds, _ in seen], np.arange(5) / 20)
    levels = [pixels.mean() for _, pixels in seen]
    np.testing.assert_allclose(levels, (0, 20, 40, 40, 60), atol=3)
    red = tmp_path / "red.mp4"
    with video.recording(red, (64, 48), 20) as record:
        record(0, np.full((48, 64, 3), (200, 30, 30), np.uint8))
    assert pictures(red)[1][0][1].mean(axis=(0, 1)).argmax() == 0


@pytest.mark.parametrize(
    ("rate", "stated"), [(24000 / 1001, 23.976), (119.987, 119.99), (999.99, 1000)]
)
def test_a_rate_is_rounded_to_what_the_format_can_state(tmp_path, rate, stated):
    with video.recording(tmp_path / "a.mp4", (64, 48), rate) as record:
        record(0, np.zeros((48, 64, 3), np.uint8))
    assert video.Video(tmp_path / "a.mp4").rate == pytest.approx(stated, abs=1e-6)


def test_on_a_full_disk_the_earlier_video_stays(tmp_path):
    resource, file = pytest.importorskip("resource"), tmp_path / "a.mp4"
    file.write_text("earlier")
    noise, limits = np.random.default_rng(0), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with (
            pytest.raises(OSError, match=r"a\.mp4: 0 of 40 pictures were written"),
            video.recording(file, (160, 96), 20) as record,
        ):
            for step in range(40):
                record(step / 20, noise.integers(256, size=(96, 160, 3), dtype=np.uint8))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert file.read_text() == "earlier" and list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("stamps", "times"),
    [
        ((100, 140, 300, 310), (0, 0.04, 0.2, 0.21)),
        ((0, 0, 0, 0), (0, 0.1, 0.2, 0.3)),
        ((0, 90, 50, 400), (0, 0.09, 0.19, 0.4)),
    ],
)
def test_a_picture_has_the_time_that_its_file_states(monkeypatch, stamps, times):
    class Film:
        def __init__(self, *_):
            self.left = [*stamps]

        def read(self):
            self.now = self.left.pop(0) if self.left else None
            return self.now is not None, np.zeros((4, 6, 3), np.uint8)

        def get(self, what):
            known = {cv2.CAP_PROP_FPS: 10.0, cv2.CAP_PROP_POS_MSEC: self.now or 0.0}
            return known.get(what, -1.0)

    monkeypatch.setattr(cv2, "VideoCapture", Film)
    np.testing.assert_allclose([seconds for seconds, _ in video.Video("uneven.mp4")], times)


def test_half_a_video_is_none(tmp_path):
    with (
        pytest.raises(RuntimeError),
        video.recording(tmp_path / "a.mp4", (64, 48), 20) as record,
    ):
        record(0, np.zeros((48, 64, 3), np.uint8))
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["text.mp4", "none.mp4", "camera:x", "camera:", "camera:97"])
def test_what_is_no_video_is_named(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    Path("text.mp4").write_text("no video")
    with pytest.raises(ValueError, match=f"{name}: expected (a video|a camera|camera:0)"):
        video.Video(name)


def test_a_video_becomes_a_video_and_a_table(clip, drawn):
    for _ in range(2):  # what the first call wrote is no source for the second
        told = predict(".", "--save", "json", "--save", "csv", "--pose").stdout
        assert "clip.mp4: pictures: 12, faces: 2, " in told and "pictures a second" in told
    film, seen = pictures("predictions/clip.mp4")
    assert (film.rate, film.size, len(seen)) == (25, (320, 160), 12)
    assert np.abs(seen[5][1].astype(int) - pictures(clip)[1][5][1]).max() > 50  # drawn on
    assert {file.name for file in Path("predictions").glob("[!.]*")} == {
        *("clip.mp4", "predictions.json", "predictions.csv")
    }
    found = json.loads(Path("predictions/predictions.json").read_text())
    assert [picture["time"] for picture in found] == [step / 25 for step in range(12)]
    assert all({f["number"] for f in picture["faces"]} == {1, 2} for picture in found)
    rows = pd.read_csv("predictions/predictions.csv")
    assert list(rows.columns) == ["file", "time", "face", "point", "x", "y", "error"]
    assert len(rows) == 12 * 2 * 68 and rows.time.nunique() == 12
    last = rows[rows.time == rows.time.max()]
    for place in (drawn.points[0], drawn.points[1] + (160, 0)):
        faces = [last[last.face == number][["x", "y"]].to_numpy() for number in (1, 2)]
        assert min(np.linalg.norm(face - place, axis=1).mean() for face in faces) < 6


def test_raw_points_and_one_face(clip):
    shown, raw = (
        json.loads(predict(clip, "--json", "--max-faces", 1, *more).stdout)
        for more in ([], ["--raw"])
    )
    assert not Path("predictions").exists()
    assert all(len(picture["faces"]) == 1 for picture in shown)
    assert shown[0] == raw[0] and shown[5]["faces"] != raw[5]["faces"]


class Camera:
    """In place of a camera: seven pictures, then Ctrl-C."""

    def __init__(self, images):
        self.images, self.films = images, cv2.VideoCapture

    def __call__(self, number, *how):
        if how:  # a file
            return self.films(number, *how)
        assert number == 0
        self.left = iter(range(7))
        return self

    def read(self):
        if next(self.left, None) is None:
            raise KeyboardInterrupt
        return True, np.hstack(list(self.images))[..., ::-1]

    def get(self, what):
        return {cv2.CAP_PROP_FPS: 10.0}.get(what, -1.0)

    def release(self):
        self.released = True


@pytest.fixture
def camera(tmp_path, monkeypatch, drawn):
    monkeypatch.chdir(tmp_path)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    camera = Camera(drawn.images)
    monkeypatch.setattr(cv2, "VideoCapture", camera)
    return camera


def test_a_camera_is_recorded_until_ctrl_c_where_there_is_no_window(camera):
    for save in ([], ["--save", "json"]):
        told = predict("camera:0", *save)
        assert "camera:0: no window" in told.stderr
        assert "camera:0: pictures: 7, faces: 2, " in told.stdout and camera.released
    videos = [file for file in Path("predictions").iterdir() if file.suffix == ".mp4"]
    assert all(file.stem.startswith("camera-0-") and file.stat().st_size for file in videos)
    found = json.loads(Path("predictions/predictions.json").read_text())
    times = [picture["time"] for picture in found]
    assert len(found) == 7 and found[0]["file"] == "camera:0" and sorted(times) == times


def test_a_camera_is_shown_in_a_window_until_it_is_closed(camera, monkeypatch):
    shown, keys = [], iter((-1, -1, ord("q")))
    monkeypatch.setenv("DISPLAY", ":9")
    monkeypatch.setattr(cv2, "namedWindow", lambda *_: None)
    monkeypatch.setattr(cv2, "destroyAllWindows", lambda: shown.append("closed"))
    monkeypatch.setattr(cv2, "imshow", lambda _, pixels: shown.append(pixels.shape))
    monkeypatch.setattr(cv2, "waitKey", lambda _: next(keys))
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: 1.0)
    told = predict("camera:0")
    assert shown == [(160, 320, 3)] * 3 + ["closed"] and not Path("predictions").exists()
    assert "pictures: 3, faces: 2" in told.stdout and not told.stderr


def test_no_window_is_opened_by_an_opencv_without_windows(camera, monkeypatch):
    def refused(*_):
        raise cv2.error("not implemented")

    monkeypatch.setenv("DISPLAY", ":9")
    monkeypatch.setattr(cv2, "namedWindow", refused)
    with video.window("faces") as show:
        assert show is None


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("clip.mp4", "--save", "pts"), "--save pts: is for pictures, clip.mp4 is a video"),
        (("camera:0", "--save", "pts"), "--save pts: is for pictures, camera:0 is a video"),
        (("text.mp4",), "text.mp4: expected a video that OpenCV reads"),
        (("camera:one",), "camera:one: expected camera:0 for the first camera"),
    ],
)
def test_a_wrong_call_leaves_nothing(clip, arguments, complaint):
    Path("text.mp4").write_text("no video")
    result = CliRunner().invoke(cli.app, ["predict", *arguments])
    assert complaint in result.stderr + str(result.exception) and result.exit_code
    assert not Path("predictions").exists()


def test_a_video_cut_short_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    writer = cv2.VideoWriter("whole.avi", cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for seed in range(20):
        noise = np.random.default_rng(seed).integers(256, size=(48, 64, 3), dtype=np.uint8)
        writer.write(noise)
    writer.release()
    film = Path("whole.avi").read_bytes()
    Path("half.avi").write_bytes(film[: len(film) // 2])
    told = predict("whole.avi", "half.avi", "--json")
    count = len([picture for picture in json.loads(told.stdout) if picture["file"] == "half.avi"])
    assert 0 < count < 12 and f"half.avi: ends after {count} of 20 pictures" in told.stderr
    assert "whole.avi" not in told.stderr


def test_a_broken_video_is_named_and_the_others_go_on(clip):
    Path("text.mp4").write_text("no video")
    result = predict("text.mp4", clip, status=2)
    assert "error: text.mp4: expected" in result.stderr and "pictures: 12" in result.stdout
