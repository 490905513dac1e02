import numpy as np
import pytest
from lights import pictures

from fkp.data import readers
from fkp.data.drawing import face as drawing_face
from fkp.data.images import mirror, seen_in_mirror
from fkp.data.schemes import IBUG_68
from fkp.measure import audit, pose
from fkp.prepare import warp


def knowing(faces, side, zoom, shift=0.0):
    """A model that knows the labels of plain crops, and may be off by `shift` px in x."""
    seen = warp.plain(faces, side, zoom)
    answers = {image.tobytes(): points for image, points in zip(seen.images, seen.points)}  # noqa: B905
    nothing = np.full_like(seen.points[0], side / 2)

    def model(images):
        found = np.stack([answers.get(np.ascontiguousarray(i).tobytes(), nothing) for i in images])
        error = np.full((*found.shape[:2], 1), max(abs(shift), 0.01))
        return np.concatenate([found + np.array([shift, 0.0]), error], axis=2).astype(np.float32)

    return model


@pytest.fixture(scope="module")
def faces():
    return readers.read(n=12, scheme=IBUG_68, size=96)


def test_an_audit_measures_what_the_model_is_off_by(faces):
    found = audit.audit(knowing(faces, 64, 2.0, shift=2.0), faces, 64, 2.0)
    norm = np.linalg.norm(
        np.diff(warp.plain(faces, 64, 2.0).points[:, [36, 45]], axis=1)[:, 0], axis=1
    )
    assert found["scores"]["nme_ocular"]["value"] == pytest.approx((200 / norm).mean(), rel=1e-3)
    assert found["reliability"]["ratio"] == pytest.approx([1] * 10, rel=1e-3)
    assert found["risk_coverage"]["coverage"][-1] == 1
    assert found["views"]["plain"]["value"] == found["scores"]["nme_ocular"]["value"]
    # It does not know other looks: they must have been taken.
    assert all(found["views"][n]["value"] > 10 for n in ("shaken boxes", "mirror", "second pass"))
    assert set(found["by_size"]) == {"24", "32", "48"}


@pytest.mark.parametrize("n", [2, 3, 4, 5, 12])
def test_tenths_of_few_faces_begin_with_the_surest(faces, n):
    rng, few = np.random.default_rng(0), faces.take(np.arange(n))
    expected = rng.uniform(1, 2, (n, 68))
    found = audit.trust(few, few.points + rng.normal(size=(n, 68, 2)), expected)["risk_coverage"]
    assert found["coverage"] == sorted(found["coverage"])
    assert len(found["nme"]) == 10 and found["coverage"][-1] == 1


def test_an_offset_points_the_same_way_in_the_mirror(faces):
    """A network that finds the same in the mirror, and then adds a constant."""
    offset = np.random.default_rng(0).normal(size=(68, 2)).astype(np.float32)
    answers = {i.tobytes(): p for i, p in zip(faces.images, faces.points, strict=True)}
    flipped, there = mirror(faces.images, faces.points, IBUG_68)
    answers |= {np.ascontiguousarray(i).tobytes(): p for i, p in zip(flipped, there, strict=True)}

    def model(images):
        return np.stack([answers[i.tobytes()] for i in images]) + offset

    back = seen_in_mirror(model, faces.images, IBUG_68, offset)
    np.testing.assert_allclose(back, model(faces.images), atol=1e-4)
    off = seen_in_mirror(model, faces.images, IBUG_68) - model(faces.images)
    assert np.abs(off).max() > 1


def test_a_second_look_at_the_upright_crop_leads_back():
    faces = pictures()
    plain = warp.plain(faces, 64, 1.4)
    tilted = plain.points.copy()
    crops, back = warp.aligned(faces, tilted, 64, 1.4)
    assert crops.shape == (6, 64, 64, 1)
    there = warp.moved(plain.points, warp.inverse(back))
    left, right = there[:, IBUG_68.ocular[0]], there[:, IBUG_68.ocular[1]]
    np.testing.assert_allclose(left[:, 1], right[:, 1], atol=1e-2)
    low, high = there.min(axis=1), there.max(axis=1)
    np.testing.assert_allclose((low + high) / 2, 31.5, atol=1e-2)
    np.testing.assert_allclose((high - low).max(axis=1), 64 / 1.4, atol=1e-2)
    # The dot lies where its point does, in the crops too.
    lit = crops[..., 0].reshape(6, -1).argmax(axis=1)
    np.testing.assert_allclose(np.stack([lit % 64, lit // 64], 1), there[:, 30], atol=1.5)


def test_yaw_tells_frontal_from_turned_heads(faces):
    turned = []
    for angle in (-30, 0, 30):
        person, frame = drawing_face.person(), drawing_face.frame() | {"yaw": angle}
        flat = drawing_face.view(person, frame)
        turned.append(drawing_face.pick(flat, IBUG_68))
    points = np.stack(turned).astype(np.float32)
    three = faces.take(np.arange(3)).with_points(points)
    left, front, right = pose.angles(pose.fit(three.points, *pose.mean_face())[0])[:, 0]
    assert abs(front) < 5 and left * right < 0 and min(abs(left), abs(right)) > 15
