"""Copies of one photograph, exact and near, and the groups that they make.

A copy is found in two steps. Two faces are candidates when their band-passed 16x16 thumbnails
correlate at a shift of up to an eighth of the image; a candidate is a copy when the middle of the
one, at 48x48, is found again in the other, by then scaled by up to a twelfth. Both steps
are correlations of band-passed images, so brightness, contrast, re-encoding and a re-cut crop do
not matter; and light and head pose, which make plain thumbnails of two persons alike, do not
suffice.
"""

import hashlib
from dataclasses import replace

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fkp.data.faces import Faces

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


def exact_pairs(images: np.ndarray) -> np.ndarray:
    """(m, 2) pairs (first, later) of rows with identical pixels."""
    first = {}
    hashes = (hashlib.blake2b(np.ascontiguousarray(image)).digest() for image in images)
    rows = [first.setdefault(digest, i) for i, digest in enumerate(hashes)]
    return np.array([(i, j) for j, i in enumerate(rows) if i != j], dtype=int).reshape(-1, 2)


def near_pairs(images: np.ndarray, mirrored: bool = False) -> np.ndarray:
    """Pairs of rows that show the same photograph.

    Args:
        images: uint8 (n, h, w, c).
        mirrored: look for mirror images instead.

    Returns:
        (m, 2) row indices, first < second.
    """
    thumbnails = np.array([_band_pass(image, 16, 0.7, 2.5) for image in images])
    thumbnails = thumbnails.reshape(len(images), 16, 16)
    details = [_band_pass(image, _SIDE, 0, 3) for image in images]
    others = details
    pairs = _candidates(thumbnails, thumbnails[:, :, ::-1] if mirrored else thumbnails)
    if mirrored:
        others = [np.ascontiguousarray(detail[:, ::-1]) for detail in details]
    scores = np.array([_match(details[i], others[j]) for i, j in pairs])
    return pairs[scores >= (MIRRORED_THRESHOLD if mirrored else THRESHOLD)]


def group_duplicates(faces: Faces) -> Faces:
    """The same faces, with groups merged wherever two rows show the same photograph.

    Exact copies, near copies (see the module) and mirrored near copies are joined, on top of the
    groups that the faces came with.
    """
    near = [near_pairs(faces.images, mirrored) for mirrored in (False, True)]
    return replace(faces, groups=joined(faces.groups, exact_pairs(faces.images), *near))


def joined(groups: np.ndarray, *pairs: np.ndarray) -> np.ndarray:
    """Groups (n,) merged wherever a pair (m, 2) of rows joins two, numbered by their first row."""
    n = len(groups)
    _, first, member = np.unique(groups, return_index=True, return_inverse=True)
    both = np.concatenate([np.stack([first[member], np.arange(n)], axis=1), *pairs])
    graph = coo_array((np.ones(len(both)), tuple(both.T)), shape=(n, n))
    return connected_components(graph, directed=False)[1].astype(np.int64)
