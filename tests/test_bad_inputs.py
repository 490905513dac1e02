"""What can be wrong with an input, and the one line that says so; nothing is written meanwhile."""

import io
import json
import pickle
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fkp import cli
from fkp.data import readers
from fkp.data.readers.kaggle import COLUMNS
from fkp.data.schemes import IBUG_68

HEADER = ",".join([*COLUMNS, "Image"])
PIXELS = " ".join(["7"] * 9216)


def row(values=None, pixels=PIXELS):
    return ",".join([*(values or ["10"] * 30), pixels])


def text(name, content):
    return lambda folder: (folder / name).write_text(content)


def raw(name, content):
    return lambda folder: (folder / name).write_bytes(content)


def zipped(name, entries):
    def make(folder):
        with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for entry, content in entries.items():
                archive.writestr(entry, content)

    return make


def arrays(name="a.npz", **content):
    usual = {"images": np.zeros((3, 32, 32), np.uint8), "points": np.full((3, 5, 2), 9.0)}
    return lambda folder: np.savez(folder / name, **usual | content)


def picture(name, mode="RGB", size=(40, 40), **options):
    return lambda folder: Image.new(mode, size).save(folder / name, **options)


def damaged_zip(folder):
    """A zip that unpacks, but not to what was packed."""
    content = "\n".join([HEADER, *[row()] * 3])
    with zipfile.ZipFile(folder / "training.zip", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("training.csv", content)
    data = bytearray((folder / "training.zip").read_bytes())
    at = data.find(b"10,10", len(HEADER) + 500)
    data[at : at + 5] = b"10;10"
    (folder / "training.zip").write_bytes(data)


def zip_bomb(folder):
    """A small archive whose entry says that it holds 5 GB."""
    zipped("training.zip", {"training.csv": HEADER})(folder)
    data = (folder / "training.zip").read_bytes()
    size = len(HEADER).to_bytes(4, "little")
    at = data.rfind(b"PK\x01\x02") + 24
    assert data[at : at + 4] == size
    (folder / "training.zip").write_bytes(
        data[:at] + (0xFFFFFFF0).to_bytes(4, "little") + data[at + 4 :]
    )


def picture_bomb(folder):
    packed = io.BytesIO()
    Image.new("1", (20000, 20000)).save(packed, "png")
    (folder / "bomb.png").write_bytes(packed.getvalue())


def lambda_model(folder):
    """A .keras file with Python code inside."""
    import keras

    inputs = keras.Input((8, 8, 1))
    found = keras.layers.Lambda(lambda x: x[:, :2, :2, 0])(inputs)
    keras.Model(inputs, found).save(folder / "code.keras")


def other_model(folder):
    import keras

    inputs = keras.Input((8, 8, 1))
    keras.Model(inputs, keras.layers.Flatten()(inputs)).save(folder / "other.keras")


def pts(folder, content="version: 1\nn_points: 68\n{\n1 2\n}\n"):
    (folder / "faces").mkdir()
    Image.new("RGB", (50, 50)).save(folder / "faces/a.jpg")
    (folder / "faces/a.pts").write_text(content)


def coco(folder, **changes):
    content = {"images": [], "annotations": [], "categories": []} | changes
    (folder / "a.json").write_text(json.dumps(content))


NONE = lambda folder: None  # noqa: E731
# (what lies in the folder, the command, what its one line must say)
CASES = [
    # Data
    (NONE, "inspect nowhere", "nowhere: no such file or folder"),
    (lambda f: (f / "empty").mkdir(), "inspect empty", "empty: the folder is empty"),
    (text("notes.md", "hello"), "inspect notes.md", "notes.md: not recognised. Known formats"),
    (NONE, "inspect notes.md --source xml", "unknown source 'xml'"),
    (text("training.csv", ""), "inspect training.csv", "got 'an empty first line'"),
    (text("training.csv", HEADER), "inspect training.csv", "got 'a header only'"),
    (
        text("training.csv", HEADER.replace(",", ";")),
        "inspect training.csv",
        "got 'semicolons', expected commas between the columns",
    ),
    (
        text("training.csv", f"{HEADER}\n{row(pixels='1 2 3')}"),
        "inspect training.csv",
        "data row 1 (line 2), column Image",
    ),
    (
        text("training.csv", f"{HEADER}\n{row()}\n{row(['x'] + ['1'] * 29)}"),
        "inspect training.csv",
        "data row 2 (line 3), column left_eye_center_x: got 'x'",
    ),
    (
        text("training.csv", f"{HEADER}\n{row(['1e12'] + ['1'] * 29)}"),
        "inspect training.csv",
        "data row 1, column left_eye_center: got (999999995904.0, 1.0), expected a point",
    ),
    (
        text("training.csv", f"{HEADER}\n{row(['150'] * 30)}"),
        "inspect training.csv",
        "15 of 15 points outside",
    ),
    (raw("training.zip", b"PK no"), "inspect training.zip", "expected a whole zip file"),
    (damaged_zip, "inspect training.zip", "expected a whole zip file (fetch it again?"),
    (zip_bomb, "inspect training.zip", "expected at most 2,147,483,648 bytes inside"),
    (
        zipped("training.zip", {"../training.csv": HEADER, "/etc/passwd.csv": "x"}),
        "inspect training.zip",
        "expected one .csv inside whose name stays inside",
    ),
    (zipped("training.zip", {"a.txt": "x"}), "inspect training.zip", "expected one .csv inside"),
    (text("a.npz", "hello\n" * 9), "inspect a.npz", "expected a .npz file, which is an archive"),
    (
        raw("a.npz", pickle.dumps({"images": 1})),
        "inspect a.npz",
        "expected a .npz file, which is an archive",
    ),
    (
        arrays(points=np.array([{}, 1, 2], dtype=object)),
        "inspect a.npz",
        "got 'an array of Python objects', expected arrays of numbers",
    ),
    (arrays(points=np.full((2, 5, 2), 9.0)), "inspect a.npz", "points for 3 images"),
    (arrays(points=np.full((3, 5, 2), 1e12)), "inspect a.npz", "data row 1, column point_0"),
    (arrays(points=np.full((3, 5, 3), 9.0)), "inspect a.npz", "expected shape (n, k, 2)"),
    (arrays(images=np.full((3, 32, 32), 300.0)), "inspect a.npz", "expected pixels 0-255"),
    (
        arrays(parts=np.array(["train", "TEST", ""])),
        "inspect a.npz",
        "a.npz, data row 2, column parts: got 'TEST', expected",
    ),
    (arrays(scheme="ibug68"), "inspect a.npz", "expected 68 points per face for ibug68"),
    (arrays(point_names=["a", "b"]), "inspect a.npz", "expected 2 points per face"),
    (pts, "inspect faces", "a.pts: got '1 points', expected 68 points"),
    (lambda f: pts(f, "1 x\n"), "inspect faces", "a.pts, line 1: got '1 x'"),
    (text("a.json", "{nothing"), "inspect a.json", "a.json: expected JSON"),
    (NONE, "inspect . --source coco", "expected JSON ([Errno"),
    (
        text("a.csv", "image;a_x;a_y\n"),
        "inspect a.csv",
        "not recognised (a.csv, line 1: got 'semicolons', expected commas between the columns)",
    ),
    (text("a.json", "[]"), "inspect a.json", "expected COCO's lists images, annotations"),
    (coco, "inspect a.json", "one of those with keypoints: none"),
    # Models
    (text("a.keras", "hello"), "predict a.keras --model a.keras", "a .keras file is a zip archive"),
    (
        text("a.tflite", "hello"),
        "predict a.tflite --model a.tflite",
        "not a model that LiteRT can open",
    ),
    (text("a.onnx", "hello"), "predict a.onnx --model a.onnx", "not a model that ONNX Runtime can"),
    (lambda_model, "export code.keras", "not a model that Keras, in its safe mode, can open"),
    (other_model, "export other.keras", "not a model of keypoints"),
    (text("a.h5", "x"), "export a.h5", "expected a model saved as .keras"),
    (NONE, "export none.keras", "none.keras: no such file"),
    (text("model.keras", "x"), "export model.keras --format coreml", "unknown format 'coreml'"),
    (NONE, "benchmark no_such_model", "neither a .keras file nor one of baseline_cnn"),
    # Pictures
    (picture_bomb, "predict bomb.png", "expected a picture of at most 89 million pixels"),
    (text("a.jpg", "hello"), "predict a.jpg", "expected a whole picture such as jpg or png"),
    (NONE, "predict a.jpg", "a.jpg: no such file or folder"),
    (picture("a.png"), "predict a.png --save xml", "--save: got 'xml', expected json, csv, pts"),
    (picture("a.png"), "recolour a.png --lips red", "a.png: faces found: 0, asked for: all"),
    (picture("a.png"), "recolour a.png", "nothing to paint"),
    (
        lambda f: Image.fromarray(np.zeros((9, 9), np.float32)).save(f / "a.tiff"),
        "recolour a.tiff --lips red",
        "pixels are real numbers",
    ),
    # Options
    (arrays(), "train a.npz --out a.h5", "--out: expected a name that ends in .keras"),
    (arrays(), "train a.npz --model giant", "error: --model: unknown 'giant'"),
    (arrays(), "train a.npz --treatment odd", "error: --treatment: unknown 'odd'"),
    (arrays(), "train a.npz -p model=giant", "error: -p model: unknown 'giant'"),
    (arrays(), "train a.npz --weights giant", "--weights: giant: no such file"),
    (arrays(), "train a.npz -p loss=abs", "-p loss: unknown 'abs'"),
    (arrays(), "train a.npz -p side=none", "-p side: expected a number from 16, got 'none'"),
    (arrays(), "train a.npz -p colour=red", "-p: unknown 'colour'"),
    (arrays(images=np.zeros((3, 32, 40), np.uint8)), "train a.npz", "expected square ones"),
    (arrays(), "train a.npz", "too few to fill every part"),
    (NONE, "run tour -p epochs=-1", "-p epochs: expected a number from 1, got -1"),
    (NONE, "run tour -p epochs=many", "-p epochs: expected a number from 1, got 'many'"),
    (NONE, "run tour -p epochs", "-p: expected NAME=VALUE, got 'epochs'"),
    (NONE, "run tour -p seed=-1", "-p seed: expected a number from 0, got -1"),
    (NONE, "run tour --data nowhere", "nowhere: no such file or folder"),
    (NONE, "run tour --profile big", "profile: unknown 'big'"),
    (NONE, "run detour", "no study 'detour'"),
    (NONE, "submit a.keras", "data: expected a folder with test.csv or test.zip"),
    (NONE, "kaggle .", "IdLookupTable.csv: expected IdLookupTable.csv"),
    (text("a.csv", "x"), "kaggle a.csv", "a.csv: a file, expected the folder with Kaggle's files"),
    (text("submission.csv", "x"), "kaggle .", "submission.csv: exists already"),
]


@pytest.mark.parametrize(("make", "command", "complaint"), CASES, ids=[c[1] for c in CASES])
def test_one_line_says_what_is_wrong(
    make, command, complaint, tmp_path, monkeypatch, capfd, project_untouched
):
    monkeypatch.chdir(tmp_path)
    make(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(sys, "argv", ["fkp", *command.split()])
    with pytest.raises(SystemExit) as end:
        cli.main()
    error = [line for line in capfd.readouterr().err.splitlines() if line.startswith("error:")]
    assert end.value.code == 2 and len(error) == 1 and complaint in error[0], error
    assert sorted(p for p in tmp_path.rglob("*") if ".fkp-cache" not in p.parts) == before


@pytest.fixture
def project_untouched():
    """The reports of this copy of the project are what they were."""
    folder = Path(cli.__file__).parents[2] / "reports"
    before = sorted(folder.glob("*/runs/*"))
    yield
    assert sorted(folder.glob("*/runs/*")) == before


def test_a_stand_in_is_never_called_kaggles(tmp_path):
    """A file of Kaggle's form has other faces, whatever its folder is called."""
    (tmp_path / "kaggle").mkdir()
    (tmp_path / "kaggle" / "training.csv").write_text(f"{HEADER}\n{row()}\n")
    assert readers.read(tmp_path / "kaggle").source == "Kaggle format"
    assert readers.within(tmp_path) == tmp_path / "kaggle"
    assert readers.read(n=1, scheme=IBUG_68).source == "drawn"
