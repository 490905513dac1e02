"""Models on disk: `save` writes a Keras model, `load` opens any model file.

Each format imports its own library when a file is opened, so a process that runs a LiteRT or ONNX
file never imports TensorFlow.
"""

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from fkp.models.about import About, write
from fkp.record.files import whole

if TYPE_CHECKING:
    import keras

    from fkp.models.cascade import Cascade


@dataclass(frozen=True, eq=False)
class Runner:
    """A model that runs outside Keras, as `load` returns it; n may change between calls."""

    predict: Callable[[np.ndarray], np.ndarray]
    input_shape: tuple
    output_shape: tuple


def title(path: Path) -> str:
    """What a model is called: model.keras by the name of its folder, any other file by its own."""
    return path.resolve().parent.name if path.stem == "model" else path.stem


def load(path: str | Path, threads: int | None = None) -> "keras.Model | Cascade | Runner":
    """Open a model file: .keras, .tflite (LiteRT), .onnx or .joblib (a cascade).

    Keras' safe mode stays on: a file that brings code of its own is refused. A cascade is a pickle,
    whose code *is* run: only a name that ends in .joblib is opened as one; open none that you would
    not run.

    Args:
        path: the file; its ending says the format.
        threads: threads that a call of a LiteRT or ONNX model may use; None = the library's choice.

    Returns:
        A model with `input_shape` (None, h, w, c), `output_shape` (None, k, 2) and `predict`, from
        uint8 (n, h, w, c) to float32 (n, k, 2), pixels; for .keras the keras.Model, not compiled.
        A third coordinate, if there is one, is the spread of a heat map.

    Raises:
        FileNotFoundError: nothing is there.
        ValueError: what is there is no such model; the message names the file and the reason.
    """
    path, known = Path(path), ", ".join(_FORMATS)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file, expected a model ({known})")
    if path.is_dir() or path.suffix not in _FORMATS:
        found = "a folder" if path.is_dir() else f"the ending {path.suffix!r}"
        raise ValueError(f"{path}: not a model: {found}, expected a file that ends in {known}")
    name, open_ = _FORMATS[path.suffix]
    try:
        model = open_(path, threads)
    except ImportError:
        raise
    except Exception as error:  # of any kind, as each library has its own
        raise ValueError(f"{path}: not a model that {name} can open ({_short(error)})") from error
    shapes = getattr(model, "input_shape", ()), getattr(model, "output_shape", ())
    if [len(shape) for shape in shapes] != [4, 3] or shapes[1][-1] not in (2, 3):
        raise ValueError(
            f"{path}: not a model of keypoints: takes {shapes[0]} and gives {shapes[1]}, "
            "expected images (n, h, w, c) and points (n, k, 2)"
        )
    return model


def save(
    model: "keras.Model", path: str | Path, optimizer: bool = False, about: About | None = None
) -> None:
    """Save a model as a .keras file that appears whole or not at all.

    Args:
        path: ends in .keras.
        optimizer: keep the optimizer, twice the size of the weights, to go on with a training.
        about: what the file says of itself.
    """
    with whole(path) as temporary:
        (model if optimizer or not model.compiled else _rebuilt(model)).save(temporary)
        if about is not None:
            write(temporary, about)


def in_float32(model: "keras.Model") -> "keras.Model":
    """The same model and weights with every layer in float32, not compiled.

    A model trained in mixed precision predicts, measures and exports in full precision.
    """
    return _rebuilt(model, ("mixed_bfloat16", "float32"))


def _rebuilt(model, precision=("", "")):
    """The same model and weights without what `compile` added; of another precision if given."""
    import keras

    about = json.loads(model.to_json())
    about.pop("compile_config", None)
    before, after = (f'"{name}"' for name in precision)
    twin = keras.models.model_from_json(json.dumps(about).replace(before, after))
    twin.set_weights(model.get_weights())
    return twin


def _short(error, limit=200):
    """The first line of an error's text; where Keras wraps one in another, of the innermost."""
    text = str(error).rpartition("Exception encountered: ")[2].strip() or repr(error)
    text = text.splitlines()[0]
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def _keras(path, threads):
    import keras

    import fkp.models.keypoint_net
    import fkp.models.trust  # noqa: F401  (both register their layers)

    if not zipfile.is_zipfile(path):
        raise ValueError("a .keras file is a zip archive, this is none")
    return keras.saving.load_model(path, compile=False)


def _litert(path, threads):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=threads)
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    batch, alone = None, Lock()

    def call(images):
        nonlocal batch
        with alone:
            if len(images) != batch:
                batch = len(images)
                interpreter.resize_tensor_input(source["index"], images.shape)
                interpreter.allocate_tensors()
            interpreter.set_tensor(source["index"], images)
            interpreter.invoke()
            return interpreter.get_tensor(target["index"])

    shapes = ((None, *end["shape"][1:].tolist()) for end in (source, target))
    return Runner(call, *shapes)


def _onnx(path, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (source,), (target,) = session.get_inputs(), session.get_outputs()
    shapes = ((None, *end.shape[1:]) for end in (source, target))
    return Runner(lambda images: session.run(None, {source.name: images})[0], *shapes)


def _cascade(path, threads):
    import joblib

    from fkp.models.cascade import Cascade

    found = joblib.load(path)
    if not isinstance(found, Cascade):
        raise ValueError(f"expected a Cascade, got {type(found).__name__}")
    return found


# ending -> (what opens it, function).
_FORMATS = {
    ".keras": ("Keras, in its safe mode,", _keras),
    ".tflite": ("LiteRT", _litert),
    ".onnx": ("ONNX Runtime", _onnx),
    ".joblib": ("joblib", _cascade),
}
