import numpy as np
import pytest

from fkp.data import sets, split
from fkp.data.faces import Faces
from fkp.data.schemes import IBUG_68

NAMES = ["afw/1_1", "helen/trainset/2_1", "helen/trainset/2_2", "helen/testset/3_1"]
NAMES += ["lfpw/trainset/image_0001", "lfpw/testset/image_0001"]


def made(source="300-W", groups=None):
    """Faces of one pixel under the given names."""
    n = len(NAMES)
    images, points = np.zeros((n, 1, 1, 1), np.uint8), np.zeros((n, 68, 2), np.float32)
    return Faces(images, points, IBUG_68, source, groups=groups, names=np.array(NAMES))


def test_a_set_is_a_beginning_of_names_or_a_folder():
    faces = made()
    assert list(sets.set_of(faces)[:2]) == ["afw", "helen/trainset"]
    found = sets.set_of(faces, ["helen", "lfpw/testset"])
    assert list(found) == ["", "helen", "helen", "helen", "", "lfpw/testset"]


def test_training_and_test_sets_become_the_parts_of_a_split():
    faces = made(groups=np.array([0, 1, 1, 3, 4, 0]))
    chosen = sets.between_sets(faces, ["afw", "helen/trainset"], ["lfpw/testset"])
    assert list(chosen.parts) == ["train", "train", "train", "test"]
    rows = split.holdout(chosen, validation=0, seed=0)
    # The AFW face shares a group with the test face.
    assert list(chosen.names[rows.train]) == NAMES[1:3]
    assert list(chosen.names[rows.test]) == [NAMES[5]]
    assert sets.between_sets(faces, None, None) is faces


@pytest.mark.parametrize(
    ("train_sets", "test_sets", "message"),
    [
        (["afw"], None, "both or neither"),
        (["afw"], ["ibug"], r"no face is of set 'ibug' \(sets here: afw, helen/testset"),
        (["helen"], ["helen/testset"], r"helen/testset/3_1 is in train_sets and in test_sets"),
    ],
)
def test_sets_that_make_no_split_are_refused(train_sets, test_sets, message):
    with pytest.raises(ValueError, match=message):
        sets.between_sets(made(), train_sets, test_sets)


def test_coverage_counts_what_is_missing_of_300w():
    text = sets.coverage(made())
    assert "4 of the 3148 official training faces" in text and "helen/trainset 2 of 2000" in text
    assert sets.in_short(text) == "300-W with 4 of the 3148 official training faces"
    assert sets.coverage(made(source="drawn")) == "" == sets.in_short("")
