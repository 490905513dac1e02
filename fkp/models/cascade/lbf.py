"""Local binary features: small forests round single points, read together by one regression.

Reference: "Face Alignment at 3000 FPS via Regressing Local Binary Features" (Ren, Cao, Wei and
Sun, 2014). At each stage every point has a small forest on differences of two pixels near it; a
linear regression on the leaves that a face falls into, of all forests at once, moves the shape.
Pixels are indexed by shape: their offsets turn and scale with the current estimate.

Inside, a point is a complex number x + iy, so that a similarity (turn and scale) is a product.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, vstack
from scipy.sparse.linalg import LinearOperator, cg
from sklearn.ensemble import ExtraTreesRegressor
from tqdm import tqdm

from fkp.data.faces import Faces
from fkp.data.images import mirror
from fkp.models.cascade import Cascade, complete_points
from fkp.models.cascade.features import gray_at, smoothed

# Radius of the disc round a point at the first and the last stage, as a share of the face's side.
RADII = (0.3, 0.06)
ALWAYS_LEFT = np.iinfo(np.int16).max


def as_complex(points: np.ndarray) -> np.ndarray:
    """float32 (..., k, 2) -> complex64 (..., k)."""
    return np.ascontiguousarray(points, np.float32).view(np.complex64)[..., 0]


def as_points(shapes: np.ndarray) -> np.ndarray:
    """complex64 (..., k) -> float32 (..., k, 2)."""
    return np.ascontiguousarray(shapes, np.complex64)[..., None].view(np.float32)


def similarity(mean: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """Turn and scale that take the mean shape (k,) closest to each of `shapes` (n, k): (n, 1)."""
    centred = mean - mean.mean()
    moved = shapes - shapes.mean(axis=1, keepdims=True)
    return (moved @ centred.conj() / np.vdot(centred, centred))[:, None]


@dataclass(frozen=True, eq=False)
class Trees:
    """Complete binary trees of one depth; node i has the children 2 i + 1 and 2 i + 2.

    Attributes:
        mean: complex64 (k,); the shape in whose frame the offsets are.
        offsets: complex64 (k, trees, inner nodes, 2), px; where the two pixels of a node lie, from
            the tree's point.
        thresholds: int16 (k, trees, inner nodes); a difference above it goes to the right.
    """

    mean: np.ndarray
    offsets: np.ndarray
    thresholds: np.ndarray

    def leaves(self, gray: np.ndarray, shapes: np.ndarray) -> csr_array:
        """Which leaves faces fall into.

        Args:
            gray: uint8 (n, h, w).
            shapes: complex64 (n, k); the current estimates.

        Returns:
            Sparse float32 (n, k trees leaves), one 1 for each tree.
        """
        k, trees, inner = self.thresholds.shape
        offsets, thresholds = self.offsets.reshape(-1, 2), self.thresholds.ravel()
        tree = np.arange(k * trees)
        at = np.repeat(shapes, trees, axis=1)[..., None]
        frame = similarity(self.mean, shapes)[..., None]
        node = np.zeros((len(shapes), k * trees), np.intp)
        for _ in range(inner.bit_length()):
            place = tree * inner + node
            levels = gray_at(gray, at + frame * offsets[place])
            node = 2 * node + 1 + (levels[..., 0] - levels[..., 1] > thresholds[place])
        columns = (tree * (inner + 1) + node - inner).ravel()
        starts = np.arange(len(shapes) + 1) * k * trees
        ones = np.ones(len(columns), np.float32)
        return csr_array((ones, columns, starts), shape=(len(shapes), k * trees * (inner + 1)))


@dataclass(frozen=True, eq=False)
class LeafStage:
    """Trees and the linear regression on their leaves.

    Attributes:
        weights: float32 (k trees leaves, 2k); what each leaf adds to the move, px in the frame of
            the mean shape.
    """

    trees: Trees
    weights: np.ndarray

    def __call__(self, gray: np.ndarray, points: np.ndarray) -> np.ndarray:
        shapes = as_complex(points)
        moves = (self.trees.leaves(gray, shapes) @ self.weights).reshape(points.shape)
        return points + as_points(similarity(self.trees.mean, shapes) * as_complex(moves))

    @property
    def nodes(self) -> int:
        """Number of tree nodes, leaves included."""
        return self.trees.thresholds.size + len(self.weights)


def fit(
    faces: Faces,
    *,
    stages: int = 6,
    trees: int = 8,
    depth: int = 5,
    starts: int = 4,
    penalty: float = 3.0,
    seed: int = 0,
    **options: int,
) -> Cascade:
    """Fit local binary features on faces and their mirror images.

    Args:
        faces: training Faces, every point labelled.
        stages: the disc round a point shrinks from the first to the last.
        trees, depth: of every point's forest.
        starts: shapes that each training face starts from: the mean shape, and the mean shape
            turned, scaled and placed as other training faces are.
        penalty: of the regression, for each tree and start.
        seed: of starts, pixels and trees.
        **options: of the forests: pixels, pairs, tried (see `_forest`).

    Raises:
        ValueError: no faces, or a point is unlabelled.
    """
    rng = np.random.default_rng(seed)
    gray, labels = _mirrored(faces)
    mean = labels.mean(axis=0)
    side = np.sqrt(np.ptp(mean.real) * np.ptp(mean.imag))
    rows = np.tile(np.arange(len(labels)), starts)
    truth, estimate, fitted = labels[rows], _starts(mean, labels, starts, rng), []
    for radius in tqdm(np.geomspace(*RADII, stages) * side, desc="stages"):
        frame = similarity(mean, estimate)
        moves = as_points((truth - estimate) / frame)
        size = {"radius": radius, "trees": trees, "depth": depth, "rng": rng, **options}
        forests = [
            _forest(gray, rows, estimate[:, [k]], frame, moves[:, k], **size)
            for k in range(len(mean))
        ]
        grown = Trees(mean, *map(np.stack, zip(*forests, strict=True)))
        leaves = _leaves(grown, gray, rows, estimate)
        weights = _regression(leaves, moves, penalty * starts * trees * len(mean))
        estimate = estimate + frame * as_complex((leaves @ weights).reshape(moves.shape))
        fitted.append(LeafStage(grown, weights))
    return Cascade(as_points(mean), smoothed, tuple(fitted), faces.image_shape)


def _mirrored(faces):
    """Gray images and complex points of the faces, and of their mirror images if there are any."""
    points = complete_points(faces)
    if not faces.scheme.mirror:
        return smoothed(faces.images), as_complex(points)
    images, flipped = mirror(faces.images, points, faces.scheme)
    gray = np.concatenate([smoothed(faces.images), smoothed(images)])
    return gray, as_complex(np.concatenate([points, flipped]))


def _starts(mean, labels, starts, rng):
    """The mean shape for every face, then `starts` - 1 times as random training faces lie."""
    found = [np.tile(mean, (len(labels), 1))]
    for _ in range(starts - 1):
        other = labels[rng.permutation(len(labels))]
        centre = other.mean(axis=1, keepdims=True)
        found.append(centre + similarity(mean, other) * (mean - mean.mean()))
    return np.concatenate(found).astype(np.complex64)


def _forest(
    gray, rows, at, frame, moves, *, radius, trees, depth, rng, pixels=80, pairs=300, tried=60
):
    """The forest of one point.

    Args:
        gray, rows: images, and that of each of the n shapes.
        at: complex (n, 1), the point; frame: as of `similarity`.
        moves: (n, 2), px, what is left to go.
        radius: px, of the disc that pixels are drawn from.
        pixels, pairs: numbers of pixels and of pairs of them drawn for all trees.
        tried: pairs drawn at every split, each with one random threshold (extremely randomised
            trees); the best is taken.

    Returns:
        offsets complex64 (trees, inner nodes, 2), thresholds int16 (trees, inner nodes).
    """
    disc = radius * np.sqrt(rng.random(pixels)) * np.exp(2j * np.pi * rng.random(pixels))
    disc = disc.astype(np.complex64)
    pair = rng.permuted(np.tile(np.arange(pixels), (pairs, 1)), axis=1)[:, :2]
    levels = gray_at(gray, at + frame * disc, rows)
    differences = (levels[:, pair[:, 0]] - levels[:, pair[:, 1]]).astype(np.float32)
    forest = ExtraTreesRegressor(
        trees,
        max_depth=depth,
        max_features=min(tried, pairs),
        min_samples_leaf=10,
        bootstrap=True,
        max_samples=0.7,
        random_state=int(rng.integers(2**31)),
    ).fit(differences, moves)
    chosen, thresholds = zip(*(_complete(t.tree_, depth) for t in forest.estimators_), strict=True)
    return disc[pair[np.stack(chosen)]], np.stack(thresholds)


def _complete(tree, depth):
    """(features, thresholds) of a scikit-learn tree's inner nodes as those of a complete tree.

    Below a leaf that ends early every face goes left. Differences are whole numbers, so rounding a
    threshold down changes nothing.
    """
    nodes, features, thresholds = np.zeros(1, int), [], []
    for _ in range(depth):
        inner = tree.children_left[nodes] >= 0
        features.append(np.where(inner, tree.feature[nodes], 0))
        thresholds.append(np.where(inner, np.floor(tree.threshold[nodes]), ALWAYS_LEFT))
        below = np.stack([tree.children_left[nodes], tree.children_right[nodes]], axis=1)
        nodes = np.where(inner[:, None], below, nodes[:, None]).ravel()
    return np.concatenate(features), np.concatenate(thresholds).astype(np.int16)


def _leaves(grown, gray, rows, estimate, block=256):
    """`Trees.leaves` of many faces, a block at a time, to keep memory small."""
    blocks = (slice(i, i + block) for i in range(0, len(rows), block))
    return vstack([grown.leaves(gray[rows[b]], estimate[b]) for b in blocks], format="csr")


def _regression(leaves, moves, penalty):
    """Weights W (leaves, 2k) that minimise |leaves W - moves|^2 + penalty |W|^2.

    Conjugate gradients on the normal equations, for all coordinates at once: scikit-learn's ridge
    takes one after the other, which is ten times slower here.
    """
    targets, transposed = moves.reshape(len(moves), -1), leaves.T.tocsr()
    shape = leaves.shape[1], targets.shape[1]

    def normal(weights):
        weights = weights.reshape(shape)
        return (transposed @ (leaves @ weights) + np.float32(penalty) * weights).ravel()

    system = LinearOperator((shape[0] * shape[1],) * 2, matvec=normal, dtype=np.float32)
    weights, _ = cg(system, (transposed @ targets).ravel(), rtol=0.01, maxiter=100)
    return weights.reshape(shape).astype(np.float32)
