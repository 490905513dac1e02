import cv2
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from fkp.data import drawing
from fkp.data.drawing.face import frame, person
from fkp.data.schemes import IBUG_68, POINTS_44
from fkp.photo.recolour import effects, kept_texture, plain_fill, recolour
from fkp.photo.surfaces import PARTS, outline, surface

RED, GREEN = "#b03060", "green"


@pytest.fixture(scope="module")
def face():
    """A smiling drawn face in colour with grain, and its 68 points."""
    how = frame() | {"open": 0.3, "smile": 0.5, "noise": 4}
    return drawing.render(person(), how, IBUG_68, 256, channels=3, rng=np.random.default_rng(0))


def lab(image):
    return cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)


def colour(rgb):
    return lab(np.array(rgb, np.uint8)[None, None])[0, 0]


def lips_of(face, least=0.98):
    return surface(*face, IBUG_68, "lips") >= least


def test_only_the_surface_changes(face):
    image, points = face
    kept = image.copy()
    out = recolour(image, points, IBUG_68, lips=RED, eyes=GREEN)
    surfaces = sum(surface(image, points, IBUG_68, part) for part in PARTS)
    changed = (out != image).any(axis=2)
    assert_array_equal(image, kept)
    assert out.dtype == np.uint8 and out.shape == image.shape
    assert not changed[surfaces == 0].any()
    assert changed[surfaces > 0.5].mean() > 0.99


def test_teeth_and_tongue_stay(face):
    image, points = face
    opening = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(opening, [outline(points, IBUG_68, "inner_lips").round().astype(np.int32)], 1)
    opening = cv2.erode(opening, np.ones((3, 3), np.uint8)) > 0
    assert opening.sum() > 100
    assert_array_equal(recolour(image, points, IBUG_68, lips=RED)[opening], image[opening])
    assert (plain_fill(image, points, IBUG_68, lips=RED)[opening] != image[opening]).any()


@pytest.mark.parametrize("target", (RED, "#300010", "#ffd0d8", "royalblue"))
@pytest.mark.parametrize("opacity", (0.3, 0.6, 1.0))
def test_shading_stays(face, target, opacity):
    out = recolour(*face, IBUG_68, lips=target, opacity=opacity)
    correlation, spread = kept_texture(face[0], out, lips_of(face))
    assert correlation > 0.95
    assert 0.4 < spread < 1.5


def test_no_opacity_is_no_change(face):
    assert_array_equal(recolour(*face, IBUG_68, lips=RED, eyes=GREEN, opacity=0), face[0])
    assert_array_equal(recolour(*face, IBUG_68), face[0])


@pytest.mark.parametrize("rgb", ((176, 48, 96), (122, 0, 25), (91, 44, 131), (65, 105, 225)))
def test_the_hue_becomes_the_targets(face, rgb):
    text, target, inside = "#{:02x}{:02x}{:02x}".format(*rgb), colour(rgb), lips_of(face)
    outs = [recolour(*face, IBUG_68, lips=text, opacity=o) for o in (0, 0.25, 0.5, 0.75, 1)]
    means = [lab(out)[inside].mean(axis=0) for out in outs]
    away = [np.linalg.norm(mean[1:] - target[1:]) for mean in means]
    assert (np.diff(away) < 0).all()
    hues = [np.degrees(np.arctan2(b, a)) for _, a, b in (means[-1], target)]
    assert abs((hues[0] - hues[1] + 180) % 360 - 180) < 6


def test_the_lightness_follows_in_part(face):
    inside = lips_of(face)
    before = lab(face[0])[inside, 0].mean()
    for rgb, text in (((48, 0, 16), "#300010"), ((255, 208, 216), "#ffd0d8")):
        after = lab(recolour(*face, IBUG_68, lips=text, opacity=1))[inside, 0].mean()
        assert 0.5 < (after - before) / (colour(rgb)[0] - before) < 0.8


def test_a_closed_eye_stays_and_the_other_is_painted(face):
    image, points = face[0], face[1].copy()
    left = list(IBUG_68.regions["left_eye"])
    points[left, 1] += 0.9 * (points[left, 1].mean() - points[left, 1])
    changed = (recolour(image, points, IBUG_68, eyes=GREEN) != image).any(axis=(0, 2))
    middle = points[27, 0].astype(int)
    assert changed[:middle].any() and not changed[middle:].any()


