import numpy as np
import pytest

from fkp.data import readers
from fkp.data.faces import Faces
from fkp.data.schemes import IBUG_68, KAGGLE_15
from fkp.prepare import warp

STILL = {"blur": 0, "coarse": 0, "patch": 0, "noise": 0, "gamma": 0, "contrast": 0, "brightness": 0}
PLACED = {"degrees": 0, "scale": 0, "shift": 0, "flip": 0}


def spots(n=6, side=96, seed=0):
    """Pictures with a soft white dot, and all points on it."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(36, 60, (n, 1, 2))
    y, x = np.mgrid[:side, :side]
    apart = (x - places[..., 0:1]) ** 2 + (y - places[..., 1:]) ** 2
    images = (255 * np.exp(-apart / 8))[..., None].astype(np.uint8)
    return Faces(images, np.repeat(places, 15, axis=1).astype(np.float32), KAGGLE_15, "test")


def centre_of_light(images):
    light = images[..., 0].astype(float)
    total = light.sum(axis=(1, 2))
    rows, columns = np.arange(light.shape[1]), np.arange(light.shape[2])
    x, y = (light.sum(axis=1) @ columns) / total, (light.sum(axis=2) @ rows) / total
    return np.stack([x, y], axis=1)


def test_light_stays_on_its_point():
    faces = spots()
    images, points = warp.Warp(KAGGLE_15, side=64, **STILL)(
        faces.images, faces.points, np.random.default_rng(1)
    )
    assert images.shape == (6, 64, 64, 1) and images.dtype == np.uint8
    np.testing.assert_allclose(centre_of_light(images), points[:, 0], atol=0.35)


def test_a_mirrored_face_has_its_labels_swapped():
    faces = readers.read(n=4, scheme=IBUG_68, size=96)
    still = {"degrees": 0, "scale": 0, "shift": 0}
    always, never = (
        warp.Warp(IBUG_68, side=96, zoom=2.0, flip=f, **still, **STILL) for f in (1, 0)
    )
    images, points = always(faces.images, faces.points, np.random.default_rng(0))
    same, kept = never(faces.images, faces.points, np.random.default_rng(0))
    np.testing.assert_array_equal(images, same[:, :, ::-1])
    np.testing.assert_allclose(points[:, list(IBUG_68.mirror), 0], 95 - kept[..., 0], atol=1e-3)
    np.testing.assert_allclose(kept, faces.points, atol=1e-3)


def test_a_plain_crop_is_the_middle_of_the_picture():
    faces = spots()
    crops = warp.plain(faces, side=48, zoom=1.0)
    np.testing.assert_array_equal(crops.images, faces.images[:, 24:72, 24:72])
    np.testing.assert_allclose(crops.points, faces.points - 24, atol=1e-3)


def test_a_shaken_box_moves_the_face_as_much_as_said():
    faces = spots(n=400)
    still, shaken = (
        warp.plain(faces, 64, size=0.0, centre=0.035, rng=rng)
        for rng in (None, np.random.default_rng(0))
    )
    moved = (shaken.points - still.points)[:, 0] * 1.4 / 64  # in sides of the box
    assert moved.std() == pytest.approx(0.035, rel=0.1)


def test_a_shaken_box_scales_the_face_as_much_as_said():
    faces = spots(n=400)
    still, shaken = (
        warp.plain(faces, 64, size=0.07, rng=rng).points[:, 0] - 31.5
        for rng in (None, np.random.default_rng(0))
    )
    scale = np.linalg.norm(shaken, axis=1) / np.linalg.norm(still, axis=1)
    assert np.log(scale).std() == pytest.approx(0.07, rel=0.1)


@pytest.mark.parametrize("name", STILL)
def test_each_change_of_the_pixels_is_made_and_leaves_the_points(name):
    faces = readers.read(n=6, size=96)
    still, changed = (
        warp.Warp(KAGGLE_15, side=64, **PLACED, **STILL | one)(
            faces.images, faces.points, np.random.default_rng(0)
        )
        for one in ({}, {name: 1.0})
    )
    assert (still[0] != changed[0]).any(axis=(1, 2, 3)).all()
    np.testing.assert_array_equal(still[1], changed[1])


def test_calmed_has_a_share_of_all_spreads_and_mirrors_as_often():
    calm = warp.Warp(KAGGLE_15).calmed(0.5)
    assert (calm.degrees, calm.patch, calm.brightness) == (9.0, 0.2, 0.05)
    assert (calm.flip, calm.side, calm.zoom) == (0.5, 128, 1.4)


def test_points_that_leave_the_crop_are_not_labelled():
    faces = spots()
    far = warp.Warp(KAGGLE_15, side=64, shift=2.0, **STILL)
    _, points = far(faces.images, faces.points, np.random.default_rng(0))
    assert np.isnan(points).any()
    known = points[~np.isnan(points)]
    assert (known >= -0.5).all() and (known <= 63.5).all()


def test_the_seed_decides_and_pictures_are_left_alone():
    faces = readers.read(n=8, size=64, channels=3)
    before = faces.images.copy()
    draw = warp.Warp(faces.scheme, side=48)
    first, again, other = (
        draw(faces.images, faces.points, np.random.default_rng(seed))[0] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any() and (faces.images == before).all()
    assert first.shape == (8, 48, 48, 3)
