"""From a photo to points: which faces are found, in what time, and how far off their points are.

    python -m benchmarks.photo PHOTOS --crops 300W --json OUT

PHOTOS holds whole photographs with NAME_1.pts, NAME_2.pts ... beside NAME.jpg; of the test faces of
300W collages are made. A face counts as found if a box overlaps that of its labels by
more than 0.35 (intersection over union). Boxes beside the labels are not all false: many are on
faces that nobody labelled. Times are medians over the photographs, one thread, the ways of finding
interleaved; nothing else should run meanwhile.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np

import fkp
from fkp.data import readers
from fkp.data.readers.ibug import read_pts
from fkp.data.schemes import IBUG_68
from fkp.measure import errors
from fkp.photo import detect
from fkp.photo.picture import read
from fkp.record.files import write_json

SIZES = (0, 50, 80, 130, 1e9)  # px, of a face: the root of its box's area
FOUND = 0.35


def boxes_of(points: list[np.ndarray]) -> np.ndarray:
    """(n, 4), x, y, w, h round the points of each face."""
    return np.array([np.hstack([p.min(axis=0), np.ptp(p, axis=0)]) for p in points]).reshape(-1, 4)


def photographs(folder: Path) -> list[tuple[np.ndarray, list[np.ndarray]]]:
    """[(RGB pixels, the points of each labelled face)]."""
    files = sorted(folder.glob("*.jpg"))
    marks = [sorted(folder.glob(f"{file.stem}_[0-9]*.pts")) for file in files]
    return [
        (read(file).pixels, [read_pts(mark) for mark in found])
        for file, found in zip(files, marks, strict=True)
    ]


def collages(data: Path, n: int = 60, seed: int = 0) -> list[tuple[np.ndarray, list[np.ndarray]]]:
    """Pages of 2 to 9 test faces, 24 to 400 px from brow to chin, apart on plain gray."""
    faces = readers.read(data, size=384, channels=3, margin=0.5)
    faces, rng = faces.take(faces.parts == "test"), np.random.default_rng(seed)
    pages = []
    for _ in range(n):
        page, points, x = np.full((820, 1, 3), 128, np.uint8), [], 0
        for i in rng.choice(len(faces), rng.integers(2, 10), replace=False):
            side = round(2 * np.exp(rng.uniform(np.log(24), np.log(400))))
            image = cv2.resize(faces.images[i], (side, side), interpolation=cv2.INTER_AREA)
            y = rng.integers(0, 821 - side)
            strip = np.full((820, side, 3), 128, np.uint8)
            strip[y : y + side] = image
            page = np.hstack([page, strip])
            points.append((faces.points[i] + 0.5) * side / 384 - 0.5 + (x + 1, y))
            x += side
        pages.append((page, points))
    return pages


def haar() -> Callable[[np.ndarray], np.ndarray]:
    """OpenCV's cascade: pixels -> boxes."""
    cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_alt2.xml")

    def found(pixels):
        gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        return np.array(cascade.detectMultiScale(gray, 1.1, 3, minSize=(20, 20))).reshape(-1, 4)

    return found


def single(detector: detect.Detector, pixels: np.ndarray) -> np.ndarray:
    """What BlazeFace finds at its own size alone."""
    sides, detect._SIDES = detect._SIDES, {256: (256,)}
    try:
        return detector.boxes(pixels)[0]
    finally:
        detect._SIDES = sides


def ways(finder: "fkp.photo.finder.Finder") -> dict:
    """name -> pixels -> boxes (n, 4)."""
    return {
        "finder": lambda pixels: np.array([f.box for f in finder(pixels)]).reshape(-1, 4),
        "detector alone": lambda pixels: finder.detector.boxes(pixels)[0],
        "BlazeFace at 256 px": partial(single, finder.detector),
        "Haar": haar(),
    }


def compared(pages: list, named: dict) -> dict:
    """name -> {found, of, beside, share found by size, ms}."""
    hits, beside = {name: [] for name in named}, dict.fromkeys(named, 0)
    times = {name: [] for name in named}
    sizes = np.concatenate([np.sqrt(boxes_of(points)[:, 2:].prod(axis=1)) for _, points in pages])
    for pixels, points in pages:
        for name, find in named.items():
            start = time.perf_counter()
            boxes = find(pixels)
            times[name].append(time.perf_counter() - start)
            same = detect.overlaps(boxes_of(points), boxes) > FOUND
            hits[name] += same.any(axis=1).tolist()
            beside[name] += int((~same.any(axis=0)).sum())
    bins = np.digitize(sizes, SIZES)
    return {
        name: {
            "found": int(np.sum(hits[name])),
            "of": len(sizes),
            "beside": beside[name],
            "by size": [round(float(np.mean(np.array(hits[name])[bins == b])), 3) for b in {*bins}],
            "ms": round(1e3 * statistics.median(times[name]), 1),
        }
        for name in named
    }


def end_to_end(finder: "fkp.photo.finder.Finder", pages: list) -> dict[str, float]:
    """Inter-ocular NME, %, from the photo and, of the same faces, from their labels' boxes."""
    there, given = [], []
    for pixels, points in pages:
        faces, boxes = finder(pixels), boxes_of(points)
        same = detect.overlaps(boxes, np.array([f.box for f in faces]).reshape(-1, 4))
        for i in np.flatnonzero((same > FOUND).any(axis=1)):
            truth = points[i][None]
            norm = errors.inter_ocular(truth, IBUG_68)
            (known,) = finder.at(pixels, boxes[i : i + 1])
            for kept, face in ((there, faces[same[i].argmax()]), (given, known)):
                kept.append(errors.nme(truth, face.points[None], norm)[0])
    return {
        "faces": len(there),
        "of": sum(len(points) for _, points in pages),
        "photo": round(float(np.mean(there)), 3),
        "label boxes": round(float(np.mean(given)), 3),
    }


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--crops", type=Path, required=True)
    parser.add_argument("--json", type=Path, required=True)
    given = parser.parse_args()
    whole, pages = photographs(given.photos), collages(given.crops)
    crops = readers.read(given.crops, size=384, channels=3, margin=0.5)
    crops = crops.take(crops.parts == "test")
    common = [(image, [p]) for image, p in zip(crops.images, crops.points, strict=True)]
    finders = {name: fkp.load(name, threads=1) for name in ("small", "tiny")}
    large = cv2.resize(whole[0][0], (6000, 4000))
    start = time.perf_counter()
    finders["small"](large)
    seconds = time.perf_counter() - start
    result = {
        "photographs": compared(whole, ways(finders["small"])),
        "collages": compared(pages, ways(finders["small"])),
        "NME, photographs": {name: end_to_end(f, whole) for name, f in finders.items()},
        "NME, common test crops": {name: end_to_end(f, common) for name, f in finders.items()},
        "seconds, 6000 x 4000": round(seconds, 3),
    }
    for name, found in result.items():
        print(name, found)
    write_json(given.json, result)


if __name__ == "__main__":
    main()
