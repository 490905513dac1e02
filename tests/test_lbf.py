from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import Ridge

from fkp import models
from fkp.data import drawing
from fkp.data.own import own
from fkp.data.schemes import POINTS_44
from fkp.measure.errors import rmse
from fkp.models.cascade import lbf
from fkp.models.cascade.features import smoothed

SMALL = {"stages": 3, "trees": 3, "depth": 4, "starts": 2, "pixels": 40, "pairs": 80, "tried": 20}


@pytest.fixture(scope="module")
def faces():
    return drawing.read(n=160, scheme=POINTS_44, size=64)


@pytest.fixture(scope="module")
def fitted(faces):
    return lbf.fit(faces.take(np.arange(120)), **SMALL)


def test_complex_points_and_back():
    points = np.random.default_rng(0).normal(size=(3, 4, 2)).astype(np.float32)
    assert lbf.as_complex(points)[1, 2] == pytest.approx(complex(*points[1, 2]))
    np.testing.assert_array_equal(lbf.as_points(lbf.as_complex(points)), points)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.2, 5), st.floats(-3, 3), st.floats(-90, 90))
def test_a_similarity_is_recovered(scale, angle, shift):
    mean = np.random.default_rng(1).normal(size=(6, 2)) @ [1, 1j]
    turn = scale * np.exp(1j * angle)
    found = lbf.similarity(mean, turn * mean[None] + shift * (1 - 2j))
    assert found.shape == (1, 1)
    np.testing.assert_allclose(found, turn, rtol=1e-6)


def test_each_stage_comes_closer_to_faces_it_has_not_seen(faces, fitted):
    test = faces.take(np.arange(120, 160))
    errors = [rmse(test.points, points) for points in fitted.path(test.images)]
    assert errors[3] < errors[2] < errors[1] < errors[0]
    assert errors[3] < 0.75 * errors[0]


def test_the_start_is_the_mean_of_the_faces_and_their_mirror_images(fitted):
    mirrored = fitted.start[list(POINTS_44.mirror)] * [-1, 1] + [63, 0]
    np.testing.assert_allclose(mirrored, fitted.start, atol=1e-3)


def test_points_without_mirror_images_are_fitted_as_they_are(faces):
    few = replace(faces.take(np.arange(20)), scheme=own("dots", map(str, range(44))))
    start = lbf.fit(few, **SMALL | {"stages": 1}).start
    np.testing.assert_allclose(start, few.points.mean(axis=0), atol=1e-3)


def test_the_seed_decides(faces):
    training = faces.take(np.arange(40))
    short = SMALL | {"stages": 1}
    first, again, other = (
        lbf.fit(training, seed=seed, **short).predict(faces.images) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01


def test_a_turned_image_is_answered_with_turned_points(faces, fitted):
    gray, points = smoothed(faces.images[120:]), fitted.path(faces.images[120:])[1]
    turned = np.stack([points[..., 1], 63 - points[..., 0]], axis=-1)
    stage = fitted.stages[1]
    expected = stage(gray, points)
    found = stage(np.ascontiguousarray(np.rot90(gray, axes=(1, 2))), turned)
    back = np.stack([63 - found[..., 1], found[..., 0]], axis=-1)
    moved = np.abs(expected - points).mean()
    assert np.abs(back - expected).mean() < 0.02 * moved  # rounding to pixels may differ


def test_complete_trees_part_the_faces_as_those_they_come_from():
    rng = np.random.default_rng(0)
    seen = rng.integers(-255, 256, (300, 7)).astype(np.float32)
    forest = ExtraTreesRegressor(3, max_depth=5, min_samples_leaf=9, random_state=0)
    forest.fit(seen, seen[:, :2] ** 2)
    for tree in forest.estimators_:
        features, thresholds = lbf._complete(tree.tree_, 5)
        assert len(features) == 31 and (thresholds == lbf.ALWAYS_LEFT).any()
        node = np.zeros(300, int)
        for _ in range(5):
            node = 2 * node + 1 + (seen[np.arange(300), features[node]] > thresholds[node])
        pairs = set(zip(node, tree.apply(seen), strict=True))
        assert len(pairs) == len(set(node)) == tree.get_n_leaves()


def test_every_face_falls_into_one_leaf_of_each_tree(faces, fitted):
    images = smoothed(faces.images[:9])
    shapes = np.repeat(lbf.as_complex(fitted.start)[None], 9, axis=0)
    leaves = fitted.stages[0].trees.leaves(images, shapes)
    assert leaves.shape == (9, 44 * 3 * 16)
    np.testing.assert_array_equal(leaves.toarray().reshape(9, 44 * 3, 16).sum(axis=2), 1)


def test_the_regression_is_ridge_regression():
    rng = np.random.default_rng(0)
    leaves = csr_array((rng.random((200, 30)) < 0.2).astype(np.float32))
    moves = rng.normal(size=(200, 4, 2)).astype(np.float32)
    expected = Ridge(5.0, fit_intercept=False).fit(leaves, moves.reshape(200, -1)).coef_.T
    found = lbf._regression(leaves, moves, 5.0)
    assert np.abs(found - expected).max() < 0.02 * np.abs(expected).max()


def test_it_is_saved_and_read_back(faces, fitted, tmp_path):
    fitted.save(tmp_path / "lbf.joblib")
    loaded = models.load(tmp_path / "lbf.joblib")
    np.testing.assert_array_equal(loaded.predict(faces.images), fitted.predict(faces.images))
    assert fitted.nodes == 3 * 44 * 3 * 31
