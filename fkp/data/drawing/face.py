"""The drawn face as geometry: who it is, how it looks at us, and where its curves run.

One 3-D face is a dictionary of dense curves (jaw, brows, eyes, nose, lips) in face units: x to the
right of the image, y down, z towards the camera, origin between the pupils, 1 = the distance of
the pupils of the mean face. What a person looks like (`person`) and what one picture of them looks
like (`frame`) are plain dictionaries of numbers, so that any face can be set by hand as well. A
scheme's points are picked from the projected curves, the same ones that are painted.
"""

from functools import cache
from itertools import pairwise

import numpy as np

from fkp.data.schemes import HELEN_194, IBUG_68, KAGGLE_15, POINTS_44, WFLW_98, Scheme

_ANGLE = np.linspace(0, 2 * np.pi, 25)
_COS, _SIN = np.cos(_ANGLE), np.sin(_ANGLE)

# Points per curve, in the order of `curves`.
SIZES = {
    "right_brow": 40, "left_brow": 40, "bridge": 4, "nose": 65, "right_eye": 60, "left_eye": 60,
    "pupils": 2, "outer_lips": 84, "inner_lips": 56, "hairline": 41, "right_lens": 25,
    "left_lens": 25, "right_ear": 25, "left_ear": 25, "jaw": 81, "outline": 81, "scalp": 41,
}  # fmt: skip
_ENDS = np.cumsum(list(SIZES.values())).tolist()
_SPANS = {part: slice(end - SIZES[part], end) for part, end in zip(SIZES, _ENDS, strict=True)}

# name -> (mean, standard deviation); draws are cut off at 2.2 standard deviations.
_PERSON = {
    "width": (1, 0.05), "length": (1, 0.05), "jaw": (0.76, 0.08), "chin": (1.76, 0.07),
    "eye_width": (0.2, 0.014), "eye_open": (0.08, 0.016), "eye_slant": (0.012, 0.018),
    "eye_height": (0, 0.03), "iris": (0.093, 0.006),
    "brow_height": (0.24, 0.045), "brow_arch": (0.1, 0.035), "brow_thick": (0.09, 0.03),
    "brow_slant": (-0.025, 0.035), "nose_width": (1, 0.13), "nose_length": (1, 0.09),
    "nose_out": (0.45, 0.07), "mouth_width": (0.43, 0.04), "mouth_height": (1.03, 0.05),
    "lip_top": (0.1, 0.028), "lip_bottom": (0.14, 0.03), "hairline": (-0.82, 0.09),
    "parting": (0, 0.35), "hair_volume": (0.12, 0.05),
}  # fmt: skip
_FRAME = {
    "yaw": (0, 15), "pitch": (0, 9), "roll": (0, 7),  # degrees; yaw > 0 looks to image right
    "scale": (1, 0.085), "shift_x": (0, 0.025), "shift_y": (0, 0.025),  # shares of the framing
    "smile": (0.1, 0.5), "open": (-0.02, 0.14), "pucker": (0, 0.08), "lopsided": (0, 0.03),
    "brow_raise": (0, 0.045), "frown": (0, 0.03), "blink": (-0.2, 0.35), "wink": (0, 0.15),
    "gaze_x": (0, 0.035), "gaze_y": (0, 0.012),
    "light_x": (0, 0.75), "light_y": (-0.4, 0.5), "ambient": (0.45, 0.14), "exposure": (1, 0.17),
    "contrast": (0.95, 0.16), "warmth": (0, 0.05), "blur": (0.25, 0.4), "noise": (4, 4),
}  # fmt: skip
# Uniform on [0, 1): what is looked up in a palette or compared with a probability.
_LOOKS = (
    "tone", "blush", "hair_hue", "hair_style", "eye_hue", "lipstick", "age", "beard", "glasses",
    "hat", "clothes",
)  # fmt: skip

# Mean place of the pupils' middle and mean distance of the pupils, as shares of the image side:
# Kaggle's own crops, and a wider crop for the schemes that reach the chin.
_CLOSE, _WIDE = (0.505, 0.392, 0.385), (0.5, 0.385, 0.272)

