"""Leak-free splits: rows of one group stay on one side (see `fkp.data.copies`)."""

from dataclasses import dataclass

import numpy as np

from fkp.data.faces import Faces


@dataclass(frozen=True, eq=False)
class Split:
    """Row indices, each in file order.

    Attributes:
        train, validation, test: int arrays without common rows or common groups.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def _pool(faces):
    """(rows to divide, official test rows)."""
    test = np.flatnonzero(faces.parts == "test")
    if not len(test):
        return np.arange(len(faces)), test
    train = np.flatnonzero(faces.parts == "train")
    if not len(train):
        raise ValueError(f"{len(test)} rows are marked as test rows, none as a training row")
    return train[~np.isin(faces.groups[train], faces.groups[test])], test


def _positions(faces, rows, seed):
    """Random places in [0, 1) of the rows, equal inside a group.

    Groups of mostly complete and of mostly incomplete rows are shuffled apart and then interleaved,
    so any interval of [0, 1) holds its share of rows, and of either kind, to within a group.
    """
    _, group, sizes = np.unique(faces.groups[rows], return_inverse=True, return_counts=True)
    complete = np.bincount(group, weights=faces.complete[rows]) * 2 >= sizes
    rng = np.random.default_rng(seed)
    place = np.zeros(len(sizes))
    for kind in (True, False):
        members = rng.permutation(np.flatnonzero(complete == kind))
        if len(members):
            ends = np.cumsum(sizes[members])
            place[members] = (ends - sizes[members] / 2) / ends[-1]
    order = np.argsort(place, kind="stable")
    place[order] = (np.cumsum(sizes[order]) - sizes[order] / 2) / max(len(rows), 1)
    return place[group]


def _check_fractions(**fractions):
    for name, value in fractions.items():
        if not 0 <= value < 1:
            raise ValueError(f"{name}: expected a fraction in [0, 1), got {value}")
    if sum(fractions.values()) >= 1:
        raise ValueError(f"nothing is left to train on: {fractions} take all rows")


def _checked(split, faces, **fractions):
    """The split; ValueError if a part that should hold rows is empty."""
    for name, fraction in {"train": 1, **fractions}.items():
        if fraction and not len(getattr(split, name)):
            sizes = np.unique(faces.groups, return_counts=True)[1]
            raise ValueError(
                f"{name} part is empty: {len(faces)} faces make {len(sizes)} groups of up to "
                f"{sizes.max(initial=0)} rows, too few to fill every part"
            )
    return split


def holdout(faces: Faces, test: float = 0.2, validation: float = 0.1, seed: int = 0) -> Split:
    """One split into train, validation and test.

    With official parts the test rows are those of part "test" (`test` is not used), and only rows
    of part "train" are divided, without those that share a group with a test row. Otherwise rows
    are drawn by group, complete and incomplete rows in proportion.

    Args:
        test, validation: fractions of the rows that are divided.

    Raises:
        ValueError: impossible fractions, too few groups to fill a part, or test rows alone.
    """
    rows, official = _pool(faces)
    test = 0 if len(official) else test
    _check_fractions(test=test, validation=validation)
    place = _positions(faces, rows, seed)
    drawn = place < test
    validating = ~drawn & (place < test + validation)
    split = Split(
        train=rows[~drawn & ~validating],
        validation=rows[validating],
        test=official if len(official) else rows[drawn],
    )
    return _checked(split, faces, validation=validation, test=test)
