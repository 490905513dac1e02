"""Faces found by the detector: on drawn faces, alone, several, small, in large pictures."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fkp.data import readers
from fkp.data.schemes import IBUG_68
from fkp.photo.detect import Detector, overlaps


@pytest.fixture(scope="module")
def drawn():
    return readers.read(n=6, size=160, channels=3, scheme=IBUG_68, seed=3)


@pytest.fixture(scope="module")
def detector():
    return Detector(1)


def box(points):
    return np.hstack([points.min(axis=0), np.ptp(points, axis=0)])


def test_a_box_reaches_from_brows_to_chin(detector, drawn):
    for image, points in zip(drawn.images, drawn.points, strict=True):
        boxes, scores = detector.boxes(image)
        assert boxes.dtype == np.float32 and boxes.shape == (len(scores), 4)
        assert overlaps(boxes, box(points)[None]).max() > 0.55


def test_faces_small_and_large_of_one_picture_come_largest_first(detector, drawn):
    """Cells of 160 px, and one face at a fifth of that: 20 px from brow to chin."""
    import cv2

    page = np.full((640, 900, 3), 128, np.uint8)
    wanted = []
    places = [(40, 40, 1.0), (300, 60, 1.0), (560, 400, 1.0), (100, 400, 0.5), (760, 90, 0.3)]
    for (x, y, scale), image, points in zip(places, drawn.images, drawn.points, strict=False):
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        page[y : y + len(small), x : x + len(small)] = small
        wanted.append(box((points + 0.5) * scale - 0.5 + (x, y)))
    boxes, _ = detector.boxes(page)
    found = overlaps(np.array(wanted), boxes)
    assert (found.max(axis=1) > 0.4).all(), found.max(axis=1)
    assert (np.diff(boxes[:, 2]) <= 0).all()
    # The same picture four times as large gives the same faces four times as large.
    large, _ = detector.boxes(np.repeat(np.repeat(page, 4, axis=0), 4, axis=1))
    assert (overlaps(np.array(wanted), large / 4).max(axis=1) > 0.4).all()


@pytest.mark.parametrize("shape", [(1, 1), (20, 700), (400, 300)])
def test_a_picture_without_a_face_has_none(detector, shape):
    boxes, scores = detector.boxes(np.full((*shape, 3), 200, np.uint8))
    assert boxes.shape == (0, 4) and scores.shape == (0,)


def test_a_higher_score_asks_for_more(detector, drawn):
    few, scores = detector.boxes(drawn.images[0], min_score=0.9)
    assert (scores >= 0.9).all()
    assert len(few) <= len(detector.boxes(drawn.images[0], min_score=0.3)[0])
    found = [detector.boxes(drawn.images[0], min_score=least)[1] for least in (0.3, 0.1)]
    assert len(found[1]) > len(found[0]) and found[1].min() < 0.3
    assert (detector.boxes(drawn.images[0], min_score=0)[0][:, 2:] > 0).all()


def test_one_detector_serves_several_threads(detector, drawn):
    views = [image[:size] for image in drawn.images for size in (160, 120)] * 3
    alone = [detector.boxes(view)[0] for view in views]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda view: detector.boxes(view)[0], views))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_overlaps():
    a = np.array([[0, 0, 2, 2], [5, 5, 1, 1]])
    np.testing.assert_allclose(overlaps(a, [[1, 0, 2, 2], [0, 0, 2, 2]]), [[1 / 3, 1], [0, 0]])