# x, y and height over the face (share of how far the nose sticks out): the ridge from the root to
# the tip, and the right half of the outline from the root around the wing to the middle below.
_BRIDGE = np.array([(0, -0.03, 0.2), (0, 0.17, 0.45), (0, 0.37, 0.75), (0, 0.565, 1)])
_WING = np.array(
    [
        (-0.1, 0.0, 0.18), (-0.09, 0.12, 0.31), (-0.1, 0.24, 0.4), (-0.13, 0.36, 0.44),
        (-0.19, 0.47, 0.38), (-0.245, 0.56, 0.22), (-0.25, 0.64, 0.22), (-0.15, 0.7, 0.4),
        (0.0, 0.74, 0.53),
    ]
)  # fmt: skip
_NOSE = np.concatenate([np.linspace(*ends, 4, endpoint=False) for ends in pairwise(_WING)])
_NOSE = np.concatenate([_NOSE, _WING[-1:], _NOSE[::-1] * (-1, 1, 1)])


def person(rng: np.random.Generator | None = None) -> dict[str, float]:
    """Traits of one person: name -> number; without `rng` the mean of every trait."""
    traits = _normal(_PERSON, rng)
    looks = np.full(len(_LOOKS), 0.5) if rng is None else rng.random(len(_LOOKS))
    return traits | dict(zip(_LOOKS, looks.tolist(), strict=True))


def frame(rng: np.random.Generator | None = None) -> dict[str, float]:
    """Pose, expression, light and camera of one picture: name -> number.

    Without `rng`: frontal, neutral, evenly lit, sharp and free of noise.
    """
    if rng is not None:
        return _normal(_FRAME, rng)
    still = dict.fromkeys(("smile", "open", "blink", "blur", "noise"), 0)
    return _normal(_FRAME, None) | still | {"ambient": 0.7, "contrast": 1}


def _normal(table, rng):
    mean, spread = np.array(list(table.values())).T
    draws = 0 if rng is None else np.clip(rng.standard_normal(len(table)), -2.2, 2.2)
    return dict(zip(table, (mean + spread * draws).tolist(), strict=True))


@cache
def _sweep(half):
    """Parameter q (-1 = right-hand corner) of a closed outline of 2 `half` points, upper edge
    first, and whether a point lies on the upper edge."""
    q = np.linspace(-1, 1, half + 1)
    q = np.concatenate([q[:-1], q[:0:-1]])
    return q, np.arange(2 * half) < half


def _columns(x, y, z):
    """(m, 3) of three columns, arrays or numbers."""
    xyz = np.empty((len(x), 3))
    xyz[:, 0], xyz[:, 1], xyz[:, 2] = x, y, z
    return xyz


def _surface(x, y):
    """Depth z of the smooth face, without its nose."""
    return 0.95 * np.sqrt(np.clip(1 - (x / 1.35) ** 2 - ((y - 0.4) / 2.5) ** 2, 0.05, 1)) - 0.75


# The parts on the face: columns x, y and height over the surface.


def _eye(p, f, side):
    closed = min(max(max(f["blink"], 0) + side * f["wink"] * (f["blink"] > 0), 0), 1)
    below = 0.5 * p["eye_open"]
    above = p["eye_open"] - closed * (p["eye_open"] + 0.9 * below)
    q, upper = _sweep(30)
    lids = np.where(upper, -above, below) * (1 - q * q) ** 0.62
    y = p["eye_height"] - p["eye_slant"] * side * q + lids
    return _columns(side * 0.495 + p["eye_width"] * q, y, 0)


def _brow(p, f, side):
    q, upper = _sweep(20)
    out = side * q
    thick = p["brow_thick"] * (0.75 - 0.35 * out) * (1 - q * q) ** 0.35
    y = -p["brow_height"] - f["brow_raise"] - 1.05 * p["brow_arch"] * (1 - (out - 0.1) ** 2)
    y += 0.7 * side * f["lopsided"] - (p["brow_slant"] + f["frown"]) * out
    return _columns(side * 0.555 + 0.365 * q, y + np.where(upper, 0, thick), 0.03)


def _lips(p, f, half, width, rise, drop):
    """Lip outline; `rise`, `drop`: face units above and below the line between the corners."""
    q, upper = _sweep(half)
    bow = 0.22 * np.exp(-((q / 0.16) ** 2))  # Cupid's
    edge = np.where(upper, rise * (bow - (1 - q * q) ** 0.7), drop * (1 - q * q) ** 0.7)
    corners = p["mouth_height"] * p["nose_length"] ** 0.5 + f["lopsided"] * q
    y = corners + edge - 0.1 * f["smile"] * (q * q - 0.35)
    return _columns(width * (1 + 0.13 * f["smile"] - f["pucker"]) * q, y, 0.08 - 0.1 * q * q)


