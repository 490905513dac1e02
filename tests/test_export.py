import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image
from pts import write_pts
from typer.testing import CliRunner

from fkp import cli, models
from fkp.data import readers
from fkp.data.faces import Faces
from fkp.data.schemes import IBUG_68, KAGGLE_15
from fkp.deploy import export, runtimes
from fkp.deploy.candidates import stand_in
from fkp.models import keypoint_net, trust
from fkp.models.about import About
from fkp.models.contract import pixels_in, points_out
from fkp.photo.finder import WEIGHTS

SHAPE = (32, 24, 1)


def tiny(norm=True, shape=SHAPE):
    """The contract in miniature; it holds a Resizing layer before a batch normalisation."""
    inputs, x = pixels_in(shape)
    x = layers.Resizing(16, 16)(x)
    x = layers.Conv2D(8, 3, strides=2, activation="relu")(x)
    x = layers.BatchNormalization()(x) if norm else x
    return keras.Model(inputs, points_out(layers.Flatten()(x), shape, 4), name="tiny")


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (16, *SHAPE), dtype=np.uint8)


@pytest.fixture(scope="module")
def model(images):
    keras.utils.set_random_seed(0)
    return stand_in(tiny(), images)


@pytest.fixture(scope="module")
def exported(model, images, tmp_path_factory):
    """(runtime -> path, rows) of every runtime."""
    folder = tmp_path_factory.mktemp("exported")
    return export.for_runtimes(model, folder, "tiny", list(runtimes.RUNTIMES), images)


@pytest.mark.parametrize("runtime", ["litert", "litert_int8", "onnxruntime"])
def test_exported_files_give_the_points_of_keras_for_any_number_of_images(
    runtime, exported, model, images
):
    expected = model.predict_on_batch(images)
    call = runtimes.load(runtime, exported[0][runtime])
    for n in (1, 16, 3):
        points = call(images[:n])
        assert points.shape == (n, 4, 2) and points.dtype == np.float32
        difference = export.agreement(points, expected[:n])
        assert difference["max_px"] < (2 if runtime == "litert_int8" else 1e-3)


def test_files_are_whole_and_int8_is_smaller(exported):
    paths, rows = exported
    folder = paths["litert"].parent
    names = {"tiny.keras", "tiny.tflite", "tiny-float16.tflite", "tiny-int8.tflite", "tiny.onnx"}
    assert {path.name for path in folder.iterdir()} == names
    size = {row["format"]: row["mb"] for row in rows}
    assert 0.4 < size["litert-float16"] / size["litert"] < 0.75
    assert size["litert-int8"] < size["litert"] == paths["litert"].stat().st_size / 1e6
    differs = {row["format"]: row["rms_px"] for row in rows if "rms_px" in row}
    assert differs["litert"] < 1e-3 and differs["onnx"] < 1e-3 < differs["litert-int8"] < 1
    assert differs["litert-float16"] < 0.01


def test_a_float_file_that_differs_is_refused(exported, model, images):
    head = model.get_layer("coordinates")
    kept = head.bias.numpy()
    head.bias.assign(kept + 0.1)
    try:
        with pytest.raises(ValueError, match=r"tiny\.tflite: points differ .* px"):
            export.check(model, exported[0]["litert"], "litert", images)
    finally:
        head.bias.assign(kept)


def test_a_mixed_precision_model_is_exported_in_float32(images, tmp_path):
    model = models.build("manual_cnn", (96, 96, 1), 4, precision="mixed_bfloat16", seed=0)
    faces = np.random.default_rng(0).integers(0, 256, (4, 96, 96, 1), dtype=np.uint8)
    stand_in(model, faces)
    (file,) = export.export(model, tmp_path, formats=["litert"]).values()
    assert file["bytes"] == file["path"].stat().st_size
    points = runtimes.load("litert", file["path"])(faces)
    plain = models.in_float32(model).predict_on_batch(faces)
    assert export.agreement(points, plain)["max_px"] < 1e-3


@pytest.mark.parametrize(
    ("formats", "calibration", "message"),
    [
        (["tflite"], None, "unknown format 'tflite'"),
        (["litert-int8"], None, "needs calibration images"),
        (["litert-int8"], np.zeros((2, 8, 8, 1), np.uint8), r"expected uint8 \(n, 32, 24, 1\)"),
        (["litert-int8"], np.zeros((2, *SHAPE)), "got float64"),
    ],
)
def test_what_cannot_be_exported(model, tmp_path, formats, calibration, message):
    with pytest.raises(ValueError, match=message):
        export.export(model, tmp_path / "new", formats=formats, calibration=calibration)
    assert not (tmp_path / "new").exists()


