"""What a model file says of itself, whatever its format: fkp.json inside it.

In a .keras file, a zip archive, it is one more entry; behind a .tflite file stands a small archive,
where LiteRT's own metadata lies too; an .onnx file has a metadata property of that name.
"""

import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

_NAME = "fkp.json"


@dataclass(frozen=True)
class About:
    """What has to be known to use a model.

    Attributes:
        name: what it is called.
        scheme: name of the points' scheme.
        labels: names of the points, in order.
        zoom: side of the crop that it takes over the longer side of the face's box.
        picture: side of the picture, twice as wide as the box, from which that crop is cut, px.
        middle: (x, y), where the box's middle lies in the crop, as shares of its side.
        points: the scheme in full, see `fkp.data.own`, where it is not one that fkp knows.
        detected: its faces are found by the face detector; else a picture is one crop.
        offset: k pairs that are added to its points, px, see `fkp.models.trust`; None: nothing is.
        error: its third column is the expected error of a point, px of the crop.
        data: what it was trained on, in words.
        terms: on which terms it may be used, in words.
        version: of fkp, that wrote it.
    """

    name: str
    scheme: str
    labels: tuple[str, ...]
    zoom: float
    picture: int = 192
    middle: tuple[float, float] = (0.5, 0.5)
    points: dict | None = None
    detected: bool = True
    offset: tuple[tuple[float, float], ...] | None = None
    error: bool = False
    data: str = ""
    terms: str = ""
    version: str = ""


def write(path: Path, about: About) -> None:
    """Add it to a file that has none; not atomic: for a file that is still being made."""
    text = json.dumps(asdict(about), ensure_ascii=False)
    if path.suffix == ".onnx":
        import onnx

        model = onnx.load(path)
        onnx.helper.set_model_props(model, {_NAME: text})
        onnx.save(model, path)
        return
    with zipfile.ZipFile(path, "a") as archive:
        entry = zipfile.ZipInfo(_NAME)  # its date never changes
        archive.writestr(entry, text, zipfile.ZIP_DEFLATED)


def read(path: str | Path) -> About | None:
    """What a .keras, .tflite or .onnx file says of itself; None if it says nothing.

    Raises:
        FileNotFoundError: nothing is there.
        ValueError: it says something else, or is an .onnx file that cannot be opened; names it.
    """
    path, text = Path(path), None
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file, expected a model")
    if path.suffix == ".onnx":
        import onnxruntime

        try:
            session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        except Exception as error:  # of any kind, as in `fkp.models.load`
            short = str(error).partition("\n")[0]
            raise ValueError(f"{path}: not a model that ONNX Runtime can open ({short})") from error
        text = session.get_modelmeta().custom_metadata_map.get(_NAME)
    try:
        if path.suffix != ".onnx" and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                text = archive.read(_NAME) if _NAME in archive.namelist() else None
        if text is None:
            return None
        found = json.loads(text)
        said = About(**found | {key: tuple(found[key]) for key in ("labels", "middle")})
        numbers = said.zoom, said.picture, *said.middle
        sound = all(isinstance(value, int | float) and abs(value) <= 4096 for value in numbers)
        sound = sound and len(numbers) == 4 and min(numbers[:2]) > 0
        if not (sound and isinstance(said.picture, int) and isinstance(said.scheme, str)):
            told = ", ".join(map(repr, (said.scheme, *numbers)))
            raise ValueError(f"scheme, zoom, picture, middle: {told}")
        return said
    except Exception as error:  # of any kind, as a damaged archive has many
        raise ValueError(f"{path}: {_NAME} inside it is not what fkp writes ({error})") from None
