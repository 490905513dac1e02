"""Square face crops from whole photographs: pixels and points moved by one affine map.

Shared by the formats that annotate photographs (`ibug`, `helen`). The gray value is OpenCV's
luminance of the decoded RGB; an orientation flag in a photograph is ignored, since landmarks were
marked on the pixels as stored.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from fkp.data.readers import SourceError, beyond, cache, fault

IMAGES = (".jpg", ".jpeg", ".png")
OPTIONS = ("size", "channels", "margin", "use_cache")  # of every reader that cuts crops
_VERSION = 1


def crops(
    root: Path,
    photos: Sequence[tuple[Path, object]],
    points_of: Callable[[object], np.ndarray],
    *,
    files: Sequence[Path] | None = None,
    key: str | None = None,
    size: int = 96,
    channels: int = 1,
    margin: float = 0.25,
    use_cache: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Crop the face of every photograph.

    Args:
        root: folder that names the cache entry.
        photos: [(image file, annotation, as a rule a file)], one pair per face.
        points_of: annotation -> float (k, 2), 0-based pixels of the photograph; NaN = unlabelled.
        files: that the crops follow from; default: those of `photos`.
        key: tells apart crops of other rows of the same files.
        size: side of the square crop in pixels.
        channels: 1 (gray) or 3 (RGB).
        margin: added on each side of the box round the points, over the box's longer side.
        use_cache: keep the crops beside the data for next time.

    Returns:
        (uint8 (n, size, size, channels), float32 (n, k, 2)).

    Raises:
        SourceError: an option is out of range, or a file is at fault; names the file.
    """
    check(size, channels, margin)

    def face(photo):
        image_file, points_file = photo
        points = points_of(points_file)
        image = read_image(image_file, channels)
        h, w = image.shape[:2]
        off = beyond(points, w, h)
        far = np.flatnonzero(off > max(w, h))
        if len(far):
            where = f"{points_file}, point {far[0] + 1}"
            raise fault(where, f"a point on the image, {w} x {h} px", points[far[0]].tolist())
        outside, labelled = (off > 0).sum(), (~np.isnan(off)).sum()
        if 2 * outside > labelled:
            found = f"{outside} of {labelled} points outside"
            raise fault(points_file, f"most points on the image, {w} x {h} px", found)
        box = landmark_box(points)
        if not max(box[2] - box[0], box[3] - box[1]) > 0:
            raise fault(points_file, "points that span an area", "all points in one place")
        return crop(image, points, box, size, margin)

    def make():
        images = np.empty((len(photos), size, size, channels), dtype=np.uint8)
        points = []
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for i, (image, moved) in enumerate(pool.map(face, photos)):
                images[i] = image
                points.append(moved)
        return {"images": images, "points": np.stack(points)}

    if use_cache:
        files = [file for photo in photos for file in photo] if files is None else files
        # The box is the only one there is; without it crops cached earlier would be cut anew.
        options = {"size": size, "channels": channels, "margin": float(margin), "box": "landmarks"}
        options |= {} if key is None else {"rows": key}
        found = cache.arrays(root, files, make, version=_VERSION, **options)
    else:
        found = make()
    return found["images"], found["points"]


def check(size: int, channels: int, margin: float) -> None:
    """SourceError unless the crop options make sense."""
    for name, value, fine, expected in (
        ("size", size, isinstance(size, int) and size >= 2, "a whole number of pixels from 2"),
        ("channels", channels, channels in (1, 3), "1 (gray) or 3 (RGB)"),
        ("margin", margin, isinstance(margin, int | float) and margin > -0.5, "more than -0.5"),
    ):
        if not fine:
            raise SourceError(f"option {name}: got {value!r}, expected {expected}")


def read_image(file: Path | str, channels: int) -> np.ndarray:
    """uint8 (h, w) for one channel, (h, w, 3) RGB for three; SourceError names the file."""
    data = np.fromfile(file, dtype=np.uint8)
    image = None
    if data.size:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise fault(file, "a whole jpg or png image", f"{data.size} bytes that do not decode")
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY if channels == 1 else cv2.COLOR_BGR2RGB)


def read_point(
    file: Path | str, number: int, line: str, expected: str, separator: str | None = None
) -> list[float]:
    """[x, y] of line `number` of an annotation; SourceError, with `expected`, if it is none."""
    try:
        point = [float(value) for value in line.split(separator)]
    except ValueError:
        point = []
    if len(point) != 2 or not np.isfinite(point).all():
        raise fault(file, expected, line, line=number)
    return point


def landmark_box(points: np.ndarray) -> np.ndarray:
    """(left, top, right, bottom) of the labelled ones of points (k, 2)."""
    return (*np.nanmin(points, axis=0), *np.nanmax(points, axis=0))


def crop(
    image: np.ndarray, points: np.ndarray, box: np.ndarray, size: int, margin: float
) -> tuple[np.ndarray, np.ndarray]:
    """Cut the square around a box, widened by `margin` on each side, and scale it to `size`.

    With s the side of the square and (l, t) its top left, a point (x, y) moves to
    ((x - l) * size / s - 1/2, (y - t) * size / s - 1/2), and so does every pixel. Strong shrinking
    first averages whole blocks of pixels, so that nothing is skipped. What lies outside of the
    image repeats its edge.

    Args:
        image: uint8 (h, w) or (h, w, 3).
        points: (k, 2).
        box: (left, top, right, bottom).

    Returns:
        (uint8 (size, size, c), float32 (k, 2)).
    """
    left, top, right, bottom = box
    side = max(right - left, bottom - top) * (1 + 2 * margin)
    scale = size / side
    corner = np.array([(left + right) / 2, (top + bottom) / 2]) - side / 2
    moved = ((points - corner) * scale - 0.5).astype(np.float32)
    block = max(1, round(side / size))
    if block > 1:  # pixel i of the shrunken image sits at block * i + (block - 1) / 2
        image, first = _average(image, block, corner, corner + side)
        corner, scale = (corner - (block - 1) / 2) / block - first, scale * block
    shift = -corner * scale - 0.5
    affine = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    cut = cv2.warpAffine(
        image, affine, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return cut.reshape(size, size, -1), moved


def _average(image, block, low, high):
    """Means of block x block pixels, of the blocks from `low` to `high` (x, y) and one more around.

    The image is first extended to whole blocks.

    Returns:
        (uint8 image, (x, y) of its first block).
    """
    many = np.array([-(-length // block) for length in image.shape[1::-1]])
    first = np.clip(np.floor(low / block).astype(int) - 1, 0, many - 1)
    last = np.clip(np.ceil(high / block).astype(int) + 1, first + 1, many)
    (x0, y0), (x1, y1) = first * block, last * block
    part = image[y0:y1, x0:x1]
    padding = 0, y1 - y0 - part.shape[0], 0, x1 - x0 - part.shape[1]
    part = cv2.copyMakeBorder(part, *padding, cv2.BORDER_REPLICATE)
    return cv2.resize(part, tuple(map(int, last - first)), interpolation=cv2.INTER_AREA), first
