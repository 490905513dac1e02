import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from fkp.data import drawing
from fkp.data.drawing.face import frame, person
from fkp.data.schemes import IBUG_68, KAGGLE_15, SCHEMES, Scheme, convert

EVERY_SCHEME = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda s: s.name)


@pytest.fixture(scope="module")
def many():
    return drawing.read(300, seed=3)


@EVERY_SCHEME
def test_shapes(scheme):
    faces = drawing.read(4, scheme, size=64, channels=3)
    assert faces.images.shape == (4, 64, 64, 3)
    assert faces.points.shape == (4, len(scheme), 2)
    assert faces.complete.all()
    assert faces.source == "drawn" and faces.scheme is scheme


def test_same_seed_same_bytes():
    first, again, other = (drawing.read(6, seed=seed) for seed in (1, 1, 2))
    assert first.fingerprint == again.fingerprint != other.fingerprint


def test_a_row_does_not_depend_on_n():
    few, more = drawing.read(5, frames=2), drawing.read(9, frames=2)
    assert few.fingerprint == more.take(np.arange(5)).fingerprint


def test_gray_is_the_luminance_of_rgb():
    gray, rgb = drawing.read(5), drawing.read(5, channels=3)
    luminance = rgb.images @ np.array([0.299, 0.587, 0.114])
    assert_allclose(gray.images[..., 0], luminance, atol=1)
    assert_array_equal(gray.points, rgb.points)


def test_frames_of_one_person_share_a_group():
    faces = drawing.read(7, frames=3)
    assert_array_equal(faces.groups, [0, 0, 0, 1, 1, 1, 2])
    assert not np.array_equal(faces.points[0], faces.points[1])


@EVERY_SCHEME
def test_the_mean_face_is_its_own_mirror_image(scheme):
    _, points = drawing.render(person(), frame(), scheme, 96)
    axis = points[:, 0].mean()
    mirrored = points[list(scheme.mirror)] * (-1, 1) + np.array([2 * axis, 0])
    assert_allclose(points, mirrored, atol=1e-4)


@EVERY_SCHEME
def test_left_is_the_subjects_left(scheme):
    _, points = drawing.render(person(), frame(), scheme, 96)
    left, right = scheme.ocular
    assert points[left, 0] > points[right, 0] + 20


@EVERY_SCHEME
def test_closed_regions_run_clockwise(scheme):
    _, points = drawing.render(person(), frame() | {"open": 0.2}, scheme, 96)
    for region in scheme.closed:
        if len(scheme.regions[region]) > 5:
            x, y = points[list(scheme.regions[region])].T
            area = (x * np.roll(y, -1) - y * np.roll(x, -1)).sum() / 2
            assert area > 3, region


def test_schemes_agree_on_the_same_picture():
    rng = np.random.default_rng(5)
    who, how = person(rng), frame(rng) | {"blink": 0, "gaze_x": 0, "gaze_y": 0}
    wide = {scheme.name: drawing.render(who, how, scheme, 96)[1] for scheme in SCHEMES.values()}
    direct = convert(wide["ibug68"][None], IBUG_68, SCHEMES["points44"])[0]
    assert_array_equal(wide["points44"], direct)
    # every 68-point jaw, eye corner and lip corner but the finer nose lies on Helen's curves
    helen = wide["helen194"]
    for i in (0, 8, 16, 36, 39, 42, 45, 48, 51, 54, 57, 60, 64):
        assert np.linalg.norm(helen - wide["ibug68"][i], axis=1).min() < 0.8, i


@pytest.mark.parametrize("size", [96, 160])
@pytest.mark.parametrize("yaw, roll, gaze", [(0, 0, 0), (25, -12, 0.03), (-30, 15, -0.03)])
def test_eye_centres_lie_on_the_painted_irises(size, yaw, roll, gaze):
    """In staring eyes, lids far away, the centroid of what is dark is the eye centre."""
    staring = {"eye_open": 0.3, "brow_height": 0.6, "eye_hue": 0, "glasses": 1, "tone": 0.1}
    who, how = person() | staring, frame() | {"yaw": yaw, "roll": roll, "gaze_x": gaze}
    image, points = drawing.render(who, how, KAGGLE_15, size)
    reach = round(0.055 * size)
    for centre in points[:2]:
        left, top = np.rint(centre).astype(int) - reach
        patch = image[top : top + 2 * reach + 1, left : left + 2 * reach + 1, 0]
        dark = np.clip(70 - patch.astype(float), 0, None)
        rows, columns = np.indices(patch.shape)
        found = [left + (dark * columns).sum() / dark.sum(), top + (dark * rows).sum() / dark.sum()]
        assert_allclose(found, centre, atol=0.75 * size / 96)  # the glint pulls a little


