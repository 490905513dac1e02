"""Test faces once more, cut by a face detector's boxes instead of round their labels.

Published methods mostly start from a detector's box, which is off from that of the labels; a model
tested on crops round the labels has the easier task.
"""

from dataclasses import replace

import numpy as np

from fkp.data.faces import Faces
from fkp.data.readers.crop import crop, landmark_box
from fkp.measure.scores import METRICS, mean_score, score
from fkp.photo.detect import Detector, overlaps

FOUND = 0.35  # overlap (intersection over union) of a detection with the labels' box, at least
FIGURES = ("nme_ocular", "nme_pupil", "failure_8", "auc_8")


def recut(pictures: Faces, shown: Faces, names: np.ndarray) -> tuple[Faces, np.ndarray]:
    """Some faces, each in the crop that the detection which overlaps its labels best leads to.

    Size and place of the face in a crop are the medians of `shown`, with the detector's box, which
    reaches from the brows to the chin, in place of the labels'.

    Args:
        pictures: with enough room around the faces that a detector's box lies inside.
        shown: the same faces in the same order in the crops that the model was trained on.
        names: of the faces wanted.

    Returns:
        (those that the detector finds, in crops of the size of `shown`; bool (n,), of each name
        whether its face was found).

    Raises:
        ValueError: pictures and crops are not of the same faces, or a name is not among them.
    """
    if not np.array_equal(pictures.names, shown.names):
        raise ValueError("pictures: expected the faces of the crops in the same order")
    place = {name: row for row, name in enumerate(shown.names)}
    if unknown := [name for name in names if name not in place]:
        raise ValueError(f"names: {unknown[0]!r} is not among the faces")
    rows, side = [place[name] for name in names], shown.image_shape[0]
    middle, size = _boxes(shown.points)
    zoom = side / np.median(size)
    shift = np.median((middle - (side - 1) / 2) / side, axis=0)  # of the face in its crop
    detector, found, images, points = Detector(), np.zeros(len(rows), bool), [], []
    for number, row in enumerate(rows):
        picture, labels = pictures.images[row], pictures.points[row]
        box = _detection(detector, picture, labels)
        if box is None:
            continue
        found[number] = True
        box = box - np.tile(shift * zoom * (box[2:] - box[:2]).max(), 2)
        image, moved = crop(picture, labels, box, side, (zoom - 1) / 2)
        images.append(image)
        points.append(moved)
    kept = shown.take(np.array(rows)[found])
    if not found.any():
        return kept, found
    return replace(kept, images=np.stack(images), points=np.stack(points)), found


def detected_scores(seen: Faces, predicted: np.ndarray, found: np.ndarray) -> dict[str, dict]:
    """`FIGURES` of the faces found, their names ending in "_detected", and how many were missed.

    Args:
        seen: as `recut` returns them.
        predicted: (n, k, 2), px of these crops.
        found: as `recut` returns it.

    Returns:
        dict of scores; `missed_detected`, the faces not found, is in %. Without any face found it
        stands alone.
    """
    missed = mean_score(100.0 * ~found, "%", np.arange(len(found)))
    if not found.any():
        return {"missed_detected": missed}
    of_found = score(seen, predicted, metrics={name: METRICS[name] for name in FIGURES})
    return {f"{n}_detected": s for n, s in of_found.items()} | {"missed_detected": missed}


def _boxes(points):
    """Middles (n, 2) and longer sides (n,) of the boxes round labelled points (n, k, 2), px."""
    low, high = np.nanmin(points, axis=1), np.nanmax(points, axis=1)
    return (low + high) / 2, (high - low).max(axis=1)


def _detection(detector, image, points):
    """(left, top, right, bottom) of the detection that overlaps the labels' box best, or None."""
    boxes = detector.close_up(image)
    if not len(boxes):
        return None
    left, top, right, bottom = landmark_box(points)
    shared = overlaps([[left, top, right - left, bottom - top]], boxes)[0]
    x, y, w, h = boxes[shared.argmax()]
    return np.array([x, y, x + w, y + h]) if shared.max() >= FOUND else None
