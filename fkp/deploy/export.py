"""A model as a file for other runtimes: LiteRT (float32, float16, int8) and ONNX (float32).

Every file takes raw pixels, uint8 (n, h, w, c) for any n, and gives points in pixels, float32
(n, k, 2): the contract of `fkp.models`, so nobody has to know how the pixels are scaled. Converting
needs Keras' TensorFlow backend; running the files does not.
"""

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fkp import models
from fkp.data.faces import Faces
from fkp.deploy import runtimes
from fkp.models.about import About, read, write
from fkp.models.files import title
from fkp.prepare.warp import plain
from fkp.record.files import whole

if TYPE_CHECKING:
    import keras

SUFFIXES = {
    "litert": ".tflite",
    "litert-float16": "-float16.tflite",
    "litert-int8": "-int8.tflite",
    "onnx": ".onnx",
}
FORMATS = tuple(SUFFIXES)
# Names that users know them by.
_ALSO = {"tflite": "litert", "float16": "litert-float16", "int8": "litert-int8"}
# A float32 file computes the same function: rounding in the deepest model is a tenth of this.
TOLERANCE_PX = 0.01
# The end of a network with heat maps, from logits to points, which stays in float: 8 bits are too
# few for the probabilities of a softmax over hundreds of cells.
_FLOAT_END = (
    *("RESHAPE", "TRANSPOSE", "SOFTMAX", "BATCH_MATMUL", "FULLY_CONNECTED", "STRIDED_SLICE"),
    *("SUB", "SQUARED_DIFFERENCE", "MUL", "SUM", "MAXIMUM", "SQRT", "CONCATENATION"),
    *("LOG", "EXP"),  # of the expected errors
)


def export(
    model: "keras.Model",
    folder: str | Path,
    name: str = "model",
    formats: Sequence[str] = FORMATS,
    calibration: np.ndarray | None = None,
    about: About | None = None,
) -> dict[str, dict]:
    """Write a model in some formats; a file appears whole or not at all.

    Args:
        model: keras.Model, pixels -> points; one of mixed precision is exported in float32.
        folder: where the files go, as `name` and the format's suffix.
        name: stem of the files.
        formats: of `FORMATS`.
        calibration: uint8 (n, h, w, c), typical images from which int8 takes its value ranges;
            a hundred or more.
        about: what the files say of themselves.

    Returns:
        dict: format -> {"path": Path, "bytes": size of the file}.

    Raises:
        ValueError: unknown format, no or unfitting calibration images, or a backend other than
            TensorFlow.
    """
    _check(model, formats, calibration)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    pixels, written = _from_bytes(model), {}
    with tempfile.TemporaryDirectory() as saved:
        if any(form.startswith("litert") for form in formats):
            logging.getLogger("tensorflow").setLevel(logging.WARNING)  # else: names of folders
            pixels.export(saved, format="tf_saved_model", verbose=False)
        for form in formats:
            path = folder / f"{name}{SUFFIXES[form]}"
            with whole(path) as part:
                if form == "onnx":
                    pixels.export(part, format="onnx", verbose=False)
                else:
                    heatmaps = any(layer.name == "heatmap" for layer in model.layers)
                    converted = _litert(saved, form, calibration, heatmaps)
                    part.write_bytes(_without_names(converted))
                if about is not None:
                    write(part, about)
            written[form] = {"path": path, "bytes": path.stat().st_size}
    return written


def export_file(
    path: str | Path,
    form: str,
    folder: str | Path,
    calibration: Faces | None = None,
    force: bool = False,
) -> dict:
    """Export a .keras file in one format and check the result, on the calibration faces or noise.

    The new file says of itself what the old one does.

    Args:
        path: .keras file; its stem names the new one or, of a run's model.keras, the run's folder.
        form: of `FORMATS`, or "tflite", "float16", "int8".
        folder: as for `export`.
        calibration: faces of which int8 takes its value ranges; cut as the file says of itself.
        force: write over an existing file.

    Returns:
        dict: path, bytes, max_px, rms_px.

    Raises:
        ValueError, FileNotFoundError: as `export`, `check` and `fkp.models.load`; a file is there.
    """
    path, form = Path(path), _ALSO.get(form, form)
    if path.suffix != ".keras":
        raise ValueError(f"{path}: expected a model saved as .keras")
    if form not in SUFFIXES:
        raise ValueError(f"unknown format {form!r} (known: {', '.join((*FORMATS, *_ALSO))})")
    name = title(path)
    target = Path(folder) / f"{name}{SUFFIXES[form]}"
    if target.exists() and not force:
        raise ValueError(f"{target}: exists already; --force replaces it")
    model, about = models.load(path), read(path)
    images = None if calibration is None else _as_shown(calibration, model.input_shape[1], about)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as beside:
        file = export(model, beside, name, [form], images, about)[form]
        if images is None:
            shape = (16, *model.input_shape[1:])
            images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        difference = check(model, file["path"], form, images[:100])
        file["path"].replace(target)
    return file | {"path": target} | difference


def _as_shown(faces, side, about):
    """The images of faces as a model is shown them; whole if it does not say how."""
    if about is None:
        return faces.images
    # What is found lies closer, or less close, than the box round the points.
    share = about.picture / faces.image_shape[0] if about.detected else 1.0
    return plain(faces, side, about.zoom * share).images


