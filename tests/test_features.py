import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fkp.data.images import equalised
from fkp.models.cascade import features


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)


def ramp(direction):
    """Gray 64 x 64 images that grow brighter along `direction`, degrees from x towards y."""
    y, x = np.mgrid[:64, :64] - 31.5
    along = np.cos(np.deg2rad(direction)) * x + np.sin(np.deg2rad(direction)) * y
    return np.round(127.5 + 2.5 * along).astype(np.uint8)[None]


def test_smoothed_gray_is_a_mean_of_nine():
    image = np.zeros((1, 5, 5, 1), np.uint8)
    image[0, 2, 2] = 90
    assert features.smoothed(image)[0, 1:4, 1:4].tolist() == [[10] * 3] * 3


@settings(max_examples=30, deadline=None)
@given(st.floats(-9, 25), st.floats(-9, 25), st.integers(0, 4))
def test_a_window_is_a_crop_of_the_image_with_repeated_border(x, y, radius):
    image = np.arange(300, dtype=np.uint16).reshape(15, 20)
    padded = np.pad(image, 40, mode="edge")
    row, column = round(y) + 40, round(x) + 40
    crop = padded[row - radius : row + radius + 1, column - radius : column + radius + 1]
    found = features.windows(image, np.array([[x, y]]), radius)
    np.testing.assert_array_equal(found, crop.reshape(1, -1))


def test_colours_are_counted_channel_by_channel():
    image = np.zeros((1, 9, 9, 3), np.uint8)
    image[..., 0] = 255
    image[:, :, 5:, 1] = 40
    found = features.colour_histograms(image, np.array([[[4.0, 4.0]]]), radius=4)
    expected = np.zeros((3, 8))
    expected[0, 7], expected[1, 0], expected[1, 1], expected[2, 0] = 1, 5 / 9, 4 / 9, 1
    np.testing.assert_allclose(found, expected.reshape(1, 1, 24), atol=1e-6)


@pytest.mark.parametrize("part", range(8))
def test_gradients_point_from_dark_to_bright(part):
    found = features.gradient_histograms(ramp(45 * part), np.array([[[32.0, 32.0]]]), radius=8)
    assert found.shape == (1, 1, 8)
    assert found.argmax() == part and found[0, 0, part] > 0.95


def test_a_flat_window_has_no_direction():
    flat = np.full((1, 16, 16), 7, np.uint8)
    np.testing.assert_array_equal(features.gradient_histograms(flat, np.ones((1, 1, 2)), 3), 0)


def test_sift_describes_the_pixels_around_a_point(noise):
    gray = equalised(noise)[..., 0]
    at, beside = np.full((2, 1, 2), 32.0), np.array([5, 3])
    moved = np.roll(gray, (3, 5), axis=(1, 2))
    found = features.sift(gray, at, size=4)
    assert found.shape == (2, 1, 128) and found.dtype == np.float32
    np.testing.assert_array_equal(features.sift(moved, at + beside, size=4), found)
    assert np.abs(features.sift(gray, at + beside, size=4) - found).mean() > 5


def test_sift_keeps_every_point_in_order_even_outside(noise):
    gray = equalised(noise)[:1, ..., 0]
    points = np.array([[[-20.0, 70.0], [30.0, 40.0], [63.0, 0.0], [30.0, 40.0]]])
    found = features.sift(gray, points, size=4)
    assert found.shape == (1, 4, 128)
    np.testing.assert_array_equal(found[0, 1], found[0, 3])
    np.testing.assert_array_equal(found, features.sift(gray, points.clip(0, 63), size=4))


@pytest.mark.parametrize(("channels", "width"), [(1, 144), (3, 160)])
def test_paper_c_features_are_one_vector_per_face(noise, channels, width):
    images, points = noise[..., :channels], np.full((2, 5, 2), 30.0)
    found = features.paper_c(images, equalised(images)[..., 0], points, radius=3, size=4)
    assert found.shape == (2, 5 * width) and np.isfinite(found).all()
    colours = features.colour_histograms(images, points, 3)
    np.testing.assert_array_equal(found[:, : 5 * 8 * channels], colours.reshape(2, -1))


def test_gray_levels_come_from_the_nearest_pixel_of_the_right_image():
    gray = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    places = np.array([[0.4 + 0.6j, 9 - 5j], [3.2 + 1.9j, -1 + 1j]])
    assert features.gray_at(gray, places).tolist() == [[4, 3], [23, 16]]
    assert features.gray_at(gray, places, rows=np.array([1, 1])).tolist() == [[16, 15], [23, 16]]
    assert features.gray_at(gray, places[:, :, None]).shape == (2, 2, 1)
