import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pts import write_pts
from toy import write_project
from typer.testing import CliRunner

from fkp import __version__, cli
from fkp.cli import output, planned
from fkp.data import readers
from fkp.data.schemes import IBUG_68
from fkp.photo.picture import read
from fkp.study.plan import Data, plan
from fkp.study.shared import reads_beside

HEAVY = ("tensorflow", "keras", "papermill", "sklearn", "cv2", "pandas")
COMMANDS = (
    "run",
    "report",
    "studies",
    "models",
    "inspect",
    "submit",
    "export",
    "benchmark",
    "recolour",
    "predict",
    "demo",
)


@pytest.fixture
def root(tmp_path, monkeypatch):
    root = write_project(tmp_path)
    monkeypatch.setattr("fkp.study.studyfile.project", lambda: root)
    return root


@pytest.fixture
def faces_file(tmp_path):
    faces = readers.read(n=12, seed=0)
    images = np.concatenate([faces.images, faces.images[:1]])
    points = np.concatenate([faces.points, faces.points[:1]])
    points[0, 3] = np.nan
    path = tmp_path / "faces.npz"
    np.savez(path, images=images, points=points)
    return path


def call(*arguments):
    result = CliRunner().invoke(cli.app, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    return result.stdout


def fails(monkeypatch, capsys, *arguments):
    """Standard error of a call that must end with status 2."""
    monkeypatch.setattr(sys, "argv", ["fkp", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command):
    text = " ".join(call(command, "--help").split())
    assert f"Example: fkp {command}" in text


def test_the_version_is_told_however_the_command_is_called():
    assert call("--version") == f"fkp {__version__}\n"
    root = Path(__file__).parents[1]
    for code in (
        ("-m", "fkp"),
        ("-c", "import sys; sys.argv[0] = 'fkp'; import fkp.cli as c; c.main()"),
    ):
        done = subprocess.run(
            [sys.executable, *code, "-h"], cwd=root, capture_output=True, text=True
        )
        assert done.stdout.split("Usage: ")[1].startswith(
            "python -m fkp " if code[0] == "-m" else "fkp "
        )


def test_help_imports_nothing_heavy():
    code = f"""
import sys
from typer.testing import CliRunner
from fkp.cli import app
assert CliRunner().invoke(app, ["--help"]).exit_code == 0
print([name for name in {HEAVY} if name in sys.modules])
"""
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_studies_are_listed(root):
    expected = [{"study": "toy", "title": "A toy study", "profiles": ["smoke", "quick"]}]
    assert json.loads(call("studies", "--json")) == expected
    assert "smoke, quick" in call("studies")


def test_inspect_counts_rows_labels_and_copies(faces_file):
    facts = json.loads(call("inspect", faces_file, "--json"))
    assert facts["rows"] == 13
    assert facts["complete_rows"] == 12
    assert list(facts["labels_per_point"].values())[3] == 12
    assert facts["exact_duplicates"] == 1
    assert facts["split_train"] + facts["split_validation"] + facts["split_test"] == 13
    assert "complete rows" in call("inspect", faces_file)
    assert json.loads(call("inspect", "--source", "drawn", "--json"))["source"] == "drawn"


def test_models_are_listed(monkeypatch):
    keep = {"manual_cnn": ("fkp.models.cnn", "manual_cnn")}
    monkeypatch.setattr("fkp.models.MODELS", keep)
    (row,) = json.loads(call("models", "--json", "--shape", "64x64x1", "--points", 4))
    assert row["name"] == "manual_cnn"
    assert row["input"] == "64x64x1"
    assert row["float32_mb"] * 1e6 == pytest.approx(4 * row["parameters"], rel=0.01)
    too_many = CliRunner().invoke(cli.app, ["models", "--points", "100000000"])
    assert too_many.exit_code == 2 and "'--points'" in too_many.output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("run", "nope"), "error: no study 'nope' (known: toy)"),
        (("run", "toy", "-p", "epochs"), "expected NAME=VALUE, got 'epochs'"),
        (("run", "toy", "-p", "epochs=["), "-p epochs: not YAML"),
        (("run", "toy", "-p", "epochz=1"), "unknown 'epochz' (known: epochs, model"),
        (
            ("run", "toy", "-p", "treatment=[none, odd]"),
            "unknown 'odd' (known: augment, ffill, iterative, knn",
        ),
        (("run", "toy", "-p", "model={resnet18}"), "-p model: unknown {'resnet18': None} (known"),
        (("run", "toy", "-p", "limit=2.5"), "-p limit: expected a whole number from 1, got 2.5"),
        (("run", "toy", "-p", "epochs=1e9999"), "-p epochs: expected a whole number from 1, got"),
        (("run", "toy", "-p", "zoom=.inf"), "-p zoom: expected a number from 0.1, got inf"),
        (("run", "toy", "-p", "momentum=abc"), "-p momentum: expected a number from 0, got 'abc'"),
        (("run", "toy", "-p", "ranks=[8, -1]"), "-p ranks: expected a number from 1, got -1"),
        (("run", "toy", "-p", "seeds=[a]"), "-p seeds: expected a number from 0, got 'a'"),
        (("run", "toy", "-p", "seeds=[]"), "-p seeds: expected a value or several, got []"),
        (("run", "toy", "-p", "drawn={n: -1}"), "-p drawn: n: expected a number from 1, got -1"),
        (("run", "toy", "-p", "drawn={size: 8}"), "-p drawn: size: expected an integer of at"),
        (("run", "toy", "-p", "drawn={m: 8}"), "-p drawn: source drawn has no option 'm'"),
        (("run", "toy", "-p", "warp={foo: 1}"), "-p warp: unknown 'foo' (known: blur, brightness"),
        (("run", "toy", "-p", "warp={blur: no}"), "-p warp: blur: expected a number from 0"),
        (("run", "toy", "-p", "jitter={sigma: -1}"), "jitter: sigma: expected a number from 0"),
        (("run", "toy", "-p", "jitter={foo: 1}"), "-p jitter: unknown 'foo' (known: colour"),
        (("run", "toy", "-p", "model_options={foo: 1}"), "-p model_options: unknown 'foo' (known"),
        (("run", "toy", "-p", "model=resnet18", "-p", "model_options={body: x}"), "unknown 'body'"),
        (("run", "toy", "--dry-run", "--only", "nope"), "--only: unknown 'nope' (known: compare"),
        (("run", "toy", "--dry-run", "--again", "nope"), "--again: unknown 'nope' (known: compare"),
        (("run", "toy", "--dry-run", "--shared", "s3://x"), "--shared: goes with --scheduler"),
        (("run", "toy", "--scheduler", "foo"), "--scheduler: expected tcp://HOST:PORT, got 'foo'"),
        (("status", "toy", "-p", "model=cnn"), "-p model: unknown 'cnn' (known: baseline_cnn"),
        (("run", "toy", "--profile", "huge"), "unknown 'huge' (known: quick, smoke)"),
        (("run", "toy", "--data", "/no/such"), "error: /no/such"),
        (("run", "toy", "--source", "odd"), "unknown source 'odd'"),
        (("run", "toy", "--source", "kaggle"), "needs --data PATH"),
        (("report", "toy"), "no results of toy"),
        (("inspect", "/no/such"), "error: /no/such"),
        (("models", "--shape", "96"), "HEIGHTxWIDTHxCHANNELS, got '96'"),
        (
            ("models", "--shape", "7x7x1"),
            "--shape: expected sides from 36 to 1024, 1 or 3 channels",
        ),
        (("models", "--shape", "99999x99999x1"), "to 1024, 1 or 3 channels, got '99999x99999x1'"),
    ],
)
def test_errors_are_one_line_and_status_2(root, monkeypatch, capsys, arguments, complaint):
    error = fails(monkeypatch, capsys, *arguments)
    assert complaint in error
    assert len(error.splitlines()) == 1
    assert not (root / "reports").exists()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90m", 5400), ("1h30m", 5400), ("2h", 7200), ("45s", 45), (" 30 ", 30), ("1h5s", 3605)],
)
def test_a_limit_is_a_time(text, seconds):
    assert planned.parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["1h30", "0", "", "soon", "-5", "1.5h", "30m1h"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match="--limit: expected a time such as 90m"):
        planned.parse_duration(text)


