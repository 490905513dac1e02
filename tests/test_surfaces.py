import cv2
import numpy as np
import pytest

from fkp.data import drawing
from fkp.data.drawing.face import camera, frame, person, view
from fkp.data.schemes import HELEN_194, IBUG_68, KAGGLE_15, POINTS_44
from fkp.photo.surfaces import PARTS, outline, surface

OPEN = {"open": 0.3, "smile": 0.5}
WITH_OUTLINES = pytest.mark.parametrize(
    "scheme", (IBUG_68, POINTS_44, HELEN_194), ids=lambda scheme: scheme.name
)


def face(scheme=IBUG_68, size=256, **how):
    """A frontal drawn face in colour; `how` sets traits of its frame."""
    return drawing.render(person(), frame() | how, scheme, size, channels=3)


def depth(corners, size=256):
    """Distance of each pixel to a polygon's edge, negative outside: (size, size)."""
    contour = corners.astype(np.float32)
    return np.array(
        [[cv2.pointPolygonTest(contour, (x, y), True) for x in range(size)] for y in range(size)]
    )


def region(points, scheme, name, size=256):
    return depth(outline(points, scheme, name), size)


@WITH_OUTLINES
@pytest.mark.parametrize("part", PARTS)
def test_nothing_outside_of_the_outline_is_surface(scheme, part):
    image, points = face(scheme, **OPEN)
    found = surface(image, points, scheme, part)
    assert found.shape == (256, 256) and found.dtype == np.float32
    assert 0.9 < found.max() <= 1 and found.min() == 0
    # The surface ends on a smooth curve through the corners, which bulges a little.
    corners = outline(points, scheme, PARTS[part])
    assert found[depth(corners) < -0.04 * np.ptp(corners[:, 0])].max() == 0


@pytest.mark.parametrize("scheme", (IBUG_68, HELEN_194), ids=lambda scheme: scheme.name)
def test_the_open_mouth_is_no_lip(scheme):
    image, points = face(scheme, **OPEN)
    found = surface(image, points, scheme, "lips")
    outer, inner = (region(points, scheme, name) for name in ("outer_lips", "inner_lips"))
    assert found[inner > 1.5].max() == 0
    assert found[(outer > 2.5) & (inner < -1.5)].mean() > 0.93


def test_closed_lips_are_whole():
    image, points = face()
    found = surface(image, points, IBUG_68, "lips")
    x, y = points[[60, 61, 62, 63, 64]].mean(axis=0).round().astype(int)
    assert found[y - 2 : y + 3, x - 10 : x + 11].min() > 0.85


def test_without_inner_lips_the_opening_is_guessed():
    image, points = face(**OPEN)
    inner, outer = (region(points, IBUG_68, name) for name in ("inner_lips", "outer_lips"))
    few = drawing.render(person(), frame() | OPEN, POINTS_44, 256, channels=3)[1]
    found = surface(image, few, POINTS_44, "lips")
    assert found[inner > 1.5].mean() < 0.2
    assert found[(outer > 2.5) & (inner < -1.5)].mean() > 0.7


@pytest.mark.parametrize("gaze", (-0.08, 0, 0.08))
@pytest.mark.parametrize("index", (0, 1))
def test_the_iris_is_found_around_the_pupil(gaze, index):
    how = frame() | {"gaze_x": gaze}
    image, points = face(**how)
    matrix = camera(how, IBUG_68, 256)
    x, y = view(person(), how)["pupils"][index] @ matrix[:, :2].T + matrix[:, 2]
    part = ("right_eye", "left_eye")[index]
    found = surface(image, points, IBUG_68, part)
    corners = outline(points, IBUG_68, part)
    width = np.ptp(corners[:, 0])
    rows, columns = np.indices(found.shape)
    assert abs((found * columns).sum() / found.sum() - x) < 0.08 * width
    far = np.hypot(columns - x, rows - y)
    assert found[far > 0.34 * width].max() == 0, "the white of the eye is left alone"
    assert found[far < 0.03 * width].min() < 0.2, "so is the pupil"


