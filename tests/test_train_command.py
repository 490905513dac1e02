"""`fkp train` and `fkp kaggle`, from a data set to a file that is used."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from test_own import HAND, hand
from typer.testing import CliRunner

import fkp
from fkp import cli, models
from fkp.cli.planned import choose_data
from fkp.data import readers
from fkp.data.own import own
from fkp.data.readers.kaggle import COLUMNS
from fkp.data.schemes import IBUG_68, KAGGLE_15, twice
from fkp.models import about, warm
from fkp.photo.finder import WEIGHTS
from fkp.photo.place import placed


def call(*arguments, status=0):
    result = CliRunner().invoke(cli.app, list(map(str, arguments)))
    assert result.exit_code == status, result.output + str(result.exception)
    return result.stdout


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of its own that has this one's notebooks, and an empty folder to work in."""
    root = Path(cli.__file__).parents[2]
    (tmp_path / "project" / "reports").mkdir(parents=True)
    (tmp_path / "project" / "notebooks").symlink_to(root / "notebooks")
    monkeypatch.setattr("fkp.study.studyfile.project", lambda: tmp_path / "project")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "project"


def test_a_set_of_hands_becomes_a_model_that_finds_points_of_hands(project):
    rng = np.random.default_rng(0)
    pairs = [hand(rng, 64) for _ in range(60)]
    images, points = map(np.stack, zip(*pairs, strict=True))
    np.savez("hands.npz", images=images, points=points, point_names=HAND)
    told = call("train", "hands.npz", "--epochs", 2, "--out", "hand.keras", "-p", "side=48")
    assert "hands: 60 rows, 21 points, 100% of the points labelled" in told
    assert "hand.keras: on 12 test faces rmse" in told and "fkp predict PICTURE --model" in told
    assert (project / "reports" / "train" / "index.html").is_file()
    said = about.read("hand.keras")
    assert said.labels == tuple(HAND) and not said.detected and said.error
    Image.fromarray(images[0]).save("one.png")
    (found,) = json.loads(call("predict", "one.png", "--model", "hand.keras", "--json"))
    (face,) = found["faces"]
    assert np.shape(face["points"]) == (21, 2) and face["scheme"] == "hands21"
    assert "already finished" in call(
        *("train", "hands.npz", "--epochs", 2, "--out", "hand.keras", "-p", "side=48", "--force")
    )


def test_images_and_points_yaml_beside_a_file_are_part_of_the_data(project):
    faces = readers.read(n=2, channels=3, scheme=IBUG_68)
    for name, image in zip("ab", faces.images, strict=True):
        Image.fromarray(image).save(f"{name}.png")
    Path("t.csv").write_text("image,l_eye_x,l_eye_y,r_eye_x,r_eye_y\na.png,60,40,30,40\n")
    seen = [choose_data(Path("t.csv"), None).fingerprint]
    Path("points.yaml").write_text("points: [l_eye, r_eye]\nmirror: []\n")
    seen.append(choose_data(Path("t.csv"), None).fingerprint)
    Path("b.png").rename("a.png")
    seen.append(choose_data(Path("t.csv"), None).fingerprint)
    Path("set").mkdir()
    Path("pictures").mkdir()
    Path("t.csv").rename("set/t.csv")
    Path("a.png").rename("pictures/a.png")
    options = {"images": "pictures"}
    seen.append(choose_data(Path("set"), None, options).fingerprint)
    Image.fromarray(faces.images[0]).save("pictures/a.png")
    seen.append(choose_data(Path("set"), None, options).fingerprint)
    assert len({*seen}) == 5 and choose_data(Path("set"), None, options).fingerprint == seen[-1]


