"""300-W's .pts files and folders, and the crops that Helen shares."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pts import write_pts

from fkp.data.readers import SourceError, crop, ibug, read, recognise

DATA = os.environ.get("FKP_DATA")


@pytest.fixture(autouse=True)
def user_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))


def points_68(seed=0, centre=(60, 50), spread=40):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (68, 2)) * spread + centre


def image_of(h=100, w=120, seed=0):
    coarse = np.random.default_rng(seed).integers(0, 256, (h // 10, w // 10, 3), dtype=np.uint8)
    return cv2.resize(coarse, (w, h), interpolation=cv2.INTER_CUBIC)


def put(folder, name, suffix=".png", seed=0, points=None):
    file = folder / f"{name}{suffix}"
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), image_of(seed=seed))
    write_pts(file.with_suffix(".pts"), points_68(seed) if points is None else points)
    return file


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "300w"
    for i, name in enumerate(
        (
            "afw/1051618982_1", "afw/1051618982_2", "afw/134212_1",
            "helen/trainset/2968560214_1", "helen/testset/296814969_3",
            "lfpw/trainset/image_0001", "lfpw/trainset/image_0002", "lfpw/testset/image_0001",
            "ibug/image_003_1", "ibug/image_003_2", "ibug/image_017",
        )
    ):  # fmt: skip
        put(root, name, suffix=".jpg" if i % 2 else ".png", seed=i)
    return root


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-50, 5000), min_size=136, max_size=136), st.booleans())
def test_pts_round_trip(tmp_path_factory, values, header):
    file = tmp_path_factory.mktemp("pts") / "a.pts"
    points = np.array(values).reshape(68, 2)
    write_pts(file, points)
    if not header:
        file.write_text("\n".join(file.read_text().splitlines()[3:-1]))
    assert np.allclose(ibug.read_pts(file), points, atol=5.1e-4)


def test_pts_count_from_one(tmp_path):
    file = tmp_path / "a.pts"
    file.write_text("version: 1\nn_points:  68\n{\n" + "1.0 2.0\n" * 68 + "}\n")
    assert ibug.read_pts(file)[0].tolist() == [0, 1]


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda lines: [*lines[:-2], lines[-1]], "got '67 points', expected 68 points"),
        (lambda lines: [*lines[:-1], "1 2", "}"], "got '69 points'"),
        (lambda lines: [*lines[:5], "1.0 abc", *lines[6:]], "line 6: got '1.0 abc', expected x"),
        (lambda lines: [*lines[:5], "1.0", *lines[6:]], r"line 6: got '1\.0'"),
        (lambda lines: [*lines[:5], "1.0 nan", *lines[6:]], "line 6: got '1.0 nan'"),
        (lambda lines: [], "got '0 points'"),
    ],
)
def test_a_bad_pts_is_named(tmp_path, change, message):
    file = put(tmp_path, "a").with_suffix(".pts")
    file.write_text("\n".join(change(file.read_text().splitlines())))
    with pytest.raises(SourceError, match=rf"a\.pts.*{message}"):
        read(tmp_path)


def test_folders_give_parts_names_and_groups(root):
    assert recognise(root) == "ibug"
    faces = read(root, size=32)
    assert faces.source == "300-W"
    assert faces.image_shape == (32, 32, 1)
    part = dict(zip(faces.names.tolist(), faces.parts.tolist(), strict=True))
    assert {name for name, value in part.items() if value == "test"} == {
        "helen/testset/296814969_3", "lfpw/testset/image_0001",
        "ibug/image_003_1", "ibug/image_003_2", "ibug/image_017",
    }  # fmt: skip
    assert set(part.values()) == {"train", "test"}
    group = dict(zip(faces.names.tolist(), faces.groups.tolist(), strict=True))
    assert group["afw/1051618982_1"] == group["afw/1051618982_2"] != group["afw/134212_1"]
    assert group["ibug/image_003_1"] == group["ibug/image_003_2"] != group["ibug/image_017"]
    assert len({value for name, value in group.items() if name.startswith("lfpw")}) == 3
    assert len(set(group.values())) == 9


@pytest.mark.parametrize("sub, n", [("helen", 2), ("helen/testset", 1), ("lfpw/trainset", 2)])
def test_any_subfolder_keeps_the_names(root, sub, n):
    faces = read(root / sub)
    assert len(faces) == n
    assert all(name.startswith(sub) for name in faces.names)
    assert set(faces.parts) <= {"train", "test"} and faces.source == "300-W"


def test_other_folders_have_no_part_and_no_shared_photographs(tmp_path):
    put(tmp_path / "mine", "face_1")
    put(tmp_path / "mine", "face_2")
    faces = read(tmp_path / "mine")
    assert faces.names.tolist() == ["face_1", "face_2"]
    assert faces.parts.tolist() == ["", ""]
    assert faces.groups.tolist() == [0, 1] and faces.source == "mine (.pts)"


def test_sets_select(root):
    assert len(read(root, sets=("afw", "ibug"))) == 6
    assert len(read(root, sets="helen")) == 2
    with pytest.raises(SourceError, match="option sets"):
        read(root, sets=("alw",))
    with pytest.raises(SourceError, match=r"\.pts files of lfpw"):
        read(root / "afw", sets=("lfpw",))


def test_missing_partners_are_named(root):
    (root / "afw/134212_1.pts").unlink()
    with pytest.raises(SourceError, match=r"134212_1\.png: expected 134212_1\.pts beside it"):
        read(root)
    (root / "afw/134212_1.png").rename(root / "afw/134212_1.gif")
    (root / "ibug/image_017.png").unlink()
    with pytest.raises(SourceError, match=r"image_017\.pts: expected image_017\.jpg"):
        read(root)


@pytest.mark.parametrize("content", [b"", b"not an image", None])
def test_an_image_that_does_not_decode_is_named(root, content):
    file = root / "afw/134212_1.png"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if content is None else content)
    with pytest.raises(SourceError, match=r"134212_1\.png: got .*bytes.*expected a whole jpg"):
        read(root)


def test_points_in_one_place_are_refused(tmp_path):
    put(tmp_path, "a", points=np.full((68, 2), 5.0))
    with pytest.raises(SourceError, match=r"a\.pts.*span an area"):
        read(tmp_path)


@pytest.mark.parametrize("option", [{"size": 0}, {"size": 9.5}, {"channels": 2}, {"margin": -1}])
def test_bad_options_are_named(root, option):
    with pytest.raises(SourceError, match=f"option {next(iter(option))}: got"):
        read(root, **option)


def test_cache_follows_options_and_files(root):
    first = read(root)
    assert read(root).fingerprint == first.fingerprint
    assert read(root, margin=0.5).fingerprint != first.fingerprint
    write_pts(root / "ibug/image_017.pts", points_68(99))
    changed = read(root)
    assert not np.array_equal(changed.points, first.points)
    assert changed.fingerprint == read(root, use_cache=False).fingerprint


def test_the_first_fault_stops_the_reading(root):
    for file in root.rglob("*.pts"):
        file.write_text("1 2\n")
    with pytest.raises(SourceError, match="got '1 points'"):
        read(root)
    assert not list(root.rglob("*.npz"))


def blob(points, h=240, w=300):
    """A smooth spot at each point of a black image, float (h, w)."""
    y, x = np.mgrid[:h, :w]
    image = np.zeros((h, w))
    for px, py in points:
        image = np.maximum(image, np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * 4.0**2)))
    return (image * 255).astype(np.uint8)


def centroid(image, point, radius):
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    near = image * ((np.abs(x - point[0]) <= radius) & (np.abs(y - point[1]) <= radius))
    return np.array([(near * x).sum(), (near * y).sum()]) / near.sum()


@pytest.mark.parametrize("size", [30, 47, 96, 200, 256])
@pytest.mark.parametrize("margin", [0.0, 0.25, 0.6])
def test_what_is_lit_at_a_point_stays_lit_there(size, margin):
    points = np.array([[101.3, 80.7], [160.6, 95.2], [140.1, 150.9], [115.0, 170.0]])
    image = blob(points[1:3])
    cut, moved = crop.crop(image, points, crop.landmark_box(points), size, margin)
    assert cut.shape == (size, size, 1) and moved.dtype == np.float32
    side = np.ptp(points, axis=0).max() * (1 + 2 * margin)
    for point in moved[1:3]:
        found = centroid(cut[..., 0].astype(float), point, radius=max(2, 16 * size / side))
        assert np.abs(found - point).max() < 0.1


def test_box_and_margin_set_the_crop():
    points = np.array([[10.0, 20], [30, 20], [20, 60]])
    _, moved = crop.crop(np.zeros((100, 100), np.uint8), points, (10, 20, 30, 60), 60, 0.25)
    # side 40 * 1.5 = 60: one pixel stays one pixel, the top edge of the box is 10 below the crop's
    assert np.allclose(moved, points - [-10, 10] - 0.5)


def test_outside_of_the_image_its_edge_is_repeated():
    image = np.tile(np.arange(0, 100, dtype=np.uint8), (100, 1))
    points = np.array([[0.0, 10], [40, 50]])
    cut, _ = crop.crop(image, points, crop.landmark_box(points), 80, 0.5)
    assert (cut[:, :15] == 0).all()
    assert np.abs(np.diff(cut[40, 20:, 0].astype(int))).max() <= 1


def test_shrinking_averages_instead_of_skipping():
    image = np.zeros((400, 400), np.uint8)
    image[::2] = 200
    points = np.array([[50.0, 50], [350, 350]])
    cut, _ = crop.crop(image, points, crop.landmark_box(points), 50, 0.0)
    assert np.abs(cut.astype(int) - 100).max() <= 20


def test_colour_is_rgb_and_gray_its_luminance(tmp_path):
    bgr = np.zeros((100, 120, 3), np.uint8)
    bgr[..., 2], bgr[..., 1] = 200, 50
    cv2.imwrite(str(tmp_path / "a.png"), bgr)
    write_pts(tmp_path / "a.pts", points_68())
    colour = read(tmp_path, channels=3, size=16)
    assert (colour.images == [200, 50, 0]).all()
    gray = read(tmp_path, channels=1, size=16)
    assert (gray.images == round(0.299 * 200 + 0.587 * 50)).all()


@pytest.mark.skipif(not DATA, reason="FKP_DATA does not point at the real data")
def test_real_300w():
    faces = read(Path(DATA) / "300w", size=32)
    assert len(faces) == 2566
    assert (faces.parts == "train").sum() == 2012
    assert (faces.parts == "test").sum() == 554
    assert faces.complete.all()
    train, test = (set(faces.groups[faces.parts == part]) for part in ("train", "test"))
    assert not train & test