_HAIRLINE = np.linspace(1, -1, SIZES["hairline"])


def _hairline(p):
    """From the left to the right temple, ends in front of the ears; low and ragged for a fringe."""
    q = _HAIRLINE
    fringe = p["hair_style"] > 0.75
    top = -0.42 if fringe else p["hairline"]
    ragged = 0.03 * (np.sin(17 * q + 20 * p["parting"]) + np.sin(31 * q)) if fringe else 0
    tuft = 0.2 * np.exp(-(((q - p["parting"]) / 0.3) ** 2))
    y = top + ragged - tuft + (0.15 + 0.2 * p["age"] - top) * q**6
    return _columns(1.04 * q, y, 0.04 - 0.5 * q**8)


# The outline of the head: a stack of half-ellipses (half-width, height, rim depth, bulge), from the
# right ear to the left one around the chin (`_jaw`) or over the top of the head (`_SKULL`).
_JAW = np.linspace(-1, 1, SIZES["jaw"])
_JAW_SINE, _JAW_COSINE = np.sin(np.pi / 2 * _JAW), np.abs(np.cos(np.pi / 2 * _JAW))
_SKULL_SINE = np.sin(np.pi / 2 * np.linspace(-1, 1, SIZES["scalp"]))
_SKULL = (
    1.11 * _SKULL_SINE,
    -1.45 * (1 - _SKULL_SINE**2) ** 0.425,
    np.full(SIZES["scalp"], -0.75),
    0.85 * np.abs(_SKULL_SINE),
)


def _jaw(p, drop):
    """The lower stack; `drop`: how far an open mouth moves the chin down."""
    x = 1.11 * np.abs(_JAW_SINE) ** p["jaw"] * np.sign(_JAW_SINE)
    y = p["chin"] * _JAW_COSINE**1.15 + drop * _JAW_COSINE**3
    front, back = _surface(0, y) + 0.05, np.abs(_JAW)
    return x, y, front - back * (front + 0.8), back * (front + 0.8)


def _rim(section, yaw, silhouette):
    """3-D points of a stack: its rim, but never behind the outline that the turned head shows.

    There (`yaw` in radians) the points slide along the outline, as annotators place them; with
    `silhouette` all of them lie on it.
    """
    x, y, z, bulge = section
    turn = np.sign(x) * np.arctan2(bulge * np.sin(yaw), np.abs(x) * np.cos(yaw) + 1e-9)
    angle = np.pi / 2 - (turn if silhouette else np.maximum(turn, 0))
    return _columns(x * np.sin(angle), y, z + bulge * np.cos(angle))


_EAR = _columns(1.16 + 0.06 * _COS, 0.27 + 0.27 * _SIN, -0.7 - 0.12 * _COS)
_LENS = _columns(0.36 * _COS, 0.06 + 0.27 * _SIN, 0.12)


def curves(p: dict[str, float], f: dict[str, float]) -> np.ndarray:
    """Dense 3-D curves of a person in a frame, not turned yet.

    Returns:
        float64 (sum of SIZES, 3), face units, parts in the order of SIZES. Closed outlines start
        at the right-hand corner, upper edge first. "outline" (lower) and "scalp" (upper half)
        are the silhouette of the head as seen at this yaw.
    """
    opening, yaw = max(f["open"], 0), np.deg2rad(f["yaw"])
    jaw, width = _jaw(p, 0.7 * opening), p["mouth_width"]
    gaze = (f["gaze_x"], p["eye_height"] + f["gaze_y"], 0)
    on_face = (
        _brow(p, f, -1),
        _brow(p, f, 1),
        _BRIDGE * (0, p["nose_length"], p["nose_out"]),
        _NOSE * (p["nose_width"], p["nose_length"], p["nose_out"]),
        _eye(p, f, -1),
        _eye(p, f, 1),
        np.array([(-0.5, 0, 0), (0.5, 0, 0)]) + gaze,
        _lips(p, f, 42, width, p["lip_top"], p["lip_bottom"] + opening),
        _lips(p, f, 28, width * 0.88, 0.015, 0.015 + opening),
        _hairline(p),
        _LENS - np.array([0.52, 0, 0]),
        _LENS + np.array([0.52, 0, 0]),
    )
    around = (
        _EAR * (-1, 1, 1),
        _EAR,
        _rim(jaw, yaw, silhouette=False),
        _rim(jaw, yaw, silhouette=True),
        _rim(_SKULL, yaw, silhouette=True),
    )
    xyz = np.concatenate(on_face + around)
    over = xyz[: sum(map(len, on_face))]
    over[:, 2] += _surface(over[:, 0], over[:, 1])
    return xyz * (p["width"], p["length"], 1)


