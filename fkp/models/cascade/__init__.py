"""Cascades: a mean shape moved towards the face by one regressor after the other.

`Cascade` is the model. `fit` makes paper C's (section 3.3), random forests on hand-made features;
`fkp.models.cascade.lbf` makes a better use of forests.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import joblib
import numpy as np
from sklearn.ensemble import RandomForestRegressor
from tqdm import tqdm

from fkp.data.faces import Faces
from fkp.data.images import equalised
from fkp.models.cascade import features
from fkp.record.files import named, whole

# name -> (module, function that fits a cascade); a module is imported when it is asked for.
METHODS = {"forest": ("fkp.models.cascade", "fit"), "lbf": ("fkp.models.cascade.lbf", "fit")}

# Radius of the histograms and size of the SIFT keypoints, as a share of the image's side.
_WINDOW = 1 / 16


def method(name: str) -> Callable:
    """The function that fits cascades by a method of `METHODS`; ValueError for another name."""
    module, function = named(METHODS, "method", name)
    return getattr(import_module(module), function)


@dataclass(frozen=True, eq=False)
class Cascade:
    """Raw pixels in, points in pixels out, as every model here.

    Attributes:
        start: float32 (k, 2), px; where every face begins.
        prepare: images uint8 (n, h, w, c) -> what the stages look at.
        stages: each (prepared images, points (n, k, 2)) -> better points.
        image_shape: (h, w, c) of the images it was fitted on.
    """

    start: np.ndarray
    prepare: Callable
    stages: tuple[Callable, ...]
    image_shape: tuple[int, int, int]

    def path(self, images: np.ndarray, block: int = 64) -> np.ndarray:
        """The start and the estimate after each stage, float32 (stages + 1, n, k, 2), px.

        Args:
            images: uint8 (n, h, w, c).
            block: images at a time.

        Raises:
            ValueError: images of another shape or type than fitted on.
        """
        if images.shape[1:] != self.image_shape or images.dtype != np.uint8:
            raise ValueError(
                f"images: expected uint8 (n, {', '.join(map(str, self.image_shape))}), "
                f"got {images.dtype} {images.shape}"
            )
        found = np.empty((len(self.stages) + 1, len(images), *self.start.shape), np.float32)
        found[0] = self.start
        for first in range(0, len(images), block):
            rows = slice(first, first + block)
            prepared = self.prepare(images[rows])
            for i, stage in enumerate(self.stages):
                found[i + 1, rows] = stage(prepared, found[i, rows])
        return found

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Points of the faces on `images` uint8 (n, h, w, c), float32 (n, k, 2), px."""
        return self.path(images)[-1]

    def save(self, path: str | Path) -> None:
        """Write a whole file, or none; `fkp.models.load` opens it if its name ends in .joblib."""
        with whole(path) as temporary:
            joblib.dump(self, temporary, compress=3)

    @property
    def input_shape(self) -> tuple:
        """(None, h, w, c), as Keras models have it."""
        return (None, *self.image_shape)

    @property
    def output_shape(self) -> tuple:
        """(None, k, 2)."""
        return (None, *self.start.shape)

    @property
    def nodes(self) -> int:
        """Number of tree nodes."""
        return sum(stage.nodes for stage in self.stages)

    @property
    def size(self) -> float:
        """Size of the saved file in MB (10^6 bytes)."""
        file = io.BytesIO()
        joblib.dump(self, file, compress=3)
        return file.tell() / 1e6


@dataclass(frozen=True, eq=False)
class ForestStage:
    """A random forest that moves all points at once by the features around them.

    Attributes:
        forest: (n, features) -> moves (n, 2k), px.
        radius, size: px, of the features' windows, see `fkp.models.cascade.features.paper_c`.
    """

    forest: RandomForestRegressor
    radius: int
    size: float

    def __call__(self, prepared: tuple[np.ndarray, np.ndarray], points: np.ndarray) -> np.ndarray:
        moves = self.forest.predict(features.paper_c(*prepared, points, self.radius, self.size))
        return points + moves.reshape(points.shape)

    @property
    def nodes(self) -> int:
        """Number of tree nodes, leaves included."""
        return sum(tree.tree_.node_count for tree in self.forest.estimators_)


def image_and_gray(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What `ForestStage` looks at: the images, and gray with equalised histograms."""
    return images, equalised(images)[..., 0]


def fit(
    faces: Faces,
    *,
    stages: int = 3,
    trees: int = 50,
    depth: int = 10,
    out_of_bag: bool = False,
    seed: int = 0,
) -> Cascade:
    """Paper C's cascade: forests fitted one after the other on what the last left over.

    The paper gives the number of stages and `n_estimators = 50, max_depth = 10`. It does not name
    the start (here the mean shape), the layout of the features (`features.paper_c`), the size of
    their windows (`_WINDOW`, the better of 1/16 and 1/32 on validation faces) or how many features
    a split looks at: the square root of their number, as a tenth of them took ten times as long and
    was no better on validation faces. The paper's augmentation (rotation, translation, scaling) is
    left out.

    A forest fits its own training faces far better than others, so the next stage, trained on what
    is left of *their* error, is shown too small a task. `out_of_bag=True` takes for every training
    face the mean over the trees that did not see it; the paper says no more than "residuals".

    Args:
        faces: training Faces, every point labelled.
        stages, trees, depth: of the cascade and its forests.
        out_of_bag: hand on out-of-bag estimates.
        seed: of the forests.

    Raises:
        ValueError: no faces, or a point is unlabelled.
    """
    truth = complete_points(faces)
    side = faces.image_shape[0]
    radius, size = max(1, round(side * _WINDOW)), side * _WINDOW
    prepared, fitted = image_and_gray(faces.images), []
    estimate = np.repeat(truth.mean(axis=0, keepdims=True), len(faces), axis=0)
    rng = np.random.default_rng(seed)
    for _ in tqdm(range(stages), desc="stages"):
        seen = features.paper_c(*prepared, estimate, radius, size)
        forest = RandomForestRegressor(
            trees,
            max_depth=depth,
            max_features="sqrt",
            oob_score=out_of_bag,
            random_state=int(rng.integers(2**31)),
        ).fit(seen, (truth - estimate).reshape(len(faces), -1))
        moves = forest.oob_prediction_ if out_of_bag else forest.predict(seen)
        estimate = estimate + moves.reshape(estimate.shape).astype(np.float32)
        fitted.append(ForestStage(forest, radius, size))
    return Cascade(truth.mean(axis=0), image_and_gray, tuple(fitted), faces.image_shape)


def complete_points(faces: Faces) -> np.ndarray:
    """The points of training faces; ValueError if there are none, or one is unlabelled."""
    if not len(faces) or not faces.complete.all():
        raise ValueError(
            f"faces: {(~faces.complete).sum()} of {len(faces)} rows have unlabelled points, "
            "expected complete rows (treatment 'none' keeps those) and at least one"
        )
    return faces.points