def test_a_saved_file_in_one_format(exported, images, tmp_path):
    """The stored model has not been called yet, and no other format is exported before."""
    file = export.export_file(exported[0]["keras_predict"], "onnx", tmp_path)
    assert file["path"] == tmp_path / "tiny.onnx" and file["max_px"] < 1e-3
    with pytest.raises(FileNotFoundError, match="none"):
        export.export_file(tmp_path / "none.keras", "onnx", tmp_path)


@pytest.mark.parametrize("form", ["tflite", "int8"])
def test_a_shipped_model_is_exported_whatever_its_expected_errors_on_noise(tmp_path, form):
    """int8 takes its ranges from faces of any size, cut as the model says of itself."""
    faces = readers.read(n=20, size=160, scheme=IBUG_68)
    file = export.export_file(WEIGHTS / "tiny.keras", form, tmp_path, faces)
    assert file["path"].parent == tmp_path and file["max_px"] < (0.01 if form == "tflite" else 2)
    assert export.export_file(WEIGHTS / "tiny.keras", "onnx", tmp_path)["max_px"] < 0.01


@pytest.mark.parametrize("described", [True, False])
def test_a_model_of_colours_is_calibrated_on_coloured_photographs(tmp_path, monkeypatch, described):
    shape, faces = (96, 96, 3), readers.read(n=3, size=120, channels=3, scheme=IBUG_68)
    for i, (image, points) in enumerate(zip(faces.images, faces.points, strict=True)):
        Image.fromarray(image).save(tmp_path / f"{i}.png")
        write_pts(tmp_path / f"{i}.pts", points)
    said = About("a", "ibug68", IBUG_68.labels, zoom=1.4) if described else None
    (tmp_path / "made").mkdir()
    models.save(tiny(shape=shape), tmp_path / "made/colour.keras", about=said)
    told = ("export", "made/colour.keras", "--format", "int8", "--calibrate", ".")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli.app, told)
    assert result.exit_code == 0, result.output + str(result.exception)
    assert models.load(tmp_path / "colour-int8.tflite").input_shape == (None, *shape)


@pytest.mark.parametrize(("detected", "side"), [(True, 30), (False, 50)])
def test_calibration_images_are_cut_as_the_model_says(detected, side):
    """A box is half as wide as the model's picture or, undetected, as the one at hand."""
    noise = np.random.default_rng(0).integers(0, 256, (2, 100, 100, 1), dtype=np.uint8)
    faces = Faces(noise, np.zeros((2, 15, 2), np.float32), KAGGLE_15, "noise")
    about = About("a", "kaggle15", KAGGLE_15.labels, zoom=1.0, picture=60, detected=detected)
    low, high = 50 - side // 2, 50 + side // 2
    shown = export._as_shown(faces, side, about)
    np.testing.assert_array_equal(shown, noise[:, low:high, low:high])
    np.testing.assert_array_equal(export._as_shown(faces, side, None), noise)


def test_an_export_that_is_refused_leaves_what_was_there(exported, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "TOLERANCE_PX", -1)
    (tmp_path / "tiny.tflite").write_text("mine")
    with pytest.raises(ValueError, match="points differ"):
        export.export_file(exported[0]["keras_predict"], "tflite", tmp_path, force=True)
    assert [file.name for file in tmp_path.iterdir()] == ["tiny.tflite"]
    assert (tmp_path / "tiny.tflite").read_text() == "mine"


def test_a_failed_export_leaves_nothing(model, tmp_path, monkeypatch):
    def fail(*arguments):
        raise RuntimeError("no")

    monkeypatch.setattr(export, "_litert", fail)
    with pytest.raises(RuntimeError):
        export.export(model, tmp_path, formats=["litert"])
    assert list(tmp_path.iterdir()) == []


def test_unknown_runtime():
    with pytest.raises(ValueError, match=r"runtime: expected one of keras_predict, .* got 'torch'"):
        runtimes.load("torch", "model.pt")


def test_the_points_of_heat_maps_survive_eight_bits(tmp_path):
    keras.utils.set_random_seed(0)
    model = keypoint_net.keypoint_net(
        (64, 64, 1), 5, widths=(8, 12, 16), blocks=(1, 1, 1), decoder=(12, 8)
    )
    images = readers.read(n=24, size=64).images
    for norm in (layer for layer in model.layers if hasattr(layer, "moving_mean")):
        norm.momentum = 0.0
    model(images, training=True)  # values keep their scale, as in a trained network
    points = trust.with_spread(model)
    form = "litert-int8"
    file = export.export(points, tmp_path, formats=[form], calibration=images)[form]
    found = runtimes.load("litert_int8", file["path"])(images)
    expected = points.predict_on_batch(images)
    assert found.shape == (24, 5, 3)
    apart = np.sqrt(((found - expected)[..., :2] ** 2).mean())
    assert apart < expected[..., :2].std(axis=0).mean() / 8
