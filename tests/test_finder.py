"""`fkp.load` and `.at`: points of faces in given boxes, in pixels of the picture."""

import json
import subprocess
import sys
import zipfile
from dataclasses import asdict

import cv2
import numpy as np
import pytest
from lights import dot, finder_of_light
from PIL import Image

import fkp
from fkp import models
from fkp.data import readers
from fkp.data.schemes import IBUG_68
from fkp.models.about import About, read
from fkp.models.trust import with_spread
from fkp.photo import finder

ABOUT = About("light", "ibug68", IBUG_68.labels, zoom=1.4, picture=96, error=True)


@pytest.fixture(scope="module")
def light(tmp_path_factory):
    path = tmp_path_factory.mktemp("light") / "light.keras"
    models.save(with_spread(finder_of_light(64)), path, about=ABOUT)
    return fkp.load(path)


@pytest.mark.parametrize("box", [(100, 60, 90, 70), (150, 80, 30, 34), (60.5, 20.25, 180, 150)])
def test_points_lie_where_the_picture_has_them(light, box):
    place = np.array([[box[0] + 0.55 * box[2], box[1] + 0.4 * box[3]]])
    image = dot(place, 240, 320, radius=max(box[2:]) / 20)[0]
    (face,) = light.at(image, [box])
    assert face.points.shape == (68, 2) and face.points.dtype == np.float32
    np.testing.assert_allclose(face.points, np.repeat(place, 68, 0), atol=0.02 * max(box[2:]))
    assert face.box == box and face.scheme is IBUG_68
    # The same spread in the crop is more pixels of the picture, the larger the face.
    assert face.error.mean() == pytest.approx(0.0095 * max(box[2:]), rel=0.4)


def test_boxes_keep_their_order_and_colours_become_gray(light):
    places = np.array([[60.0, 60.0], [200.0, 100.0]])
    image = np.maximum(*dot(places, 180, 280, radius=4))
    boxes = [(170, 70, 60, 60), (30, 30, 60, 60)]
    found = light.at(np.repeat(image, 3, axis=2), boxes)
    for face, place in zip(found, places[::-1], strict=True):
        np.testing.assert_allclose(face.points[0], place, atol=1)
    np.testing.assert_allclose(light.at(image[..., 0], boxes)[1].points, found[1].points, atol=0.1)
    assert light.at(image, []) == []


def test_a_face_beyond_the_edge_is_still_a_face(light):
    (face,) = light.at(np.zeros((50, 50), np.uint8), [(-30, -30, 60, 60)])
    assert np.isfinite(face.points).all()


@pytest.mark.parametrize(
    ("image", "boxes", "complaint"),
    [
        (np.zeros((9, 9), np.float32), [(0, 0, 5, 5)], "expected uint8"),
        (np.zeros((9, 9, 4), np.uint8), [(0, 0, 5, 5)], r"got uint8 \(9, 9, 4\)"),
        (np.zeros((0, 9), np.uint8), [(0, 0, 5, 5)], r"got uint8 \(0, 9\)"),
        (np.zeros((9, 9), np.uint8), [(0, 0, 5)] * 4, r"boxes: expected x, y, w, h each"),
        (np.zeros((9, 9), np.uint8), [(0, 0, 5, 5), (1, 1, 0, 3)], "box 1: expected"),
        (np.zeros((9, 9), np.uint8), [(0, 0, np.nan, 5)], "box 0: expected"),
        (np.zeros((9, 9), np.uint8), [(0, 0, 1e9, 1e9)], "box 0: expected one of the image, 9 x 9"),
    ],
)
def test_what_cannot_be_looked_at_is_named(light, image, boxes, complaint):
    with pytest.raises(ValueError, match=complaint):
        light.at(image, boxes)


def test_a_file_that_does_not_describe_itself_is_refused(tmp_path):
    models.save(finder_of_light(32), tmp_path / "mute.keras")
    assert read(tmp_path / "mute.keras") is None
    with pytest.raises(ValueError, match=r"mute\.keras: does not say how faces are cut"):
        fkp.load(tmp_path / "mute.keras")
    with pytest.raises(FileNotFoundError, match="no such file"):
        fkp.load("giant")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"zoom": 0}, "not what fkp writes .*'ibug68', 0, 192"),
        ({"zoom": "wide"}, "not what fkp writes .*'wide'"),
        ({"scheme": ["x"]}, "not what fkp writes"),
        ({"picture": 192.0}, "not what fkp writes"),
        ({"middle": [0.5]}, "not what fkp writes"),
        ({"scheme": "helen194"}, "says that it finds 194 points of helen194 .* gives 68 of 3"),
        ({"scheme": "x", "points": {"points": ["a", "a"]}}, "points: .* each once"),
    ],
)
def test_a_description_that_does_not_fit_is_named(change, complaint, tmp_path):
    whole = (finder.WEIGHTS / "tiny.tflite").read_bytes()
    said = asdict(read(finder.WEIGHTS / "tiny.tflite")) | change
    path = tmp_path / "odd.tflite"
    path.write_bytes(whole[: whole.rfind(b"PK\x03\x04")])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("fkp.json", json.dumps(said))
    with pytest.raises(ValueError, match=rf"odd\.tflite: .*{complaint}"):
        fkp.load(path)


