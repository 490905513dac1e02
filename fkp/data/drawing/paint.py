"""The drawn face as a picture: paint in layers, then light and camera (see `light`).

Everything is painted flat in upright face units (see `face`), in RGB, later layers over earlier
ones.
"""

from types import SimpleNamespace

import cv2
import numpy as np

from fkp.data.drawing.canvas import Canvas
from fkp.data.drawing.light import photograph

_SKIN = np.array([(246, 208, 186), (224, 172, 140), (190, 132, 98), (128, 82, 58), (76, 48, 38)])
_HAIR = np.array(
    [(22, 18, 18), (44, 30, 24), (84, 54, 34), (128, 84, 48), (196, 158, 104), (190, 186, 180)]
)
_EYES = np.array([(34, 20, 14), (58, 36, 22), (70, 66, 40), (62, 88, 108), (84, 94, 100)])

_ANGLE = np.linspace(0, 2 * np.pi, 20, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLE), np.sin(_ANGLE)], axis=1)
_T = np.linspace(0, 1, 6)
_ARC = np.stack([(1 - _T) ** 2, 2 * _T * (1 - _T), _T**2], axis=1)  # quadratic Bézier weights

# Thresholds of a person's uniform looks.
_BALD, _LONG, _HAT, _SUNGLASSES, _GLASSES = 0.12, 0.55, 0.07, 0.06, 0.27
_BEARDS = (0.55, 0.72, 0.8, 0.86)  # stubble, full beard, goatee, moustache from here on


def picture(
    face: dict[str, np.ndarray],
    p: dict[str, float],
    f: dict[str, float],
    matrix: np.ndarray,
    size: int,
    rng: np.random.Generator | None = None,
) -> np.ndarray:
    """Paint, light and photograph a face.

    Args:
        face: projected curves, name -> (m, 2), upright face units.
        p, f: traits of the person and the frame.
        matrix: (2, 3), upright face units -> pixels.
        size: side of the image in pixels.
        rng: numpy Generator for background, clutter, occluders, shadows and grain; without it
            the wall is plain and nothing is in the way.

    Returns:
        uint8 (size, size, 3), RGB.
    """
    canvas, paint = Canvas(size, matrix), _colours(p)
    if rng is not None:
        _background(canvas, rng)
    _behind(canvas, face, p, paint)
    canvas.fill(face["head"], paint.skin)
    canvas.cover(face["head"])
    _marks(canvas, face, p, f, paint)
    _eyes(canvas, face, p, paint)
    _nose(canvas, face, f, paint)
    _mouth(canvas, face, f, paint)
    canvas.fill([face["right_brow"], face["left_brow"]], paint.brow, 0.85)
    _hair(canvas, face, p, paint)
    _glasses(canvas, face, p)
    if rng is not None:
        _occluder(canvas, face, paint, rng)
    return photograph(canvas, face, f, rng)


def _shade(colour, factor):
    return tuple(min(255.0, c * factor) for c in colour)


def _mix(first, second, share):
    return tuple(a + share * (b - a) for a, b in zip(first, second, strict=True))


def _along(palette, u):
    """The colour at u in [0, 1] along a palette."""
    at = u * (len(palette) - 1)
    low = min(int(at), len(palette) - 2)
    return _mix(palette[low].tolist(), palette[low + 1].tolist(), at - low)


def _colours(p):
    skin = _along(_SKIN, p["tone"])
    dark_hair = p["tone"] > 0.6 and p["age"] < 0.8
    hair = _along(_HAIR[:3] if dark_hair else _HAIR, p["hair_hue"])
    red = 0.1 + 0.25 * p["blush"] + 0.4 * (p["lipstick"] > 0.8)
    return SimpleNamespace(
        skin=skin,
        hair=hair,
        lips=_shade(_mix(skin, (180, 36, 52), red), 0.88),
        brow=_mix(_shade(hair, 0.75), skin, 0.12),
        eye=_along(_EYES, p["eye_hue"]),
        line=_shade(skin, 0.45),
        clothes=_along(_EYES * 1.6, p["clothes"]),
    )


def _move(points, right, down):
    return points + np.array([right, down])


def _bend(start, middle, end):
    """Smooth curves from `start` to `end`, each (j, 2), drawn towards `middle`: (j, 6, 2)."""
    return np.einsum("tk,kjx->jtx", _ARC, np.stack([start, middle, end]))


def _disc(centre, across, down):
    return centre + np.array([across, down]) * _CIRCLE


def _background(canvas, rng):
    """Soft or busy wall, with flat clutter in front of it."""
    cells = int(rng.integers(2, 4) if rng.random() < 0.6 else rng.integers(4, 24))
    base, spread = rng.integers(20, 235) + rng.integers(-30, 31, 3), rng.uniform(0, 60)
    wall = rng.normal(base, spread, (cells, cells, 3)) + rng.normal(0, spread, (cells, cells, 1))
    wall = np.clip(wall, 0, 255).astype(np.uint8)
    cv2.resize(wall, canvas.pixels.shape[:2], dst=canvas.pixels, interpolation=cv2.INTER_LINEAR)
    for _ in range(rng.integers(0, 6)):
        centre, reach = rng.uniform(-2.5, 2.5, 2), rng.uniform(0.2, 1.5)
        colour = rng.integers(0, 225) + rng.integers(0, 31, 3)
        canvas.fill(centre + rng.uniform(-reach, reach, (4, 2)), colour.tolist())


