"""Faces found in pictures: a model file and a picture in, points with their errors out.

Only the library that runs the file is imported: with a LiteRT file no TensorFlow.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from fkp import models
from fkp.data.faces import Faces
from fkp.data.own import from_dict
from fkp.data.readers.crop import crop
from fkp.data.schemes import IBUG_68, SCHEMES, Scheme
from fkp.measure.pose import Pose, pose
from fkp.models import about
from fkp.models.predict import predict
from fkp.photo.detect import SCORE, Detector
from fkp.photo.picture import read, shown
from fkp.prepare.warp import ROOM, aligned, composed, frames, inverse, moved, plain

Picture = str | Path | Image.Image | np.ndarray
_DOUBT = 0.06  # mean expected error, as a share of the box's side, beyond which nothing is a face
_FAR = 100  # sides of an image within which a box has to lie
_TURNED = 15.0  # degrees from which a face is set upright before it is looked at again
WEIGHTS = Path(models.__file__).parent / "weights"


@dataclass(frozen=True, eq=False)
class Face:
    """One face of a picture; lengths in pixels of the picture, pixel centres on integers.

    Attributes:
        points: float32 (k, 2).
        error: float32 (k,), the expected distance of each point from the true one; None if the
            model does not say.
        box: (x, y, w, h), in which the face was looked for, brows to chin.
        score: of the detection, 0 to 1; None where the box was given.
        scheme: names the points.
    """

    points: np.ndarray
    error: np.ndarray | None
    box: tuple[float, float, float, float]
    score: float | None
    scheme: Scheme

    @property
    def pose(self) -> Pose | None:
        """Yaw, pitch and roll of the head, degrees; None for points other than the 68."""
        return pose(self.points, self.scheme)


class Finder:
    """A model that finds points in pictures: `finder(picture)`, `finder.at(image, boxes)`.

    Args:
        path: .tflite, .onnx or .keras file with its description inside (`fkp.models.about`).
        threads: as for `fkp.models.load`.

    Raises:
        FileNotFoundError, ValueError: as `fkp.models.load`; a file without description, of a
            scheme that is not known, or whose description does not fit it.
    """

    def __init__(self, path: str | Path, threads: int | None = None):
        self.model = models.load(path, threads)
        self.about = about.read(path)
        if self.about is None:
            raise ValueError(
                f"{path}: does not say how faces are cut for it, as models that fkp exports do at "
                "their end: is the file whole?"
            )
        if self.about.scheme not in SCHEMES and self.about.points is None:
            known = ", ".join(SCHEMES)
            raise ValueError(f"{path}: points of {self.about.scheme!r}, known are {known}")
        try:
            self.scheme = SCHEMES.get(self.about.scheme) or from_dict(self.about.points)
        except ValueError as error:
            raise ValueError(f"{path}: points: {error}") from None
        k, numbers = self.model.output_shape[1:]
        if len(self.scheme) > k or (self.about.error and numbers < 3):
            errors = " with errors" if self.about.error else ""
            said = f"says that it finds {len(self.scheme)} points of {self.scheme.name}{errors}"
            raise ValueError(f"{path}: {said}, but gives {k} of {numbers} numbers")
        self.side, self.channels = self.model.input_shape[1], self.model.input_shape[3]
        self.threads = threads

    @cached_property
    def detector(self) -> Detector:
        """What finds the faces; opened when first asked for."""
        return Detector(self.threads)

    def __call__(
        self,
        pictures: Picture | Sequence[Picture],
        max_faces: int | None = None,
        min_score: float = SCORE,
    ) -> list[Face] | list[list[Face]]:
        """The faces of a picture, the largest first; of several pictures, a list of such lists.

        A model of 68 points looks twice: in the detector's box, then upright in the box of the
        points found there. A detection in which it expects a large error is no face. A model of
        other things than faces sees the whole picture as one of them.

        Args:
            pictures: a path, a PIL image, or uint8 (h, w), (h, w, 1) or (h, w, 3) RGB; or a list.
            max_faces: of a picture, at most; None: all.
            min_score: of a detection, 0 to 1.

        Raises:
            ValueError: a picture that is not there or cannot be read, a negative `max_faces`, or a
                `min_score` beyond 0 to 1.
            ModuleNotFoundError: the detector is not installed.
        """
        if not isinstance(pictures, list | tuple):
            return self([pictures], max_faces, min_score)[0]
        if max_faces is not None and max_faces < 0:
            raise ValueError(f"max_faces: expected a number from 0 or None, got {max_faces}")
        if not 0 <= min_score <= 1:
            raise ValueError(f"min_score: expected a number from 0 to 1, got {min_score}")
        found = [self._detected(picture, min_score) for picture in pictures]
        if not found:
            return []
        boxes, scores, around, maps = map(np.concatenate, zip(*found, strict=True))
        faces = self._faces(boxes, around, maps, scores)
        ends = np.cumsum([len(boxes) for boxes, *_ in found])
        groups = (faces[end - len(f[0]) : end] for f, end in zip(found, ends, strict=True))
        doubts = self.about.detected
        return [[f for f in group if not (doubts and doubtful(f))][:max_faces] for group in groups]

    def at(
        self,
        image: Picture,
        boxes: Sequence[Sequence[float]],
        before: np.ndarray | None = None,
    ) -> list[Face]:
        """The faces in given boxes.

        Args:
            image: as for a call.
            boxes: (x, y, w, h) each, px: round the 68 points, brows to chin.
            before: (n, k, 2), px, where the points were in the last picture of a video; faces of 68
                points are looked at upright and in the middle by these.

        Returns:
            A Face for each box, in that order.

        Raises:
            ValueError: another image, or a box of other than four numbers, without area, or far
                larger than the image or off it.
        """
        pixels = _pixels(_opened(image), self.channels)
        boxes = np.asarray(boxes, float)
        if boxes.size and boxes.shape[-1:] != (4,):
            raise ValueError(f"boxes: expected x, y, w, h each, got an array {boxes.shape}")
        boxes = boxes.reshape(-1, 4)
        bad = np.flatnonzero(~(np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] > 0).all(axis=1)))
        if len(bad):
            raise ValueError(f"box {bad[0]}: expected x, y and w, h above 0, got {boxes[bad[0]]}")
        far = np.flatnonzero((np.abs(boxes) > _FAR * max(pixels.shape[:2])).any(axis=1))
        if len(far):
            size = f"{pixels.shape[1]} x {pixels.shape[0]} px"
            raise ValueError(
                f"box {far[0]}: expected one of the image, {size}, got {boxes[far[0]]}"
            )
        return self._faces(boxes, *self._around(pixels, boxes), before=before)

    def _detected(self, picture, min_score):
        """Boxes and scores of a picture's faces, and the pixels around them."""
        image = _opened(picture)
        pixels = _pixels(image, self.channels)
        if not self.about.detected:
            size = np.array(image.shape[1::-1])
            span = size.max() / self.about.zoom
            boxes = np.array([[*(size - 1 - span) / 2, span, span]])
            return boxes, np.ones(1), *self._around(pixels, boxes)
        boxes, scores = self.detector.boxes(_pixels(image, 3), min_score)
        return boxes, scores, *self._around(pixels, boxes)

    def _around(self, pixels, boxes):
        """Square pictures, ROOM times as wide as the boxes, as faces are read for a training.

        Returns:
            (uint8 (n, size, size, c), maps from them to the whole picture (n, 2, 3)).
        """
        size, n = self.about.picture, len(boxes)
        span, middle = boxes[:, 2:].max(axis=1, initial=0), boxes[:, :2] + boxes[:, 2:] / 2
        middle = middle - (np.array(self.about.middle) - 0.5) * self.about.zoom * span[:, None]
        ends = np.hstack([middle - span[:, None] / 2, middle + span[:, None] / 2])
        pictures = np.empty((n, size, size, self.channels), np.uint8)
        for place, end in zip(pictures, ends, strict=True):
            place[:] = crop(pixels, np.empty((0, 2)), end, size, (ROOM - 1) / 2)[0]
        return pictures, inverse(frames(middle, span, np.zeros(n), size, ROOM))

    def _faces(self, boxes, around, maps, scores=None, before=None):
        """A Face for each box: of the pixels around it, and their maps to the whole picture."""
        n = len(boxes)
        if not n:
            return []
        faces = Faces(around, np.zeros((n, len(self.scheme), 2), np.float32), self.scheme, "")
        middle, span = np.full((n, 2), (around.shape[1] - 1) / 2), around.shape[1] / ROOM
        back = inverse(frames(middle, np.full(n, span), np.zeros(n), self.side, self.about.zoom))
        follows = before is not None and self.scheme is IBUG_68
        if follows:
            found = moved(np.asarray(before, float), inverse(composed(maps, back)))
        else:
            found = self._look(plain(faces, self.side, self.about.zoom).images)
        if follows or (scores is not None and self.scheme is IBUG_68):
            least = 0 if follows else _TURNED
            seen, turned = aligned(faces, found[..., :2], self.side, self.about.zoom, least)
            found, back = self._look(seen), composed(back, turned)
        back = composed(maps, back)
        points = moved(found[..., :2], back).astype(np.float32)
        error = [None] * n
        if self.about.error:
            scale = np.sqrt(np.linalg.det(back[:, :, :2]))
            error = (found[..., 2] * scale[:, None]).astype(np.float32)
        score = [None] * n if scores is None else scores.tolist()
        places = map(tuple, boxes.tolist())
        return [Face(*one, self.scheme) for one in zip(points, error, places, score, strict=True)]

    def _look(self, crops):
        return predict(self.model, crops)[:, : len(self.scheme)]


