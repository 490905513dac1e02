import cv2
import numpy as np
import pytest

from fkp.data.copies import exact_pairs, group_duplicates, near_pairs
from fkp.data.describe import data_facts
from fkp.data.faces import Faces
from fkp.data.schemes import KAGGLE_15


def pictures(n, seed=0):
    """n unlike 96x96 pictures, smooth as photographs are."""
    rng = np.random.default_rng(seed)
    unscaled = []
    for _ in range(n):
        layers = [
            cv2.resize(rng.random((k, k)) / k, (96, 96), interpolation=cv2.INTER_CUBIC)
            for k in (4, 8, 16, 32)
        ]
        unscaled.append(np.sum(layers, axis=0))
    scaled = [(p - p.min()) / np.ptp(p) * 200 + 20 for p in unscaled]
    return np.array(scaled).astype(np.uint8)[..., None]


def moved(picture, scale, dx, dy):
    matrix = cv2.getRotationMatrix2D((47.5, 47.5), 0, scale)
    matrix[:, 2] += dx, dy
    return cv2.warpAffine(picture, matrix, (96, 96), borderMode=cv2.BORDER_REFLECT)


CHANGES = {
    "darker": lambda p: p * 0.5,
    "brighter": lambda p: np.clip(p * 1.2 + 30, 0, 255),
    "gamma": lambda p: 255 * (p / 255) ** 0.6,
    "jpeg": lambda p: cv2.imdecode(cv2.imencode(".jpg", p, [cv2.IMWRITE_JPEG_QUALITY, 25])[1], 0),
    "small": lambda p: cv2.resize(cv2.resize(p, (48, 48)), (96, 96)),
    "shifted": lambda p: moved(p, 1, 6, -6),
    "re-cut": lambda p: moved(p, 1.06, 3, 2),
    "smaller": lambda p: moved(p, 0.9, 3, 2),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_changed_copies_are_found_and_nothing_else(change):
    originals = pictures(20)
    copies = np.array([change(p[:, :, 0]) for p in originals[:10]]).astype(np.uint8)[..., None]
    pairs = near_pairs(np.concatenate([originals, copies]))
    assert sorted(pairs.tolist()) == [[i, 20 + i] for i in range(10)]


def test_mirrored_copies_are_found():
    originals = pictures(10)
    images = np.concatenate([originals, originals[:3, :, ::-1]])
    assert near_pairs(images).tolist() == []
    assert near_pairs(images, mirrored=True).tolist() == [[0, 10], [1, 11], [2, 12]]


def test_colour_and_any_size():
    images = np.repeat(pictures(4), 3, axis=3)
    images = np.array([cv2.resize(image, (70, 80)) for image in images])
    assert near_pairs(np.concatenate([images, images[:1]])).tolist() == [[0, 4]]


def test_flat_pictures_are_no_near_copies():
    images = np.full((3, 96, 96, 1), 7, np.uint8)
    images[1:] = 9
    assert near_pairs(images).tolist() == []
    assert exact_pairs(images).tolist() == [[1, 2]]


def test_groups_are_merged_across_copies_and_given_groups():
    images = pictures(9)
    images[3] = images[0]
    images[4] = np.clip(images[1] * 0.8, 0, 255).astype(np.uint8)
    images[6] = images[2][:, ::-1]
    images[7:] = 50  # flat: an exact copy, and no near one
    points = np.zeros((9, 15, 2), np.float32)
    faces = Faces(images, points, KAGGLE_15, "drawn", groups=[7, 8, 9, 3, 4, 8, 1, 2, 5])
    grouped = group_duplicates(faces)
    assert grouped.groups.tolist() == [0, 1, 2, 0, 1, 1, 2, 3, 3]
    assert grouped.groups.dtype == np.int64
    assert grouped.images is faces.images


def test_only_near_copies_are_counted_as_near():
    images = pictures(2)[[0, 0, 1, 1]]
    points = np.full((4, 15, 2), 48, np.float32)
    facts = data_facts(Faces(images, points, KAGGLE_15, "drawn", groups=np.array([0, 1, 0, 1])))
    assert (facts["exact_duplicates"], facts["near_duplicates"], facts["groups"]) == (2, 0, 1)
    changed = images.copy()
    changed[1] = CHANGES["darker"](images[1])
    facts = data_facts(Faces(changed, points, KAGGLE_15, "drawn"))
    assert (facts["exact_duplicates"], facts["near_duplicates"], facts["groups"]) == (1, 1, 2)


def test_no_faces_no_duplicates():
    points = np.zeros((0, 15, 2), np.float32)
    none = Faces(np.zeros((0, 4, 4, 1), np.uint8), points, KAGGLE_15, "drawn")
    assert len(group_duplicates(none)) == 0
