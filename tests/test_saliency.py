import keras
import matplotlib as mpl
import numpy as np
import pytest

from fkp.data.schemes import KAGGLE_15
from fkp.measure.scores import mean_score
from fkp.models.contract import pixels_in, points_out
from fkp.models.predict import predict
from fkp.papers import saliency

mpl.use("agg")

SHAPE = (24, 32, 1)
RNG = np.random.default_rng(0)


def linear(shape=SHAPE, k=15, kernel=None):
    """points = frame(kernel . pixels); a random kernel by default."""
    inputs, x = pixels_in(shape)
    model = keras.Model(inputs, points_out(keras.layers.Flatten()(x), shape, k))
    head = model.get_layer("coordinates")
    head.kernel.assign(RNG.normal(0, 0.02, head.kernel.shape) if kernel is None else kernel)
    return model


@pytest.fixture(scope="module")
def faces():
    """(images, points) of five random faces, one with gaps and one without labels."""
    images = RNG.integers(0, 256, (5, *SHAPE), dtype=np.uint8)
    points = RNG.uniform(2, 22, (5, 15, 2)).astype(np.float32)
    points[1, 4:] = np.nan
    points[2] = np.nan
    return images, points


def test_the_gradient_is_that_of_each_face_s_own_mse(faces):
    images, points = faces
    model = linear()
    head = model.get_layer("coordinates").kernel.numpy().reshape(*SHAPE[:2], 15, 2)
    slope = head * np.array([SHAPE[1] / 16, SHAPE[0] / 16]) / 127.5
    residual = predict(model, images) - points
    expected = np.zeros((5, *SHAPE[:2]))
    for i in (0, 1, 3, 4):
        known = ~np.isnan(residual[i])
        expected[i] = np.abs(2 * (slope * np.where(known, residual[i], 0)).sum((2, 3)))
        expected[i] /= known.sum()
    found = saliency.gradient(model, images, points)
    assert found.dtype == np.float32 and not found[2].any()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * expected.max())


def test_the_gradient_predicts_what_a_changed_pixel_does_to_the_mse():
    shape = (16, 16, 3)
    keras.utils.set_random_seed(1)
    inputs, x = pixels_in(shape)
    x = keras.layers.Conv2D(4, 3, activation="tanh")(x)
    x = keras.layers.BatchNormalization()(x)
    model = keras.Model(inputs, points_out(keras.layers.Flatten()(x), shape, 2))
    model.get_layer("coordinates").kernel.assign(RNG.normal(0, 0.05, (784, 4)))
    images = RNG.integers(20, 230, (3, *shape), dtype=np.uint8)
    points = np.full((3, 2, 2), 5, np.float32)
    found = saliency.gradient(model, images, points)
    for step in (2, -2):
        moved = np.repeat(images[:1].astype(np.float32), 3, axis=0)
        moved[[0, 1, 2], 7, 9, [0, 1, 2]] += step
        before = np.mean((points[0] - predict(model, images[:1])[0]) ** 2)
        after = [np.mean((points[0] - predict(model, one[None])[0]) ** 2) for one in moved]
        steepest = max(abs(value - before) / 2 for value in after)
        assert steepest == pytest.approx(found[0, 7, 9], rel=0.1)


