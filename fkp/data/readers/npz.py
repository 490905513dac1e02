"""Faces in a .npz file: anyone's arrays.

Arrays, by the first name that is present:

- images: `images`, `X`, `x` or `data`; (n, h, w), (n, h, w, 1) or RGB (n, h, w, 3); integers
  0-255, or floats in [0, 1] (where none exceeds 1) or [0, 255], rounded.
- points: `points`, `Y`, `y` or `labels`; (n, k, 2), or (n, 2k) as x, y, x, y ...; 0-based pixels,
  NaN = unlabelled.
- optional `scheme`: the name of a scheme (kaggle15, ibug68, points44, helen194, wflw98), or
  what a points.yaml says as JSON; or `point_names` (k,). Without either, see `scheme.find`.
- optional `groups` (n,) whole numbers, `parts` (n,), each "train", "test" or "", `names` (n,);
  `source`, a text, without which it is the file's name.
"""

import json
import zipfile
from pathlib import Path

import numpy as np

from fkp.data.faces import Faces
from fkp.data.readers import cache, fault, only, scheme
from fkp.data.schemes import Scheme

_IMAGES = ("images", "X", "x", "data")
_POINTS = ("points", "Y", "y", "labels")
_TEXTS = ("parts", "names")


def recognises(path: Path) -> bool:
    """A file that ends in .npz, or a folder with one."""
    return only(path, "npz") is not None


def read(path: Path) -> Faces:
    """Read a .npz file as described above, or the only one of a folder.

    Raises:
        SourceError: names the file, the array and, for a value out of range, its row.
    """
    path = only(path, "npz") or Path(path)
    arrays = _load(path)
    images = _images(path, *_first(path, arrays, _IMAGES))
    column, points = _first(path, arrays, _POINTS)
    points = _points(path, column, points)
    found = _scheme(path, points.shape[1], arrays.get("scheme"), arrays.get("point_names"))
    if len(points) != len(images):
        raise fault(path, f"points for {len(images)} images", f"points for {len(points)}")
    optional = {name: _text(path, name, arrays[name]) for name in _TEXTS if name in arrays}
    if "groups" in arrays:
        if arrays["groups"].dtype.kind not in "iu":
            raise fault(path, "whole numbers", str(arrays["groups"].dtype), column="groups")
        optional["groups"] = arrays["groups"].astype(np.int64)
    for name, values in optional.items():
        if values.shape != (len(images),):
            raise fault(path, f"shape {(len(images),)}", values.shape, column=name)
    for row, part in enumerate(optional.get("parts", ()), 1):
        if part not in ("train", "test", ""):
            raise fault(path, '"train", "test" or ""', str(part), row=row, column="parts")
    source = str(arrays["source"]) if "source" in arrays else path.stem
    return Faces(images=images, points=points, scheme=found, source=source, **optional)


def _load(path):
    if path.is_file() and path.stat().st_size == 0:
        raise fault(path, "a .npz file", "an empty file")
    if path.is_file() and not zipfile.is_zipfile(path):
        raise fault(path, "a .npz file, which is an archive of arrays", "another kind of file")
    try:
        return cache.load(path)
    except cache.UNREADABLE as error:
        if "pickle" in str(error):
            expected = "arrays of numbers and text"
            raise fault(path, expected, "an array of Python objects") from None
        raise fault(path, f"a whole .npz file of plain arrays ({error})") from error


def _first(path, arrays, names):
    """(name, array) of the first of `names` that is there."""
    for name in names:
        if name in arrays:
            return name, arrays[name]
    raise fault(path, f"an array named {', '.join(names[:-1])} or {names[-1]}", list(arrays))


def _images(path, name, images):
    """uint8 (n, h, w, c)."""
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or images.shape[3] not in (1, 3):
        raise fault(
            path, "shape (n, h, w), (n, h, w, 1) or (n, h, w, 3)", images.shape, column=name
        )
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind not in "iuf":
        raise fault(path, "integers or floats", str(images.dtype), column=name)
    outside = ~((images >= 0) & (images <= 255))
    if outside.any():
        at = tuple(np.argwhere(outside)[0])
        raise fault(path, "pixels 0-255", images[at].item(), row=int(at[0]) + 1, column=name)
    if images.dtype.kind == "f":
        top = images.max(initial=0)
        if 1 < top < 2:  # such as values in [0, 1] that were interpolated
            expected = "pixels in [0, 1] or in [0, 255], by the largest of them"
            raise fault(path, expected, top.item(), column=name)
        images = np.rint(images * 255 if top <= 1 else images)
    return images.astype(np.uint8)


def _points(path, name, points):
    """float32 (n, k, 2)."""
    if points.dtype.kind not in "iuf":
        raise fault(path, "numbers", str(points.dtype), column=name)
    pairs = points.ndim == 2 and points.shape[1] % 2 == 0
    if not pairs and not (points.ndim == 3 and points.shape[2] == 2):
        raise fault(path, "shape (n, k, 2) or (n, 2k)", points.shape, column=name)
    k = points.shape[1] // 2 if pairs else points.shape[1]
    points = points.astype(np.float32).reshape(len(points), k, 2)
    if np.isinf(points).any():
        row = int(np.argwhere(np.isinf(points))[0, 0])
        raise fault(path, "finite coordinates, or NaN", np.inf, row=row + 1, column=name)
    return points


def _scheme(path, k, said, names) -> Scheme:
    """The scheme of k points that the file names or describes."""
    if names is not None:
        if names.ndim != 1:
            raise fault(path, "shape (k,)", names.shape, column="point_names")
        names = list(_text(path, "point_names", names))
    text = None if said is None else str(said)
    if text is not None and text.startswith("{"):
        try:
            text = json.loads(text)
        except ValueError as error:
            raise fault(path, f"JSON ({error})", text, column="scheme") from None
    return scheme.find(path, k, text, names)


def _text(path, name, values):
    if values.dtype.kind != "U" and values.size:
        raise fault(path, "text", str(values.dtype), column=name)
    return values.astype(str)