def test_data_that_is_read_with_more_does_not_travel(root, faces_file, monkeypatch, capsys):
    faces_file.with_name("points.yaml").write_text("points: [a]")
    there = ("--scheduler", "tcp://h:1", "--shared", "memory://x")
    error = fails(monkeypatch, capsys, "run", "toy", "--data", faces_file, *there)
    assert "--shared: what faces.npz is read with does not travel" in error
    faces_file.with_name("points.yaml").unlink()
    for data, options, beside in (
        (Data(faces_file, "coco"), {}, True),
        (Data(faces_file.parent, "coco"), {}, False),  # with what lies in it
        (Data(faces_file.parent, "coco"), {"options": {"images": "there"}}, True),
        (Data(faces_file, "npz"), {}, False),
        (Data(), {}, False),
    ):
        planned_there = replace(plan("toy", data=data, root=root), overrides=options)
        assert reads_beside(planned_there) == beside


def test_a_plan_shows_what_is_collected_beside_the_chosen_runs(root):
    assert "1 of 4 runs" not in (told := call("run", "toy", "--dry-run", "--only", "train"))
    assert "compare" in told and "train tree seed 0" in told


def test_brackets_in_a_table_stay(capsys):
    output.show([{"error": "expected one of [small, tiny] [/tmp/x]"}], as_json=False)
    assert "expected one of [small, tiny] [/tmp/x]" in " ".join(capsys.readouterr().out.split())


