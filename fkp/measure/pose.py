"""How a head is turned, from the points of its face: yaw, pitch and roll.

The mean face of `mean_face.csv` is turned, scaled and shifted until it lies on the points, under
scaled orthography: a camera far away against the depth of a face. Points that vary much between
people and expressions, as those of the mouth and jaw do, count for less.
"""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy

from fkp.data.schemes import IBUG_68, Scheme

_FILE = Path(__file__).with_name("mean_face.csv")
_STEPS = 10  # of Gauss and Newton; few need more than five


class Pose(NamedTuple):
    """Angles of a head, degrees; all 0 looks into the camera, upright.

    Attributes:
        yaw: above 0 looks to the right of the image.
        pitch: above 0 looks down; 0 is the median of 300-W's training faces.
        roll: above 0 is tilted clockwise, as seen on the image.
    """

    yaw: float
    pitch: float
    roll: float


def pose(points: np.ndarray, scheme: Scheme = IBUG_68) -> Pose | None:
    """Pose of one face of 68 points (68, 2); None for points of another scheme."""
    if scheme.name != IBUG_68.name:
        return None
    return Pose(*angles(fit(points[None], *mean_face())[0])[0].tolist())


def angles(rotations: np.ndarray) -> np.ndarray:
    """Yaw, pitch and roll (n, 3), degrees, of rotations (n, 3, 3)."""
    turns = scipy.spatial.transform.Rotation.from_matrix(rotations)
    return turns.as_euler("yxz", degrees=True) * (1, -1, 1)


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """The rotation (3, 3) of a head: by yaw, then pitch, then roll; degrees.

    Axes: x to the right of the image, y down, z towards the camera.
    """
    turns = (yaw, -pitch, roll)
    return scipy.spatial.transform.Rotation.from_euler("yxz", turns, degrees=True).as_matrix()


@cache
def mean_face() -> tuple[np.ndarray, np.ndarray]:
    """The mean face: (68, 3) in outer-eye distances, and the weight of each point (68,)."""
    *axes, spread = np.loadtxt(_FILE, delimiter=",", skiprows=1, usecols=range(1, 5)).T
    return np.stack(axes, axis=1), spread**-2


def fit(
    points: np.ndarray, shape: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lay a shape on faces: the rotations and scales of least weighted squared distance.

    Args:
        points: (n, k, 2), px; a point that is NaN does not count.
        shape: (k, 3).
        weights: (k,).

    Returns:
        (rotations (n, 3, 3), scales (n,), shifts (n, 2)): points = scale * turned + shift, of which
        x and y are seen.

    Raises:
        ValueError: a face of fewer than four points; names its row.
    """
    known = np.isfinite(points).all(axis=2)
    if (few := known.sum(axis=1) < 4).any():
        raise ValueError(f"row {few.argmax()}: expected at least 4 points for a pose")
    w = (known * weights / (known * weights).sum(axis=1, keepdims=True))[..., None]
    seen = np.where(known[..., None], points, 0).astype(float)
    middle, origin = (w * seen).sum(axis=1), (w * shape).sum(axis=1)
    seen, body = (seen - middle[:, None]) * w**0.5, (shape - origin[:, None]) * w**0.5
    # The best affine map, made a rotation, is close; Gauss and Newton find the best rotation.
    affine = (np.linalg.pinv(body) @ seen).transpose(0, 2, 1)
    u, size, v = np.linalg.svd(affine, full_matrices=False)
    rows, scale = u @ v, size.mean(axis=1)
    turns = np.concatenate([rows, np.cross(rows[:, 0], rows[:, 1])[:, None]], axis=1)
    for _ in range(_STEPS):
        step = _step(seen, scale[:, None, None] * body @ turns.transpose(0, 2, 1))
        small = scipy.spatial.transform.Rotation.from_rotvec(step[:, :3]).as_matrix()
        turns, scale = small @ turns, scale * np.exp(step[:, 3])
        if np.abs(step).max() < 1e-9:
            break
    shift = middle - scale[:, None] * (turns[:, :2] @ origin[..., None])[..., 0]
    return turns, scale, shift


def _step(seen, body):
    """Rotation about x, y and z, and logarithm of the scale (n, 4), that bring a body closer."""
    x, y, z = np.moveaxis(body, 2, 0)
    none = np.zeros_like(x)
    slopes = np.stack([none, z, -y, x, -z, none, x, y], axis=2).reshape(len(x), -1, 4)
    missed = (seen - body[..., :2]).reshape(len(x), -1, 1)
    normal = slopes.transpose(0, 2, 1) @ slopes
    # Points that all but coincide say little: never divided by zero.
    normal += 1e-12 * (1 + np.trace(normal, axis1=1, axis2=2))[:, None, None] * np.eye(4)
    return np.linalg.solve(normal, slopes.transpose(0, 2, 1) @ missed)[..., 0]