def check(
    model: "keras.Model", path: str | Path, form: str, images: np.ndarray
) -> dict[str, float]:
    """Compare an exported file with its model; one of fewer bits than float32 may differ.

    Args:
        model: the keras.Model that was exported.
        path: the file.
        form: its format.
        images: uint8 (n, h, w, c).

    Returns:
        dict: max_px and rms_px, difference between the coordinates of the two; expected errors
        have no part in it, which are vast where there is no face.

    Raises:
        ValueError: a float32 file differs by more than `TOLERANCE_PX` anywhere.
    """
    both = models.load(path, threads=1).predict(images), model.predict_on_batch(images)
    difference = agreement(*(points[..., :2] for points in both))
    if form in ("litert", "onnx") and not difference["max_px"] <= TOLERANCE_PX:
        raise ValueError(
            f"{Path(path).name}: points differ from Keras' by up to {difference['max_px']:.4g} px "
            f"(tolerance {TOLERANCE_PX} px)"
        )
    return difference


def for_runtimes(
    model: "keras.Model", folder: str | Path, name: str, wanted: Sequence[str], images: np.ndarray
) -> tuple[dict[str, Path], list[dict]]:
    """Everything that some runtimes need to run a model, exported and checked.

    Args:
        model, folder, name: as for `export`; the .keras file goes there too.
        wanted: of `fkp.deploy.runtimes.RUNTIMES`.
        images: uint8 (n, h, w, c), to calibrate int8 with and to check every file on.

    Returns:
        (runtime -> path, list of dicts: format, mb, and for all but keras max_px and rms_px).
    """
    needed = [runtimes.RUNTIMES[runtime] for runtime in wanted]
    formats = [form for form in FORMATS if form in needed]
    keras_file = Path(folder) / f"{name}.keras"
    models.save(model, keras_file)
    size = keras_file.stat().st_size
    paths, rows = {"keras": keras_file}, [{"format": "keras", "mb": size / 1e6}]
    for form, file in export(model, folder, name, formats, images).items():
        paths[form] = file["path"]
        difference = check(model, file["path"], form, images)
        rows.append({"format": form, "mb": file["bytes"] / 1e6, **difference})
    return {runtime: paths[runtimes.RUNTIMES[runtime]] for runtime in wanted}, rows


def agreement(points: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    """max_px and rms_px: largest and root mean square difference of two sets of coordinates."""
    difference = np.asarray(points, np.float64) - np.asarray(reference, np.float64)
    return {
        "max_px": float(np.abs(difference).max()),
        "rms_px": float(np.sqrt(np.mean(difference**2))),
    }


def _check(model, formats, calibration):
    import keras

    if keras.config.backend() != "tensorflow":
        raise ValueError(f"export needs KERAS_BACKEND=tensorflow, not {keras.config.backend()}")
    for form in formats:
        if form not in SUFFIXES:
            raise ValueError(f"unknown format {form!r} (known: {', '.join(FORMATS)})")
    if "litert-int8" not in formats:
        return
    if calibration is None or len(calibration) == 0:
        raise ValueError(
            "litert-int8 needs calibration images (--calibrate): typical faces, a hundred or more"
        )
    expected = model.input_shape[1:]
    if calibration.dtype != np.uint8 or calibration.shape[1:] != expected:
        raise ValueError(
            f"calibration images: expected uint8 (n, {', '.join(map(str, expected))}), "
            f"got {calibration.dtype} {calibration.shape}"
        )


def _from_bytes(model):
    """The model in float32 with uint8 input, fixed to inference."""
    import keras

    if '"mixed_' in model.to_json():
        model = models.in_float32(model)
    inputs = keras.Input(model.input_shape[1:], dtype="uint8", name="pixels")
    # Said outright: see the traced call in `fkp.deploy.runtimes`.
    points = model(keras.ops.cast(inputs, "float32"), training=False)
    pixels = keras.Model(inputs, points, name=model.name)
    pixels(np.zeros((1, *model.input_shape[1:]), np.uint8))  # Keras exports what has been called
    return pixels


def _litert(saved, form, calibration, heatmaps):
    """Bytes of a LiteRT file; int8 takes its value ranges from the calibration images."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(saved)
    if form == "litert":
        return converter.convert()
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if form == "litert-float16":
        converter.target_spec.supported_types = [tf.float16]
        return converter.convert()
    converter.representative_dataset = lambda: ([image[None]] for image in calibration)
    if heatmaps:
        options = tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=list(_FLOAT_END))
        debugger = tf.lite.experimental.QuantizationDebugger(
            converter=converter,
            debug_dataset=lambda: ([image[None]] for image in calibration[:1]),
            debug_options=options,
        )
        return debugger.get_nondebug_quantized_model()
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.uint8
    return converter.convert()


def _without_names(model):
    """A LiteRT model without the names of its inner tensors, which nothing needs to run it."""
    from tensorflow.lite.tools import flatbuffer_utils

    found = flatbuffer_utils.convert_bytearray_to_object(bytearray(model))
    for graph in found.subgraphs:
        ends = {*graph.inputs, *graph.outputs}
        for number, tensor in enumerate(graph.tensors):
            if number not in ends:
                tensor.name = None
    return bytes(flatbuffer_utils.convert_object_to_bytearray(found))
