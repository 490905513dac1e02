"""Helen's 194-point annotation files."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fkp.data.readers import SourceError, helen, read, recognise

NAMES = ("232194_1", "232194_2", "1629243_1")


@pytest.fixture(autouse=True)
def user_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))


def points_194(seed=0):
    return np.random.default_rng(seed).uniform(20, 80, (194, 2))


def write_annotation(file, name, points):
    file.write_text("\n".join([name, *(f"{x:.6f} , {y:.6f}" for x, y in points), ""]))


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "helen"
    for folder in ("annotation", "images", "test"):
        (root / folder).mkdir(parents=True)
    for i, name in enumerate(NAMES):
        image = np.full((100, 110, 3), 40 * i, dtype=np.uint8)
        cv2.imwrite(str(root / ("test" if i == 2 else "images") / f"{name}.jpg"), image)
        write_annotation(root / f"annotation/{9 + i}.txt", name, points_194(i))
    return root


def test_faces_come_in_the_order_of_their_numbers(root):
    assert recognise(root) == recognise(root / "annotation") == "helen"
    faces = read(root, size=32)
    assert faces.names.tolist() == list(NAMES)
    assert faces.scheme.name == "helen194"
    assert faces.source == "Helen"
    assert faces.image_shape == (32, 32, 1)
    assert faces.groups[0] == faces.groups[1] != faces.groups[2]
    assert faces.parts.tolist() == ["", "", ""]
    assert [int(image.mean()) for image in faces.images] == [0, 40, 80]
    assert faces.fingerprint == read(root / "annotation", size=32).fingerprint


def test_points_go_with_the_crop(root):
    faces = read(root, size=64, margin=0.0)
    for found, true in zip(faces.points, map(points_194, range(3)), strict=True):
        low, high = true.min(axis=0), true.max(axis=0)
        side = (high - low).max()
        expected = (true - ((low + high) / 2 - side / 2)) * 64 / side - 0.5
        assert np.allclose(found, expected, atol=1e-3)


def test_lists_give_the_parts(root):
    (root / "trainnames.txt").write_text("232194_1\n232194_2\n")
    (root / "testnames.txt").write_bytes(b"1629243_1\n\xe9_1\n")
    assert read(root).parts.tolist() == ["train", "train", "test"]
    (root / "testnames.txt").write_text("1629243_1\n232194_2\n")
    with pytest.raises(SourceError, match=r"testnames\.txt, line 2: got '232194_2'"):
        read(root)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-10, 4000), min_size=388, max_size=388))
def test_annotation_round_trip(tmp_path_factory, values):
    file = tmp_path_factory.mktemp("helen") / "1.txt"
    points = np.array(values).reshape(194, 2)
    write_annotation(file, "a_1", points)
    name, found = helen.read_annotation(file)
    assert name == "a_1"
    assert np.allclose(found, points, atol=1e-6)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda lines: lines[:-1], "got '193 points', expected 194 points"),
        (lambda lines: [*lines, "1 , 2"], "got '195 points'"),
        (lambda lines: [*lines[:4], "1 , x", *lines[5:]], "line 5: got '1 , x', expected x , y"),
        (lambda lines: [*lines[:4], "1 2", *lines[5:]], "line 5: got '1 2'"),
        (lambda lines: lines[1:], "line 1: .*expected the image's name"),
        (
            lambda lines: ["absent_1", *lines[1:]],
            r"line 1: got 'absent_1', expected.*absent_1\.jpg",
        ),
        (lambda lines: [], "line 1"),
    ],
)
def test_a_bad_annotation_is_named(root, change, message):
    file = root / "annotation/10.txt"
    file.write_text("\n".join(change(file.read_text().splitlines())))
    with pytest.raises(SourceError, match=rf"10\.txt.*{message}"):
        read(root)


def test_an_image_that_does_not_decode_is_named(root):
    (root / "images/232194_2.jpg").write_bytes(b"no image")
    with pytest.raises(SourceError, match=r"232194_2\.jpg"):
        read(root)


def test_without_annotation_it_is_not_helen(tmp_path):
    with pytest.raises(SourceError, match="annotation files"):
        helen.read(tmp_path)