def test_a_list_of_photographs_becomes_a_model(project):
    faces = readers.read(n=24, size=160, channels=3, scheme=IBUG_68, seed=0)
    Path("pictures").mkdir()
    lines = ["image,l_eye_x,l_eye_y,r_eye_x,r_eye_y,nose_x,nose_y"]
    for i, (image, points) in enumerate(zip(faces.images, faces.points, strict=True)):
        Image.fromarray(image).save(f"pictures/{i}.png")
        lines.append(
            ",".join([f"{i}.png", *(f"{value:.1f}" for value in points[[45, 36, 30]].flat)])
        )
    Path("t.csv").write_text("\n".join(lines))
    options = ("-p", "options={images: pictures, size: 96, channels: 1, margin: 1}")
    told = call("train", "t.csv", "--epochs", 1, "--out", "m.keras", "-p", "side=48", *options)
    assert "24 rows, 3 points" in told and Path("m.keras").is_file()


def test_an_option_leaves_the_room_round_faces(project, monkeypatch):
    planned = []
    monkeypatch.setattr("fkp.cli.train._carried_out", planned.append)
    faces = readers.read(n=12, size=160, channels=3, scheme=IBUG_68)
    Path("pictures").mkdir()
    lines = ["image,a_x,a_y,b_x,b_y"]
    for i, image in enumerate(faces.images):
        Image.fromarray(image).save(f"pictures/{i}.png")
        lines.append(f"{i}.png,40,40,90,90")
    Path("t.csv").write_text("\n".join(lines))
    CliRunner().invoke(cli.app, ["train", "t.csv", "-p", "options={images: pictures}"])
    options = planned[0].runs[0].parameters["options"]
    images = str(Path("pictures").resolve())
    assert options == {"size": 192, "channels": 1, "margin": 0.5, "images": images}


@pytest.mark.parametrize("command", ["train", "kaggle", "submit"])
def test_a_file_that_cannot_be_written_is_said_first(project, command):
    Path("taken").write_text("a file")
    end = "keras" if command == "train" else "csv"
    result = CliRunner().invoke(cli.app, [command, "no-such", "--out", f"taken/m.{end}"])
    assert "taken is no folder" in str(result.exception)
    Path(f"m.{end}").write_text("mine")
    result = CliRunner().invoke(cli.app, [command, "no-such", "--out", f"m.{end}"])
    assert "exists already" in str(result.exception)


@pytest.mark.parametrize(
    ("options", "model", "side"),
    [
        ((), "tiny", 96),
        (("--weights", "small"), "small", 128),
        (("--weights", WEIGHTS / "tiny.keras"), "tiny", 96),
        (("--model", "small"), "small", 128),
    ],
)
def test_shipped_weights_say_which_network(project, monkeypatch, options, model, side):
    planned = []
    monkeypatch.setattr("fkp.cli.train._carried_out", planned.append)
    faces = readers.read(n=20, scheme=IBUG_68)
    np.savez("faces.npz", images=faces.images, points=faces.points, scheme="ibug68")
    CliRunner().invoke(cli.app, ["train", "faces.npz", *map(str, options)])
    given = planned[0].runs[0].parameters
    assert (given["model"], given["side"]) == (model, side)


@pytest.mark.parametrize(
    ("options", "channels", "names", "complaint"),
    [
        (("small",), 1, "ab", r"small\.keras: none of its points \(ibug68\) is one of"),
        (("faces.npz",), 1, KAGGLE_15.labels[:2], r"faces\.npz: expected a \.keras file"),
        (("kaggle", "--model", "small"), 1, KAGGLE_15.labels[:2], "another network than small"),
        (("kaggle", "--model", "resnet18"), 1, KAGGLE_15.labels[:2], "not with resnet18"),
        (("kaggle",), 3, KAGGLE_15.labels[:2], "takes images of 1 channels, these have 3"),
        (("kaggle",), 1, KAGGLE_15.labels[:2], None),
    ],
)
def test_weights_that_do_not_fit_are_refused_first(
    project, monkeypatch, options, channels, names, complaint
):
    started = []
    monkeypatch.setattr("fkp.cli.train._carried_out", started.append)
    faces = readers.read(n=20, channels=channels)
    np.savez("faces.npz", images=faces.images, points=faces.points[:, :2], point_names=list(names))
    end = CliRunner().invoke(cli.app, ["train", "faces.npz", "--weights", *options])
    assert len(started) == (complaint is None)
    assert complaint is None or re.search(complaint, str(end.exception))


