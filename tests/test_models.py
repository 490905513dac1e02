import keras
import numpy as np
import pytest

from fkp import models
from fkp.models import describe
from fkp.models.contract import regresses, start_at

# (model, input, points) -> parameters. Paper A, table 1, for the first three; its MobileNetV2 row
# leaves the head out: 2,257,984 + 1280 * 30 + 30. ResNet-18 with 1000 outputs has 11,689,512
# trained parameters and 9600 batch statistics.
COUNTS = [
    ("baseline_cnn", (96, 96, 1), 15, 1_890_366),
    ("manual_cnn", (96, 96, 1), 15, 235_834),
    ("nasnet_mobile", (96, 96, 1), 15, 4_301_426),
    ("mobilenet_v2", (96, 96, 1), 15, 2_257_984 + 38_430),
    ("resnet18", (96, 96, 3), 500, 11_689_512 + 9600),
    ("resnet18", (96, 96, 1), 68, 11_176_512 - 6272 + 9600 + 512 * 136 + 136),
    ("paper_c_cnn", (256, 256, 1), 44, 320 + 18_496 + 36_928 + 60 * 60 * 64 * 64 + 64 + 5720),
]


@pytest.mark.parametrize(("name", "shape", "points", "count"), COUNTS)
def test_parameters(name, shape, points, count):
    assert models.build(name, shape, points).count_params() == count


@pytest.mark.parametrize("name", models.MODELS)
@pytest.mark.parametrize("channels", [1, 3])
def test_raw_pixels_in_and_pixel_points_out(name, channels):
    size = {"size": 32} if name == "nasnet_mobile" else {}
    model = models.build(name, (64, 48, channels), 15, seed=0, **size)
    shape = np.random.default_rng(0).uniform(10, 40, (15, 2))
    if regresses(model):  # heat maps have no shape to start at
        start_at(model, shape)
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 48, channels), dtype=np.uint8)
    points = model.predict_on_batch(images)
    assert points.shape == (2, 15, 2) and points.dtype == np.float32
    if regresses(model):
        np.testing.assert_allclose(points, np.stack([shape, shape]), atol=1e-4)


def test_the_seed_decides_the_weights():
    first, again, other = (
        models.build("manual_cnn", (96, 96, 1), 15, seed=s).get_weights() for s in (1, 1, 2)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_frozen_backbone_trains_the_head_only():
    model = models.build("mobilenet_v2", (96, 96, 1), 15, fine_tune="none")
    assert describe.size(model)["trainable_parameters"] == 38_430
    part = models.build("mobilenet_v2", (96, 96, 1), 15, fine_tune="block_16_expand")
    assert 38_430 < describe.size(part)["trainable_parameters"] < 1_000_000


def test_mixed_precision_model_becomes_the_same_in_float32():
    model = models.build("manual_cnn", (96, 96, 1), 15, precision="mixed_bfloat16", seed=0)
    model.get_layer("coordinates").kernel.assign(np.full((116, 30), 0.01))
    plain = models.in_float32(model)
    images = np.random.default_rng(0).integers(0, 256, (3, 96, 96, 1), dtype=np.uint8)
    assert {layer.dtype_policy.name for layer in plain.layers} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"
    difference = plain.predict_on_batch(images) - model.predict_on_batch(images)
    assert 0 < np.abs(difference).max() < 0.5


def test_saved_model_predicts_the_same(tmp_path):
    model = models.build("manual_cnn", (96, 96, 1), 15, seed=0)
    models.save(model, tmp_path / "model.keras")
    images = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 1), dtype=np.uint8)
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict_on_batch(images), model.predict_on_batch(images))
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("lenet", {}, "model: expected one of baseline_cnn, .* got 'lenet'"),
        ("mobilenet_v2", {"weights": "nowhere.h5"}, "nowhere.h5"),
        ("mobilenet_v2", {"fine_tune": "block_99"}, "block_99"),
    ],
)
def test_errors_name_what_came_in(name, options, message):
    with pytest.raises(ValueError, match=message):
        models.build(name, (96, 96, 1), 15, **options)


def test_input_of_two_channels_is_refused():
    with pytest.raises(ValueError, match=r"\(96, 96, 2\)"):
        models.build("manual_cnn", (96, 96, 2), 15)


def test_a_weights_file_that_does_not_fit_is_named(tmp_path):
    file = tmp_path / "other.h5"
    file.write_bytes(b"not weights")
    with pytest.raises(ValueError, match=r"other\.h5 does not fit MobileNetV2"):
        models.build("mobilenet_v2", (96, 96, 1), 15, weights=str(file))


def test_imagenet_without_a_network_is_explained(monkeypatch):
    def refuse(*args, weights, **kwargs):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "MobileNetV2", refuse)
    with pytest.raises(ValueError, match="weights=FILE"):
        models.build("mobilenet_v2", (96, 96, 1), 15, weights="imagenet")


def test_weights_from_a_file_are_the_backbones(tmp_path):
    source = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(96, 96, 3)
    )
    source.save_weights(tmp_path / "backbone.weights.h5")
    model = models.build(
        "mobilenet_v2", (96, 96, 1), 15, weights=str(tmp_path / "backbone.weights.h5")
    )
    backbone = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    for mine, theirs in zip(backbone.get_weights(), source.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_layer_table_adds_up():
    model = models.build("baseline_cnn", (96, 96, 1), 15)
    table = describe.layer_table(model)
    assert table["parameters"].sum() == model.count_params()
