"""Test faces cut by a detector's boxes: in place, counted, and refused where faces differ."""

import numpy as np
import pytest

from fkp.data import readers
from fkp.data.schemes import IBUG_68
from fkp.photo import detected
from fkp.prepare.warp import plain


@pytest.fixture(scope="module")
def faces():
    """(pictures with room around the faces, the crops of a training)."""
    pictures = readers.read(n=8, size=160, channels=1, scheme=IBUG_68, seed=3)
    return pictures, plain(pictures, 96, 1.5)


def test_a_face_lies_in_its_new_crop_as_in_those_of_the_training(faces):
    pictures, shown = faces
    seen, found = detected.recut(pictures, shown, shown.names[2:])
    assert found.shape == (6,) and len(seen) == found.sum() >= 5
    assert seen.image_shape == shown.image_shape
    assert seen.names.tolist() == shown.names[2:][found].tolist()
    rows = np.flatnonzero(np.isin(shown.names, seen.names))
    (middle, size), (there, wanted) = (
        detected._boxes(points) for points in (seen.points, shown.points[rows])
    )
    assert np.abs(size / wanted - 1).max() < 0.35
    assert np.abs(middle - there).max() < 0.2 * 96


def test_labels_move_with_their_pixels(faces):
    pictures, shown = faces
    marked = pictures.images.copy()
    x, y = pictures.points[:, 30].round().astype(int).T  # the tip of the nose
    for image, a, b in zip(marked, x, y, strict=True):
        image[b - 2 : b + 3, a - 2 : a + 3] = 255
    seen, _ = detected.recut(pictures.with_images(marked), shown, shown.names)
    assert len(seen) >= 5
    for image, (a, b) in zip(seen.images, seen.points[:, 30].round().astype(int), strict=True):
        assert image[b, a, 0] > 200


def test_scores_are_of_the_faces_found_and_count_the_others(faces):
    pictures, shown = faces
    blank = pictures.images.copy()
    blank[:4] = 128
    seen, found = detected.recut(pictures.with_images(blank), shown, shown.names)
    assert found.tolist()[:4] == [False] * 4
    scores = detected.detected_scores(seen, seen.points + 1, found)
    assert scores["missed_detected"]["value"] == pytest.approx(100 * (~found).mean())
    assert scores["nme_ocular_detected"]["n"] == found.sum()
    blank[:] = 128
    none, found = detected.recut(pictures.with_images(blank), shown, shown.names)
    assert list(detected.detected_scores(none, none.points, found)) == ["missed_detected"]


def test_other_faces_are_refused(faces):
    pictures, shown = faces
    with pytest.raises(ValueError, match="same order"):
        detected.recut(pictures.take([1, 0]), shown, shown.names)
    with pytest.raises(ValueError, match="'x' is not among"):
        detected.recut(pictures, shown, ["x"])
