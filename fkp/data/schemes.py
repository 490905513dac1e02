"""Point schemes as data: which keypoints exist, how they mirror, which regions they form.

A `Scheme` never computes anything about an image; it only names indices. Left and right are the
subject's own, as in Kaggle's column names, so the subject's left eye is on the right of the image.
"""

from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True)
class Scheme:
    """An ordered set of k keypoints.

    Attributes:
        name: short identifier, also used in files and tables.
        labels: k names, one per point.
        mirror: permutation of range(k); point i of a mirrored face is point `mirror[i]` of the
            original face. None: what is mirrored is not known, so nothing may be.
        regions: region name -> indices, in drawing order.
        closed: names of the regions that are closed outlines.
        ocular: indices (left, right) of the outer eye corners, for the inter-ocular distance, or
            of what norms an error of other things than faces; None: nothing does.
        pupils: two index tuples (left, right) whose means stand for the pupils; or None.
    """

    name: str
    labels: tuple[str, ...]
    mirror: tuple[int, ...] | None
    regions: dict[str, tuple[int, ...]] = field(repr=False, default_factory=dict)
    closed: frozenset[str] = field(repr=False, default=frozenset())
    ocular: tuple[int, int] | None = None
    pupils: tuple[tuple[int, ...], tuple[int, ...]] | None = None

    def __len__(self):
        return len(self.labels)


def _span(first, last):
    return tuple(range(first, last + 1))


def swap(k, *pairs):
    """Permutation of range(k) that exchanges the given pairs and fixes all other indices."""
    permutation = list(range(k))
    for a, b in pairs:
        permutation[a], permutation[b] = b, a
    return tuple(permutation)


def twice(scheme: Scheme) -> Scheme:
    """A scheme of two blocks: the points, and again as a second labelling regime marks them."""
    k = len(scheme)
    return replace(
        scheme,
        name=f"{scheme.name}, two regimes",
        labels=(*scheme.labels, *(f"{label}_second" for label in scheme.labels)),
        mirror=(*scheme.mirror, *(k + i for i in scheme.mirror)),
    )


