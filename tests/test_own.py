"""Points that users bring: their names, their files, and what is made of them."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from fkp.data import own, readers
from fkp.data.readers import SourceError, marked
from fkp.data.schemes import IBUG_68, SCHEMES, WFLW_98, convert
from fkp.measure.scores import score
from fkp.prepare.augment import Jitter
from fkp.prepare.warp import Warp

FINGERS = ("thumb", "index", "middle", "ring", "little")
HAND = ["wrist", *(f"{finger}_{i}" for finger in FINGERS for i in range(4))]


def hand(rng, side=120):
    """(uint8 (side, side, 3), float (21, 2)): a drawn hand, five fingers of four joints."""
    coarse = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    image = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC) // 2 + 60
    wrist = np.array([side / 2, side * 0.85]) + rng.normal(0, side / 40, 2)
    points = [wrist]
    for i in range(5):
        angle = np.deg2rad(-90 + (i - 2) * 22 + rng.normal(0, 5))
        ahead = np.array([np.cos(angle), np.sin(angle)]) * side * 0.16
        points += [wrist + ahead * (1.6 + 0.75 * joint) for joint in range(4)]
    points = np.array(points)
    colour = rng.integers(0, 40, 3).tolist()
    for finger in points[1:].reshape(5, 4, 2):
        line = np.vstack([wrist, finger]).round().astype(np.int32)
        cv2.polylines(image, [line], False, colour, side // 16, cv2.LINE_AA)
    return image, points


@pytest.fixture
def hands(tmp_path):
    """A folder of images of two hands each, and their points (n, 21, 2)."""
    rng, points = np.random.default_rng(0), []
    (tmp_path / "images").mkdir()
    for i in range(6):
        pairs = [hand(rng) for _ in range(2)]
        cv2.imwrite(str(tmp_path / f"images/{i}.png"), np.hstack([image for image, _ in pairs]))
        points += [pairs[0][1], pairs[1][1] + (120, 0)]
    return tmp_path, np.array(points)


def as_coco(folder, points, **category):
    entries = []
    for i, place in enumerate(points):
        values = np.column_stack([place, np.full(21, 2)])
        if i == 3:
            values[5] = 0  # not marked
        low, size = place.min(axis=0), np.ptp(place, axis=0)
        entries.append(
            {"id": i, "image_id": i // 2, "category_id": 7, "keypoints": values.ravel().tolist()}
            | {"num_keypoints": 21, "bbox": [*low.tolist(), *size.tolist()], "iscrowd": 0}
        )
    lines = [[1, 2], *([i, i + 1] for i in range(2, 21) if i % 4 != 1)]
    kinds = [
        {"id": 7, "name": "hand", "keypoints": HAND, "skeleton": lines} | category,
        {"id": 8, "name": "table"},
    ]
    images = [{"id": i, "file_name": f"{i}.png", "width": 240, "height": 120} for i in range(6)]
    text = {"images": images, "annotations": entries, "categories": kinds}
    (folder / "hands.json").write_text(json.dumps(text))
    return folder / "hands.json"


def test_coco_brings_several_things_of_a_picture_and_their_names(hands):
    folder, points = hands
    faces = readers.read(as_coco(folder, points), size=64, channels=3, margin=0.2)
    assert len(faces) == 12 and faces.image_shape == (64, 64, 3)
    assert faces.scheme.labels == tuple(HAND) and faces.scheme.mirror is None
    assert faces.scheme.regions["thumb_0-thumb_1"] == (1, 2)
    np.testing.assert_array_equal(faces.groups, np.repeat(range(6), 2))
    assert faces.names[:2].tolist() == ["0.png", "0.png#2"]
    unlabelled = np.argwhere(~faces.labelled)
    np.testing.assert_array_equal(unlabelled, [[3, 5]])
    # One affine map for all points of a face: distances keep their ratios.
    apart = np.linalg.norm(np.diff(faces.points[0], axis=0), axis=1)
    before = np.linalg.norm(np.diff(points[0], axis=0), axis=1)
    np.testing.assert_allclose(apart / apart[0], before / before[0], rtol=1e-3)


def test_a_folder_with_one_file_is_read_as_the_file(hands):
    folder, points = hands
    file = as_coco(folder, points)
    of_file, of_folder = (readers.read(path, size=64).fingerprint for path in (file, folder))
    assert of_file == of_folder
    (folder / "more.json").touch()
    with pytest.raises(SourceError, match="not recognised"):
        readers.read(folder)


def test_a_csv_of_names_gives_what_coco_gives(hands):
    folder, points = hands
    columns = ",".join(f"{name}_{axis}" for name in HAND for axis in "xy")
    rows = [
        f"{i // 2}.png," + ",".join(f"{value:.4f}" for value in place.ravel())
        for i, place in enumerate(points)
    ]
    rows[3] = ",".join(["1.png", *(f"{v:.4f}" for v in points[3].ravel()[:-2]), "", ""])
    (folder / "hands_train.csv").write_text("\n".join([f"image,{columns}", *rows]))
    faces = readers.read(folder / "hands_train.csv", size=64)
    (folder / "coco").mkdir()
    coco = readers.read(as_coco(folder, points), size=64)
    assert faces.scheme.labels == coco.scheme.labels
    np.testing.assert_array_equal(faces.images[:3], coco.images[:3])
    np.testing.assert_allclose(faces.points[:3], coco.points[:3], atol=1e-3)
    assert {*faces.parts} == {"train"} and np.argwhere(~faces.labelled).tolist() == [[3, 20]]


def two_lists(folder):
    """train.csv and test.csv, whose images, of the same names, lie in folders of other names."""
    for name, level in (("train", 40), ("test", 200)):
        (folder / f"{name}_images").mkdir()
        cv2.imwrite(str(folder / f"{name}_images" / "0.png"), np.full((60, 60, 3), level, np.uint8))
        (folder / f"{name}.csv").write_text("image,a_x,a_y,b_x,b_y\n0.png,20,20,40,40\n")


def test_images_of_one_name_are_those_of_the_lists_own_folder_or_refused(tmp_path):
    two_lists(tmp_path)
    with pytest.raises(SourceError, match=r"test.csv, data row 1: got '0.png', expected one image"):
        readers.read(tmp_path, size=32)
    for name in ("train", "test"):
        (tmp_path / f"{name}_images").rename(tmp_path / name)
    faces = readers.read(tmp_path, size=32)
    assert faces.images.mean(axis=(1, 2, 3)).round().tolist() == [200, 40]
    assert faces.parts.tolist() == ["test", "train"] and len({*faces.groups}) == 2


def test_a_fault_of_a_part_is_no_other_file(tmp_path):
    two_lists(tmp_path)
    (tmp_path / "notes.csv").write_text("word\nmeaning\n")
    (tmp_path / "test.csv").write_text("image,a_x,a_y,b_x,c_y\n0.png,20,20,40,40\n")
    with pytest.raises(SourceError, match=r"test.csv, line 1, column b_x"):
        readers.read(tmp_path, images=tmp_path / "train_images", size=32)
    (tmp_path / "test.csv").write_text("image\n0.png\n")  # without labels
    (tmp_path / "test_log.csv").write_text("epoch,loss\n1,2\n")
    (tmp_path / "other.csv").write_bytes(b"\xff\xfe\x00")  # no text at all
    assert len(readers.read(tmp_path, images=tmp_path / "train_images", size=32)) == 1
    (tmp_path / "test.csv").write_text("image,0,1\n0.png,20,20\n")
    (tmp_path / "train.csv").write_text("image,0,1,2,3\n0.png,20,20,40,40\n")
    with pytest.raises(SourceError, match=r"train.csv: expected the points of test.csv"):
        readers.read(tmp_path, images=tmp_path / "train_images", size=32)


def test_a_file_may_be_called_as_a_known_scheme_is(tmp_path):
    cv2.imwrite(str(tmp_path / "0.png"), np.full((60, 60, 3), 40, np.uint8))
    columns = ",".join(f"p{i}_{axis}" for i in range(15) for axis in "xy")
    values = ",".join(f"{20 + 3 * (i % 7)}" for i in range(29))
    (tmp_path / "kaggle.csv").write_text(f"image,{columns}\n0.png,{values},30\n")
    assert readers.read(tmp_path / "kaggle.csv", size=32).scheme.name == "own-kaggle15"
    (tmp_path / "kaggle.csv").write_text(f"Image,{columns}\n0.png,{values},30\n")
    assert readers.recognise(tmp_path / "kaggle.csv") == "table"


def test_one_of_several_categories_can_be_chosen(hands):
    folder, points = hands
    file = as_coco(folder, points)
    found = json.loads(file.read_text())
    found["categories"].append({"id": 9, "name": "foot", "keypoints": ["toe"]})
    file.write_text(json.dumps(found), encoding="utf-8-sig")
    with pytest.raises(SourceError, match="category"):
        readers.fingerprint(file, "coco")
    assert readers.fingerprint(file, "coco", {"category": "hand", "size": 64})


@pytest.mark.parametrize("ending", ["_frames_keypoints", ""])
def test_columns_without_names_are_udacitys_68_points(hands, ending):
    folder, _ = hands
    rng = np.random.default_rng(1)
    for name in ("training", "test"):
        rows = [f"{i}.png," + ",".join(map(str, rng.integers(20, 100, 136))) for i in range(3)]
        head = "," + ",".join(map(str, range(136)))
        (folder / f"{name}{ending}.csv").write_text("\n".join([head, *rows]))
    faces = readers.read(folder, size=48)
    assert readers.recognise(folder) == readers.recognise(folder / f"test{ending}.csv") == "table"
    assert faces.scheme is IBUG_68 and len(faces) == 6
    assert sorted({*faces.parts}) == ["test", "train"]


@pytest.mark.parametrize(
    ("part", "names"),
    [
        ("train", ("train", "Training_2", "list_98pt_rect_attr_train", "trainset", "a-train1")),
        ("test", ("test", "hands_testing", "TestSet")),
        ("", ("latest", "contest_a", "strain", "trainer")),
    ],
)
def test_a_list_is_of_the_part_that_a_word_of_its_name_says(part, names):
    assert {marked.part_of(Path(f"test/{name}.csv")) for name in names} == {part}


def wflw(folder, attributes=(0, 0, 0, 0, 1, 0)):
    lists = folder / "WFLW_annotations" / "list_98pt_rect_attr_train_test"
    lists.mkdir(parents=True)
    (folder / "WFLW_images" / "0--Parade").mkdir(parents=True)
    image = np.full((200, 300, 3), 90, np.uint8)
    cv2.imwrite(str(folder / "WFLW_images/0--Parade/a.jpg"), image)
    rng = np.random.default_rng(0)
    for part in ("train", "test"):
        lines = []
        for kind in (attributes, (0,) * 6):
            points = rng.uniform(40, 150, 196)
            lines.append(" ".join(map(str, [*points, 40, 40, 150, 150, *kind, "0--Parade/a.jpg"])))
        (lists / f"list_98pt_rect_attr_{part}.txt").write_text("\n".join(lines) + "\n")
    return folder


def test_wflws_lists(tmp_path):
    folder = wflw(tmp_path)
    faces = readers.read(folder, size=40)
    assert readers.recognise(folder) == "wflw" and faces.scheme is WFLW_98
    assert faces.parts.tolist() == ["test", "test", "train", "train"]
    assert len({*faces.groups}) == 1, "faces of one photograph stay together"
    assert len(readers.read(folder, size=40, attribute="occlusion")) == 2
    assert faces.to_scheme(IBUG_68).points.shape == (4, 68, 2)


def test_a_byte_that_is_no_text_is_named_by_its_line(tmp_path):
    file = next(wflw(tmp_path).rglob("*test.txt"))
    lines = file.read_bytes().splitlines()
    file.write_bytes(b"\n".join([lines[0], b"\xff" + lines[1]]))
    with pytest.raises(SourceError, match=r"attr_test\.txt, line 2: got"):
        readers.read(tmp_path)


def test_wflw_to_68_keeps_left_and_right():
    points = np.random.default_rng(0).normal(size=(1, 98, 2)).astype(np.float32)
    first = convert(points[:, list(WFLW_98.mirror)], WFLW_98, IBUG_68)
    last = convert(points, WFLW_98, IBUG_68)[:, list(IBUG_68.mirror)]
    np.testing.assert_array_equal(first, last)
    kept = convert(np.arange(98.0)[None, :, None].repeat(2, 2), WFLW_98, IBUG_68)[0, :, 0]
    assert kept[[0, 8, 16, 36, 45, 48, 54]].tolist() == [0, 16, 32, 60, 72, 76, 82]


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        (["left_eye", "right_eye", "nose"], {("left_eye", "right_eye")}),
        (
            ["eye_l", "eye_r", "Left Ear", "Right Ear"],
            {("eye_l", "eye_r"), ("Left Ear", "Right Ear")},
        ),
        (["L-paw", "R-paw", "tail"], {("L-paw", "R-paw")}),
        (["wrist", "leftover"], set()),
    ],
)
def test_mirror_pairs_follow_from_names(names, pairs):
    scheme = own.own("mine", names)
    if not pairs:
        assert scheme.mirror is None
        return
    found = {(names[i], names[j]) for i, j in enumerate(scheme.mirror) if i < j}
    assert found == pairs


def test_a_scheme_comes_back_from_what_is_said_of_it():
    for scheme in (
        *SCHEMES.values(),
        own.own("paw", ["a", "b_left", "b_right"], norm=["a", "b_left"]),
    ):
        again = own.from_dict(json.loads(json.dumps(own.to_dict(scheme))))
        assert again == scheme
    assert own.unnamed(68) is IBUG_68 and own.unnamed(15).name == "unnamed15"


def test_an_npz_says_its_points_or_a_file_beside_it_does(tmp_path):
    images = np.zeros((4, 32, 32), np.uint8)
    points = np.random.default_rng(0).uniform(2, 30, (4, 5, 2))
    np.savez(tmp_path / "a.npz", images=images, points=points)
    assert readers.read(tmp_path / "a.npz").scheme.labels[4] == "point_4"
    names = ["left_eye", "right_eye", "nose", "mouth_left", "mouth_right"]
    np.savez(tmp_path / "a.npz", images=images, points=points, point_names=names)
    faces = readers.read(tmp_path / "a.npz")
    assert faces.scheme.mirror == (1, 0, 2, 4, 3) and faces.scheme.ocular is None
    said = {"name": "five", "points": names, "norm": ["left_eye", "right_eye"]}
    (tmp_path / "points.yaml").write_text(yaml.safe_dump(said))
    faces = readers.read(tmp_path / "a.npz")
    assert faces.scheme.name == "five" and faces.scheme.ocular == (0, 1)
    (tmp_path / "points.yaml").unlink()
    said = json.dumps(own.to_dict(faces.scheme))
    np.savez(tmp_path / "b.npz", images=faces.images, points=faces.points, scheme=said)
    assert readers.read(tmp_path / "b.npz").scheme == faces.scheme


def test_without_a_norm_errors_are_in_pixels_and_of_the_box(hands):
    folder, points = hands
    faces = readers.read(as_coco(folder, points), size=64)
    found = score(faces, np.nan_to_num(faces.points + 1))
    assert "rmse" in found and "nme_box" in found
    assert not {"nme_ocular", "nme_pupil"} & {*found}


def test_without_a_mirror_nothing_is_mirrored(hands):
    folder, points = hands
    faces = readers.read(as_coco(folder, points), size=64)
    rng = np.random.default_rng(0)
    for change in (
        Jitter(faces.scheme, 0, 0, 0, 0, 0, 0, 0, flip=1.0),
        Warp(faces.scheme, side=32, zoom=2.0, degrees=0, scale=0, shift=0, flip=1.0),
    ):
        _, moved = change(faces.images, faces.points, rng)
        wrists, thumbs, littles = (np.nanmean(moved[:, i], axis=0) for i in (0, 4, 20))
        assert thumbs[0] < wrists[0] < littles[0]


def bad_csv(folder, points, old, new):
    columns = ",".join(f"{name}_{axis}" for name in HAND for axis in "xy")
    rows = [f"{i // 2}.png," + ",".join(map(str, p.round(1).ravel())) for i, p in enumerate(points)]
    text = "\n".join([f"image,{columns}", *rows])
    assert old in text
    (folder / "bad.csv").write_text(text.replace(old, new, 1))
    return folder / "bad.csv"


def in_latin_1(folder, points):
    file = bad_csv(folder, points, "0.png", "é.png")
    file.write_bytes(file.read_text("utf-8").encode("latin-1"))
    return file


def without_category(folder, points):
    file = as_coco(folder, points)
    file.write_text(file.read_text().replace('"category_id": 7, ', "", 1))
    return file


def bad_coco(folder, points, name, **values):
    file = as_coco(folder, points)
    found = json.loads(file.read_text())
    found[name] = [entry | values for entry in found[name]]
    file.write_text(json.dumps(found))
    return file


def renamed(folder, points):
    (folder / "points.yaml").write_text(yaml.safe_dump({"points": HAND[::-1]}))
    return as_coco(folder, points)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda f, p: bad_csv(f, p, "0.png,", "nowhere.png,"), r"data row 1.*got 'nowhere.png'"),
        (lambda f, p: bad_csv(f, p, "0.png,", "0.png,x"), r"data row 1 \(line 2\), column wrist_x"),
        (
            lambda f, p: bad_csv(f, p, "0.png,", "nowhere.png,").parent,
            r"bad\.csv, data row 1.*nowhere",
        ),
        (lambda f, p: bad_csv(f, p, "0.png,", "0.png,9"), r"bad\.csv, row 1, 0.png, point 1: got"),
        (lambda f, p: bad_csv(f, p, "0.png,", "0.png,1000000"), r"row 1, 0.png, point 1: got"),
        (
            lambda f, p: bad_csv(f, np.add(p, (0, 100)), "", ""),
            r"row 1, 0.png: .*of 21 points outside",
        ),
        (lambda f, p: bad_csv(f, p, "\n1.png,", "\n"), r"line 4: got '42 fields', expected 43"),
        (lambda f, p: bad_csv(f, p, "0.png,", "0.png,5,"), r"line 2: got '44 fields'"),
        (
            lambda f, p: bad_csv(f, p, "thumb_0_x", "thumb_0"),
            "not recognised .*column thumb_0: got",
        ),
        (lambda f, p: bad_csv(f, p, "thumb_0_x,", ""), "not recognised .*column thumb_0_y: got"),
        (
            lambda f, p: bad_csv(f, p, "thumb_0_x,thumb_0_y", "wrist_x,wrist_y"),
            "column wrist_x: got 'wrist_x, wrist_y', expected .* once",
        ),
        (lambda f, p: bad_csv(f, p, ",little_3_y", ""), "column little_3_x: got 'little_3_x, '"),
        (in_latin_1, r"bad\.csv: got 'text in another encoding', expected text in UTF-8"),
        (without_category, "row 1, column annotations: expected a category_id"),
        (renamed, r"points\.yaml: got 'little_3', expected 'wrist' as point 1, as in hands\.json"),
        (lambda f, p: bad_coco(f, p, "images", id=[1]), r"row 1, column images, id: got \[1\]"),
        (lambda f, p: bad_coco(f, p, "images", file_name=7), "images, file_name: got 7"),
        (lambda f, p: bad_coco(f, p, "annotations", image_id=[1]), "annotations, image_id: got"),
        (
            lambda f, p: bad_coco(f, p, "annotations", category_id=None),
            r"column category_id: got \[None, .*a category_id of 7",
        ),
        (lambda f, p: bad_coco(f, p, "images", file_name=None), "row 1, column images, file_name"),
        (lambda f, p: bad_coco(f, p, "images", id=3), "row 2, column images, id: got 3, .* once"),
        (lambda f, p: bad_coco(f, p, "annotations", keypoints=5), "annotations, keypoints: got 5"),
        (
            lambda f, p: bad_coco(f, p, "annotations", keypoints=[1, 2, 2, 3, "5px", 2]),
            "row 1: got '5px', expected x, y, v",
        ),
        (lambda f, p: bad_coco(f, p, "annotations", keypoints=[10**400]), "row 1: got 10.*x, y, v"),
        (lambda f, p: as_coco(f, p, name=["hand"]), "categories, name: got"),
        (lambda f, p: as_coco(f, p, keypoints="lrn"), "categories, keypoints: got 'lrn'"),
        (lambda f, p: as_coco(f, p, keypoints=5), "categories, keypoints: got 5"),
        (lambda f, p: as_coco(f, p, skeleton=5), "categories, skeleton: got 5"),
        (lambda f, p: as_coco(f, p, skeleton=[[0, 1]]), r"got \[0, 1\], expected .*from 1 to 21"),
        (
            lambda f, p: as_coco(f, p, keypoints=HAND[:20], skeleton=[]),
            r"data row 1.*x, y, v of 20 keypoints",
        ),
        (lambda f, p: as_coco(f, p, skeleton=[[1, 99]]), "column skeleton: got"),
        (
            lambda f, p: as_coco(f, p, keypoints=[*HAND[:20], "wrist"]),
            "points by name: .*each once",
        ),
        (lambda f, p: as_coco(f, p, keypoints=[]), "category, one of those with keypoints: none"),
    ],
)
def test_a_fault_is_named(hands, make, complaint):
    folder, points = hands
    with pytest.raises(SourceError, match=complaint):
        readers.read(make(folder, points), size=48)


@pytest.mark.parametrize(
    ("place", "complaint"),
    [
        ((1e12, 5), "expected a point on the image"),
        ((-100, 5), r"a\.npz, data row 2, column point_2: got .*point on the image"),
    ],
)
def test_points_far_off_the_image_are_refused_by_row(tmp_path, place, complaint):
    points = np.full((3, 5, 2), 10.0)
    points[1, 2] = place
    np.savez(tmp_path / "a.npz", images=np.zeros((3, 32, 32), np.uint8), points=points)
    with pytest.raises(SourceError, match=complaint):
        readers.read(tmp_path / "a.npz")
    points[1] = (40, 10)
    np.savez(tmp_path / "a.npz", images=np.zeros((3, 32, 32), np.uint8), points=points)
    with pytest.raises(SourceError, match=r"data row 2.*5 of 5 points outside"):
        readers.read(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("points: [a, b", "YAML"),
        ("nothing", "expected `points`"),
        ("points: [a, b, c]", "3 points per face for own3"),
        ("points: [a, a]", "each once"),
        ("points: [a, b]\nmirror: [[a, c]]", "mirror: expected names of points, got 'c'"),
        ("points: [a, b]\nnorm: [a]", "pairs"),
        ("points: [a, b]\nnorm: [a, a]", "norm: expected two points, got 'a' twice"),
        ("points: [a, b]\nmirror: [[a, a]]", "mirror: expected each point in one pair, got 'a'"),
        ("points: [a, b, c]\nmirror: [[a, b], [c, b]]", "one pair, got 'b' twice"),
        ("points: [b, a]", "got 'b', expected 'a' as point 1, as in a.npz"),
        ("points: [a, b]\ncolour: red", "got 'colour'"),
        ("points: [a, b]\nclosed: [x]", "closed: expected names of regions"),
        ("points: [a, b]\nname: ibug68", "has points of its own"),
        ("points: [a, b]\nregions: 3", "lists of names"),
    ],
)
def test_a_points_yaml_at_fault_is_named(tmp_path, text, complaint):
    points = np.full((3, 2, 2), 10.0)
    images, names = np.zeros((3, 32, 32), np.uint8), ["a", "b"]
    np.savez(tmp_path / "a.npz", images=images, points=points, point_names=names)
    (tmp_path / "points.yaml").write_text(text)
    with pytest.raises(SourceError, match=rf"(?s)points\.yaml.*{complaint}"):
        readers.read(tmp_path / "a.npz")
