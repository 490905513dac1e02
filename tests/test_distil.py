import numpy as np
import pytest
from lights import finder_of_light, pictures

from fkp.data.own import own
from fkp.data.schemes import IBUG_68
from fkp.models.files import Runner
from fkp.models.predict import predict
from fkp.prepare.warp import Warp
from fkp.training.checkpoints import _modules, _told
from fkp.training.distil import Taught


def still(images, points, rng):
    return images, points


@pytest.mark.parametrize("seen", [96, 48])
def test_points_move_towards_the_teacher(seen):
    faces, teacher = pictures(), finder_of_light(seen)
    points = faces.points.copy()
    points[0, 5] = np.nan
    taught = Taught(still, IBUG_68, teacher, share=0.25)
    images, moved = taught(faces.images, points, np.random.default_rng(0))
    np.testing.assert_array_equal(images, faces.images)
    expected = 0.75 * points + 0.25 * points[:, 30:31]  # the teacher sees the dot alone
    np.testing.assert_allclose(moved, expected, atol=0.3)
    assert np.isnan(moved[0, 5]).all() and moved.dtype == np.float32


def test_a_scheme_without_mirror_is_not_mirrored():
    faces, teacher = pictures(), finder_of_light(96)
    plain = own("dots", [f"dot_{i}" for i in range(68)])
    assert plain.mirror is None
    _, moved = Taught(still, plain, teacher, share=1.0)(faces.images, faces.points, None)
    np.testing.assert_allclose(moved, predict(teacher, faces.images)[..., :2], atol=1e-3)


def test_checkpoints_of_a_taught_training_know_the_code_of_its_augmentation():
    taught = Taught(Warp(IBUG_68), IBUG_68, still)
    assert {"fkp.training.distil", "fkp.prepare.warp"} <= {*_modules(taught)}


def test_the_teacher_is_told_by_its_file():
    def told(source):
        runner = Runner(still, (None, 64, 64, 1), (None, 68, 2))
        return _told(Taught(still, IBUG_68, runner, source=source))

    assert told("a") == told("a") != told("b")
