"""Distillation: a network learns, beside the labels, what an earlier one predicts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from fkp.data.images import seen_in_mirror
from fkp.data.schemes import Scheme
from fkp.models.predict import predict


@dataclass(frozen=True, eq=False)
class Taught:
    """An augmentation whose points are moved towards a teacher's, face by face.

    A labelled point becomes (1 - share) label + share answer, which evens out what annotators do
    differently from face to face; a point without a label stays without one.

    Args:
        augment: (images, points, rng) -> (images, points), with square images.
        scheme: of the points.
        teacher: pixels -> points of any side, as `fkp.models.load` returns it; it also sees each
            image in the mirror, if the scheme has one, and the mean of both answers counts.
        share: of the teacher, 0..1.
        source: digest of the teacher's file; an interrupted training goes on only with its own.
    """

    augment: Callable
    scheme: Scheme
    teacher: Any
    share: float = 0.5
    source: str = ""

    def __call__(
        self, images: np.ndarray, points: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        images, points = self.augment(images, points, rng)
        side, seen = images.shape[1], self.teacher.input_shape[1]
        shown = images
        if seen != side:
            shown = np.stack([cv2.resize(image, (seen, seen)) for image in images])
            shown = shown.reshape(len(images), seen, seen, -1)
        said = self._points(shown)
        if self.scheme.mirror:
            said = (said + seen_in_mirror(self._points, shown, self.scheme)) / 2
        said = (said + 0.5) * (side / seen) - 0.5  # pixel centres lie on integers
        return images, (points + self.share * (said - points)).astype(np.float32)

    def _points(self, images):
        return predict(self.teacher, images)[..., :2]

    def calmed(self) -> "Taught":
        """The same with a calmed augmentation."""
        return replace(self, augment=self.augment.calmed())
