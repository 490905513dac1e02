"""Schemes that users bring: points by name, in a dict, a `points.yaml` or a file of faces.

    name: hand21
    points: [wrist, thumb_1, thumb_2, ...]
    mirror: [[left_eye, right_eye], ...]    # pairs; without it, from the names: left, right, l, r
    regions: {thumb: [thumb_1, thumb_2]}    # drawn as lines
    closed: [palm]                          # regions that are outlines
    norm: [left_eye, right_eye]             # errors are also given in % of their distance

Only the points are needed. Without mirror pairs nothing is mirrored in training, without a norm
errors are in pixels and in % of the box round the points.
"""

import re
from collections.abc import Sequence

from fkp.data.schemes import SCHEMES, WFLW_98, Scheme, swap


class SchemeError(ValueError):
    """A description of points that says too little, or what cannot be."""


_KEYS = ("name", "points", "mirror", "regions", "closed", "norm")
_SIDES = {"left": "right", "right": "left", "l": "r", "r": "l"}
_WORD = re.compile(r"(?<![a-z])(left|right|l|r)(?![a-z])", re.IGNORECASE)


def own(
    name: str,
    points: Sequence[str],
    mirror: Sequence[Sequence[str]] | None = None,
    regions: dict[str, Sequence[str]] | None = None,
    closed: Sequence[str] = (),
    norm: Sequence[str] | None = None,
) -> Scheme:
    """A scheme from names of points.

    Args:
        name: of the scheme; one of `SCHEMES` only with its very points.
        points: names, in the order of the data.
        mirror: pairs of points that change places in a mirror; None: found by their names.
        regions: name -> points, in the order of drawing.
        closed: regions that are closed outlines.
        norm: the (left, right) points whose distance norms an error; on a face the outer corners
            of the eyes.

    Raises:
        SchemeError: a name that is missing, double or unknown.
    """
    labels = tuple(map(str, points))
    double = [label for i, label in enumerate(labels) if label in labels[:i]]
    if not labels or double:
        raise SchemeError(f"points: expected names, each once, got {double[:1] or 'none'}")
    known = SCHEMES.get(name)
    if known is not None:
        if known.labels != labels:
            raise SchemeError(f"name: {name!r} has points of its own, expected another name")
        return known

    def index(label, where):
        if label not in labels:
            raise SchemeError(f"{where}: expected names of points, got {label!r}")
        return labels.index(label)

    pairs = _by_name(labels) if mirror is None else mirror
    pairs = [tuple(index(label, "mirror") for label in pair) for pair in pairs]
    if any(len(pair) != 2 for pair in pairs) or (norm is not None and len(norm) != 2):
        raise SchemeError("mirror, norm: expected pairs of points")
    paired = [i for pair in pairs for i in pair]
    if double := [labels[i] for at, i in enumerate(paired) if i in paired[:at]]:
        raise SchemeError(f"mirror: expected each point in one pair, got {double[0]!r} twice")
    regions = {
        region: tuple(index(label, f"regions, {region}") for label in members)
        for region, members in (regions or {}).items()
    }
    if unknown := [region for region in closed if region not in regions]:
        raise SchemeError(f"closed: expected names of regions, got {unknown[0]!r}")
    ends = None if norm is None else tuple(index(label, "norm") for label in norm)
    if ends and ends[0] == ends[1]:
        raise SchemeError(f"norm: expected two points, got {norm[0]!r} twice")
    mirrored = swap(len(labels), *pairs) if pairs else None
    return Scheme(name, labels, mirrored, regions, frozenset(closed), ends)


def free(name: str, points: Sequence[str]) -> str:
    """The name, or one beside it where a known scheme of other points is called so."""
    known = SCHEMES.get(name)
    return name if known is None or known.labels == tuple(map(str, points)) else f"own-{name}"


def from_dict(found: object) -> Scheme:
    """A scheme as `to_dict` or a points.yaml says it; SchemeError says what is wrong."""
    if not isinstance(found, dict) or not isinstance(found.get("points"), list):
        raise SchemeError("expected `points`, a list of names")
    if unknown := [key for key in found if key not in _KEYS]:
        raise SchemeError(f"expected {', '.join(_KEYS)}, got {unknown[0]!r}")
    try:
        return own(**{"name": f"own{len(found['points'])}"} | found)
    except (TypeError, AttributeError) as error:
        raise SchemeError(f"expected lists of names of points ({error})") from None


def to_dict(scheme: Scheme) -> dict:
    """Plain values from which `from_dict` makes the scheme again."""
    name = lambda members: [scheme.labels[i] for i in members]  # noqa: E731
    pairs = [(i, j) for i, j in enumerate(scheme.mirror or ()) if i < j]
    return {
        "name": scheme.name,
        "points": list(scheme.labels),
        "mirror": [name(pair) for pair in pairs],
        "regions": {region: name(members) for region, members in scheme.regions.items()},
        "closed": sorted(scheme.closed),
        "norm": name(scheme.ocular) if scheme.ocular else None,
    }


def unnamed(count: int) -> Scheme:
    """The scheme of `count` points that nothing more is known of; 68 are 300-W's, 98 WFLW's."""
    usual = {len(scheme): scheme for scheme in (SCHEMES["ibug68"], WFLW_98)}
    return usual.get(count) or own(f"unnamed{count}", [f"point_{i}" for i in range(count)])


def _by_name(labels):
    """Pairs of points whose names differ by left and right."""
    for label in labels:
        other = _WORD.sub(lambda side: _as(side[0], _SIDES[side[0].lower()]), label)
        if label < other and other in labels:
            yield label, other


def _as(pattern, word):
    """The word in capitals as the pattern's."""
    return word.upper() if pattern.isupper() else word.title() if pattern.istitle() else word