def _cap(face, p, wide=1.0):
    """The scalp's outline moved outwards to where the hair ends, right to left."""
    middle = face["scalp"][[0, -1]].mean(axis=0)
    wave = 0.02 * np.sin(np.linspace(0, 20 + 15 * p["hair_hue"], len(face["scalp"])))
    return middle + (face["scalp"] - middle) * (1 + wide * p["hair_volume"] + wave)[:, None]


def _behind(canvas, face, p, paint):
    """Hair behind the head, neck, clothes and ears."""
    if p["hair_style"] > _BALD:
        cap = _cap(face, p, 1.2)
        ends = _move(cap[[-1, 0]], 0, 2.0 if p["hair_style"] > _LONG else 0.12)
        hair = np.concatenate([cap, ends])
        canvas.fill(hair, _shade(paint.hair, 0.75))
        canvas.cover(hair)
    neck = np.concatenate([face["jaw"][[18, 62]], _move(face["jaw"][[62, 18]], 0, 0.7)])
    chest = np.array([(-2.6, 3.6), (-2, 2.5), neck[3], neck[2], (2, 2.5), (2.6, 3.6)])
    for part, colour in ((neck, _shade(paint.skin, 0.72)), (chest, paint.clothes)):
        canvas.fill(part, colour)
        canvas.cover(part)
    canvas.fill([face["right_ear"], face["left_ear"]], _shade(paint.skin, 0.85))


def _marks(canvas, face, p, f, paint):
    """Beard and the folds of the skin."""
    lips, under_nose = face["outer_lips"], _move(face["nose"][26:39], 0, 0.06)
    kind = ["none", "stubble", "full", "goatee", "moustache"][np.searchsorted(_BEARDS, p["beard"])]
    if kind == "moustache":
        canvas.fill(np.concatenate([under_nose, lips[42::-1]]), paint.brow, 0.85)
    elif kind != "none":
        jaw = face["jaw"][34:47] if kind == "goatee" else face["jaw"][4:77]
        cheeks = _move((jaw[[-1, 0]] + 2 * lips[[42, 0]]) / 3, 0, 0.1)
        right, left = np.stack([cheeks[1], lips[0]]), np.stack([cheeks[0], lips[42]])
        beard = np.concatenate([jaw, left, under_nose[::-1], right[::-1]])
        canvas.fill(beard, paint.brow, 0.22 if kind == "stubble" else 0.85)
    out = np.array([[-1], [1]])
    start = face["nose"][[22, 42]] + out * (0.05, 0)
    end = lips[[0, 42]] + out * (0.12, 0) + (0, 0.05)
    folds = _bend(start, (start + end) / 2 + out * (0.1, 0) - (0, 0.08), end)
    depth = 0.1 + 0.3 * max(p["age"] - 0.4, 0) + 0.25 * max(f["smile"], 0)
    canvas.line(folds, paint.line, 0.03, depth)
    if p["age"] > 0.6 or f["brow_raise"] > 0.04:
        brows = np.concatenate([face["right_brow"][4:20:4], face["left_brow"][2:18:4]])
        canvas.line([_move(brows, 0, -0.22), _move(brows, 0, -0.34)], paint.line, 0.025, 0.25)


def _between_lids(points, eye):
    """The points moved up or down to where the lids leave them in sight."""
    upper, lower = eye[:31].T, eye[30:][::-1].T
    y = np.clip(points[:, 1], np.interp(points[:, 0], *upper), np.interp(points[:, 0], *lower))
    return np.stack([np.clip(points[:, 0], upper[0, 0], upper[0, -1]), y], axis=1)


def _eyes(canvas, face, p, paint):
    eyes, pupils = np.stack([face["right_eye"], face["left_eye"]]), face["pupils"]
    upper, lower = eyes[:, :31:3], eyes[:, 30::3]  # every third point: thick joints are slow
    canvas.line(_move(upper, 0, -0.06), paint.line, 0.03, 0.4)  # crease
    canvas.line(_move(lower, 0, 0.05), paint.line, 0.03, 0.1 + 0.25 * p["age"])  # bag
    for eye, pupil in zip(eyes, pupils, strict=True):
        if eye[45, 1] - eye[15, 1] > 0.03:
            canvas.fill(eye, _shade((228, 222, 216), 1 - 0.2 * p["tone"]))
            for radius, colour in ((p["iris"], paint.eye), (0.4 * p["iris"], (12, 10, 10))):
                canvas.fill(_between_lids(_disc(pupil, radius, radius), eye), colour)
            canvas.fill(_disc(_move(pupil, 0.03, -0.03), 0.02, 0.02), (250, 250, 250), 0.8)
    canvas.line(upper, _shade(paint.brow, 0.5), 0.035, 0.9)
    canvas.line(lower, paint.line, 0.018, 0.5)


