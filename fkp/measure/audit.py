"""The proof of a small model: its error from every side, on faces that it never saw.

A model here is a function from uint8 crops (n, side, side, c) to float32 (n, k, 2) or (n, k, 3):
x, y and, if there is a third, the expected error, px.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np

from fkp.data.faces import Faces
from fkp.data.images import seen_in_mirror
from fkp.measure import calibration, errors, pose
from fkp.measure.landmarks import by_region, by_set
from fkp.measure.scores import METRICS, by_point, mean_score, nme_ocular, score
from fkp.prepare.warp import ROOM, aligned, moved, plain

Model = Callable[[np.ndarray], np.ndarray]

# Standard deviations of a face detector's box, as shares of its side.
SHAKEN = {"size": 0.07, "centre": 0.035}
SIZES = (24, 32, 48, 64, 96, 128)  # longer side of the landmarks' box, px
YAWS = (0, 10, 20, 30, 90)  # degrees, ends of the classes of pose
FIGURES = ("nme_ocular", "nme_box", "failure_8", "auc_8", "rmse")


def audit(
    model: Model,
    pictures: Faces,
    side: int,
    zoom: float,
    offset: np.ndarray | None = None,
) -> dict:
    """Everything the page and the card say of a model.

    Args:
        model: see above.
        pictures: test faces with `fkp.prepare.warp.ROOM` around them and the original labels.
        side, zoom: of the crops that the model takes, see `fkp.prepare.warp.plain`.
        offset: what the model adds to its points, see `fkp.data.images.seen_in_mirror`.

    Returns:
        dict: `scores`, `by_set`, `regions`, `per_point`; `views`: NME of the plain crop, of boxes
        shaken by `SHAKEN`, averaged with the mirror image and after a second pass on the aligned
        crop; `by_yaw`, `by_size`: NME of each class; `nme`: of each face, %; and of a model with
        expected errors `reliability` (deciles of points) and `risk_coverage`.
    """
    faces = plain(pictures, side, zoom)
    answer = model(faces.images)
    points = answer[..., :2]
    nme = nme_ocular(faces, points)
    found = {
        "scores": score(faces, points, metrics={name: METRICS[name] for name in FIGURES}),
        "by_set": by_set(faces, points),
        "regions": by_region(faces, points),
        "per_point": by_point(faces, points),
        "views": views(model, pictures, faces, zoom, points, offset),
        "by_yaw": by_yaw(faces, nme),
        "by_size": by_size(model, pictures, side, zoom),
        "nme": nme.round(3),
    }
    if answer.shape[-1] == 3:
        found |= trust(faces, points, answer[..., 2])
    return found


def trust(faces: Faces, points: np.ndarray, expected: np.ndarray) -> dict:
    """Whether expected errors (n, k), px, hold: `reliability` and `risk_coverage` (in tenths)."""
    apart = errors.distances(faces.points, points)
    said = expected.mean(axis=1) / errors.inter_ocular(points, faces.scheme)
    coverage, risk = calibration.risk_coverage(said, nme_ocular(faces, points))
    tenths = [max(0, round(len(coverage) * part / 10) - 1) for part in range(1, 11)]
    return {
        "reliability": calibration.deciles(expected, apart),
        "risk_coverage": {
            "coverage": coverage[tenths].round(3).tolist(),
            "nme": risk[tenths].round(4).tolist(),
        },
    }


def views(
    model: Model,
    pictures: Faces,
    faces: Faces,
    zoom: float,
    points: np.ndarray,
    offset: np.ndarray | None = None,
) -> dict[str, dict]:
    """NME of other looks at the same faces: name -> score.

    Args:
        faces: their plain crops.
        points: what the model answers to these, (n, k, 2).
    """
    side = faces.image_shape[0]

    def place(images):
        return model(images)[..., :2]

    back = seen_in_mirror(place, faces.images, faces.scheme, offset)
    crops, upright = aligned(pictures, points, side, zoom)
    again = moved(place(crops), upright).astype(np.float32)
    shaken = plain(pictures, side, zoom, **SHAKEN, rng=np.random.default_rng(0))
    answers = {
        "plain": (faces, points),
        "shaken boxes": (shaken, place(shaken.images)),
        "mirror": (faces, (points + back) / 2),
        "second pass": (faces, again),
        "average of both passes": (faces, (points + again) / 2),
    }
    return {
        name: mean_score(nme_ocular(seen, answer), "%", seen.groups)
        for name, (seen, answer) in answers.items()
    }


def by_yaw(faces: Faces, nme: np.ndarray) -> dict[str, dict]:
    """NME by how far the head is turned aside, by its 68 labels: "0 to 10" degrees -> score."""
    turned = np.abs(pose.angles(pose.fit(faces.points, *pose.mean_face())[0])[:, 0])
    found = {}
    for low, high in pairwise(YAWS):
        rows = (turned >= low) & (turned < high) & ~np.isnan(nme)
        if rows.any():
            found[f"{low} to {high}"] = mean_score(nme[rows], "%", faces.groups[rows])
    return found


def by_size(model: Model, pictures: Faces, side: int, zoom: float) -> dict:
    """NME by the size of the face in the photograph: px of the landmarks' box -> score.

    Pictures are shrunk until the box is as small as that, and enlarged again.
    """
    found, size = {}, pictures.image_shape[0]
    for face in SIZES:
        if face * ROOM > size:
            continue
        images = np.empty_like(pictures.images)
        for row, image in enumerate(pictures.images):
            few = cv2.resize(image, (round(face * ROOM),) * 2, interpolation=cv2.INTER_AREA)
            large = cv2.resize(few, (size, size), interpolation=cv2.INTER_LINEAR)
            images[row] = large.reshape(image.shape)
        crops = plain(replace(pictures, images=images), side, zoom)
        nme = nme_ocular(crops, model(crops.images)[..., :2])
        found[str(face)] = mean_score(nme, "%", crops.groups)
    return found