def of_regime(points: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Of points (n, 2 k, c) in two blocks, see `twice`, that of each row's regime: (n, k, c).

    Args:
        second: bool (n,), rows of the second regime.
    """
    first, other = np.split(points, 2, axis=1)
    return np.where(second[:, None, None], other, first)


_KAGGLE_LABELS = (
    "left_eye_center", "right_eye_center",
    "left_eye_inner_corner", "left_eye_outer_corner",
    "right_eye_inner_corner", "right_eye_outer_corner",
    "left_eyebrow_inner_end", "left_eyebrow_outer_end",
    "right_eyebrow_inner_end", "right_eyebrow_outer_end",
    "nose_tip",
    "mouth_left_corner", "mouth_right_corner",
    "mouth_center_top_lip", "mouth_center_bottom_lip",
)  # fmt: skip

KAGGLE_15 = Scheme(
    name="kaggle15",
    labels=_KAGGLE_LABELS,
    mirror=swap(15, (0, 1), (2, 4), (3, 5), (6, 8), (7, 9), (11, 12)),
    regions={
        "left_eye": (2, 0, 3),
        "right_eye": (4, 1, 5),
        "left_eyebrow": (6, 7),
        "right_eyebrow": (8, 9),
        "nose": (10,),
        "mouth": (11, 13, 12, 14),
    },
    closed=frozenset({"mouth"}),
    ocular=(3, 5),
    pupils=((0,), (1,)),
)


def _outlined(name, regions, pairs, closed, ocular):
    """A scheme of the points of its regions, in order; pupils are marked, or the eyes' middles."""
    labels = tuple(f"{region}_{i - span[0]}" for region, span in regions.items() for i in span)
    pupils = [regions.get(f"{side}_pupil", regions[f"{side}_eye"]) for side in ("left", "right")]
    mirror = swap(len(labels), *pairs)
    return Scheme(name, labels, mirror, regions, closed, ocular, tuple(pupils))


_IBUG_REGIONS = {
    "jaw": _span(0, 16),
    "right_eyebrow": _span(17, 21),
    "left_eyebrow": _span(22, 26),
    "nose_bridge": _span(27, 30),
    "nose_base": _span(31, 35),
    "right_eye": _span(36, 41),
    "left_eye": _span(42, 47),
    "outer_lips": _span(48, 59),
    "inner_lips": _span(60, 67),
}
_IBUG_PAIRS = (
    *((i, 16 - i) for i in range(8)),
    *((i, 43 - i) for i in range(17, 22)),
    (31, 35), (32, 34),
    (36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46),
    (48, 54), (49, 53), (50, 52), (55, 59), (56, 58),
    (60, 64), (61, 63), (65, 67),
)  # fmt: skip
_CLOSED = frozenset({"right_eye", "left_eye", "outer_lips", "inner_lips"})
_BROWS_TOO = _CLOSED | {"right_eyebrow", "left_eyebrow"}

IBUG_68 = _outlined("ibug68", _IBUG_REGIONS, _IBUG_PAIRS, _CLOSED, ocular=(45, 36))

# Paper C's 44 points: the 68 without the jaw line (its tip stays, last) and without the inner lips.
_FROM_68 = (*_span(17, 59), 8)
_TO_44 = {old: new for new, old in enumerate(_FROM_68)}

POINTS_44 = Scheme(
    name="points44",
    labels=tuple("chin_tip" if i == 8 else IBUG_68.labels[i] for i in _FROM_68),
    mirror=tuple(_TO_44[IBUG_68.mirror[i]] for i in _FROM_68),
    regions={
        **{
            region: tuple(_TO_44[i] for i in span)
            for region, span in _IBUG_REGIONS.items()
            if region not in ("jaw", "inner_lips")
        },
        "chin": (43,),
    },
    closed=_CLOSED - {"inner_lips"},
    ocular=(_TO_44[45], _TO_44[36]),
    pupils=(_span(_TO_44[42], _TO_44[47]), _span(_TO_44[36], _TO_44[41])),
)

# Helen's own annotation. The ranges of the regions are as published with the data set; inside a
# region we take outlines to start at the subject's right-hand corner and brows at the outer end.
_HELEN_REGIONS = {
    "jaw": _span(0, 40),
    "nose": _span(41, 57),
    "outer_lips": _span(58, 85),
    "inner_lips": _span(86, 113),
    "right_eye": _span(114, 133),
    "left_eye": _span(134, 153),
    "right_eyebrow": _span(154, 173),
    "left_eyebrow": _span(174, 193),
}
_HELEN_PAIRS = (
    *((i, 40 - i) for i in range(20)),
    *((i, 98 - i) for i in range(41, 49)),
    *((58 + i, 58 + (14 - i) % 28) for i in range(28)),
    *((86 + i, 86 + (14 - i) % 28) for i in range(28)),
    *((114 + i, 134 + (10 - i) % 20) for i in range(20)),
    *((154 + i, 174 + (10 - i) % 20) for i in range(20)),
)

HELEN_194 = _outlined("helen194", _HELEN_REGIONS, _HELEN_PAIRS, _BROWS_TOO, ocular=(144, 114))

# WFLW (Wu et al., CVPR 2018): the jaw of 300-W twice as dense, brows as outlines, pupils.
_WFLW_REGIONS = {
    "jaw": _span(0, 32),
    "right_eyebrow": _span(33, 41),
    "left_eyebrow": _span(42, 50),
    "nose_bridge": _span(51, 54),
    "nose_base": _span(55, 59),
    "right_eye": _span(60, 67),
    "left_eye": _span(68, 75),
    "outer_lips": _span(76, 87),
    "inner_lips": _span(88, 95),
    "right_pupil": (96,),
    "left_pupil": (97,),
}
_WFLW_PAIRS = (
    *((i, 32 - i) for i in range(16)),
    (33, 46), (34, 45), (35, 44), (36, 43), (37, 42), (38, 50), (39, 49), (40, 48), (41, 47),
    (55, 59), (56, 58),
    (60, 72), (61, 71), (62, 70), (63, 69), (64, 68), (65, 75), (66, 74), (67, 73),
    (76, 82), (77, 81), (78, 80), (83, 87), (84, 86), (88, 92), (89, 91), (93, 95),
    (96, 97),
)  # fmt: skip

WFLW_98 = _outlined("wflw98", _WFLW_REGIONS, _WFLW_PAIRS, _BROWS_TOO, ocular=(72, 60))

SCHEMES = {s.name: s for s in (KAGGLE_15, IBUG_68, POINTS_44, HELEN_194, WFLW_98)}


def by_count(count: int) -> Scheme:
    """The one scheme of `count` points, for the notebooks' parameter `points`; else ValueError."""
    found = [scheme for scheme in SCHEMES.values() if len(scheme) == count]
    if len(found) != 1:
        known = ", ".join(f"{len(scheme)} ({name})" for name, scheme in SCHEMES.items())
        raise ValueError(f"points: expected a number that names one scheme, {known}; got {count}")
    return found[0]


# (from, to) -> for each target point the source indices whose mean it is.
_MAPS = {
    ("ibug68", "kaggle15"): (
        _span(42, 47), _span(36, 41),
        (42,), (45,), (39,), (36,),
        (22,), (26,), (21,), (17,),
        (30,),
        (54,), (48,), (51,), (57,),
    ),
    ("ibug68", "points44"): tuple((i,) for i in _FROM_68),
    ("wflw98", "ibug68"): tuple(
        (i,)
        for i in (
            *range(0, 33, 2), *_span(33, 37), *_span(42, 46), *_span(51, 59),
            60, 61, 63, 64, 65, 67, 68, 69, 71, 72, 73, 75, *_span(76, 95),
        )
    ),
}  # fmt: skip


def members(source: Scheme, target: Scheme) -> tuple[tuple[int, ...], ...] | None:
    """For each point of `target` the points of `source` whose mean it is; None without a map."""
    if source.name == target.name:
        return tuple((i,) for i in range(len(source)))
    return _MAPS.get((source.name, target.name))


def convert(points: np.ndarray, source: Scheme, target: Scheme) -> np.ndarray:
    """Points of one scheme as points of another.

    Args:
        points: (n, k, 2) of scheme `source`; a target point is NaN if any point it is made of is.

    Returns:
        float32 (n, len(target), 2).

    Raises:
        ValueError: no map between the two schemes is known.
    """
    if source.name == target.name:
        return np.asarray(points, dtype=np.float32)
    found = members(source, target)
    if found is None:
        known = ", ".join(f"{a} -> {b}" for a, b in _MAPS)
        raise ValueError(f"no map from {source.name} to {target.name} (known: {known})")
    points = np.asarray(points, dtype=np.float32)
    return np.stack([points[:, list(indices)].mean(axis=1) for indices in found], axis=1)
