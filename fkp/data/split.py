"""Leak-free splits: copies of one image and frames of one person stay on one side.

A copy is found in two steps. Two faces are candidates when their band-passed 16x16 thumbnails
correlate at some small shift; a candidate is a copy when the middle of the one, at 48x48, is found
again in the other, shifted by up to a fifth of the image and scaled by up to a twelfth. Both steps
are correlations of band-passed images, so brightness, contrast, re-encoding and a re-cut crop do
not matter; and light and head pose, which make plain thumbnails of two persons alike, do not
suffice.
"""

import hashlib
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

# Calibrated by eye on 7049 real 96x96 faces, then checked on wider crops of 300-W: every pair found
# above 0.84 was one photograph or one sitting. Strangers reached 0.83, and 0.87 against mirror
# images, hence the stricter second value.
THRESHOLD = 0.84
MIRRORED_THRESHOLD = 0.88
_CANDIDATE = 0.82
_SIDE, _MARGIN = 48, 10
_SCALES = (0.92, 1.0, 1.087)


def _band_pass(image, side, fine, coarse):
    """float32 (side, side): the image's mean channel, shrunk, with detail between two blurs."""
    gray = image.astype(np.float32).mean(axis=2)
    small = cv2.resize(gray, (side, side), interpolation=cv2.INTER_AREA)
    detail = cv2.GaussianBlur(small, (0, 0), fine) if fine else small
    return detail - cv2.GaussianBlur(small, (0, 0), coarse)


def _unit(vectors):
    """Rows without their mean, at length 1 (a flat row becomes 0)."""
    vectors = vectors.reshape(len(vectors), np.prod(vectors.shape[1:]))
    vectors = vectors - vectors.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(lengths > 1e-3, vectors / np.maximum(lengths, 1e-3), 0)


def _candidates(thumbnails, others, block=1024):
    """Pairs i < j whose thumbnails correlate at one of the shifts; memory bounded by blocks."""
    size = thumbnails.shape[1] - 4
    middles = _unit(thumbnails[:, 2:-2, 2:-2])
    windows = [_unit(others[:, y : y + size, x : x + size]) for y, x in np.ndindex(5, 5)]
    found = [np.empty((0, 2), dtype=int)]
    for start in range(0, len(middles), block):
        similar = np.zeros((len(middles[start : start + block]), len(middles) - start), bool)
        for window in windows:
            similar |= middles[start : start + block] @ window[start:].T > _CANDIDATE
        found.append(np.argwhere(np.triu(similar, 1)) + start)
    return np.concatenate(found)


