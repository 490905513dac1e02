from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fkp.data.faces import Faces
from fkp.data.schemes import KAGGLE_15
from fkp.data.split import holdout


def blank(n, groups=None, parts=None, incomplete=()):
    points = np.zeros((n, 15, 2), np.float32)
    points[list(incomplete), 5] = np.nan
    images = np.zeros((n, 4, 4, 1), np.uint8)
    return Faces(images, points, KAGGLE_15, "drawn", groups=groups, parts=parts)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(80, 120), persons=st.integers(30, 200))
def test_no_group_is_on_two_sides(n, persons):
    seed = n + persons
    groups = np.random.default_rng(seed).integers(0, persons, n)
    faces = blank(n, groups=groups, incomplete=range(0, n, 3))
    split = holdout(faces, seed=seed)
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


def test_official_test_rows_are_the_test():
    parts = np.array(["train"] * 40 + ["test"] * 10)
    faces = blank(50, parts=parts)
    groups = faces.groups.copy()
    groups[[4, 45]] = 99
    faces = replace(faces, groups=groups)
    split = holdout(faces, test=0.5, validation=0.25)
    assert split.test.tolist() == list(range(40, 50))
    assert len(split.validation) == 10
    assert sorted([*split.train, *split.validation, 4]) == list(range(40))


def test_test_rows_alone_are_said():
    with pytest.raises(ValueError, match="5 rows are marked as test rows, none as a training row"):
        holdout(blank(30, parts=np.array([""] * 25 + ["test"] * 5)))


def test_rows_of_no_official_part_stay_out():
    parts = np.array(["train"] * 20 + ["other"] * 5 + ["test"] * 5)
    split = holdout(blank(30, parts=parts))
    assert not set(range(20, 25)) & {*split.train, *split.validation, *split.test}


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
