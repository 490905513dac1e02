"""Arrays in .npz files: the accepted names, shapes and ranges."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fkp.data.faces import ARRAYS, Faces
from fkp.data.readers import SourceError, read, recognise
from fkp.data.schemes import KAGGLE_15, SCHEMES

POINTS = (np.arange(60, dtype=np.float32) % 7).reshape(2, 15, 2)
IMAGES = np.arange(128, dtype=np.uint8).reshape(2, 8, 8)


def save(folder, **arrays_by_name):
    file = folder / "set.npz"
    np.savez(file, **arrays_by_name)
    return file


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_all_arrays_come_back(tmp_path_factory, data):
    n = data.draw(st.integers(0, 3))
    scheme = data.draw(st.sampled_from(list(SCHEMES.values())))
    shape = (n, 4, 5, data.draw(st.sampled_from([1, 3])))
    coordinates = st.one_of(st.just(np.nan), st.floats(0, 3, width=32))
    faces = Faces(
        images=data.draw(arrays.arrays(np.uint8, shape)),
        points=data.draw(arrays.arrays(np.float32, (n, len(scheme), 2), elements=coordinates)),
        scheme=scheme,
        source="somewhere",
        groups=np.arange(n) // 2,
        parts=np.array(["train", "test", ""][:n], dtype="<U5"),
    )
    file = tmp_path_factory.mktemp("npz") / "faces.npz"
    texts = {"source": "somewhere", "scheme": scheme.name}
    np.savez(file, **{name: getattr(faces, name) for name in ARRAYS}, **texts)
    found = read(file)
    assert recognise(file) == "npz"
    assert found.fingerprint == faces.fingerprint
    assert found.source == "somewhere"
    assert found.scheme is scheme
    for name in ("groups", "parts", "names"):
        assert getattr(found, name).tolist() == getattr(faces, name).tolist()


def test_the_scheme_is_the_one_named(tmp_path, monkeypatch):
    monkeypatch.setitem(SCHEMES, "mine15", replace(KAGGLE_15, name="mine15"))
    assert (
        read(save(tmp_path, images=IMAGES, points=POINTS, scheme="mine15")).scheme.name == "mine15"
    )
    assert read(save(tmp_path, images=IMAGES, points=POINTS)).scheme.name == "unnamed15"


@pytest.mark.parametrize(
    "keys", [("images", "points"), ("X", "y"), ("x", "y"), ("data", "labels"), ("X", "Y")]
)
def test_names_and_the_file_as_source(tmp_path, keys):
    faces = read(save(tmp_path, **dict(zip(keys, (IMAGES, POINTS), strict=True))))
    assert np.array_equal(faces.images[..., 0], IMAGES)
    assert np.array_equal(faces.points, POINTS)
    assert faces.source == "set"


def test_interleaved_points(tmp_path):
    assert np.array_equal(
        read(save(tmp_path, images=IMAGES, points=POINTS.reshape(2, 30).astype(float))).points,
        POINTS,
    )


@pytest.mark.parametrize(
    "images",
    [IMAGES[..., None], IMAGES.astype(np.int64), IMAGES / 255.0, IMAGES.astype(np.float32)],
)
def test_shapes_and_ranges_of_images(tmp_path, images):
    faces = read(save(tmp_path, images=images, points=POINTS))
    assert faces.images.dtype == np.uint8
    assert np.array_equal(faces.images[..., 0], IMAGES)


def test_colour(tmp_path):
    colour = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    assert np.array_equal(read(save(tmp_path, X=colour, y=POINTS)).images, colour)


def with_value(array, at, value):
    array = array.astype(np.float64)
    array[at] = value
    return array


@pytest.mark.parametrize(
    "content, message",
    [
        ({"pictures": IMAGES, "points": POINTS}, r"got \['pictures', 'points'\].*named images, X"),
        ({"images": IMAGES}, "named points"),
        (
            {"images": IMAGES / 126, "points": POINTS},
            r"got 1\.00\d+, expected pixels in \[0, 1\] or",
        ),
        ({"images": IMAGES, "points": POINTS, "point_names": "a"}, r"point_names: got \(\)"),
        ({"images": IMAGES[0], "points": POINTS}, r"column images: got \(8, 8\), expected shape"),
        ({"images": IMAGES.reshape(2, 4, 4, 4), "points": POINTS}, "column images"),
        ({"images": IMAGES > 5, "points": POINTS}, "column images: got 'bool'"),
        (
            {"images": with_value(IMAGES, (1, 0, 0), 256), "points": POINTS},
            r"data row 2, column images: got 256\.0, expected pixels 0-255",
        ),
        ({"X": with_value(IMAGES, (0, 1, 1), -1), "y": POINTS}, r"data row 1, column X: got -1\.0"),
        (
            {"X": with_value(IMAGES, (0, 1, 1), np.nan), "y": POINTS},
            "data row 1, column X: got nan",
        ),
        (
            {"images": IMAGES, "points": with_value(POINTS, (1, 3, 0), np.inf)},
            "data row 2, column points: got inf",
        ),
        (
            {"images": IMAGES, "points": POINTS, "scheme": "mine"},
            "column scheme: got 'mine', expected one of kaggle15, ibug68",
        ),
        (
            {"images": IMAGES, "points": POINTS, "scheme": "ibug68"},
            "got 15, expected 68 points per face for ibug68",
        ),
        ({"images": IMAGES, "points": POINTS[0]}, "got 'points for 15', expected points for 2"),
        ({"images": IMAGES, "points": POINTS[0].ravel()}, r"got \(30,\), expected shape"),
        ({"images": IMAGES, "points": POINTS.astype(str)}, "column points: .*expected numbers"),
        ({"images": IMAGES, "points": POINTS[:1]}, "points for 1', expected points for 2 images"),
        ({"images": IMAGES, "points": POINTS, "groups": [0.5, 1]}, "column groups: got 'float64'"),
        ({"images": IMAGES, "points": POINTS, "groups": [1]}, r"column groups: got \(1,\)"),
        ({"images": IMAGES, "points": POINTS, "names": [1, 2]}, "column names"),
        ({"images": IMAGES, "points": np.array([None, None])}, "arrays of numbers and text"),
    ],
)
def test_bad_content_is_named(tmp_path, content, message):
    with pytest.raises(SourceError, match=rf"set\.npz.*{message}"):
        read(save(tmp_path, **content))


def test_broken_files_are_named(tmp_path):
    file = save(tmp_path, images=IMAGES, points=POINTS)
    whole = file.read_bytes()
    for content in (b"", b"nonsense", whole[: len(whole) // 2]):
        file.write_bytes(content)
        with pytest.raises(SourceError, match=r"set\.npz.*expected a"):
            read(file)


def test_a_plain_npy_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", IMAGES)
    (tmp_path / "a.npy").rename(tmp_path / "a.npz")
    with pytest.raises(SourceError, match=r"a\.npz"):
        read(tmp_path / "a.npz")
