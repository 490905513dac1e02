"""Faces of a video keep their numbers and are followed without the detector; points are steady."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from lights import dot, finder_of_light

import fkp
from benchmarks import video
from fkp import models
from fkp.data import readers
from fkp.data.schemes import IBUG_68, KAGGLE_15
from fkp.models.about import About
from fkp.photo.track import FASTER, STILL, OneEuro, Tracker

RATE = 30


@pytest.fixture(scope="module")
def drawn():
    return readers.read(n=3, size=160, channels=3, scheme=IBUG_68, seed=0)


@pytest.fixture
def finder():
    """The small model, which counts how often its detector looks."""
    finder = fkp.load("tiny", threads=1)
    boxes, finder.looks = finder.detector.boxes, 0

    def counted(*arguments):
        finder.looks += 1
        return boxes(*arguments)

    finder.detector.boxes = counted
    return finder


def noisy(image, rng):
    return np.clip(image + rng.normal(0, 6, image.shape), 0, 255).astype(np.uint8)


def test_the_filter_is_a_low_pass_whose_cutoff_rises_with_speed():
    """Against the formula for one step, and a fast point against a slow one."""
    still, fast = OneEuro(1.0, 0.0), OneEuro(1.0, 40.0)
    share = 1 / (1 + RATE / (2 * np.pi))
    for one_euro in (still, fast):
        np.testing.assert_array_equal(one_euro(np.array([[3.0, 4.0]]), 0), [[3, 4]])
    for step in range(1, 5):
        moved = still(np.array([[13.0, 4.0]]), step / RATE)
        np.testing.assert_allclose(moved, [[13 - 10 * (1 - share) ** step, 4]])
        assert fast(np.array([[13.0, 4.0]]), step / RATE)[0, 0] > moved[0, 0]
    # A unit of the face's size: what is fast on a small face is slow on a large one.
    small, large = OneEuro(), OneEuro()
    for step in range(3):
        place = np.array([[2.0 * step, 0.0]])
        near, far = small(place, step / RATE, 10), large(place, step / RATE, 1000)
    assert near[0, 0] > far[0, 0]


def test_faces_keep_their_numbers_and_the_detector_rests(drawn, finder):
    """Two faces that move; one look of the detector at the start and one a second later."""
    tracker, wide = Tracker(finder, raw=True), np.full((200, 460, 3), 120, np.uint8)
    for step in range(40):
        picture, shift = wide.copy(), step // 2
        picture[10:170, shift : shift + 160] = drawn.images[0]
        picture[30:190, 290 - shift : 450 - shift] = drawn.images[1]
        faces = tracker(picture, step / RATE)
        places = drawn.points[0] + (shift, 10), drawn.points[1] + (290 - shift, 30)
        if not step:
            first = list(faces)[0 if faces[1].box[0] < 200 else 1]
        assert list(faces) == [1, 2]
        for number, place in zip((first, 3 - first), places, strict=True):
            assert np.linalg.norm(faces[number].points - place, axis=1).mean() < 7
            assert faces[number].score >= 0.5
    assert finder.looks == 2


def test_a_lost_face_is_looked_for_and_keeps_its_number_for_a_second(drawn, finder):
    tracker, blank = Tracker(finder), np.full((160, 160, 3), 90, np.uint8)
    assert list(tracker(drawn.images[0], 0)) == [1]
    for step in range(1, 6):
        assert tracker(blank, step / RATE) == {}
    assert finder.looks == 3  # at once, and three pictures later
    assert list(tracker(drawn.images[0], 7 / RATE)) == [1]
    assert tracker(blank, 8 / RATE) == {} and tracker(blank, 2.5) == {}
    assert list(tracker(drawn.images[0], 2.6)) == [2]


def test_a_new_face_is_found_within_a_second_and_there_may_be_a_limit(drawn, finder):
    one, both = Tracker(finder, max_faces=1), Tracker(finder)
    alone = np.hstack([drawn.images[0], np.full((160, 160, 3), 90, np.uint8)])
    for step in range(35):
        picture = alone if step < 5 else np.hstack([drawn.images[0], drawn.images[1]])
        few, many = one(picture, step / RATE), both(picture, step / RATE)
        assert list(few) == [1] and list(many) == ([1] if step < 30 else [1, 2])


def test_points_of_a_still_face_are_steadier_and_of_a_moving_one_hardly_late(drawn, finder):
    rng = np.random.default_rng(0)
    wide = cv2.copyMakeBorder(drawn.images[0], 0, 0, 0, 160, cv2.BORDER_REPLICATE)
    off = {True: [], False: []}
    for raw, found in off.items():
        tracker = Tracker(finder, raw)
        for step in range(45):
            shift = 3 * max(step - 20, 0)
            pixels = noisy(np.roll(wide, shift, axis=1), rng)
            (face,) = tracker(pixels, step / RATE).values()
            assert face.points.dtype == np.float32
            found.append(face.points - drawn.points[0] - (shift, 0))
    raw, smooth = (np.stack(off[key]) for key in (True, False))
    jitter = [np.linalg.norm(np.diff(o[8:20], axis=0), axis=2).mean() for o in (raw, smooth)]
    assert jitter[1] < jitter[0] / 2
    lag = raw[30:, :, 0].mean() - smooth[30:, :, 0].mean()
    assert 0 < lag < 1.5  # px, at 90 px/s


def test_the_benchmark_measures_jitter_and_lag_and_the_filter_is_the_one_it_chose():
    rng, still = np.random.default_rng(0), np.zeros((video.RATE * 2, 68, 2))
    true = {(motion, 0): still for motion in video.MOTIONS}
    found = {key: rng.normal(5, 1, still.shape) for key in true}
    found["across", 0] = found["across", 0] - (3, 0)
    row = video.figures(found, true)
    assert row["jitter"] == pytest.approx(2, rel=0.05)  # two axes, the difference of two draws
    assert row["lag"] == pytest.approx(3, abs=0.1)
    assert row["lag_ms"] == pytest.approx(25, abs=1)
    assert row["error_talking"] == pytest.approx(np.sqrt(np.pi / 2), rel=0.05)
    stored = json.loads(Path(video.__file__).with_suffix(".json").read_text())
    assert stored["chosen"] == {"still_hz": STILL, "faster": FASTER}
    rows = [row for row in stored["rows"] if row["still_hz"] in (None, STILL)]
    raw, *_, chosen = rows[:5]
    assert chosen["faster"] == FASTER and chosen["jitter"] < raw["jitter"] / 3


def test_a_tilted_face_is_followed_upright(drawn, finder):
    """Each look is at the crop that the last points set upright."""
    turn = cv2.getRotationMatrix2D((80, 80), 45, 0.9)
    picture = cv2.warpAffine(drawn.images[0], turn, (160, 160), borderMode=cv2.BORDER_REPLICATE)
    tracker = Tracker(finder)
    for step in range(6):
        (face,) = tracker(picture, step / RATE).values()
    off = face.points - (drawn.points[0] @ turn[:, :2].T + turn[:, 2])
    assert np.linalg.norm(off, axis=1).mean() < 6 and finder.looks == 1


def test_two_tracks_of_one_face_become_one(drawn, finder):
    tracker = Tracker(finder)
    tracker(np.hstack([drawn.images[0], drawn.images[1]]), 0)
    assert len(tracker.tracks) == 2
    tracker.tracks[1].face = tracker.tracks[0].face
    assert list(tracker(np.hstack([drawn.images[0]] * 2), 1 / RATE)) == [1]


def test_a_model_without_expected_errors_lets_go_when_the_detector_sees_no_face(drawn):
    """The kaggle model's boxes are the detector's: they move with its 15 points."""
    finder = fkp.load("kaggle", threads=1)
    finder.about = finder.about.__class__(**{**finder.about.__dict__, "error": False})
    tracker, wide = Tracker(finder), np.full((200, 300, 3), 120, np.uint8)
    boxes = []
    for step in range(45):
        picture = wide.copy()
        if step < 20:
            picture[20:180, 2 * step : 2 * step + 160] = drawn.images[0]
        faces = tracker(picture, step / RATE)
        boxes += [face.box for face in faces.values() if step < 20]
    assert faces == {} and len(boxes) == 20
    size = np.array(boxes)[:, 2]
    assert np.ptp(size) < 0.15 * size[0] and 30 < boxes[-1][0] - boxes[0][0] < 46


def test_other_things_than_faces_fill_the_picture(tmp_path):
    """A model that needs no detector has one thing in each picture, and never loses it."""
    about = About("light", "kaggle15", KAGGLE_15.labels, zoom=1.4, picture=96, detected=False)
    models.save(finder_of_light(64), tmp_path / "light.keras", about=about)
    tracker = Tracker(fkp.load(tmp_path / "light.keras"), raw=True)
    for step in range(4):
        place = np.array([[30.0 + 10 * step, 50.0]])
        faces = tracker(dot(place, 100, 100, radius=5)[0], step / RATE)
        np.testing.assert_allclose(faces[1].points[0], place[0], atol=3)
