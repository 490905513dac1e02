import keras
import numpy as np
import pytest

from fkp.models import heads, keypoint_net, trust

SHAPE = (64, 96, 1)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return keypoint_net.keypoint_net(SHAPE, 5, widths=(4, 6, 8), blocks=(1, 1, 1), decoder=(6,))


def peak(row, column, sharpness=50.0, shape=(16, 24)):
    """Logits (1, h, w, 1) with all their weight on one cell."""
    logits = np.zeros((1, *shape, 1), np.float32)
    logits[0, row, column] = sharpness
    return logits


@pytest.mark.parametrize(("row", "column"), [(0, 0), (15, 23), (7, 3)])
def test_a_sharp_map_points_at_the_middle_of_its_cell(row, column):
    points = np.asarray(heads.Expectation((64, 96))(peak(row, column)))
    # A cell covers four pixels; pixel centres lie on integers.
    np.testing.assert_allclose(points[0, 0], [4 * column + 1.5, 4 * row + 1.5], atol=1e-3)


def test_a_flat_map_points_at_the_centre_and_knows_that_it_knows_nothing():
    found = np.asarray(heads.Expectation((64, 96), spread=True)(peak(0, 0, 0.0)))[0, 0]
    np.testing.assert_allclose(found[:2], [47.5, 31.5], atol=1e-4)
    cells = np.stack(np.meshgrid(np.arange(24) * 4.0, np.arange(16) * 4.0), -1).reshape(-1, 2)
    assert found[2] == pytest.approx(np.sqrt(cells.var(axis=0).sum()), rel=1e-5)
    sharp = np.asarray(heads.Expectation((64, 96), spread=True)(peak(3, 4)))[0, 0]
    assert sharp[2] == pytest.approx(0, abs=0.05)


def test_pixels_in_points_out(model):
    images = np.random.default_rng(0).integers(0, 256, (3, *SHAPE), dtype=np.uint8)
    points = model.predict_on_batch(images)
    assert points.shape == (3, 5, 2) and points.dtype == np.float32
    assert (points >= 0).all() and (points <= np.array([95, 63])).all()
    assert model.get_layer("heatmap").output.shape[1:] == (16, 24, 5)


def test_sides_need_not_be_divisible():
    options = {"widths": (4, 6, 8), "blocks": (1, 1, 1), "decoder": (6, 4)}
    odd = keypoint_net.keypoint_net((61, 50, 1), 5, **options)
    assert odd.get_layer("heatmap").output.shape[1:] == (31, 25, 5)


def test_the_spread_comes_with_the_same_points(model):
    images = np.random.default_rng(0).integers(0, 256, (2, *SHAPE), dtype=np.uint8)
    found = trust.with_spread(model).predict_on_batch(images)
    np.testing.assert_allclose(found[..., :2], model.predict_on_batch(images), atol=1e-4)
    assert found.shape == (2, 5, 3) and (found[..., 2] > 0).all()
    plain = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="expected a model with heat maps"):
        trust.with_spread(plain)


def test_points_move_to_where_the_labels_lie(model):
    images = np.random.default_rng(0).integers(0, 256, (4, *SHAPE), dtype=np.uint8)
    found = trust.with_spread(model).predict_on_batch(images)
    labels = found[..., :2] + [1.5, -0.5]
    labels[:2, 0] += [[3, 0], [-3, 0]]
    labels[3, 1], labels[:, 4] = np.nan, np.nan
    offset = trust.label_offset(labels, found)
    np.testing.assert_allclose(offset, [[1.5, -0.5]] * 4 + [[0, 0]], atol=1e-4)
    layer = trust.Offset(offset.tolist(), dtype="float32")
    moved = trust.followed_by(trust.with_spread(model), layer)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(moved))
    again.set_weights(moved.get_weights())
    answer = again.predict_on_batch(images)
    np.testing.assert_allclose(answer[..., :2] - found[..., :2], [offset] * 4, atol=1e-4)
    np.testing.assert_array_equal(answer[..., 2], found[..., 2])


def test_a_saved_model_opens_in_safe_mode(model, tmp_path):
    model.save(tmp_path / "m.keras")
    images = np.zeros((1, *SHAPE), np.uint8)
    again = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again.predict_on_batch(images), model.predict_on_batch(images))


@pytest.mark.parametrize(
    ("name", "side", "parameters"), [("small", 128, 1_084_180), ("tiny", 112, 314_708)]
)
def test_the_shipped_networks_have_their_size(name, side, parameters):
    assert getattr(keypoint_net, name)((side, side, 1), 68).count_params() == parameters


@pytest.mark.parametrize("body", ["plain", "inverted", "mobilenet_v2", "resnet18"])
@pytest.mark.parametrize("head", ["regression", "soft_argmax", "simcc"])
def test_every_body_takes_every_head(body, head):
    weights = {"weights": "none"} if body == "mobilenet_v2" else {}
    options = {"widths": (4, 6, 8), "blocks": (1, 1, 1), "decoder": (6,), "body": body}
    net = keypoint_net.keypoint_net(SHAPE, 5, head=head, **options, **weights)
    found = net.predict_on_batch(np.zeros((2, *SHAPE), np.uint8))
    assert found.shape == (2, 5, 2) and np.isfinite(found).all()


def test_bins_are_pixels():
    logits = np.zeros((1, 1, 96 + 64), np.float32)
    logits[0, 0, [17, 96 + 40]] = 50.0
    np.testing.assert_allclose(heads.Bins((64, 96))(logits)[0, 0], [17, 40], atol=1e-3)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"blocks": (1, 1)}, "one count a width"),
        ({"decoder": (4, 4, 4)}, "fewer steps up"),
        ({"body": "fat"}, "expected one of plain, inverted, mobilenet_v2, resnet18, got 'fat'"),
        ({"head": "own"}, "expected one of regression, soft_argmax, simcc, got 'own'"),
    ],
)
def test_options_that_do_not_fit_are_named(options, complaint):
    given = {"input_shape": SHAPE, "widths": (4, 6, 8), "blocks": (1, 1, 1), "decoder": (6,)}
    given |= options
    with pytest.raises(ValueError, match=complaint):
        keypoint_net.keypoint_net(given.pop("input_shape"), 5, **given)
