"""The published faults are there, as large as they were, and only where they are meant to be."""

import numpy as np
import pytest

from fkp.data import drawing
from fkp.papers import leak
from fkp.prepare.affine import cut
from fkp.prepare.augment import rotation_scale_shift


@pytest.fixture(scope="module")
def faces():
    faces = drawing.read(n=40, seed=0)
    points = faces.points.copy()
    points[30:, 4:] = np.nan
    return faces.with_points(points)


@pytest.fixture(scope="module")
def others():
    other = drawing.read(n=6, seed=1)
    return type(other)(other.images, other.points, other.scheme, "drawn", groups=other.groups + 100)


def rotated(faces, degrees):
    matrix = rotation_scale_shift(faces.image_shape, degrees=degrees)
    maps = np.repeat(matrix, len(faces), axis=0)
    return cut(faces.images, faces.points, maps, faces.image_shape)[1]


@pytest.mark.parametrize("degrees", [leak.DEGREES, -leak.DEGREES])
def test_the_rotation_fault_is_as_large_as_it_was(faces, degrees):
    whole = faces.take(faces.complete)
    off = leak.misrotate(whole.points, degrees, whole.image_shape) - rotated(whole, degrees)
    np.testing.assert_allclose(off[..., 0], 0, atol=1e-3)
    per_point = np.abs(off[..., 1]).mean(axis=0)
    assert 0.2 < per_point.min() < per_point.max() < 2
    assert 0.4 < per_point.mean() < 1.3


def test_a_rotation_by_nothing_is_right(faces):
    points = faces.points[:5]
    np.testing.assert_allclose(leak.misrotate(points, 0, (96, 96)), points, atol=1e-4)


@pytest.mark.parametrize("recipe", ["published", "leaky"])
def test_the_row_split_puts_one_face_on_both_sides(faces, others, recipe):
    training, validation = leak.prepare(recipe, faces, others, seed=0)
    assert leak.leaked(training, validation) > 0.9
    assert set(validation.groups) <= set(range(30))
    assert len(validation) == pytest.approx(0.1 * (len(training) + len(validation)), rel=0.4)


def test_the_clean_recipe_validates_on_other_faces(faces, others):
    training, validation = leak.prepare("clean", faces, others, seed=0)
    assert leak.leaked(training, validation) == 0
    np.testing.assert_array_equal(validation.images, others.images)
    assert set(training.groups) == set(range(30))
    assert training.images.dtype == validation.images.dtype == np.uint8


def test_only_the_published_copies_are_spoilt(faces):
    right, published = (leak.expand(recipe, faces, 3) for recipe in ("leaky", "published"))
    assert right.images.dtype == np.uint8
    seen = published.images / 127.5 - 1  # as the network scales it
    np.testing.assert_allclose(seen[:30], right.images[:30] / 255, atol=1e-6)
    np.testing.assert_allclose(seen[30:], right.images[30:] / 255 / 255, atol=1e-6)
    spoilt = np.abs(published.points - right.points).max(axis=(1, 2)) > 1e-3
    np.testing.assert_array_equal(np.flatnonzero(spoilt), np.arange(30, 90))


def test_the_copies_are_rotated_where_the_fault_is_put(faces):
    whole, rows = faces.take(faces.complete), leak.expand("leaky", faces, 0)
    np.testing.assert_allclose(rows.points[30:60], rotated(whole, leak.DEGREES), atol=1e-3)
    np.testing.assert_allclose(rows.points[60:90], rotated(whole, -leak.DEGREES), atol=1e-3)


def test_a_score_is_the_rmse_with_an_interval(faces):
    rows = leak.expand("clean", faces, 0)
    off = np.random.default_rng(0).normal(0, 2, rows.points.shape)
    found = leak.score(rows, rows.points + off)
    assert found["value"] == pytest.approx(np.sqrt(np.square(off).mean()), rel=1e-4)
    assert found["low"] < found["value"] < found["high"] and found["n"] == len(rows)


def test_errors_name_what_came_in(faces):
    with pytest.raises(ValueError, match="unknown recipe 'honest'"):
        leak.expand("honest", faces, 0)
    with pytest.raises(ValueError, match="none of 10 rows is complete"):
        leak.expand("leaky", faces.take(np.arange(30, 40)), 0)
