import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fkp.data.faces import Faces
from fkp.data.images import mirror
from fkp.data.schemes import KAGGLE_15, SCHEMES
from fkp.prepare import affine, augment


def spots(points, size=64):
    """Images (n, size, size, 1), each with one soft bright spot at its point (n, 2)."""
    y, x = np.mgrid[:size, :size]
    squared = (x - points[:, 0, None, None]) ** 2 + (y - points[:, 1, None, None]) ** 2
    return np.round(255 * np.exp(-squared / 8)).astype(np.uint8)[..., None]


def centre_of_light(images):
    light = images[..., 0].astype(float)
    y, x = np.mgrid[: light.shape[1], : light.shape[2]]
    total = light.sum(axis=(1, 2))
    return (
        np.stack([(light * x).sum(axis=(1, 2)), (light * y).sum(axis=(1, 2))], 1) / total[:, None]
    )


coordinate = st.floats(24, 40)


@settings(max_examples=60, deadline=None)
@given(
    coordinate,
    coordinate,
    st.floats(-180, 180),
    st.floats(0.8, 1.4),
    st.floats(-6, 6),
    st.floats(-6, 6),
)
def test_a_lit_pixel_stays_at_its_point(x, y, degrees, scale, dx, dy):
    point = np.array([[x, y]], np.float32)
    matrix = augment.rotation_scale_shift((64, 64), degrees, scale, (dx, dy))
    images, points = affine.cut(spots(point), point[:, None], matrix, (64, 64))
    np.testing.assert_allclose(centre_of_light(images), points[:, 0], atol=0.2)


def test_rotation_is_counter_clockwise_about_the_centre():
    matrix = augment.rotation_scale_shift((65, 65), degrees=90)[0]
    np.testing.assert_allclose(matrix @ (42, 32, 1), (32, 22), atol=1e-9)


def test_mirror_moves_the_light_with_the_point():
    point = np.array([[20.0, 33.0]], np.float32)
    points = np.repeat(point[:, None], 15, axis=1)
    images, moved = mirror(spots(point), points, KAGGLE_15)
    np.testing.assert_allclose(centre_of_light(images), moved[:, 0], atol=0.05)


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=lambda s: s.name)
def test_mirror_twice_is_the_identity_and_swaps_the_eyes(scheme):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 32, 40, 3), dtype=np.uint8)
    points = rng.uniform(0, 30, (2, len(scheme), 2)).astype(np.float32)
    points[0, 3] = np.nan
    once = mirror(images, points, scheme)
    left, right = scheme.ocular
    np.testing.assert_allclose(once[1][:, left, 0], 39 - points[:, right, 0])
    twice = mirror(*once, scheme)
    np.testing.assert_array_equal(twice[0], images)
    np.testing.assert_allclose(twice[1], points, atol=1e-5)


def test_unlabelled_points_stay_unlabelled():
    points = np.full((1, 15, 2), 30, np.float32)
    points[0, 4] = np.nan
    images = np.zeros((1, 64, 64, 1), np.uint8)
    _, moved = augment.Jitter(KAGGLE_15, flip=0)(images, points, np.random.default_rng(0))
    np.testing.assert_array_equal(np.isnan(moved), np.isnan(points))


def test_tone_rounds_and_clips():
    images = np.array([0, 100, 250], np.uint8).reshape(1, 1, 3, 1)
    assert augment.tone(images, 1.2).ravel().tolist() == [0, 120, 255]
    assert augment.tone(images, 1.0, -150).ravel().tolist() == [0, 0, 100]
    assert augment.tone(images).ravel().tolist() == [0, 100, 250]


def test_noise_has_the_given_strength():
    images = np.full((4, 64, 64, 1), 128, np.uint8)
    noisy = augment.noise(images, 5.0, np.random.default_rng(0)).astype(float)
    assert abs(noisy.std() - 5) < 0.2 and abs(noisy.mean() - 128) < 0.2


def central_faces(n, reach):
    """Faces whose points keep `reach` px from the image's edge."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (n, 96, 96, 1), dtype=np.uint8)
    points = rng.uniform(reach, 95 - reach, (n, 15, 2)).astype(np.float32)
    return Faces(images, points, KAGGLE_15, "test")


def test_offline_expansion_makes_nine_variants_in_the_group_of_their_original():
    faces = central_faces(5, reach=25)
    expanded = augment.paper_a(faces, np.random.default_rng(0))
    assert len(expanded) == 5 * 10
    assert np.bincount(expanded.groups).tolist() == [10] * 5
    np.testing.assert_array_equal(expanded.images[:5], faces.images)


def test_offline_expansion_drops_shifts_that_lose_a_point():
    faces = central_faces(1, reach=25)
    points = faces.points.copy()
    points[0, 0] = (5, 50)
    expanded = augment.paper_a(faces.with_points(points), np.random.default_rng(0))
    shifts = expanded.points[3:-3, 0, 0]
    assert len(expanded) == 8 and (shifts == 17).all()


def test_jitter_is_seeded_and_varies_by_face():
    faces = central_faces(2, reach=25)
    jitter = augment.Jitter(KAGGLE_15)
    images = np.repeat(faces.images[:1], 2, axis=0)
    points = np.repeat(faces.points[:1], 2, axis=0)
    first = jitter(images, points, np.random.default_rng(3))
    again = jitter(images, points, np.random.default_rng(3))
    np.testing.assert_array_equal(first[0], again[0])
    assert not np.allclose(first[1][0], first[1][1])


@pytest.fixture
def faces():
    rng = np.random.default_rng(0)
    points = rng.uniform(10, 20, (3, 15, 2)).astype(np.float32)
    return Faces(rng.integers(0, 256, (3, 32, 32, 1), dtype=np.uint8), points, KAGGLE_15, "test")


def test_originals_come_first_and_copies_take_turns(faces):
    expanded = augment.jittered(faces, 10)
    np.testing.assert_array_equal(expanded.images[:3], faces.images)
    assert expanded.groups.tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]
    assert len({expanded.images[i].tobytes() for i in (0, 3, 6, 9)}) == 4


def test_copies_move_their_points_with_the_image(faces):
    still = augment.Jitter(
        KAGGLE_15, degrees=0, shift=0, scale=0, gain=0, offset=0, colour=0, sigma=0, flip=1
    )
    expanded = augment.jittered(faces, 6, jitter=still)
    np.testing.assert_array_equal(expanded.images[3:], faces.images[:, :, ::-1])
    left, right = KAGGLE_15.pupils[0][0], KAGGLE_15.pupils[1][0]
    np.testing.assert_allclose(expanded.points[3:, left, 0], 31 - faces.points[:, right, 0])


def test_the_seed_decides_the_random_copies(faces):
    assert (
        augment.jittered(faces, 7, seed=1).fingerprint
        == augment.jittered(faces, 7, seed=1).fingerprint
    )
    assert (
        augment.jittered(faces, 7, seed=1).fingerprint
        != augment.jittered(faces, 7, seed=2).fingerprint
    )


def test_nothing_to_expand(faces):
    assert len(augment.jittered(faces, 3)) == 3
    with pytest.raises(ValueError, match="3 rows to 2"):
        augment.jittered(faces, 2)
    with pytest.raises(ValueError, match="0 rows to 5"):
        augment.jittered(faces.take([]), 5)
