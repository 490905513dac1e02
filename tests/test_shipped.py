"""The files that ship do what their cards say."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

import fkp
from fkp.data import copies, readers, split
from fkp.data.schemes import IBUG_68
from fkp.measure import errors
from fkp.photo.finder import WEIGHTS

DATA = os.environ.get("FKP_DATA")
# Largest mean NME on drawn faces, %: they look like no photograph.
DRAWN = {"small": 10.0, "tiny": 10.0}
LARGEST = {"small": 1_200_000, "tiny": 360_000, "kaggle": 1_000_000}  # bytes


def boxes(points):
    low, high = points.min(axis=1), points.max(axis=1)
    return np.hstack([low, high - low])


@pytest.fixture(scope="module")
def drawn():
    return readers.read(n=40, scheme=IBUG_68, size=200, seed=5)


def nme(faces, points):
    norm = errors.inter_ocular(faces.points, faces.scheme)
    return errors.nme(faces.points, points, norm)


@pytest.mark.parametrize("name", DRAWN)
def test_points_on_drawn_faces(drawn, name):
    finder, every = fkp.load(name), boxes(drawn.points)
    found = [finder.at(i, [b])[0] for i, b in zip(drawn.images, every, strict=True)]
    error = nme(drawn, np.stack([face.points for face in found]))
    assert error.mean() < DRAWN[name]
    # Those that it is least sure of are those that it finds worst.
    said = np.stack([face.error for face in found]).mean(axis=1)
    unsure = said > np.median(said)
    assert error[unsure].mean() > error[~unsure].mean()


@pytest.mark.parametrize("name", LARGEST)
def test_a_file_is_small_and_has_a_card(name):
    assert (WEIGHTS / f"{name}.tflite").stat().st_size <= LARGEST[name]
    assert "Terms" in (WEIGHTS / f"{name}.md").read_text("utf-8")


@pytest.mark.skipif(not DATA, reason="FKP_DATA names no folder of data sets")
@pytest.mark.parametrize("name", DRAWN)
def test_the_error_on_300w_is_that_of_the_card(name):
    faces = copies.group_duplicates(readers.read(Path(DATA) / "300w", size=192, margin=0.5))
    test = faces.take(split.holdout(faces, seed=0).test)
    finder, every = fkp.load(name), boxes(test.points)
    found = np.stack([finder.at(i, [b])[0].points for i, b in zip(test.images, every, strict=True)])
    card = (WEIGHTS / f"{name}.md").read_text("utf-8")
    said = float(re.search(rf"{name}-int8.tflite \| [\d.]+ \| ([\d.]+)", card)[1])
    assert nme(test, found).mean() == pytest.approx(said, abs=0.01)
