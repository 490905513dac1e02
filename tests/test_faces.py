from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from fkp.data.faces import Faces
from fkp.data.schemes import IBUG_68, KAGGLE_15, POINTS_44, convert


@pytest.fixture
def faces():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, 8, 9, 1), dtype=np.uint8)
    points = rng.uniform(0, 8, (6, 15, 2)).astype(np.float32)
    points[1, 3] = np.nan
    points[2, 4, 0] = np.nan
    return Faces(images, points, KAGGLE_15, "drawn", names=np.array(list("abcdef")))


def test_defaults(faces):
    assert len(faces) == 6
    assert faces.image_shape == (8, 9, 1)
    assert faces.groups.tolist() == [0, 1, 2, 3, 4, 5]
    assert set(faces.parts) == {""}
    with pytest.raises(FrozenInstanceError):
        faces.source = "other"


def test_a_half_labelled_point_is_unlabelled(faces):
    assert np.argwhere(~faces.labelled).tolist() == [[1, 3], [2, 4]]
    assert faces.complete.tolist() == [True, False, False, True, True, True]


@pytest.mark.parametrize("rows", [[4, 1], np.array([False, True, False, False, True, False])])
def test_take_takes_everything_along(faces, rows):
    taken = faces.take(rows)
    index = np.arange(6)[rows]
    assert taken.names.tolist() == faces.names[index].tolist()
    assert taken.groups.tolist() == index.tolist()
    np.testing.assert_array_equal(taken.images, faces.images[index])
    np.testing.assert_array_equal(taken.points, faces.points[index])


def test_take_nothing(faces):
    assert len(faces.take([])) == 0
    assert faces.take([]).image_shape == faces.image_shape


def test_sample_keeps_the_order(faces):
    sampled = faces.sample(4, seed=1)
    assert len(sampled) == 4
    assert sorted(sampled.groups.tolist()) == sampled.groups.tolist()
    assert faces.sample(10) is faces


def test_with_points_makes_float32(faces):
    moved = faces.with_points(faces.points.astype(float) + 1)
    assert moved.points.dtype == np.float32
    np.testing.assert_array_equal(moved.images, faces.images)


def test_fingerprint_is_of_pixels_points_and_scheme(faces):
    assert faces.take(range(6)).fingerprint == faces.fingerprint
    assert faces.with_points(faces.points + 1).fingerprint != faces.fingerprint
    assert faces.take([0, 1]).fingerprint != faces.fingerprint


def test_forty_four_of_the_sixty_eight_points():
    points = np.random.default_rng(0).uniform(0, 9, (2, 68, 2)).astype(np.float32)
    faces = Faces(np.zeros((2, 9, 9, 1), np.uint8), points, IBUG_68, "drawn", names=["a", "b"])
    fewer = faces.to_scheme(POINTS_44)
    assert fewer.scheme is POINTS_44 and fewer.names.tolist() == ["a", "b"]
    np.testing.assert_array_equal(fewer.points, convert(points, IBUG_68, POINTS_44))
    np.testing.assert_array_equal(faces.to_scheme(IBUG_68).points, points)


def test_errors_name_both_sides(faces):
    with pytest.raises(ValueError, match=r"expected uint8 \(n, h, w, c\), got float64"):
        Faces(faces.images / 255, faces.points, KAGGLE_15, "drawn")
    with pytest.raises(
        ValueError, match=r"expected float32 \(6, 68, 2\).*got float32 \(6, 15, 2\)"
    ):
        Faces(faces.images, faces.points, IBUG_68, "drawn")
    with pytest.raises(ValueError, match=r"groups: expected shape \(6,\), got \(2,\)"):
        Faces(faces.images, faces.points, KAGGLE_15, "drawn", groups=[1, 2])
