import numpy as np
import pytest

from fkp.data.readers import read
from fkp.data.schemes import IBUG_68, KAGGLE_15
from fkp.prepare import hidden
from fkp.training import runs

DRAWN = {"n": 400, "regimes": True}


def test_patterns_are_those_of_the_7049_rows_of_kaggles_file():
    missing, share = hidden.kaggle_patterns()
    assert missing.shape == (50, 15) and share.sum() == pytest.approx(1)
    assert share[~missing.any(axis=1)] * 7049 == pytest.approx(2140)
    four = {KAGGLE_15.labels[i] for i in np.flatnonzero(~missing[share.argmax()])}
    eyes = {"left_eye_center", "right_eye_center"}
    assert four == eyes | {"nose_tip", "mouth_center_bottom_lip"}


def test_rows_lose_labels_as_kaggles_file_lacks_them():
    faces = read(None, "drawn", n=300, seed=3)
    lost = hidden.as_kaggle(faces, np.random.default_rng(0))
    assert lost.complete.mean() == pytest.approx(2140 / 7049, abs=0.1)
    kept = lost.labelled
    np.testing.assert_array_equal(lost.points[kept], faces.points[kept])
    np.testing.assert_array_equal(lost.images, faces.images)
    with pytest.raises(ValueError, match="Kaggle's 15 points, got the scheme ibug68"):
        hidden.as_kaggle(read(None, "drawn", n=2, scheme=IBUG_68), np.random.default_rng(0))


def test_training_rows_lose_labels_and_no_others():
    rows = {
        name: runs.prepare(None, None, {}, DRAWN, treatment=name, hide="kaggle")
        for name in ("knn", "mask", "none", "augment")
    }
    whole = runs.prepare(None, None, {}, DRAWN, treatment="none", hide="nothing")
    for one in rows.values():
        assert one.faces.complete.all()
        assert one.test.fingerprint == whole.test.fingerprint
        np.testing.assert_array_equal(one.truth, whole.training.points)
    assert rows["knn"].training.complete.all() and not rows["mask"].training.complete.all()
    assert len(rows["none"].training) < len(whole.training) / 2
    assert 0 < rows["knn"].imputed_rmse() < 10
    for name in ("mask", "none", "augment"):
        assert rows[name].imputed_rmse() is None
    assert whole.imputed_rmse() is None
    with pytest.raises(ValueError, match="hide: expected one of nothing, kaggle, got 'all'"):
        runs.prepare(None, None, {}, DRAWN, treatment="none", hide="all")