def load(model: str | Path = "small", threads: int | None = None) -> Finder:
    """Open a shipped model by name, or a model file.

    Args:
        model: "small", "tiny", "kaggle" or a path; see `Finder`.
        threads: as for `fkp.models.load`.
    """
    shipped = WEIGHTS / f"{model}.tflite"
    return Finder(shipped if shipped.is_file() else model, threads)


def _opened(picture):
    if isinstance(picture, Image.Image):
        return np.ascontiguousarray(shown(picture)[..., :3])
    if isinstance(picture, str | os.PathLike) or hasattr(picture, "read"):
        return read(picture).pixels
    return np.asarray(picture)


def _pixels(image, channels):
    shaped = image.ndim > 1 and image.size and image.shape[2:] in ((), (1,), (3,))
    if image.dtype != np.uint8 or not shaped:
        raise ValueError(
            f"image: expected uint8 (h, w), (h, w, 1) or (h, w, 3), got {image.dtype} {image.shape}"
        )
    image = image[..., 0] if image.shape[2:] == (1,) else image
    if channels == 1 and image.ndim == 3:
        return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if channels == 3 and image.ndim == 2:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    return image


def doubtful(face: Face) -> bool:
    """Whether its model expects so large errors that there is hardly a face."""
    return face.error is not None and face.error.mean() > _DOUBT * np.sqrt(np.prod(face.box[2:]))
