import numpy as np
import pytest

from fkp.data.faces import Faces
from fkp.data.schemes import KAGGLE_15
from fkp.prepare.treatments import TREATMENTS, treat


@pytest.fixture
def faces():
    rng = np.random.default_rng(0)
    points = rng.uniform(30, 60, (20, 15, 2)).astype(np.float32)
    points[5:, 2:10] = np.nan
    points[19] = np.nan
    images = rng.integers(0, 256, (20, 96, 96, 1), dtype=np.uint8)
    return Faces(images, points, KAGGLE_15, "test")


def test_none_keeps_the_complete_rows(faces):
    np.testing.assert_array_equal(treat(faces, "none").groups, np.arange(5))


@pytest.mark.parametrize("name", ["ffill", "knn", "iterative", "pca"])
def test_imputation_completes_every_row_and_keeps_the_labels(faces, name):
    treated = treat(faces, name)
    assert len(treated) == 20 and treated.complete.all()
    known = faces.labelled
    np.testing.assert_array_equal(treated.points[known], faces.points[known])


def test_augment_expands_the_complete_rows_only(faces):
    treated = treat(faces, "augment", seed=1)
    assert treated.complete.all() and set(treated.groups) == set(range(5)) and len(treated) > 25


def test_mask_keeps_every_row_with_a_label(faces):
    treated = treat(faces, "mask")
    assert len(treated) == 19 and treated.complete.sum() == 5


@pytest.mark.parametrize("name", TREATMENTS)
def test_the_same_seed_gives_the_same_rows(faces, name):
    assert treat(faces, name, seed=4).fingerprint == treat(faces, name, seed=4).fingerprint


def test_errors_name_what_came_in(faces):
    with pytest.raises(ValueError, match=r"treatment: expected one of none, ffill, .* got 'mean'"):
        treat(faces, "mean")
    with pytest.raises(ValueError, match="'none' leaves none of 10"):
        treat(faces.take(np.arange(10, 20)), "none")


def test_imputed_or_masked_rows_may_be_augmented_afterwards(faces):
    imputed, masked = treat(faces, "knn_augment"), treat(faces, "mask_augment")
    assert imputed.complete.all() and set(imputed.groups) == set(range(20))
    np.testing.assert_array_equal(imputed.points[:20], treat(faces, "knn").points)
    assert set(masked.groups) == set(range(19)) and len(masked) > 2 * 19
    assert not masked.complete.all()
