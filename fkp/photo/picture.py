"""One photograph: its pixels as it is shown, whatever the file stores, and a changed copy.

A camera may store a picture turned and note that in the file (EXIF orientation). Points in a .pts
file lie on the pixels as stored; everything else here lies on the picture as shown.
"""

import contextlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps

from fkp.data.readers import crop, fault
from fkp.data.readers.ibug import read_pts
from fkp.record.files import whole


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture as it is shown.

    Attributes:
        pixels: uint8 RGB (h, w, 3).
        alpha: uint8 (h, w), or None where nothing is transparent.
        profile: colour profile of the pixels, or None.
        orientation: EXIF's, of the stored picture.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    profile: bytes | None = None
    orientation: int = 1


def read(file: str | Path) -> Photo:
    """The photograph in a file: 8 or 16 bits, gray, RGB, CMYK or palette; of many frames the first.

    Raises:
        ValueError: no picture, one of more pixels than Pillow takes for safe, or whose pixels are
            real numbers or of more than 16 bits.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file) as image:
                stored = image.getexif().get(ExifTags.Base.Orientation)
                orientation = stored if stored in range(1, 9) else 1
                profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA") else None
                rgba = shown(image)
    except FileNotFoundError:
        raise fault(file, "a photograph", "no such file") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        limit = f"a picture of at most {Image.MAX_IMAGE_PIXELS / 1e6:.0f} million pixels"
        raise fault(file, limit) from None
    except (OSError, SyntaxError, ValueError) as error:
        raise fault(file, "a whole picture such as jpg or png", str(error)) from None
    pixels, alpha = rgba[..., :3], rgba[..., 3]
    clear = bool((alpha < 255).any())
    return Photo(pixels, alpha if clear else None, profile, orientation)


def write(photo: Photo, pixels: np.ndarray, file: str | Path) -> None:
    """Write other pixels in a photograph's place, with its transparency, whole or not at all.

    Raises:
        ValueError: another kind of file, or one that cannot be transparent where the photograph is.
    """
    file = Path(file)
    if file.suffix.lower() not in crop.IMAGES:
        raise fault(file, f"a name that ends in {', '.join(crop.IMAGES)}")
    if photo.alpha is not None:
        if file.suffix.lower() != ".png":
            raise fault(
                file, "a name that ends in .png, since the photograph is partly transparent"
            )
        pixels = np.dstack([pixels, photo.alpha])
    with whole(file) as part:
        Image.fromarray(pixels).save(part, quality=95, icc_profile=photo.profile)


def marked(photo: Photo, file: str | Path) -> np.ndarray:
    """Points of a .pts file, which lie on the pixels as stored, on the photograph as shown.

    Returns:
        float64 (68, 2).

    Raises:
        ValueError: names a file that is missing, of another form or another photograph's.
    """
    if not Path(file).is_file():
        raise fault(file, "a .pts file of 68 points", "no such file")
    h, w = photo.pixels.shape[:2]
    points, kind = read_pts(file), photo.orientation
    if kind > 4:  # x and y change places; then either may count from the other end
        points = points[:, ::-1]
    turned = kind in (2, 3, 6, 7), kind in (3, 4, 7, 8)
    points = np.where(turned, (w - 1, h - 1) - points, points)
    if not ((points >= 0) & (points < (w, h))).all(axis=1).any():
        raise fault(file, f"points on the photograph, {w} x {h} pixels", "no point on it")
    return points


def shown(image: Image.Image) -> np.ndarray:
    """uint8 RGBA (h, w, 4) of a Pillow image of any mode, turned the way it is shown.

    Raises:
        ValueError: pixels are real numbers or of more than 16 bits.
    """
    image = ImageOps.exif_transpose(image)
    if image.mode == "F":
        raise ValueError("pixels are real numbers")
    if image.mode.startswith("I"):  # 16 bits of gray; Pillow itself would clip them to 8
        gray = np.asarray(image).astype(float)
        if gray.min() < 0 or gray.max() > 65535:
            raise ValueError("pixels are of more than 16 bits")
        image = Image.fromarray((gray / (257 if gray.max() > 255 else 1)).round().astype(np.uint8))
    if image.mode == "CMYK" and image.info.get("icc_profile"):
        inks, screen = io.BytesIO(image.info["icc_profile"]), ImageCms.createProfile("sRGB")
        with contextlib.suppress(ImageCms.PyCMSError):  # not a profile of inks: as without one
            image = ImageCms.profileToProfile(image, inks, screen, outputMode="RGB")
    return np.asarray(image.convert("RGBA"))
