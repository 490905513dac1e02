"""Light and camera: one soft light field shapes the face, the camera blurs and adds grain."""

import cv2
import numpy as np

from fkp.data.drawing.canvas import Canvas

_RELIEF = (  # soft bumps: part, point of it, dx, dy, width, height, rise
    ("bridge", 3, 0, -0.02, 0.13, 0.11, 0.13), ("bridge", 1, 0, 0.05, 0.09, 0.26, 0.07),
    ("nose", 22, 0, 0.0, 0.07, 0.08, 0.05), ("nose", 42, 0, 0.0, 0.07, 0.08, 0.05),
    ("pupils", 0, 0, -0.03, 0.25, 0.12, -0.085), ("pupils", 1, 0, -0.03, 0.25, 0.12, -0.085),
    ("pupils", 0, -0.08, 0.5, 0.27, 0.24, 0.08), ("pupils", 1, 0.08, 0.5, 0.27, 0.24, 0.08),
    ("right_brow", 10, 0, 0.03, 0.3, 0.09, 0.04), ("left_brow", 10, 0, 0.03, 0.3, 0.09, 0.04),
    ("outer_lips", 63, 0, 0.07, 0.24, 0.06, -0.04), ("outer_lips", 21, 0, -0.1, 0.05, 0.08, -0.02),
    ("jaw", 40, 0, -0.2, 0.24, 0.15, 0.07),
)  # fmt: skip
_BUMPS = np.array([bump[2:] for bump in _RELIEF], np.float32)
# The coarse grid of the light in upright face units, and the matrix from its cells to them.
_GRID_X, _GRID_Y = np.linspace(-2, 2, 49, dtype=np.float32), np.linspace(-2.2, 2.4, 57, dtype="f4")
_GRID_MATRIX = np.array([(4 / 48, 0, -2), (0, 4.6 / 56, -2.2), (0, 0, 1)])


def photograph(
    canvas: Canvas,
    face: dict[str, np.ndarray],
    f: dict[str, float],
    rng: np.random.Generator | None,
) -> np.ndarray:
    """Light, shadows, exposure, blur and grain: the canvas as uint8 (size, size, 3)."""
    size = (canvas.size, canvas.size)
    pixels, person = canvas.pixels, canvas.person
    if canvas.fine > 1:
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        person = cv2.resize(person, size, interpolation=cv2.INTER_AREA)
    gain = 1 + person * np.float32(1 / 255) * (_light(canvas, face, f) - 1)
    gain *= np.float32(f["exposure"] * f["contrast"])
    if rng is not None:
        gain *= _room(canvas.size, rng)
    tint = np.array([1 + f["warmth"], 1, 1 - f["warmth"]], np.float32)
    out = pixels * (gain[..., None] * tint)
    out += np.float32(128 * (1 - f["contrast"]))
    if f["blur"] > 0.15:
        out = cv2.GaussianBlur(out, (0, 0), f["blur"] * canvas.size / 96)
    if rng is not None and f["noise"] > 0:
        out += np.float32(f["noise"]) * rng.standard_normal((*size, 1), dtype=np.float32)
    return np.clip(out, 0, 255, out=out).astype(np.uint8)


def _light(canvas, face, f):
    """Brightness of the face under a directed light: float32 (size, size), 1 = as painted.

    An ellipsoid with soft bumps (`_RELIEF`), separable in x and y, on a coarse upright grid.
    """
    anchors = np.array([face[part][i] for part, i, *_ in _RELIEF], np.float32)
    offset, spread, rise = np.split(_BUMPS, [2, 4], axis=1)
    (x, y), (wide, high) = (anchors + offset).T[..., None], spread.T[..., None]
    dx, dy = (_GRID_X - x) / wide, (_GRID_Y - y) / high
    across, down = np.exp(-(dx**2) / 2), np.exp(-(dy**2) / 2) * rise
    middle = (face["head"].min(axis=0) + face["head"].max(axis=0)).astype(np.float32) / 2
    nx, ny = (_GRID_X - middle[0])[None] / 1.35, (_GRID_Y - middle[1])[:, None] / 2.1
    nz = np.sqrt(np.clip(1 - nx**2 - ny**2, 0.08, 1))
    nx, ny = nx + down.T @ (across * dx / wide), ny + (down * dy / high).T @ across
    lamp = np.array([f["light_x"], f["light_y"], 1], np.float32)
    lx, ly, lz = lamp / np.linalg.norm(lamp)
    lit = np.clip((nx * lx + ny * ly + nz * lz) / np.sqrt(nx**2 + ny**2 + nz**2), 0, 1)
    ambient = min(max(f["ambient"], 0.2), 0.8)
    shade = ambient + (1.2 - ambient) * lit + 0.3 * lit**24 + 1.2 * (down.T @ across)
    return cv2.warpAffine(
        shade, canvas.matrix @ _GRID_MATRIX, (canvas.size, canvas.size),
        flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip


def _room(size, rng):
    """Uneven light of a room: a slope, and at times the soft edge of a shadow."""
    at = np.linspace(-1, 1, size, dtype=np.float32)
    angle, slope = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.3)
    along = at[None] * np.float32(np.cos(angle)) + at[:, None] * np.float32(np.sin(angle))
    light = 1 + np.float32(slope) * along
    deep, edge, soft = rng.uniform((0.35, -0.3, 0.02), (0.75, 0.8, 0.3)).astype(np.float32)
    if rng.random() < 0.25:
        light *= 1 - deep / (1 + np.exp((edge - along) / soft))
    return light