def test_kaggles_files_become_a_submission(project):
    """The profile smoke on drawn faces in Kaggle's form; stopped and called again it goes on."""
    faces = readers.read(n=40, seed=0, regimes=True)
    pixels = [" ".join(map(str, image.ravel())) for image in faces.images]
    table = pd.DataFrame(faces.points.reshape(40, 30).round(3), columns=COLUMNS)
    Path("set").mkdir()
    table.assign(Image=pixels).to_csv("set/training.csv", index=False)
    tests = pd.DataFrame({"ImageId": range(1, 6), "Image": pixels[:5]})
    tests.to_csv("set/test.csv", index=False)
    asked = [(i, name) for i in (1, 2) for name in COLUMNS] + [(5, "nose_tip_x")]
    lookup = pd.DataFrame(asked, columns=["ImageId", "FeatureName"])
    lookup.insert(0, "RowId", range(1, len(lookup) + 1))
    lookup.assign(Location="").to_csv("set/IdLookupTable.csv", index=False)
    Path("set/test.csv").rename("test.csv")
    call("kaggle", "set", "--profile", "smoke", status=1)
    assert not list(project.glob("reports/kaggle/runs/*")), "before anything starts"
    Path("test.csv").rename("set/test.csv")
    told = call("kaggle", "set", "--profile", "smoke")
    assert "submission.csv: a row for each" in told
    found = pd.read_csv("submission.csv")
    assert list(found.RowId) == list(lookup.RowId) and found.Location.between(0, 96).all()


def test_a_new_network_starts_from_points_that_it_shares():
    """68 -> 15: a point of 15 is the mean of those it is made of, before any training."""
    network = models.build("tiny", (96, 96, 1), 15, seed=0)
    assert warm.start(network, WEIGHTS / "tiny.keras", KAGGLE_15) == 15
    kernel = np.array(models.load(WEIGHTS / "tiny.keras").get_layer("heatmap").kernel)
    mine = np.array(network.get_layer("heatmap").kernel)
    np.testing.assert_allclose(mine[..., 0], kernel[..., 42:48].mean(axis=-1), rtol=1e-6)
    np.testing.assert_array_equal(mine[..., 10], kernel[..., 30])
    both = models.build("tiny", (96, 96, 1), 30, seed=0)
    assert warm.start(both, WEIGHTS / "tiny.keras", twice(KAGGLE_15)) == 30
    np.testing.assert_array_equal(np.array(both.get_layer("heatmap").kernel)[..., 15:], mine)
    some = own("mine", ["tail", IBUG_68.labels[8]])
    assert warm.start(models.build("tiny", (64, 64, 1), 2), WEIGHTS / "tiny.keras", some) == 1
    with pytest.raises(ValueError, match=r"tiny.keras: none of its points \(ibug68\) is one of no"):
        warm.start(models.build("tiny", (64, 64, 1), 1), WEIGHTS / "tiny.keras", own("no", ["a"]))
    with pytest.raises(ValueError, match=r"small\.keras: another network"):
        warm.start(network, WEIGHTS / "small.keras", KAGGLE_15)


def test_crops_are_placed_by_what_the_detector_finds(tmp_path):
    """Kaggle's close crops: a face's box is larger than half the picture, and not in its middle."""
    faces = readers.read(n=20, seed=0)
    said = placed(faces, zoom=2.0)
    assert 1.0 < said["zoom"] < 1.6 and said["middle"][0] == pytest.approx(0.5, abs=0.05)
    blank = faces.with_images(np.zeros_like(faces.images))
    assert placed(blank, zoom=2.0) == {"zoom": 2.0, "picture": 96, "detected": False}
    finder = fkp.load("kaggle")
    page = np.full((240, 240, 1), 128, np.uint8)
    page[80:176, 60:156] = faces.images[0]
    (face,) = finder(page)
    apart = np.linalg.norm(face.points - faces.points[0] - (60, 80), axis=1)
    assert np.nanmean(apart) < 5
