"""The canvas of a drawn face, painted in face units."""

import cv2
import numpy as np


class Canvas:
    """An RGB picture that is painted in upright face units, twice as fine where it is small."""

    def __init__(self, size: int, matrix: np.ndarray):
        self.size, self.matrix = size, matrix
        self.fine = 2 if size < 200 else 1
        side = size * self.fine
        self.pixels = np.full((side, side, 3), 150, np.uint8)
        self.person = np.zeros((side, side), np.uint8)  # 255 where the face's light falls
        self.unit = self.fine * np.hypot(*matrix[:, 0])  # pixels of this canvas per face unit
        self._turn = matrix[:, :2].T * (16 * self.fine)
        self._move = (matrix[:, 2] * self.fine + (self.fine - 1) / 2) * 16

    def place(self, points: np.ndarray) -> np.ndarray:
        """Face units -> pixels of this canvas, int32 in 1/16 as OpenCV's `shift=4` wants them."""
        return np.rint(np.asarray(points) @ self._turn + self._move).astype(np.int32)

    def fill(self, outlines: np.ndarray, colour: tuple, alpha: float = 1.0) -> None:
        """Fill an outline (m, 2) or several (j, m, 2) that do not overlap."""

        def draw(pixels, shapes):
            cv2.fillPoly(pixels, list(shapes), colour, cv2.LINE_AA, 4)

        self._blend(self.place(outlines), alpha, 1, draw)

    def line(
        self,
        curves: np.ndarray,
        colour: tuple,
        width: float,
        alpha: float = 1.0,
        closed: bool = False,
    ) -> None:
        """Draw a curve (m, 2) or several (j, m, 2), `width` face units wide; thin ones fainter."""
        thick = max(1, round(width * self.unit))
        alpha = alpha * min(1, width * self.unit / thick + 0.2)

        def draw(pixels, shapes):
            cv2.polylines(pixels, list(shapes), closed, colour, thick, cv2.LINE_AA, 4)

        self._blend(self.place(curves), alpha, thick, draw)

    def cover(self, outline: np.ndarray) -> None:
        """Count a region as part of the person."""
        cv2.fillPoly(self.person, [self.place(outline)], 255, cv2.LINE_8, 4)

    def _blend(self, shapes, alpha, margin, draw):
        """Draw opaquely, or on a copy of the smallest box around the shapes that is blended in."""
        shapes = shapes.reshape(-1, *shapes.shape[-2:])
        if alpha >= 1:
            return draw(self.pixels, shapes)
        left, top = np.maximum(shapes.min(axis=(0, 1)) // 16 - margin - 1, 0).tolist()
        right, bottom = np.maximum(shapes.max(axis=(0, 1)) // 16 + margin + 2, 0).tolist()
        below = self.pixels[top:bottom, left:right]
        if below.size:
            above = below.copy()
            draw(above, shapes - np.array([16 * left, 16 * top], np.int32))
            below[:] = cv2.addWeighted(above, alpha, below, 1 - alpha, 0)
