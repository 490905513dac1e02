"""One photograph: its pixels, the points of its face from a file or a model, and a changed copy.

A camera may store a picture turned and note that in the file (EXIF orientation). Points in a .pts
file lie on the pixels as stored; a box lies on the picture as it is shown, and so it is written.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageOps

from fkp.data.readers import crop, fault
from fkp.data.readers.ibug import read_pts
from fkp.data.schemes import IBUG_68, Scheme, by_count
from fkp.models import load
from fkp.models.predict import predict
from fkp.record.files import whole

Box = tuple[float, float, float, float]  # x, y, width, height, pixels
_MARGIN = 0.25  # the readers' default, and so what models are trained with unless told otherwise


@dataclass(frozen=True, eq=False)
class Photo:
    """Pixels, uint8 RGB (h, w, 3), the EXIF orientation that they await, and the colour profile."""

    pixels: np.ndarray
    orientation: int = 1
    profile: bytes | None = None


def read(file: str | Path) -> Photo:
    """The photograph in a file, as stored; ValueError names a file that is no picture."""
    try:
        with Image.open(file) as image:
            orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
            profile = image.info.get("icc_profile") if image.mode == "RGB" else None
            return Photo(np.asarray(image.convert("RGB")), orientation, profile)
    except FileNotFoundError:
        raise fault(file, "a photograph", "no such file") from None
    except (OSError, SyntaxError) as error:
        raise fault(file, "a whole picture such as jpg or png", str(error)) from None


def with_points(
    file: str | Path,
    points: str | Path | None = None,
    model: str | Path | None = None,
    box: Box | None = None,
    equalise: bool = False,
) -> tuple[Photo, np.ndarray, Scheme, str | Path]:
    """A photograph and the points of its face: from `points`, else from the .pts file of the same
    name beside the photograph, else from `model` in `box`.

    Args:
        file: of the photograph.
        points: .pts file.
        model, box, equalise: as for `predicted`.

    Returns:
        (Photo, float64 (k, 2), Scheme, the file that the points are from).

    Raises:
        ValueError: none of the three is there, or one is at fault.
    """
    photo, beside = read(file), Path(file).with_suffix(".pts")
    if points is None and beside.is_file():
        points = beside
    if points is not None:
        return photo, *marked(photo, points), points
    if model is None or box is None:
        raise ValueError(
            f"{file}: no points of its face: give --points FILE.pts, or both --model MODEL.keras "
            f"and --box X,Y,W,H, or put {beside.name} beside it"
        )
    photo = upright(photo)
    return photo, *predicted(photo, model, box, equalise), model


def upright(photo: Photo) -> Photo:
    """The photograph turned the way it is shown."""
    return replace(photo, pixels=np.asarray(_upright(photo)), orientation=1)


def write(photo: Photo, pixels: np.ndarray, file: str | Path) -> None:
    """Write other pixels in a photograph's place, turned as it is shown, whole or not at all.

    Raises:
        ValueError: another kind of file.
    """
    file = Path(file)
    if file.suffix.lower() not in crop.IMAGES:
        raise fault(file, f"a name that ends in {', '.join(crop.IMAGES)}")
    with whole(file) as part:
        _upright(replace(photo, pixels=pixels)).save(part, quality=95, icc_profile=photo.profile)


def marked(photo: Photo, file: str | Path) -> tuple[np.ndarray, Scheme]:
    """Points and scheme of a .pts file for the photograph as stored.

    Returns:
        (float64 (68, 2), IBUG_68).

    Raises:
        ValueError: names a file that is missing, of another form or another photograph's.
    """
    if not Path(file).is_file():
        raise fault(file, "a .pts file of 68 points", "no such file")
    points, (h, w) = read_pts(file), photo.pixels.shape[:2]
    if not ((points >= 0) & (points < (w, h))).all(axis=1).any():
        raise fault(file, f"points on the photograph, {w} x {h} pixels", "no point on it")
    return points, IBUG_68


def predicted(
    photo: Photo, file: str | Path, box: Box, equalise: bool = False
) -> tuple[np.ndarray, Scheme]:
    """Points that a model finds in a box, for the photograph as shown.

    Args:
        photo: as `upright` returns it.
        file: of a model that takes one square crop, as `fkp.models.load` opens it.
        box: (x, y, w, h) of the face, brows to chin, pixels; the crop is wider, as in training.
        equalise: equalise the histogram of the crop, for a model trained on such (paper C).

    Returns:
        (float64 (k, 2), the Scheme of k points).

    Raises:
        ValueError: no model, one of another shape, or a box beside the photograph.
    """
    model, scheme = _model(file)
    (x, y, w, h), (height, width) = box, photo.pixels.shape[:2]
    if not (w > 0 and h > 0 and -w < x < width and -h < y < height):
        raise ValueError(
            f"box: expected x, y, width and height on the photograph, {width} x {height} pixels, "
            f"got {', '.join(f'{value:g}' for value in box)}"
        )
    corners = np.array([(x, y), (x + w, y + h)], dtype=float)
    _, size, _, channels = model.input_shape
    pixels = photo.pixels if channels == 3 else cv2.cvtColor(photo.pixels, cv2.COLOR_RGB2GRAY)
    face, (start, end) = crop.crop(pixels, corners, corners.ravel(), size, _MARGIN)
    if equalise:
        if channels != 1:
            raise ValueError(f"equalise: expected a model of gray images, {file} takes colour")
        face = cv2.equalizeHist(face)[:, :, None]
    share = (predict(model, face[None])[0, :, :2] - start) / (end - start)
    return corners[0] + share * (corners[1] - corners[0]), scheme


def _upright(photo):
    image = Image.fromarray(photo.pixels)
    image.getexif()[ExifTags.Base.Orientation] = photo.orientation
    return ImageOps.exif_transpose(image)


def _model(file):
    """The model in a file and the scheme of its points."""
    model = load(file)
    try:
        return model, by_count(model.output_shape[1])
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None