def _nose(canvas, face, f, paint):
    nose = face["nose"]
    holes = [
        _disc(_move(nose[i], out, -0.025), 0.055, 0.028) for i, out in ((28, -0.01), (36, 0.01))
    ]
    canvas.fill(holes, _shade(paint.skin, 0.3), 0.7)
    canvas.line([nose[18:28:3], nose[37:47:3]], paint.line, 0.03, 0.35)
    canvas.line(nose[27:38:2], paint.line, 0.025, 0.25)
    far = nose[44::4] if f["yaw"] > 0 else nose[:21:4]
    canvas.line(far, paint.line, 0.03, min(0.55, 0.08 + abs(f["yaw"]) / 60))


def _mouth(canvas, face, f, paint):
    outer, inner = face["outer_lips"], face["inner_lips"]
    canvas.fill(outer, paint.lips)
    canvas.fill(np.concatenate([outer[:43], inner[28::-1]]), _shade(paint.lips, 0.8))
    gap = inner[42, 1] - inner[14, 1]
    if gap > 0.05:
        canvas.fill(inner, (56, 18, 20))
        teeth = inner[3:26]
        low = _move(teeth[::-1], 0, min(0.13, 0.6 * gap))
        canvas.fill(np.concatenate([teeth, low]), (222, 216, 204), 0.9 if f["smile"] > 0 else 0.5)
    canvas.line(inner[:29:2], _shade(paint.lips, 0.35), 0.025, 0.7)


def _hair(canvas, face, p, paint):
    """Hair or a hat over the forehead, locks at the sides of long hair."""
    cap, line = _cap(face, p), face["hairline"]
    if p["hat"] < _HAT:
        canvas.fill(np.concatenate([cap, _move(line, 0, -0.05)]), _shade(paint.clothes, 1.4))
    elif p["hair_style"] > _BALD:
        canvas.fill(np.concatenate([cap, line]), paint.hair)
        roots, tips = line[3:-3], cap[-4:2:-1]
        strands = _bend(roots, _move(0.6 * roots + 0.4 * tips, 0, -0.1), tips)
        for first, tone in ((0, 0.82), (1, 1.15), (2, 0.9)):
            canvas.line(strands[first::3], _shade(paint.hair, tone), 0.03, 0.6)
        if p["hair_style"] > _LONG:
            for root, side, out in ((line[0], cap[-1], 1), (line[-1], cap[0], -1)):
                root = _move(root, 0.02 * out, -0.2)
                ends = _move(side, 0.12 * out, 1.9), _move(root, 0.25 * out, 1.8)
                canvas.fill(np.array([root, side, *ends]), paint.hair)


def _glasses(canvas, face, p):
    if p["glasses"] > _GLASSES:
        return
    right, left = face["right_lens"], face["left_lens"]
    colour = _along(_HAIR[:5], p["glasses"] / _GLASSES)
    glass = ((24, 24, 28), 0.88) if p["glasses"] < _SUNGLASSES else ((225, 232, 238), 0.08)
    canvas.fill([right, left], *glass)
    canvas.line([right, left], colour, 0.02 + 0.25 * p["glasses"], closed=True)
    hinges = ((right[12], face["right_ear"][17]), (left[24], face["left_ear"][17]))
    canvas.line([(right[23], left[13]), *hinges], colour, 0.045)


def _occluder(canvas, face, paint, rng):
    """Sometimes a hand, a bar or a lock of hair lies over part of the face."""
    kind, at = rng.random(), rng.normal((0, 0.9), (0.6, 0.5))
    if kind < 0.1:
        fan = np.arange(4)
        roots = at + np.stack([np.sign(at[0]) * 1.2 + 0.22 * fan, 1.6 + 0.05 * fan], axis=1)
        tips = at + np.stack([0.26 * fan - 0.4, 0.1 * abs(fan - 1.5) + 0.1 * at[0]], axis=1)
        for finger in np.stack([roots, tips], axis=1):
            for width, tone in ((0.3, 0.6), (0.25, 0.95)):
                canvas.line(finger, _shade(paint.skin, tone), width)
    elif kind < 0.2:
        angle, long, wide = rng.uniform(0, np.pi), rng.uniform(0.5, 2.5), rng.uniform(0.12, 0.35)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        bar = at + np.array([(-0.3, -wide), (long, -wide), (long, wide), (-0.3, wide)]) @ turn
        canvas.fill(bar, rng.integers(0, 255, 3).tolist())
    elif kind < 0.28:
        root = face["scalp"][rng.integers(8, 33)]
        tips = root + rng.normal((0, 1.3), 0.35, (5, 2))
        bends = (root + tips) / 2 + rng.normal(0, 0.15, (5, 2))
        canvas.line(_bend(np.tile(root, (5, 1)), bends, tips), paint.hair, 0.07)
