import numpy as np
import pytest

from fkp.data.faces import Faces
from fkp.data.schemes import KAGGLE_15
from fkp.prepare.augment import Jitter
from fkp.prepare.expand import jittered


@pytest.fixture
def faces():
    rng = np.random.default_rng(0)
    points = rng.uniform(10, 20, (3, 15, 2)).astype(np.float32)
    return Faces(rng.integers(0, 256, (3, 32, 32, 1), dtype=np.uint8), points, KAGGLE_15, "test")


def test_originals_come_first_and_copies_take_turns(faces):
    expanded = jittered(faces, 10)
    np.testing.assert_array_equal(expanded.images[:3], faces.images)
    assert expanded.groups.tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]
    assert len({expanded.images[i].tobytes() for i in (0, 3, 6, 9)}) == 4


def test_copies_move_their_points_with_the_image(faces):
    still = Jitter(
        KAGGLE_15, degrees=0, shift=0, scale=0, gain=0, offset=0, colour=0, sigma=0, flip=1
    )
    expanded = jittered(faces, 6, jitter=still)
    np.testing.assert_array_equal(expanded.images[3:], faces.images[:, :, ::-1])
    left, right = KAGGLE_15.pupils[0][0], KAGGLE_15.pupils[1][0]
    np.testing.assert_allclose(expanded.points[3:, left, 0], 31 - faces.points[:, right, 0])


def test_the_seed_decides(faces):
    assert jittered(faces, 7, seed=1).fingerprint == jittered(faces, 7, seed=1).fingerprint
    assert jittered(faces, 7, seed=1).fingerprint != jittered(faces, 7, seed=2).fingerprint


def test_nothing_to_expand(faces):
    assert len(jittered(faces, 3)) == 3
    with pytest.raises(ValueError, match="3 rows to 2"):
        jittered(faces, 2)
    with pytest.raises(ValueError, match="0 rows to 5"):
        jittered(faces.take([]), 5)
