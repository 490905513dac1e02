from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fkp.data.faces import Faces
from fkp.data.schemes import KAGGLE_15
from fkp.data.split import duplicates, exact_pairs, group_duplicates, holdout, kfold, near_pairs


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


def blank(n, groups=None, parts=None, incomplete=()):
    points = np.zeros((n, 15, 2), np.float32)
    points[list(incomplete), 5] = np.nan
    images = np.zeros((n, 4, 4, 1), np.uint8)
    return Faces(images, points, KAGGLE_15, "drawn", groups=groups, parts=parts)


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
    images = pictures(6)
    images[3] = images[0]
    images[4] = np.clip(images[1] * 0.8, 0, 255).astype(np.uint8)
    points = np.zeros((6, 15, 2), np.float32)
    faces = Faces(images, points, KAGGLE_15, "drawn", groups=[7, 8, 9, 3, 4, 8])
    grouped = group_duplicates(faces)
    assert grouped.groups.tolist() == [0, 1, 2, 0, 1, 1]
    assert grouped.groups.dtype == np.int64
    assert grouped.images is faces.images
    assert duplicates(faces) == {"exact": 1, "near": 1, "groups": 3}


def test_no_faces_no_duplicates():
    assert duplicates(blank(0)) == {"exact": 0, "near": 0, "groups": 0}


@settings(max_examples=40, deadline=None)
@given(n=st.integers(80, 120), persons=st.integers(30, 200), folds=st.integers(2, 4))
def test_no_group_is_on_two_sides(n, persons, folds):
    seed = n + persons
    groups = np.random.default_rng(seed).integers(0, persons, n)
    faces = blank(n, groups=groups, incomplete=range(0, n, 3))
    for split in (holdout(faces, seed=seed), *kfold(faces, folds, seed=seed)):
        parts = [split.train, split.validation, split.test]
        assert sorted(np.concatenate(parts).tolist()) == list(range(n))
        for rows in parts:
            assert (np.diff(rows) > 0).all()
        owners = [set(faces.groups[rows].tolist()) for rows in parts]
        assert not owners[0] & owners[1]
        assert not owners[0] & owners[2]
        assert not owners[1] & owners[2]


def test_complete_and_incomplete_rows_are_shared_in_proportion():
    faces = blank(1000, incomplete=range(300, 1000))
    split = holdout(faces, test=0.2, validation=0.1, seed=3)
    assert [len(split.train), len(split.validation), len(split.test)] == [700, 100, 200]
    for rows in (split.train, split.validation, split.test):
        assert faces.complete[rows].mean() == pytest.approx(0.3, abs=0.015)


def test_the_seed_decides():
    faces = blank(50)
    first, again, other = (holdout(faces, seed=seed).test.tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_folds_cover_every_row_once():
    faces = blank(103, groups=np.arange(103) // 2)
    folds = list(kfold(faces, 5, seed=1))
    assert len(folds) == 5
    assert sorted(np.concatenate([fold.test for fold in folds]).tolist()) == list(range(103))
    assert all(19 <= len(fold.test) <= 22 for fold in folds)


def test_official_test_rows_are_the_test():
    parts = np.array(["train"] * 40 + ["test"] * 10)
    faces = blank(50, parts=parts)
    groups = faces.groups.copy()
    groups[[4, 45]] = 99
    faces = replace(faces, groups=groups)
    split = holdout(faces, test=0.5, validation=0.25)
    assert split.test.tolist() == list(range(40, 50))
    assert split.dropped.tolist() == [4]
    assert len(split.validation) == 10
    assert sorted([*split.train, *split.validation, 4]) == list(range(40))
    for fold in kfold(faces, 3):
        used = {*fold.train.tolist(), *fold.validation.tolist(), *fold.test.tolist()}
        assert used == set(range(40)) - {4}


def test_rows_of_no_official_part_stay_out():
    parts = np.array(["train"] * 20 + ["other"] * 5 + ["test"] * 5)
    split = holdout(blank(30, parts=parts))
    assert not set(range(20, 25)) & {*split.train, *split.validation, *split.test, *split.dropped}


def test_validation_may_be_left_out():
    assert len(holdout(blank(10), validation=0).validation) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test": 1.0}, r"test: expected a fraction in \[0, 1\), got 1.0"),
        ({"validation": -0.1}, r"validation: expected a fraction in \[0, 1\), got -0.1"),
        ({"test": 0.6, "validation": 0.4}, "nothing is left to train on"),
    ],
)
def test_impossible_fractions(options, message):
    with pytest.raises(ValueError, match=message):
        holdout(blank(20), **options)


def test_too_few_groups():
    with pytest.raises(ValueError, match="part is empty: 20 faces make 1 groups of up to 20 rows"):
        holdout(blank(20, groups=np.zeros(20, int)))
    with pytest.raises(ValueError, match="at least 2 folds, got 1"):
        next(kfold(blank(20), 1))
