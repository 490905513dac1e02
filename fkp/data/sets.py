"""Sets of a collection such as 300-W: which faces are of which, and how much of it is there."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fkp.data.faces import Faces

# Faces in the official parts of 300-W, by folder.
W300_FACES = {
    "afw": 337,
    "helen/trainset": 2000,
    "lfpw/trainset": 811,
    "helen/testset": 330,
    "lfpw/testset": 224,
    "ibug": 135,
}
_MISSING = " (incomplete: "


def set_of(faces: Faces, sets: Sequence[str] | None = None) -> np.ndarray:
    """The set of each face, str (n,).

    Args:
        sets: beginnings of names, such as "helen" or "helen/testset"; None: the face's folder.

    Returns:
        The first of `sets` that the name begins with, "" if it begins with none.
    """
    if sets is None:
        return np.array([name.rpartition("/")[0] for name in faces.names], dtype=str)
    return np.array([next(filter(str(n).startswith, sets), "") for n in faces.names], dtype=str)


def between_sets(
    faces: Faces, train_sets: Sequence[str] | None, test_sets: Sequence[str] | None
) -> Faces:
    """The faces of the named sets, so marked that `split.holdout` trains on some, tests on others.

    Args:
        train_sets, test_sets: as in `set_of`; None for both leaves the faces and the official
            split as they are.

    Returns:
        Faces with parts "train" and "test"; faces of other sets are left out.

    Raises:
        ValueError: only one side is given, a set without faces, or a face on both sides.
    """
    if train_sets is None and test_sets is None:
        return faces
    if train_sets is None or test_sets is None:
        raise ValueError(
            f"expected both or neither: train_sets {train_sets}, test_sets {test_sets}"
        )
    training, testing = set_of(faces, train_sets), set_of(faces, test_sets)
    for name in (*train_sets, *test_sets):
        if name not in training and name not in testing:
            known = ", ".join(sorted(set(set_of(faces)))) or "none"
            raise ValueError(f"no face is of set {name!r} (sets here: {known})")
    both = (training != "") & (testing != "")
    if both.any():
        raise ValueError(f"{faces.names[both][0]} is in train_sets and in test_sets")
    parts = np.where(training != "", "train", np.where(testing != "", "test", ""))
    return replace(faces, parts=parts).take(parts != "")


def coverage(faces: Faces) -> str:
    """How much of 300-W's official parts the faces are, in words; "" for other data.

    Complete, or followed by what each set lacks in brackets, which `in_short` leaves out.
    """
    if faces.source != "300-W":
        return ""
    here = {name: int((set_of(faces) == name).sum()) for name in W300_FACES}
    lacking = [f"{n} {here[n]} of {W300_FACES[n]}" for n in here if here[n] < W300_FACES[n]]
    train = [name for name in here if name == "afw" or name.endswith("trainset")]
    total, official = (sum(counts[name] for name in train) for counts in (here, W300_FACES))
    text = f"300-W with {total} of the {official} official training faces"
    return f"{text}{_MISSING}{', '.join(lacking)})" if lacking else text


def in_short(coverage: str) -> str:
    """What `coverage` returns, without what each set lacks."""
    return coverage.partition(_MISSING)[0]
