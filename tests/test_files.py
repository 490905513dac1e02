"""Model files: one way to open them, one clear error for what is none."""

import zipfile
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from keras import layers

from fkp import models
from fkp.data.schemes import KAGGLE_15
from fkp.deploy import export
from fkp.models import about, describe, warm
from fkp.models.predict import predict

SHAPE = (16, 16, 1)


@pytest.fixture(scope="module")
def model():
    return models.build("resnet18", SHAPE, 4, seed=0, blocks=(1, 0, 0, 0))


@pytest.fixture(scope="module")
def files(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    models.save(model, folder / "model.keras")
    export.export(model, folder, formats=["litert", "onnx"])
    return folder


@pytest.mark.parametrize("suffix", [".keras", ".tflite", ".onnx"])
def test_every_format_has_one_contract(suffix, model, files):
    loaded = models.load(files / f"model{suffix}")
    assert loaded.input_shape == (None, *SHAPE) and loaded.output_shape == (None, 4, 2)
    images = np.random.default_rng(0).integers(0, 256, (5, *SHAPE), dtype=np.uint8)
    points = predict(loaded, images, batch_size=2)
    assert points.dtype == np.float32
    np.testing.assert_allclose(points, predict(model, images), atol=1e-3)
    assert predict(loaded, images[:0]).shape == (0, 4, 2)


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_one_runner_serves_several_threads(suffix, files):
    loaded, rng = models.load(files / f"model{suffix}", threads=1), np.random.default_rng(0)
    batches = [rng.integers(0, 256, (1 + i % 3, *SHAPE), dtype=np.uint8) for i in range(60)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(loaded.predict, batches))
    for points, images in zip(found, batches, strict=True):
        np.testing.assert_array_equal(points, loaded.predict(images))


def test_a_model_is_saved_without_its_optimizer_a_checkpoint_with_it(model, tmp_path):
    model.compile("adam", "mse")
    images = np.zeros((2, *SHAPE), np.uint8)
    model.train_on_batch(images, np.zeros((2, 4, 2)))
    for name, optimizer in (("model", False), ("checkpoint", True)):
        models.save(model, tmp_path / f"{name}.keras", optimizer=optimizer)
    small, large = ((tmp_path / f"{n}.keras").stat().st_size for n in ("model", "checkpoint"))
    assert large > 2 * small and small < 4 * describe.size(model)["parameters"] + 60_000
    plain = models.in_float32(model)
    assert not plain.compiled
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert not loaded.compiled
    np.testing.assert_allclose(predict(loaded, images), predict(model, images), atol=1e-5)


def test_only_a_keras_file_has_weights_to_start_from(model, files):
    with pytest.raises(ValueError, match=r"model\.tflite: expected a \.keras file"):
        warm.start(model, files / "model.tflite", KAGGLE_15)


def not_models(folder):
    """(path, message) of files that are none."""
    for suffix in (".keras", ".tflite", ".onnx", ".joblib", ".txt"):
        (folder / f"text{suffix}").write_text("no model")
    with zipfile.ZipFile(folder / "empty.keras", "w"):
        pass
    (folder / "folder.keras").mkdir()
    inputs = keras.Input(SHAPE)
    points = layers.Reshape((8, 2))(layers.Dense(16)(layers.Flatten()(inputs)))
    unsafe = keras.Model(inputs, layers.Lambda(lambda x: x + 1)(points))
    unsafe.save(folder / "lambda.keras")

    def unknown(x):
        return x

    inner = layers.Dense(16, activation=unknown)(layers.Flatten()(inputs))
    keras.Model(inputs, layers.Reshape((8, 2))(inner)).save(folder / "function.keras")
    keras.Model(inputs, layers.Flatten()(inputs)).save(folder / "flat.keras")
    return {
        "text.keras": "not a model that Keras, .*zip archive",
        "text.tflite": "not a model that LiteRT can open",
        "text.onnx": "not a model that ONNX Runtime can open",
        "text.joblib": "not a model that joblib can open",
        "text.txt": "not a model: the ending '.txt', expected a file that ends in .keras",
        "empty.keras": "not a model that Keras",
        "folder.keras": "not a model: a folder",
        "lambda.keras": "not a model that Keras, in its safe mode, can open .*[Ll]ambda",
        "function.keras": "not a model that Keras, in its safe mode, can open .*unknown",
        "flat.keras": r"not a model of keypoints: takes \(None, 16, 16, 1\)",
    }


def test_what_is_no_model_gets_one_line(tmp_path):
    for name, message in not_models(tmp_path).items():
        with pytest.raises(ValueError, match=rf"{name}: {message}") as caught:
            models.load(tmp_path / name)
        assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(ValueError, match=r"text\.onnx: not a model that ONNX Runtime can open"):
        about.read(tmp_path / "text.onnx")
    for read, name in ((models.load, "none.keras"), (about.read, "none.onnx")):
        with pytest.raises(FileNotFoundError, match=f"{name}: no such file, expected a model"):
            read(tmp_path / name)