def test_eyes_alone_need_no_lips(face):
    points = face[1].copy()
    points[48:] = np.nan
    out = recolour(face[0], points, IBUG_68, eyes=GREEN)
    assert_array_equal(out, recolour(*face, IBUG_68, eyes=GREEN))
    with pytest.raises(ValueError, match="outer_lips needs positions of outer_lips_0"):
        recolour(face[0], points, IBUG_68, lips=RED)


@pytest.mark.parametrize("scheme", (IBUG_68, POINTS_44), ids=lambda scheme: scheme.name)
def test_the_plain_fill_is_one_colour(scheme):
    image, points = drawing.render(person(), frame(), scheme, 256, channels=3)
    out = plain_fill(image, points, scheme, lips=RED, eyes=GREEN)
    for region, rgb in (("outer_lips", (176, 48, 96)), ("left_eye", (0, 128, 0))):
        mask = np.zeros(image.shape[:2], np.uint8)
        corners = outline(points, scheme, region)
        cv2.fillPoly(mask, [corners.round().astype(np.int32)], 1)
        inside = cv2.erode(mask, np.ones((3, 3), np.uint8)) > 0
        assert inside.sum() > 20 and (out[inside] == rgb).all()
        correlation, spread = kept_texture(image, out, inside)
        assert np.isnan(correlation) and spread == 0
    near = cv2.dilate((out != image).any(axis=2).astype(np.uint8), np.ones((3, 3)))
    assert near.mean() < 0.06


def test_texture_by_hand():
    before = np.repeat(np.arange(60, 160, dtype=np.uint8).reshape(10, 10, 1), 3, axis=2)
    inside = np.ones((10, 10), bool)
    assert kept_texture(before, before, inside) == pytest.approx((1, 1))
    assert kept_texture(before, 255 - before, inside)[0] < -0.99
    assert np.isnan(kept_texture(before, before, ~inside)).all()
    assert np.isnan(kept_texture(np.full_like(before, 9), before, inside)).all()


def test_effects_tell_a_fill_from_a_recolouring(face):
    image, points = face
    fill = effects(image, plain_fill(*face, IBUG_68, lips=RED, eyes=GREEN), points, IBUG_68)
    ours = effects(image, recolour(*face, IBUG_68, lips=RED, eyes=GREEN), points, IBUG_68)
    assert fill["lips_spread"] == fill["iris_spread"] == fill["outside"] == 0
    assert fill["opening_changed"] == fill["eyes_changed"] == 100
    assert ours["lips_correlation"] > 0.95 and ours["iris_correlation"] > 0.9
    assert ours["outside"] == ours["opening_changed"] == 0
    assert 10 < ours["eyes_changed"] < 80
    shifted = effects(image, np.roll(image, 9, axis=0), points, IBUG_68)
    assert shifted["outside"] > 50 and shifted["opening_changed"] > 50
    same = effects(image, image, points, IBUG_68)
    assert same["lips_correlation"] == same["lips_spread"] == pytest.approx(1)


def test_effects_on_shut_mouth_and_eyes_are_none():
    image, points = drawing.render(person(), frame() | {"blink": 1}, IBUG_68, 256, channels=3)
    figures = effects(image, image, points, IBUG_68)
    assert np.isnan([figures[name] for name in ("opening_changed", "iris_spread")]).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"lips": "redd"}, "lips: expected a colour such as .*, got 'redd'"),
        ({"eyes": "#12"}, "eyes: expected a colour such as .*, got '#12'"),
        ({"lips": "None"}, "lips: expected a colour such as .*, got 'None'"),
        ({"eyes": 7}, "eyes: expected a colour such as .*, got 7"),
        ({"lips": RED, "opacity": 1.5}, "opacity: expected a number from 0 to 1, got 1.5"),
        ({"lips": RED, "opacity": np.nan}, "opacity: .* got nan"),
    ],
)
def test_bad_values_are_named(face, given, message):
    with pytest.raises(ValueError, match=message):
        recolour(*face, IBUG_68, **given)


@pytest.mark.parametrize("paint", [recolour, plain_fill])
def test_a_gray_image_is_refused(face, paint):
    with pytest.raises(ValueError, match=r"image: expected uint8 RGB .*, got uint8 \(256, 256\)"):
        paint(face[0][..., 0], face[1], IBUG_68, lips=RED)
