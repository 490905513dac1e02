"""Strips of drawn faces for README and the page of all studies, with what `small` finds.

python -m benchmarks.strip reports/published/faces.jpg
python -m benchmarks.strip reports/published/extremes.jpg --of 300
python -m benchmarks.strip fkp/photo/demo/drawn.jpg --bare

The second shows, of so many faces, those of the smallest and of the largest error, and one face as
augmentation alters it; the errors are written beside it as JSON. The third, the demo's, has no
points.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

import fkp
from fkp.data import readers
from fkp.data.schemes import IBUG_68
from fkp.measure import errors
from fkp.photo.overlay import draw
from fkp.prepare.augment import jittered
from fkp.record.files import write_json

SIDE, FACES, SEED = 220, 6, 7
BARE = {"size": 320, "n": 3, "seed": 10}
LABEL = (0, 200, 83)


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--of", type=int, metavar="N", help="best and worst of N faces")
    parser.add_argument("--bare", action="store_true", help="without points")
    args = parser.parse_args()
    if args.bare:
        faces = readers.read(channels=3, scheme=IBUG_68, **BARE)
        Image.fromarray(np.hstack(list(faces.images))).save(args.out, optimize=True)
        return
    faces = readers.read(n=args.of or FACES, size=SIDE, channels=3, scheme=IBUG_68, seed=SEED)
    found = find(faces)
    if args.of is None:
        picture = np.hstack([draw(*one) for one in zip(faces.images, found, strict=True)])
    else:
        picture, about = extremes(faces, found)
        write_json(args.out.with_suffix(".json"), about)
    Image.fromarray(picture).save(args.out, optimize=True)


def find(faces):
    """What `small` finds in the box of each face's labels."""
    finder, found = fkp.load("small"), []
    for image, points in zip(faces.images, faces.points, strict=True):
        low, high = points.min(axis=0), points.max(axis=0)
        found.append(finder.at(image, [(*low, *(high - low))]))
    return found


def extremes(faces, found):
    """Three rows (best, worst, one face altered), and the NME of the first two, %."""
    points = np.stack([one[0].points for one in found])
    nme = errors.nme(faces.points, points, errors.inter_ocular(faces.points, IBUG_68))
    order, rows = nme.argsort(), []
    for picked in (order[:FACES], order[-FACES:]):
        drawn = (dotted(draw(faces.images[i], found[i]), faces.points[i]) for i in picked)
        rows.append(np.hstack([*drawn]))
    altered = jittered(faces.take([order[0]]), FACES, seed=SEED)
    copies = zip(altered.images, altered.points, strict=True)
    rows.append(np.hstack([dotted(image, labels) for image, labels in copies]))
    ranked = nme[order].round(2).tolist()
    about = {"of": len(faces), "best": ranked[:FACES], "worst": ranked[-FACES:]}
    return np.vstack(rows), about


def dotted(image, points):
    """A copy of an image with a green dot at each point."""
    image = image.copy()
    for x, y in points.round().astype(int):
        image[max(y - 1, 0) : y + 1, max(x - 1, 0) : x + 1] = LABEL
    return image


if __name__ == "__main__":
    main()