def test_a_port_that_cannot_be_is_refused():
    result = CliRunner().invoke(cli.app, ["demo", "--port", "99999", "--no-browser"])
    assert result.exit_code == 2 and "65535" in result.output


def test_options_that_a_model_or_its_body_takes_pass():
    for model, options in (
        ({}, {"filters": [8], "body": "plain"}),
        ({"model": ["tiny", "small"]}, {"body": "inverted", "expansion": 2}),
        ({"model": "tuned_cnn_ffill"}, {}),
    ):
        planned.check_choices(model | {"model_options": options, "jitter": False, "limit": None})


def test_data_is_what_is_given_or_lies_in_data_or_drawn(root, faces_file):
    assert planned.choose_data(None, None) == Data()
    given = planned.choose_data(faces_file, None)
    assert (given.path, given.source, given.name) == (faces_file, "npz", "faces.npz")
    (root / "data" / "README.md").touch()
    faces_file.rename(root / "data" / "faces.npz")
    found = planned.choose_data(None, None)
    assert (found.fingerprint, found.name) == (given.fingerprint, "faces.npz")
    assert planned.choose_data(None, "drawn") == Data(forced=True)


def test_what_data_holds_is_not_passed_over(root):
    (root / "data" / "mine").mkdir()
    (root / "data" / "mine" / "faces.csv").write_text("photo,nose_x,nose_y\na.png,1,2\n")
    with pytest.raises(ValueError, match=r"mine: not recognised .*got 'photo'.*--source drawn"):
        planned.choose_data(None, None)
    assert planned.choose_data(None, "drawn") == Data(forced=True)


def test_parameters_are_read_as_yaml():
    texts = ["seed=[0, 1]", "learning_rate=1e-3", "treatment=none", "limit=null", "note=", "x=a=b"]
    assert planned.parse_parameters(texts) == {
        "seed": [0, 1],
        "learning_rate": 1e-3,
        "treatment": "none",
        "limit": None,
        "note": "",
        "x": "a=b",
    }