def test_a_file_cut_short_or_damaged_at_its_end_is_named(tmp_path):
    whole = (finder.WEIGHTS / "tiny.tflite").read_bytes()
    path = tmp_path / "odd.tflite"
    flipped = (whole[:-at] + bytes([whole[-at] ^ 255]) + whole[-at + 1 :] for at in (10, 300))
    for content, complaint in (
        (whole[:-30], "is the file whole"),
        *((f, "not what") for f in flipped),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=rf"odd\.tflite: .*{complaint}"):
            fkp.load(path)


def test_a_shipped_model_opens_without_tensorflow():
    code = (
        "import sys, numpy, fkp; f = fkp.load('small');"
        "f.at(numpy.zeros((90, 90), 'uint8'), [(20, 20, 50, 50)]);"
        "print({'tensorflow', 'keras', 'matplotlib', 'pandas'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_every_shipped_model_describes_itself():
    shipped = sorted(finder.WEIGHTS.glob("*.tflite"))
    assert shipped
    for path in shipped:
        found = read(path)
        assert found.name == path.stem and found.terms and found.data
        assert found.labels == IBUG_68.labels or "kaggle" in found.scheme
        place = f"{found.zoom} and ({', '.join(map(str, found.middle))})"
        assert place in (finder.WEIGHTS / "README.md").read_text()


@pytest.fixture(scope="module")
def drawn():
    return readers.read(n=3, size=200, channels=3, scheme=IBUG_68, seed=0)


def test_a_picture_becomes_faces_however_it_is_given(drawn, tmp_path):
    small = fkp.load("small", threads=1)
    image, points = drawn.images[0], drawn.points[0]
    Image.fromarray(image).save(tmp_path / "face.png")
    (face,) = small(image)
    assert np.linalg.norm(face.points - points, axis=1).mean() < 6
    assert face.error.shape == (68,) and 0.5 <= face.score <= 1 and face.scheme is IBUG_68
    for same in (tmp_path / "face.png", str(tmp_path / "face.png"), Image.fromarray(image)):
        np.testing.assert_array_equal(small(same)[0].points, face.points)
    for mode in ("RGBA", "HSV", "P"):
        other = Image.fromarray(image).convert(mode)
        (found,) = small.at(other, [face.box])
        (as_seen,) = small.at(np.asarray(other.convert("RGB")), [face.box])
        np.testing.assert_array_equal(found.points, as_seen.points)
    assert small([]) == [] and small(np.zeros((50, 50), np.uint8)) == []


def test_several_pictures_give_what_each_gives(drawn):
    small = fkp.load("tiny", threads=1)
    page = np.hstack(list(drawn.images))
    many = small([page, np.zeros((60, 60, 3), np.uint8), drawn.images[1]], max_faces=2)
    assert [len(faces) for faces in many] == [2, 0, 1]
    alone = small(page)
    assert len(alone) == 3 and [f.box[2] for f in alone] == sorted([f.box[2] for f in alone])[::-1]
    for one, other in zip(many[0], alone[:2], strict=True):
        np.testing.assert_allclose(one.points, other.points, atol=1e-3)


@pytest.mark.parametrize(
    ("picture", "most", "complaint"),
    [
        (np.zeros((9, 9), np.uint8), -1, "max_faces: expected a number from 0 or None, got -1"),
        (np.zeros((0, 0, 3), np.uint8), None, r"got uint8 \(0, 0, 3\)"),
        (None, None, "expected uint8 .* got object"),
        ("none.png", None, r"none\.png: .*no such file"),
    ],
)
def test_what_is_no_picture_is_named(picture, most, complaint):
    with pytest.raises(ValueError, match=complaint):
        fkp.load("tiny", threads=1)(picture, max_faces=most)


def test_a_score_is_from_0_to_1(drawn):
    finder = fkp.load("tiny", threads=1)
    with pytest.raises(ValueError, match="min_score: expected a number from 0 to 1, got 2"):
        finder(drawn.images[0], min_score=2)
    for face in finder(drawn.images[0], min_score=0):
        assert np.isfinite(face.points).all() and np.isfinite(face.box).all()


@pytest.mark.parametrize("degrees", [-50, 40])
def test_a_face_that_is_turned_is_set_upright_first(drawn, degrees):
    """Turned by so much, the second look finds the points about as well as upright ones."""
    small, off = fkp.load("small", threads=1), []
    for image, points in zip(drawn.images, drawn.points, strict=True):
        turn = cv2.getRotationMatrix2D((100, 100), degrees, 0.9)
        there = points @ turn[:, :2].T + turn[:, 2]
        turned = cv2.warpAffine(image, turn, (200, 200), borderMode=cv2.BORDER_REPLICATE)
        (face,) = small(turned)
        off.append(np.linalg.norm(face.points - there, axis=1).mean())
    assert np.mean(off) < 6


def test_what_the_model_does_not_take_for_a_face_is_left_out(drawn):
    """A detection in which the points are expected far off is dropped; given boxes never are."""
    small = fkp.load("small", threads=1)

    class Everywhere:
        def boxes(self, pixels, min_score):
            return np.array([[40, 40, 120, 120]], np.float32), np.array([0.9], np.float32)

    small.detector = Everywhere()
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    assert small(noise) == [] and len(small.at(noise, [(40, 40, 120, 120)])) == 1