def _match(first, second):
    """Best correlation of the middle of `first` with any place of `second`, over three scales."""
    middle = first[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    if middle.std() < 0.1:
        return 0.0
    best = 0.0
    for scale in _SCALES:
        side = round(len(middle) * scale)
        patch = middle if side == len(middle) else cv2.resize(middle, (side, side))
        best = max(best, cv2.matchTemplate(second, patch, cv2.TM_CCOEFF_NORMED).max())
    return best


def exact_pairs(images):
    """(m, 2) pairs (first, later) of rows with identical pixels."""
    first = {}
    hashes = (hashlib.blake2b(np.ascontiguousarray(image)).digest() for image in images)
    rows = [first.setdefault(digest, i) for i, digest in enumerate(hashes)]
    return np.array([(i, j) for j, i in enumerate(rows) if i != j], dtype=int).reshape(-1, 2)


def near_pairs(images, threshold=None, mirrored=False):
    """Pairs of rows that show the same photograph.

    Args:
        images: uint8 (n, h, w, c).
        threshold: correlation from which a pair counts as a copy; default: the module's.
        mirrored: look for mirror images instead.

    Returns:
        (m, 2) row indices, first < second.
    """
    if threshold is None:
        threshold = MIRRORED_THRESHOLD if mirrored else THRESHOLD
    thumbnails = np.array([_band_pass(image, 16, 0.7, 2.5) for image in images])
    thumbnails = thumbnails.reshape(len(images), 16, 16)
    details = [_band_pass(image, _SIDE, 0, 3) for image in images]
    others = details
    pairs = _candidates(thumbnails, thumbnails[:, :, ::-1] if mirrored else thumbnails)
    if mirrored:
        others = [np.ascontiguousarray(detail[:, ::-1]) for detail in details]
    scores = np.array([_match(details[i], others[j]) for i, j in pairs])
    return pairs[scores >= threshold]


def _components(n, *pair_lists):
    """int64 (n,): the same number for rows joined by pairs, numbered by first row."""
    pairs = np.concatenate([np.empty((0, 2), dtype=int), *pair_lists])
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _chain(groups):
    """Pairs that join every row to the next row of its group."""
    order = np.argsort(groups, kind="stable")
    pairs = np.stack([order[:-1], order[1:]], axis=1)
    return pairs[groups[pairs[:, 0]] == groups[pairs[:, 1]]]


def _all_pairs(images):
    near = [near_pairs(images, mirrored=mirrored) for mirrored in (False, True)]
    return exact_pairs(images), np.concatenate(near)


def group_duplicates(faces):
    """The same faces, with groups merged wherever two rows show the same photograph.

    Exact copies, near copies (see the module) and mirrored near copies are joined, on top of the
    groups that the faces came with.
    """
    exact, near = _all_pairs(faces.images)
    return replace(faces, groups=_components(len(faces), _chain(faces.groups), exact, near))


def duplicates(faces):
    """Counts for a data summary.

    Returns:
        dict: `exact`, rows that are pixel for pixel an earlier row; `near`, further rows that show
        an earlier row's photograph; `groups`, groups once copies and given groups are merged.
    """
    exact, near = _all_pairs(faces.images)
    count = partial(lambda *pairs: _components(len(faces), *pairs).max(initial=-1) + 1)
    only_exact, both = count(exact), count(exact, near)
    return {
        "exact": int(len(faces) - only_exact),
        "near": int(only_exact - both),
        "groups": int(count(_chain(faces.groups), exact, near)),
    }


@dataclass(frozen=True, eq=False)
class Split:
    """Row indices, each in file order.

    Attributes:
        train, validation, test: int arrays without common rows or common groups.
        dropped: rows left out because their group has a row in the official test part.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    dropped: np.ndarray


def _pool(faces):
    """(rows to divide, official test rows, dropped rows)."""
    test = np.flatnonzero(faces.parts == "test")
    if not len(test):
        return np.arange(len(faces)), test, test
    train = np.flatnonzero(faces.parts == "train")
    tainted = np.isin(faces.groups[train], faces.groups[test])
    return train[~tainted], test, train[tainted]


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


def holdout(faces, test=0.2, validation=0.1, seed=0):
    """One split into train, validation and test.

    With official parts the test rows are those of part "test" (`test` is not used), and only rows
    of part "train" are divided, without those that share a group with a test row. Otherwise rows
    are drawn by group, complete and incomplete rows in proportion.

    Args:
        faces: Faces.
        test, validation: fractions of the rows that are divided.
        seed: of the draw.

    Returns:
        Split.

    Raises:
        ValueError: impossible fractions, or too few groups to fill a part.
    """
    rows, official, dropped = _pool(faces)
    test = 0 if len(official) else test
    _check_fractions(test=test, validation=validation)
    place = _positions(faces, rows, seed)
    drawn = place < test
    validating = ~drawn & (place < test + validation)
    split = Split(
        train=rows[~drawn & ~validating],
        validation=rows[validating],
        test=official if len(official) else rows[drawn],
        dropped=dropped,
    )
    return _checked(split, faces, validation=validation, test=test)


def kfold(faces, k=5, validation=0.1, seed=0):
    """k splits whose test parts together are all rows, each once.

    Official test rows and the rows that share a group with them are in no part.

    Args:
        faces: Faces.
        k: number of folds, at least 2.
        validation: fraction of all divided rows, taken from the rows outside the fold.
        seed: of the draw.

    Yields:
        Split.

    Raises:
        ValueError: impossible k or fraction, or too few groups to fill a part.
    """
    if k < 2:
        raise ValueError(f"k: expected at least 2 folds, got {k}")
    _check_fractions(test=1 / k, validation=validation)
    rows, _, dropped = _pool(faces)
    place = _positions(faces, rows, seed)
    for fold in range(k):
        inside = np.floor(place * k) == fold
        validating = ~inside & ((place - (fold + 1) / k) % 1 < validation)
        split = Split(rows[~inside & ~validating], rows[validating], rows[inside], dropped)
        yield _checked(split, faces, validation=validation, test=1)