def project(xyz: np.ndarray, f: dict[str, float]) -> np.ndarray:
    """Points as seen by the camera: (m, 3) -> (m, 2), face units, still upright (before roll)."""
    yaw, pitch = np.deg2rad(f["yaw"]), np.deg2rad(f["pitch"])
    x, y, z = xyz.T - np.array([[0], [0.4], [-0.3]])
    x, z = x * np.cos(yaw) + z * np.sin(yaw), z * np.cos(yaw) - x * np.sin(yaw)
    y, z = y * np.cos(pitch) + z * np.sin(pitch), z * np.cos(pitch) - y * np.sin(pitch)
    near = 1 / (1 - 0.08 * z)
    return np.stack([x * near, y * near + 0.4], axis=1)


def view(p: dict[str, float], f: dict[str, float]) -> dict[str, np.ndarray]:
    """All curves as the camera sees them: name -> (m, 2), face units, upright (before roll)."""
    flat = project(curves(p, f), f)
    face = {part: flat[span] for part, span in _SPANS.items()}
    face["head"] = np.concatenate([face["outline"], face["scalp"][::-1]])
    return face


def camera(f: dict[str, float], scheme: Scheme, size: int) -> np.ndarray:
    """(2, 3) matrix from upright face units to pixels."""
    across, down, unit = _CLOSE if scheme.name == KAGGLE_15.name else _WIDE
    unit = unit * size * f["scale"]
    roll = np.deg2rad(f["roll"])
    turn = unit * np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]])
    middle = np.array([0, 0.6])
    place = np.array([across + f["shift_x"], down + f["shift_y"]]) * size - 0.5
    return np.column_stack([turn, place + unit * middle / f["scale"] - turn @ middle])


def _every(part, step, first=0, stop=None):
    return tuple((part, i) for i in range(first, stop or SIZES[part], step))


# Where the points of a scheme lie on the curves: (part, index), in the scheme's order.
_IBUG_PICKS = (
    *_every("jaw", 5), *_every("right_brow", 5, 0, 21), *_every("left_brow", 5, 0, 21),
    *_every("bridge", 1), *(("nose", i) for i in (25, 29, 32, 35, 39)),
    *_every("right_eye", 10), *_every("left_eye", 10),
    *_every("outer_lips", 7), *_every("inner_lips", 7),
)  # fmt: skip
_BROW = 0, 5, 10, 15, 20, 24, 28, 32, 36  # WFLW's: five along the upper edge, four back
_PICKS = {
    KAGGLE_15.name: (
        ("pupils", 1), ("pupils", 0),
        ("left_eye", 0), ("left_eye", 30), ("right_eye", 30), ("right_eye", 0),
        ("left_brow", 0), ("left_brow", 20), ("right_brow", 20), ("right_brow", 0),
        ("bridge", 3),
        ("outer_lips", 42), ("outer_lips", 0), ("outer_lips", 21), ("outer_lips", 63),
    ),
    IBUG_68.name: _IBUG_PICKS,
    POINTS_44.name: (*_IBUG_PICKS[17:60], _IBUG_PICKS[8]),
    HELEN_194.name: (
        *_every("jaw", 2), *_every("nose", 4), *_every("outer_lips", 3), *_every("inner_lips", 2),
        *_every("right_eye", 3), *_every("left_eye", 3),
        *_every("right_brow", 2), *_every("left_brow", 2),
    ),
    WFLW_98.name: (
        *(("jaw", round(2.5 * i)) for i in range(33)),
        *((f"{side}_brow", i) for side in ("right", "left") for i in _BROW),
        *_IBUG_PICKS[27:36],
        *((f"{side}_eye", round(7.5 * i)) for side in ("right", "left") for i in range(8)),
        *_IBUG_PICKS[48:],
        ("pupils", 0), ("pupils", 1),
    ),
}  # fmt: skip


def pick(flat: dict[str, np.ndarray], scheme: Scheme) -> np.ndarray:
    """The points of a scheme: float64 (k, 2), out of projected curves (name -> (m, 2))."""
    return np.array([flat[part][i] for part, i in _PICKS[scheme.name]])