@pytest.mark.parametrize("part", ("right_eye", "left_eye"))
def test_a_closed_eye_shows_no_iris(part):
    image, points = face(blink=1)
    assert not surface(image, points, IBUG_68, part).any()


def test_an_eye_of_one_colour_shows_no_iris():
    image, points = face()
    found = surface(np.full_like(image, 90), points, IBUG_68, "left_eye")
    assert not found.any()


@WITH_OUTLINES
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("shrink", (0, 0.004, 0.03, 0.1))
def test_points_in_nearly_one_place_do_no_harm(scheme, part, shrink):
    image, points = face(scheme)
    found = surface(image, 100 + shrink * points, scheme, part)
    assert np.isfinite(found).all() and found.min() >= 0 and found.max() <= 1
    assert shrink or not found.any()


@WITH_OUTLINES
@pytest.mark.parametrize("part", PARTS)
def test_points_at_random_do_no_harm(scheme, part):
    image, points = face(scheme)
    mixed = np.random.default_rng(0).permutation(points)
    mixed[list(scheme.regions["left_eye"])[:: len(scheme.regions["left_eye"]) // 2]] = 80
    assert np.isfinite(surface(image, mixed, scheme, part)).all()


@WITH_OUTLINES
@pytest.mark.parametrize("part", PARTS)
def test_what_lies_off_the_image_is_cut(scheme, part):
    image, points = face(scheme)
    whole = surface(image, points, scheme, part)
    x, y = outline(points, scheme, PARTS[part]).mean(axis=0).astype(int)
    cut = surface(image[:, x:], points - (x, 0), scheme, part)
    assert cut.shape == (256, 256 - x) and cut[y].max() > 0.5
    if part == "lips" and scheme is not POINTS_44:
        np.testing.assert_allclose(cut[:, 8:], whole[:, x + 8 :], atol=0.02)
    for off in ((400, 0), (-400, 0), (0, 400), (0, -400)):
        assert not surface(image, points + off, scheme, part).any()


def test_a_larger_picture_has_the_same_surface():
    small, large = (surface(*face(size=size, **OPEN), IBUG_68, "lips") for size in (256, 768))
    assert large.sum() / 9 == pytest.approx(small.sum(), rel=0.05)
    shrunken = cv2.resize(large, (256, 256), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(shrunken.ravel(), small.ravel())[0, 1] > 0.97


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scheme": KAGGLE_15}, r"points: expected \(15, 2\) for kaggle15, got \(68, 2\)"),
        (
            {"points": np.zeros((15, 2)), "scheme": KAGGLE_15},
            "kaggle15 has no outline of the outer",
        ),
        (
            {"image": np.zeros((9, 9), np.uint8)},
            r"image: expected uint8 RGB .*, got uint8 \(9, 9\)",
        ),
        ({"image": np.zeros((9, 9, 3))}, "image: expected uint8 RGB .*, got float64"),
    ],
)
def test_what_does_not_fit_is_named(change, message):
    image, points = face()
    given = {"image": image, "points": points, "scheme": IBUG_68, "part": "lips"} | change
    with pytest.raises(ValueError, match=message):
        surface(**given)


def test_a_missing_corner_is_named():
    image, points = face()
    points[[50, 66, 40]] = np.nan
    with pytest.raises(ValueError, match="outer_lips needs positions of outer_lips_2, got NaN"):
        surface(image, points, IBUG_68, "lips")
    with pytest.raises(ValueError, match="inner_lips needs positions of inner_lips_6"):
        points[50] = 0
        surface(image, points, IBUG_68, "lips")
    assert surface(image, points, IBUG_68, "left_eye").any()


def test_an_eye_of_three_points_is_no_outline():
    with pytest.raises(ValueError, match="kaggle15 has no outline of the left eye"):
        outline(np.zeros((15, 2)), KAGGLE_15, "left_eye")
