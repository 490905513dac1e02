"""Distillation: a smaller network learns, beside the labels, what a trained larger one answers."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import keras
import numpy as np

from fkp.models.predict import predict


@dataclass(frozen=True, eq=False)
class Taught:
    """An augmentation whose points are moved towards a teacher's, face by face.

    A labelled point becomes (1 - share) label + share answer; a point without a label that lies in
    the crop stays without one, so no label is invented.

    Args:
        augment: (images, points, rng) -> (images, points), with square images.
        teacher: pixels -> points, of any side.
        share: of the teacher, 0..1.
    """

    augment: Callable
    teacher: keras.Model
    share: float = 0.5

    def __call__(
        self, images: np.ndarray, points: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        images, points = self.augment(images, points, rng)
        side, seen = images.shape[1], self.teacher.input_shape[1]
        shown = images
        if seen != side:
            shown = np.stack([cv2.resize(image, (seen, seen)) for image in images])
            shown = shown.reshape(len(images), seen, seen, -1)
        # Pixel centres lie on integers.
        said = (predict(self.teacher, shown) + 0.5) * (side / seen) - 0.5
        return images, (points + self.share * (said - points)).astype(np.float32)

    def calmed(self) -> "Taught":
        """The same with a calmed augmentation."""
        return replace(self, augment=self.augment.calmed())
