"""Jitter and lag of followed faces: python -m benchmarks.video [--json FILE] [--times]

Drawn faces, about 130 px from brows to chin, 30 pictures a second, each with new grain of 6 gray
levels. Jitter: how far a point of a still face moves from one picture to the next, root mean
square. Lag: how far points are behind those of a face that moves across the picture by nearly its
own width a second, against where they are on the still one. Error: mean distance from the true
points, without each point's own mean offset. The first half second of a sequence is left out.

Points are found once and filtered with each setting. With --times, on a machine that does nothing
else, pictures a second are measured too: one thread, one face, pictures of 480 x 240.
"""

import argparse
import sys
import time
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fkp.data import drawing
from fkp.data.drawing.face import frame, person
from fkp.data.schemes import IBUG_68
from fkp.photo import finder, track
from fkp.record.files import write_json

RATE, SECONDS, SIDE, GRAIN, SPEED = 30, 2, 240, 6.0, 120.0  # Hz, s, px, gray levels, px/s
MODELS = "small", "tiny"
SETTINGS = [(still, faster) for still in (0.5, 1.0, 2.0) for faster in (5.0, 10.0, 20.0, 40.0)]
_WAVE = np.sin(2 * np.pi * np.arange(RATE * SECONDS) / RATE)  # once a second
# motion -> traits of the frame at a step, by its wave -1 to 1 and by the person's own frame
MOTIONS = {
    "still": lambda wave, step: {},
    "across": lambda wave, step: {},
    "turning": lambda wave, step: {"yaw": 25 * wave[step // 2]},
    "talking": lambda wave, step: {"open": 0.12 + 0.12 * wave[3 * step % len(wave)]},
}


def sequence(motion: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """uint8 pictures (t, SIDE, 2 SIDE, 3) and their points (t, 68, 2)."""
    rng = np.random.default_rng([seed, 1])
    who, how = person(np.random.default_rng(seed)), frame(rng) | {"scale": 1, "noise": 0, "yaw": 0}
    pictures, points = [], []
    for step in range(RATE * SECONDS):
        f = how | MOTIONS[motion](_WAVE, step)
        if not step or f != how:
            sharp, places = drawing.render(
                who, f, IBUG_68, SIDE, 3, np.random.default_rng([seed, 2])
            )
        shift = (step / RATE - SECONDS / 2) * SPEED * (motion == "across")
        matrix = np.array([[1, 0, shift + SIDE / 2], [0, 1, 0]])
        moved = cv2.warpAffine(
            sharp, matrix, (2 * SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        grain = rng.normal(0, GRAIN, moved.shape)
        pictures.append(np.clip(moved + grain + 0.5, 0, 255).astype(np.uint8))
        points.append(places @ matrix[:, :2].T + matrix[:, 2])
    return np.stack(pictures), np.stack(points)


def followed(find, pictures: np.ndarray) -> np.ndarray:
    """The points of the one face (t, 68, 2) as the tracker finds them, not smoothed."""
    tracker, found = track.Tracker(find, raw=True), []
    for step, pixels in enumerate(pictures):
        faces = tracker(pixels, step / RATE)
        if list(faces) != [1]:
            raise RuntimeError(f"picture {step}: expected face 1 alone, got {list(faces)}")
        found.append(faces[1].points)
    return np.stack(found)


def smoothed(points: np.ndarray, still: float, faster: float) -> np.ndarray:
    """What a filter makes of points (t, 68, 2)."""
    one_euro, size = track.OneEuro(still, faster), np.sqrt(np.prod(np.ptp(points[0], axis=0)))
    return np.stack([one_euro(each, step / RATE, size) for step, each in enumerate(points)])


def figures(found: dict, true: dict) -> dict[str, float]:
    """Jitter, lag and errors, px; by (motion, seed) the points found and the true ones."""
    off = {key: (found[key] - true[key])[RATE // 2 :] for key in found}
    behind = [
        (off["still", seed] - off["across", seed])[..., 0].mean()
        for motion, seed in off
        if motion == "still"
    ]
    jitter = [np.diff(o, axis=0) for (motion, _), o in off.items() if motion == "still"]
    row = {"jitter": np.sqrt((np.stack(jitter) ** 2).sum(axis=-1).mean())}
    row |= {"lag": np.mean(behind), "lag_ms": 1000 * np.mean(behind) / SPEED}
    for name in MOTIONS:
        each = [o - o.mean(axis=0) for (motion, _), o in off.items() if motion == name]
        row[f"error_{name}"] = np.linalg.norm(each, axis=-1).mean()
    return {name: round(float(value), 3) for name, value in row.items()}


def pace(find, pictures: np.ndarray) -> float:
    """Pictures a second, median of five rounds."""
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        followed(find, pictures)
        seconds.append(time.perf_counter() - start)
    return round(len(pictures) / float(np.median(seconds)), 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="file to write")
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--times", action="store_true", help="also pictures a second")
    options = parser.parse_args()
    keys = [(motion, seed) for motion in MOTIONS for seed in range(options.people)]
    drawn = {key: sequence(*key) for key in keys}
    pictures, true = ({key: both[i] for key, both in drawn.items()} for i in (0, 1))
    rows = []
    for model in MODELS:
        find = finder.load(model, threads=1)
        found = {key: followed(find, pictures[key]) for key in keys}
        rows.append({"model": model, "still_hz": None, "faster": None, **figures(found, true)})
        for still, faster in SETTINGS:
            calm = {key: smoothed(points, still, faster) for key, points in found.items()}
            how = {"model": model, "still_hz": still, "faster": faster}
            rows.append(how | figures(calm, true))
        if options.times:
            rows[-len(SETTINGS) - 1]["pictures_per_second"] = pace(find, pictures["across", 0])
    for row in rows:
        print("  ".join(f"{name} {value}" for name, value in row.items()))
    if options.json:
        chosen = {"still_hz": track.STILL, "faster": track.FASTER}
        about = {"people": options.people, "pictures_each": RATE * SECONDS, "unit": "px"}
        write_json(options.json, about | {"chosen": chosen, "rows": rows})


if __name__ == "__main__":
    main()
