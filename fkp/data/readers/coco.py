"""Keypoints in COCO's JSON, as CVAT, Label Studio and mmpose write them.

`categories[].keypoints` names the points, `skeleton` their lines; `annotations[].keypoints` holds
x, y, v for each, v = 0 where nothing is marked; `bbox` is x, y, w, h.
"""

import json
import sys
from pathlib import Path

import numpy as np

from fkp.data import own
from fkp.data.faces import Faces
from fkp.data.readers import fault, marked, only, scheme

_TYPES = {
    "a text": str,
    "a number or a text": str | int | float | None,
    "a list": list | None,
}
_VALUES = (
    ("images", "id", "a number or a text"),
    ("images", "file_name", "a text"),
    ("annotations", "image_id", "a number or a text"),
    ("annotations", "keypoints", "a list"),
    ("categories", "name", "a number or a text"),
    ("categories", "keypoints", "a list"),
    ("categories", "skeleton", "a list"),
)


def recognises(path: Path) -> bool:
    """A file that ends in .json, or a folder with one."""
    return only(path, "coco") is not None


def read(
    path: Path, category: str | None = None, images: str | None = None, **cut: object
) -> Faces:
    """Read the annotations of one category, of a file or the only one of a folder.

    Args:
        category: name of the category; default: the only one with keypoints.
        images: folder of the images; default: that of the file and those beside it.
        **cut: how they are cut out, `crop.OPTIONS`.

    Raises:
        SourceError: names the file, the annotation and what was expected.
    """
    path = (only(path, "coco") or Path(path)).resolve()
    found = _load(path)
    chosen = _category(path, found["categories"], category)
    names = [str(name) for name in chosen["keypoints"]]
    points = scheme.find(path, len(names), _said(path, chosen, names))
    files = {}
    for number, image in enumerate(found["images"], 1):
        if image.get("id") in files:
            raise fault(path, "each id once", image["id"], row=number, column="images, id")
        files[image.get("id")] = image["file_name"]
    rows = []
    for number, entry in enumerate(found["annotations"], 1):
        if entry.get("keypoints") and "category_id" not in entry:
            raise fault(path, "a category_id", row=number, column="annotations")
        if entry.get("category_id") == chosen.get("id") and entry.get("keypoints"):
            if entry.get("image_id") not in files:
                expected = "an image_id of the file's images"
                raise fault(path, expected, entry.get("image_id"), row=number)
            place = _points(path, number, entry["keypoints"], len(names))
            rows.append(marked.Marked(path, files[entry["image_id"]], place, number))
    if not rows:
        given = [entry.get("category_id") for entry in found["annotations"]]
        expected = f"annotations with keypoints and a category_id of {chosen.get('id')!r}"
        raise fault(path, expected, given, column="category_id")
    return marked.faces(path, rows, points, files=[path], images=images, **cut)


def _load(path):
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise fault(path, f"JSON ({error})") from None
    lists = ("images", "annotations", "categories")
    for name in lists:
        rows = found.get(name) if isinstance(found, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise fault(path, f"COCO's lists {', '.join(lists)}", column=name)
    for name, key, expected in _VALUES:
        for number, row in enumerate(found[name], 1):
            if not isinstance(row.get(key), _TYPES[expected]):
                raise fault(path, expected, row.get(key), row=number, column=f"{name}, {key}")
    return found


def _category(path, categories, name):
    with_points = {c.get("name"): c for c in categories if c.get("keypoints")}
    if name is None and len(with_points) == 1:
        return next(iter(with_points.values()))
    if name not in with_points:
        known = ", ".join(map(str, with_points)) or "none"
        raise fault(path, f"option category, one of those with keypoints: {known}", name)
    return with_points[name]


def _said(path, category, names):
    """The category as a points.yaml would say it; skeletons count from 1."""
    lines, numbered = {}, dict(enumerate(names, 1))
    for pair in category.get("skeleton") or []:
        try:
            a, b = (numbered[int(i)] for i in pair)
        except (TypeError, ValueError, KeyError, OverflowError):
            expected = f"pairs of numbers from 1 to {len(names)}"
            raise fault(path, expected, pair, column="skeleton") from None
        lines[f"{a}-{b}"] = [a, b]
    name = own.free(f"{category.get('name')}{len(names)}", names)
    return {"name": name, "points": names, "regions": lines}


def _points(path, number, values, k):
    try:
        table = np.array(values, dtype=float).reshape(k, 3)
    except (TypeError, ValueError, OverflowError):
        odd = (v for v in values if not isinstance(v, int | float) or abs(v) > sys.float_info.max)
        got = next(odd, f"{len(values)} values")
        raise fault(path, f"x, y, v of {k} keypoints, numbers", got, row=number) from None
    return np.where(table[:, 2:] > 0, table[:, :2], np.nan)
