"""README's strip of faces: drawn ones, and the points that the shipped `small` finds.

python -m benchmarks.strip reports/published/faces.jpg
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

import fkp
from fkp.data import readers
from fkp.data.schemes import IBUG_68
from fkp.photo.overlay import draw

SIDE, FACES, SEED = 220, 6, 7


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    faces = readers.read(n=FACES, size=SIDE, channels=3, scheme=IBUG_68, seed=SEED)
    finder, shown = fkp.load("small"), []
    for image, points in zip(faces.images, faces.points, strict=True):
        low, high = points.min(axis=0), points.max(axis=0)
        shown.append(np.asarray(draw(image, finder.at(image, [(*low, *(high - low))]))))
    Image.fromarray(np.hstack(shown)).save(args.out, optimize=True)


if __name__ == "__main__":
    main()
