"""The faults of paper A's published recipe, kept to measure how large they are.

NOT FOR TRAINING MODELS. The authors' published notebooks expand the complete rows first and cut
the validation rows out of the expanded set afterwards, so nearly every validation row is a copy of
a training face. Two more faults change the copies themselves: in the rotated ones y is computed
from the x that has already been rotated, and the pixels of every copy are divided by 255 twice.
(Their loss, RMSE over the mean coordinate, is not reproduced: Adam divides a factor away.)
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from fkp.data.faces import Faces
from fkp.measure.errors import squared_errors
from fkp.measure.scores import mean_score
from fkp.prepare.augment import paper_a
from fkp.record.digests import array_digest

DEGREES = 12.0
RECIPES = ("published", "leaky", "clean")


@dataclass(frozen=True)
class Rows:
    """What a training needs of faces; unlike `Faces` it may hold pixels that were scaled again.

    Attributes:
        images: (n, h, w, c) as `pixels` gives them.
        points: float32 (n, k, 2), px.
        groups: int64 (n,); rows of one group show one person.
    """

    images: np.ndarray
    points: np.ndarray
    groups: np.ndarray

    def __len__(self):
        return len(self.images)

    @property
    def fingerprint(self) -> str:
        """Hex digest of pixels and points."""
        return array_digest("", self.images, self.points)

    def take(self, rows: np.ndarray | slice) -> Self:
        """The rows at `rows`, in that order."""
        return Rows(self.images[rows], self.points[rows], self.groups[rows])


def pixels(recipe: str, images: np.ndarray) -> np.ndarray:
    """What the network is given of `images` uint8 (n, h, w, c).

    The authors' networks take pixels divided by 255, ours raw ones that they scale to -1..1. For
    "published", float32 values that ours scale to what the authors' were given; else the images.
    """
    return _shown(images / np.float32(255)) if recipe == "published" else images


def _shown(values):
    """Raw pixels that a model of ours scales to `values`."""
    return np.float32(127.5) * (1 + values)


def misrotate(points: np.ndarray, degrees: float, image_shape: tuple[int, ...]) -> np.ndarray:
    """Rotate points as the published recipe does: y from the x that is already rotated.

    With c and s the cosine and sine, (x, y) about the centre goes to x' = c x + s y and
    y' = -s x' + c y, where -s x + c y would be right: y is off by s (x - x').

    Args:
        points: (n, k, 2) px.
        degrees: counter-clockwise as seen on the image.
        image_shape: (h, w, ...).

    Returns:
        float32 (n, k, 2).
    """
    h, w = image_shape[:2]
    centre = np.array([(w - 1) / 2, (h - 1) / 2])
    cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    x, y = np.moveaxis(points - centre, -1, 0)
    x = cosine * x + sine * y
    return (np.stack([x, -sine * x + cosine * y], axis=-1) + centre).astype(np.float32)


def expand(recipe: str, faces: Faces, seed: int) -> Rows:
    """The complete rows of `faces` and their offline copies, as the recipe makes them.

    Returns:
        Rows, the originals first; "published" has both faults of the copies.

    Raises:
        ValueError: unknown recipe, or no complete row.
    """
    if recipe not in RECIPES:
        raise ValueError(f"unknown recipe {recipe!r}; known: {', '.join(RECIPES)}")
    complete = faces.take(faces.complete)
    n = len(complete)
    if not n:
        raise ValueError(f"none of {len(faces)} rows is complete: there is nothing to augment")
    copies = paper_a(complete, np.random.default_rng(seed), degrees=DEGREES)
    images, points = pixels(recipe, copies.images), copies.points.copy()
    if recipe == "published":
        images[n:] = _shown(copies.images[n:] / np.float32(255**2))
        for first, degrees in ((n, DEGREES), (2 * n, -DEGREES)):
            points[first : first + n] = misrotate(complete.points, degrees, faces.image_shape)
    return Rows(images, points, copies.groups)


def prepare(recipe: str, training: Faces, validation: Faces, seed: int) -> tuple[Rows, Rows]:
    """Training and validation rows of a recipe.

    Args:
        recipe: "published": both faults of the copies, validation rows drawn from the expanded
            rows; "leaky": right copies, validation rows drawn the same way; "clean": right
            copies of the training faces only, validation on other faces as they are.
        training, validation: Faces without common groups; the first two recipes do not look at
            `validation`.
        seed: of the noise and of the row split.

    Returns:
        (training Rows, validation Rows).
    """
    rows = expand(recipe, training, seed)
    if recipe == "clean":
        other = validation.take(validation.complete)
        return rows, Rows(other.images, other.points, other.groups)
    held = np.random.default_rng([seed, 1]).random(len(rows)) < 0.1
    return rows.take(~held), rows.take(held)


def leaked(training: Rows, validation: Rows) -> float:
    """Share of the validation rows (0..1) that have a copy, or the same person, in training."""
    return float(np.isin(validation.groups, training.groups).mean())


def score(rows: Rows, predicted: np.ndarray) -> dict:
    """RMSE (px) of rows with complete labels, and its 95 % bootstrap interval over groups.

    Args:
        predicted: (n, k, 2) px.

    Returns:
        A score, see `fkp.measure.scores`.
    """
    values = squared_errors(rows.points, predicted).mean(axis=(1, 2))
    return mean_score(values, "px", rows.groups, finish=np.sqrt)