def test_lips_end_at_the_mouth_corners():
    """Red marks the lips of an RGB face: their box touches the four mouth points."""
    who = person() | {"lipstick": 0.9, "blush": 1, "tone": 0.05, "beard": 0, "age": 0}
    image, points = drawing.render(who, frame(), KAGGLE_15, 192, channels=3)
    red = image[..., 0].astype(int) - image[..., 1] > 85
    rows, columns = np.nonzero(red)
    right, left = points[KAGGLE_15.labels.index("mouth_right_corner")], points[11]
    top, bottom = points[13], points[14]
    assert abs(columns.max() - left[0]) < 4 and abs(columns.min() - right[0]) < 4
    assert abs(rows.max() - bottom[1]) < 3 and abs(rows.min() - top[1]) < 4


@EVERY_SCHEME
def test_points_lie_inside_the_image(scheme):
    points = drawing.read(120, scheme, size=48, seed=11).points
    inside = ((points >= -0.5) & (points <= 47.5)).all(axis=2)
    assert inside.mean() > 0.98


def test_faces_vary(many):
    assert (many.points.std(axis=0) > 2).all()
    levels = many.images.mean(axis=(1, 2, 3))
    assert levels.std() > 20 and np.median(many.images.std(axis=(1, 2, 3))) > 25


def test_mean_face_is_framed_as_in_kaggle(many):
    left, right = many.points[:, :2].mean(axis=0)
    assert_allclose(left, (66.1, 36.9), atol=2)  # means of the genuine labels
    assert_allclose(right, (29.7, 37.1), atol=2)


def test_regimes_miss_points_as_the_genuine_labels_do():
    n, first = 7049, 2284
    points = drawing._relabel(np.zeros((n, 15, 2), np.float32), 96, np.random.default_rng(0))
    missing = np.isnan(points).any(axis=2)
    assert_allclose(missing[:first].mean(axis=0), drawing.MISSING_FIRST, atol=0.01)
    assert_allclose(missing[first:].mean(axis=0), drawing.MISSING_SECOND, atol=0.004)
    assert abs((~missing).all(axis=1).sum() - 2140) < 40


def test_regimes_move_nose_and_lip_and_nothing_else():
    faces, plain = drawing.read(60, size=48, regimes=True), drawing.read(60, size=48)
    assert_array_equal(faces.images, plain.images)
    moved = faces.points - plain.points
    first, second = moved[:19], moved[19:]  # 60 * 2284 / 7049 = 19.4
    assert np.nanmax(np.abs(first)) == 0
    expected = np.zeros((15, 2))
    expected[[KAGGLE_15.labels.index("nose_tip"), 14], 1] = 5.3 / 2, -3.4 / 2
    known = ~np.isnan(second)
    assert set(np.nonzero(known.any(axis=(0, 2)))[0]) == {0, 1, 10, 14}
    assert_allclose(second[known], np.broadcast_to(expected, second.shape)[known], atol=1e-4)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"n": 0}, "n: expected an integer of at least 1, got 0"),
        ({"size": 8}, "size: expected an integer of at least 32, got 8"),
        ({"size": 96.5}, "size: expected an integer"),
        ({"channels": 2}, "channels: expected 1 .* got 2"),
        ({"seed": -1}, "seed: expected an integer of at least 0, got -1"),
        ({"frames": 0}, "frames: expected an integer of at least 1, got 0"),
        ({"scheme": "kaggle15"}, "scheme: expected a Scheme .kaggle15, .* got 'kaggle15'"),
        ({"scheme": Scheme("mine", (), (), {}, frozenset(), (0, 0), ((), ()))}, "scheme: .*mine"),
        ({"scheme": IBUG_68, "regimes": True}, "regimes: .* kaggle15, got ibug68"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        drawing.read(**({"n": 2} | arguments))
