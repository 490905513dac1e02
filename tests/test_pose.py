"""Head pose: known angles come back, signs are those of the drawn face, the mean face is made."""

import numpy as np
import pytest

from benchmarks.mean_face import factorised
from fkp.data.drawing.face import camera, frame, person, pick, view
from fkp.data.schemes import IBUG_68, KAGGLE_15
from fkp.measure import pose
from fkp.photo.finder import Face
from fkp.photo.overlay import draw


def turned(angles, shape, size=120.0, shift=(40, -7)):
    """Points (n, k, 2) of a shape (k, 3) seen from far away."""
    rows = np.stack([pose.rotation(*each)[:2] for each in angles])
    return size * shape @ rows.transpose(0, 2, 1) + shift


def test_known_angles_come_back():
    """Of heads turned, nodded and rolled far, with a fifth of the points unknown as well."""
    rng = np.random.default_rng(0)
    shape, weights = pose.mean_face()
    angles = rng.uniform((-75, -45, -180), (75, 45, 180), (200, 3))
    points = turned(angles, shape)
    found, scale, shift = pose.fit(points, shape, weights)
    np.testing.assert_allclose(pose.angles(found), angles, atol=1e-5)
    np.testing.assert_allclose(scale, 120, atol=1e-5)
    np.testing.assert_allclose(shift, np.tile((40, -7), (200, 1)), atol=1e-5)
    points[rng.random((200, 68)) < 0.2] = np.nan
    found = pose.fit(points, shape, weights)[0]
    np.testing.assert_allclose(pose.angles(found), angles, atol=1e-5)


def test_points_that_are_off_move_the_angles_little():
    rng = np.random.default_rng(0)
    shape, weights = pose.mean_face()
    angles = rng.uniform((-40, -20, -20), (40, 20, 20), (200, 3))
    points = turned(angles, shape) + rng.normal(0, 0.03 * 120, (200, 68, 2))
    off = pose.angles(pose.fit(points, shape, weights)[0]) - angles
    assert (off.std(axis=0) < (2, 2, 1)).all() and (np.abs(off.mean(axis=0)) < 0.5).all()


@pytest.mark.parametrize("turn", [{"yaw": 25}, {"yaw": -25}, {"pitch": 12}, {"pitch": -12}])
def test_signs_are_those_of_the_drawn_face(turn):
    """To image right, down and clockwise; the drawn head is flatter, so its angles seem smaller."""
    f, away = frame() | turn | {"roll": 9}, {"yaw": 0, "pitch": 0} | turn
    matrix = camera(f, IBUG_68, 192)
    points = pick(view(person(), f), IBUG_68) @ matrix[:, :2].T + matrix[:, 2]
    yaw, pitch, roll = pose.pose(points)
    assert abs(yaw - away["yaw"]) < 5 and abs(pitch - away["pitch"]) < 5 and abs(roll - 9) < 1.5


def test_the_mean_face_is_symmetric_and_stands_out_at_the_nose():
    shape, weights = pose.mean_face()
    np.testing.assert_allclose(shape[list(IBUG_68.mirror)] * (-1, 1, 1), shape, atol=1e-4)
    assert shape[:, 2].argmax() == 30 and 0.45 < shape[30, 2] < 0.55
    assert (weights > 0).all() and weights[8] < weights[27]


def test_a_head_is_found_again_in_its_views():
    """What the script makes of labels: depth, though no view shows it."""
    shape, rng = pose.mean_face()[0] * (1, 1, 0.7), np.random.default_rng(1)
    angles = rng.normal((0, 4, 0), (20, 0, 8), (150, 3))
    views = turned(angles, shape) + rng.normal(0, 0.3, (150, 68, 2))
    head, spread = factorised(views, rounds=60)
    # No view nods against another: pitch 0 is what they all share.
    np.testing.assert_allclose(head, shape @ pose.rotation(0, 4, 0).T, atol=0.02)
    np.testing.assert_allclose(spread, 0.3 / 120, rtol=0.4)


def test_few_points_and_other_schemes():
    assert pose.pose(np.zeros((15, 2)), KAGGLE_15) is None
    points = np.full((2, 68, 2), np.nan)
    points[0] = turned([(0, 0, 0)], pose.mean_face()[0])[0]
    points[1, :3] = 1
    with pytest.raises(ValueError, match="row 1: expected at least 4 points"):
        pose.fit(points, *pose.mean_face())
    still = pose.fit(np.ones((1, 68, 2)), *pose.mean_face())[0]
    assert np.isfinite(pose.angles(still)).all()


def test_axes_are_drawn_where_the_head_points():
    points = turned([(30, 0, 0)], pose.mean_face()[0], 60, (100, 70))[0].astype(np.float32)
    low = points.min(axis=0)
    box = (*low.tolist(), *np.ptp(points, axis=0).tolist())
    face = Face(points, None, box, None, IBUG_68)
    assert face.pose.yaw == pytest.approx(30, abs=1e-3)
    blank = np.zeros((220, 220, 3), np.uint8)
    more = (draw(blank, [face], pose=True) != draw(blank, [face])).any(axis=2)
    blue = more & (draw(blank, [face], pose=True) == (70, 110, 255)).all(axis=2)
    assert blue.any() and np.nonzero(blue)[1].mean() > points[30, 0] + 5
