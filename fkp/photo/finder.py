"""Faces found in pictures: a model file, a picture and boxes in, points with their errors out.

Only the library that runs the file is imported: with a LiteRT file no TensorFlow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from fkp import models
from fkp.data.readers.crop import crop
from fkp.data.schemes import SCHEMES, Scheme
from fkp.models import about
from fkp.models.predict import predict
from fkp.prepare.warp import ROOM, cut, frames, inverse, moved

WEIGHTS = Path(models.__file__).parent / "weights"


@dataclass(frozen=True, eq=False)
class Face:
    """One face of a picture; lengths in pixels of the picture, pixel centres on integers.

    Attributes:
        points: float32 (k, 2).
        error: float32 (k,), the expected distance of each point from the true one; None if the
            model does not say.
        box: (x, y, w, h), in which the face was looked for.
        scheme: names the points.
    """

    points: np.ndarray
    error: np.ndarray | None
    box: tuple[float, float, float, float]
    scheme: Scheme


class Finder:
    """A model that finds points in pictures.

    Args:
        path: .tflite, .onnx or .keras file with its description inside (`fkp.models.about`).
        threads: as for `fkp.models.load`.

    Raises:
        FileNotFoundError, ValueError: as `fkp.models.load`; a file without description, or of a
            scheme that is not known.
    """

    def __init__(self, path: str | Path, threads: int | None = None):
        self.model = models.load(path, threads)
        self.about = about.read(path)
        if self.about is None:
            raise ValueError(
                f"{path}: does not say how faces are cut for it; models that fkp exports do"
            )
        if self.about.scheme not in SCHEMES:
            known = ", ".join(SCHEMES)
            raise ValueError(f"{path}: points of {self.about.scheme!r}, known are {known}")
        self.scheme = SCHEMES[self.about.scheme]
        self.side, self.channels = self.model.input_shape[1], self.model.input_shape[3]

    def at(self, image: np.ndarray, boxes: Sequence[Sequence[float]]) -> list[Face]:
        """The faces in given boxes.

        Args:
            image: uint8 (h, w), (h, w, 1) or (h, w, 3) RGB.
            boxes: (x, y, w, h) each, px: round the 68 points, brows to chin.

        Returns:
            A Face for each box, in that order.

        Raises:
            ValueError: another image, or a box without area.
        """
        pixels = _pixels(image, self.channels)
        boxes = np.asarray(boxes, float).reshape(-1, 4)
        bad = np.flatnonzero(~(np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > 0).all(axis=1)))
        if len(bad):
            raise ValueError(f"box {bad[0]}: expected x, y and w, h above 0, got {boxes[bad[0]]}")
        if not len(boxes):
            return []
        crops, back = self._crops(pixels, boxes)
        found = predict(self.model, crops)[:, : len(self.scheme)]
        points = moved(found[..., :2], back).astype(np.float32)
        scale = np.sqrt(np.linalg.det(back[:, :, :2]))
        return [
            Face(
                points[i],
                (found[i, :, 2] * scale[i]).astype(np.float32) if self.about.error else None,
                tuple(map(float, boxes[i])),
                self.scheme,
            )
            for i in range(len(boxes))
        ]

    def _crops(self, pixels, boxes):
        """(crops uint8 (n, side, side, c), maps from them to the picture (n, 2, 3))."""
        span, middle = boxes[:, 2:].max(axis=1), boxes[:, :2] + boxes[:, 2:] / 2
        shift = (np.array(self.about.middle) - 0.5) * self.about.zoom * span[:, None]
        middle = middle - shift
        # As the faces of a training are read: first a square picture of the face, then the crop.
        size = self.about.picture
        lows, highs = middle - span[:, None] / 2, middle + span[:, None] / 2
        none = np.empty((0, 2))
        pictures = np.stack(
            [
                crop(pixels, none, np.hstack(ends), size, (ROOM - 1) / 2)[0]
                for ends in zip(lows, highs, strict=True)
            ]
        )
        n = len(boxes)
        inside = frames(
            np.full((n, 2), (size - 1) / 2), np.full(n, size / ROOM), np.zeros(n), self.side,
            self.about.zoom,
        )  # fmt: skip
        crops, _ = cut(pictures, np.empty((n, 0, 2)), inside, self.side)
        # The crop's pixels straight in the picture's.
        direct = frames(middle, span, np.zeros(n), self.side, self.about.zoom)
        return crops, inverse(direct)


def load(model: str | Path = "small", threads: int | None = None) -> Finder:
    """Open a shipped model by name, or a model file.

    Args:
        model: "small", "tiny", "kaggle" or a path; see `Finder`.
        threads: as for `fkp.models.load`.
    """
    shipped = WEIGHTS / f"{model}.tflite"
    return Finder(shipped if shipped.is_file() else model, threads)


def _pixels(image, channels):
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.shape[2:] not in ((), (1,), (3,)) or image.ndim < 2:
        raise ValueError(
            f"image: expected uint8 (h, w), (h, w, 1) or (h, w, 3), got {image.dtype} {image.shape}"
        )
    image = image[..., 0] if image.shape[2:] == (1,) else image
    if channels == 1 and image.ndim == 3:
        return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if channels == 3 and image.ndim == 2:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    return image