def test_smoothing_without_noise_is_the_gradient_and_the_seed_decides_the_noise(faces):
    images, points = faces
    model = linear()
    plain = saliency.gradient(model, images, points)
    still = saliency.smooth(model, images, points, samples=2, sigma=0)
    np.testing.assert_allclose(still, plain, rtol=1e-5)
    noisy, again, other = (
        saliency.smooth(model, images, points, samples=2, sigma=0.2, seed=seed)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(noisy, again)
    assert not np.allclose(noisy, other)
    # The model is linear, so the noise of many samples averages out.
    many = saliency.smooth(model, images, points, samples=50)
    assert np.abs(many - plain).mean() < 0.4 * np.abs(noisy - plain).mean()
    with pytest.raises(ValueError, match="samples: expected at least 1, got 0"):
        saliency.smooth(model, images, points, samples=0)


def test_a_region_s_map_lies_where_its_points_come_from():
    places = np.stack([np.arange(15) % 5 * 6 + 4, np.arange(15) // 5 * 8 + 3], axis=1)
    kernel = np.zeros((*SHAPE[:2], 15, 2))
    kernel[places[:, 1], places[:, 0], np.arange(15)] = 1  # a point reads the pixel it lies on
    model = linear(kernel=kernel.reshape(-1, 30))
    images = np.full((2, *SHAPE), 200, np.uint8)
    points = np.stack([places, places[::-1]]).astype(np.float32)
    points[1, KAGGLE_15.regions["nose"]] = np.nan
    found = saliency.per_region(model, images, points, KAGGLE_15)
    assert list(found) == list(KAGGLE_15.regions)
    for region, indices in KAGGLE_15.regions.items():
        entry = found[region]
        assert entry["near"][0] == pytest.approx(1) and entry["mean"][0] > 0
        # A disc of radius 2 has 13 pixels; none of these touch one another or the edge.
        assert entry["area"][0] == pytest.approx(13 * len(indices) / (24 * 32))
    assert found["left_eye"]["near"][1] == pytest.approx(0)
    assert all(np.isnan(found["nose"][name][1]) for name in ("mean", "near", "area"))


def test_half_area():
    maps = np.zeros((3, 4, 5))
    maps[0], maps[1, 2, 2] = 3, 7
    found = saliency.half_area(maps)
    assert found[:2].tolist() == [0.5, 1 / 20] and np.isnan(found[2])


@pytest.fixture(scope="module")
def corner():
    """A model that sees the upper left quarter alone; its faces, and a map that says so."""
    kernel = np.zeros((*SHAPE, 30))
    kernel[:12, :16] = RNG.normal(0, 0.05, (12, 16, 1, 30))
    images = RNG.integers(0, 256, (40, *SHAPE), dtype=np.uint8)
    model = linear(kernel=kernel.reshape(-1, 30))
    truth = predict(model, images)
    maps = np.zeros((40, *SHAPE[:2]), np.float32)
    maps[:, :12, :16] = 1
    return model, images, truth, maps


FRACTIONS = (0, 0.25, 0.5, 0.75, 1)


def test_hiding_what_the_model_sees_harms_and_hiding_the_rest_does_not(corner):
    model, images, points, maps = corner
    points = points.copy()
    points[0, 3:] = np.nan
    errors = saliency.deletion_curve(model, images, points, maps, FRACTIONS, patch=4)
    assert tuple(errors) == saliency.ORDERS
    most, other, random, least = errors.values()
    for curve in errors.values():
        assert curve.shape == (40, 5)
        np.testing.assert_allclose(curve[:, 0], 0, atol=1e-4)
        np.testing.assert_allclose(curve[:, 4], most[:, 4], atol=1e-4)
    np.testing.assert_allclose(least[:, :4], 0, atol=1e-4)
    np.testing.assert_allclose(most[:, 1:], np.repeat(most[:, 4:], 4, axis=1), atol=1e-4)
    # All maps are one map here, so another face's is as good as the own.
    np.testing.assert_allclose(other[:, 1], most[:, 1], atol=1e-4)
    area = np.trapezoid(most - random, FRACTIONS, axis=1)
    score = mean_score(area, "px", np.arange(len(area)))
    assert 0 < score["low"] < area.mean() < score["high"]
    assert (random[:, 2] > least[:, 2]).all()


def test_another_face_s_map_is_never_the_own(corner):
    model, images, points, _ = corner
    cells = np.zeros((4, 3, 4), np.float32)
    cells[0, 0, 0] = cells[[1, 2, 3], 2, [1, 2, 3]] = 1  # the model sees the first alone
    maps = np.kron(cells, np.ones((8, 8), np.float32))
    errors = saliency.deletion_curve(model, images[:4], points[:4], maps, (1 / 12,), patch=8)
    own, other, *_ = (curve[:, 0] > 1e-3 for curve in errors.values())
    assert own.tolist() == [True, False, False, False]
    assert not other[0] and other.sum() == 1


def test_the_seed_decides_the_random_order(corner):
    model, images, points, maps = corner
    first, again, other = (
        saliency.deletion_curve(model, images, points, maps, (0.5,), seed=seed)["random"]
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


def test_curves_are_summed_up():
    errors = np.array([[1.0, 2], [3, 2], [1, 2], [3, 2]])
    mean, low, high = saliency.over_faces(errors, np.arange(4))
    assert mean.tolist() == [2, 2] and low[1] == high[1] == 2 and 1 <= low[0] < 2 < high[0] <= 3
    errors[0, 0], errors[:, 1] = np.nan, np.nan
    mean, low, high = saliency.over_faces(errors, np.arange(4))
    assert mean[0] == pytest.approx(7 / 3) and low[0] < 7 / 3 < high[0]
    assert np.isnan([mean[1], low[1], high[1]]).all()


def test_charts_show_the_map_and_the_band():
    import matplotlib.pyplot as plt

    from fkp import plots

    figure, (left, right) = plt.subplots(1, 2)
    plots.heat(left, np.zeros((4, 5)), "nothing")
    plots.deletion(right, (0, 1), {"most": ([1, 3], [0.5, 2], [2, 4])})
    assert right.lines[0].get_ydata().tolist() == [1, 3] and right.get_ylim()[1] > 3.9
    assert left.images[0].get_clim() == (0, 1)
    plt.close(figure)