def test_a_model_that_cannot_be_exported_is_one_line(tmp_path, monkeypatch, capsys):
    error = fails(monkeypatch, capsys, "export", tmp_path / "none.keras", "--out", tmp_path)
    assert error.startswith(f"error: {tmp_path / 'none.keras'}: no such file, expected a model")
    error = fails(monkeypatch, capsys, "benchmark", "no_such_model")
    assert error.startswith("error: no_such_model: neither a .keras file nor one of baseline_cnn")
    assert error.count("\n") == 1


@pytest.fixture
def photo(tmp_path, monkeypatch):
    """A drawn face as a picture, its 68 points beside it, and an empty folder to work in."""
    faces = readers.read(n=1, scheme=IBUG_68, size=128, channels=3, seed=0)
    Image.fromarray(faces.images[0]).save(tmp_path / "face.png")
    write_pts(tmp_path / "face.pts", faces.points[0])
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "face.png"


def test_a_photograph_is_recoloured(photo):
    before, bytes_before = read(photo).pixels, photo.read_bytes()
    text = call("recolour", photo, "--lips", "#b03060", "--eyes", "green")
    assert "face-recoloured.png: faces recoloured: 1" in text
    after = read("face-recoloured.png").pixels
    changed = (after != before).any(axis=2)
    assert photo.read_bytes() == bytes_before
    assert 0 < changed.mean() < 0.05
    points = ("--points", photo.with_suffix(".pts"))
    call("recolour", photo, "--lips", "#b03060", "--plain", *points, "--out", "plain.png")
    plain = read("plain.png").pixels
    filled = (plain != before).any(axis=2)
    assert (plain[filled] == (176, 48, 96)).all() and filled.sum() > 50
    assert (changed & filled).sum() > 0.3 * filled.sum(), "the lips found are those marked"
    text = call("recolour", photo, "--eyes", "green", "--opacity", 0, "--out", "plain.png")
    assert "in place of an earlier file" in text and (read("plain.png").pixels == before).all()


def test_all_faces_are_recoloured_or_one_of_them(photo):
    page = np.hstack([read(photo).pixels] * 2)
    Image.fromarray(page).save("two.png")
    for given, halves in (((), 2), (("--face", 2), 1)):
        call("recolour", "two.png", "--lips", "red", *given, "--out", "after.png")
        changed = (read("after.png").pixels != page).any(axis=(0, 2))
        assert int(changed[:128].any()) + int(changed[128:].any()) == halves


def test_without_a_face_or_with_a_wrong_option_nothing_is_written(photo, monkeypatch, capsys):
    few = photo.with_name("few.pts")
    few.write_text("1 2\n")
    Image.new("RGB", (64, 64)).save(photo.with_name("none.png"))
    red, points = ("--lips", "red"), ("--points", photo.with_suffix(".pts"))
    for given, complaint in (
        ((photo,), "nothing to paint: give --lips COLOUR, --eyes COLOUR or both"),
        ((photo.with_name("none.png"), *red), "none.png: faces found: 0, asked for: all"),
        ((photo, *red, "--face", 2), "face.png: faces found: 1, asked for: 2"),
        ((photo, *red, "--points", few), "few.pts: got '1 points', expected 68 points"),
        ((photo, *red, "--model", "m.keras"), "m.keras: no such file"),
        ((photo, "--lips", "redd", *points), "lips: expected a colour such as"),
        ((photo, *red, *points, "--out", "a.gif"), "a.gif: expected a name that ends in"),
        ((photo, *red, "--out", photo), "face.png: is the photograph itself; give another name"),
        ((photo, *red, *points, "--opacity", 2), "opacity: expected a number from 0 to 1"),
        ((photo, *red, *points, "--opacity", 0.4, "--plain"), "--plain covers what it fills"),
        ((few, *red), "few.pts: got"),
    ):
        assert complaint in fails(monkeypatch, capsys, "recolour", *given)
    assert not list(Path().iterdir())
