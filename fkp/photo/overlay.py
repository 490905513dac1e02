"""Faces drawn on their picture: outlines, points and the expected error of doubtful points."""

from collections.abc import Sequence

import cv2
import numpy as np

from fkp.measure.pose import rotation
from fkp.photo.finder import Face

_LINE, _POINT, _ERROR = (90, 200, 250), (255, 255, 255), (255, 140, 60)  # RGB
_AXES = (230, 60, 60), (60, 200, 80), (70, 110, 255)
_FINE = 4  # bits of a pixel that OpenCV is given


def draw(
    pixels: np.ndarray,
    faces: Sequence[Face],
    pose: bool = False,
    numbers: Sequence[int] | None = None,
) -> np.ndarray:
    """A copy of a picture with faces drawn on it.

    Args:
        pixels: uint8 (h, w, 3), RGB.
        faces: of this picture.
        pose: also draw the axes of each head of 68 points at its nose: to its left red, down
            green, out of the face blue.
        numbers: of the faces, written above them.

    Returns:
        uint8 (h, w, 3). Outlines are blue, points white; a point whose expected error is above a
        thirtieth of the face stands in an orange ring of that radius.
    """
    drawn = np.ascontiguousarray(pixels).copy()
    for face in faces:
        size = float(np.sqrt(np.prod(face.box[2:])))
        wide = max(1, round(size / 150))
        for name, region in face.scheme.regions.items():
            line, whole = _fine(face.points[list(region)]), name in face.scheme.closed
            cv2.polylines(drawn, [line], whole, _LINE, wide, cv2.LINE_AA, _FINE)
        for i, point in enumerate(face.points):
            if face.error is not None and face.error[i] > size / 30:
                _ring(drawn, point, face.error[i], _ERROR, wide)
            _ring(drawn, point, max(0.8, size / 120), _POINT, cv2.FILLED)
        if pose and face.pose:
            tip = face.points[face.scheme.labels.index("nose_bridge_3")]
            for axis, colour in zip(rotation(*face.pose)[:2].T, _AXES, strict=True):
                line = _fine([tip, tip + size / 2 * axis])
                cv2.polylines(drawn, [line], False, colour, 2 * wide, cv2.LINE_AA, _FINE)
    for face, number in zip(faces, numbers or (), strict=numbers is not None):
        place = [round(face.box[0]), round(face.box[1]) - 6]
        cv2.putText(drawn, str(number), place, cv2.FONT_HERSHEY_SIMPLEX, 0.6, _LINE, 2, cv2.LINE_AA)
    return drawn


def _ring(pixels, point, radius, colour, wide):
    middle, (radius,) = _fine(point), _fine([radius])
    cv2.circle(pixels, middle.tolist(), int(radius), colour, wide, cv2.LINE_AA, _FINE)


def _fine(values):
    return np.round(np.asarray(values) * 2**_FINE).astype(np.int32)
