import numpy as np
import pytest

from fkp.data.schemes import HELEN_194, IBUG_68, KAGGLE_15, POINTS_44, SCHEMES, by_count, convert

every_scheme = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)


@every_scheme
def test_mirroring_twice_changes_nothing(scheme):
    mirror = np.array(scheme.mirror)
    assert sorted(mirror) == list(range(len(scheme)))
    assert (mirror[mirror] == np.arange(len(scheme))).all()


@every_scheme
def test_mirroring_swaps_left_and_right_regions(scheme):
    for name, indices in scheme.regions.items():
        side, _, rest = name.partition("_")
        other = {"left": f"right_{rest}", "right": f"left_{rest}"}.get(side, name)
        assert {scheme.mirror[i] for i in indices} == set(scheme.regions[other]), name


@every_scheme
def test_mirroring_swaps_eye_corners_and_pupils(scheme):
    left, right = scheme.ocular
    assert scheme.mirror[left] == right
    assert left in scheme.regions["left_eye"]
    left, right = scheme.pupils
    assert {scheme.mirror[i] for i in left} == set(right)
    assert set(left) <= {*scheme.regions["left_eye"], *scheme.regions.get("left_pupil", ())}


@every_scheme
def test_every_point_has_one_name_and_one_region(scheme):
    assert len(set(scheme.labels)) == len(scheme.labels) == len(scheme.mirror)
    members = [i for indices in scheme.regions.values() for i in indices]
    assert sorted(members) == list(range(len(scheme)))
    assert scheme.closed <= set(scheme.regions)


def test_sizes():
    assert [len(s) for s in (KAGGLE_15, IBUG_68, POINTS_44, HELEN_194)] == [15, 68, 44, 194]


def numbered(k):
    """One face whose point i lies at (i, 200 - i)."""
    return np.stack([np.arange(k), 200 - np.arange(k)], axis=1)[None].astype(np.float32)


def test_68_to_15_by_hand():
    converted = convert(numbered(68), IBUG_68, KAGGLE_15)
    assert converted.dtype == np.float32
    expected = [44.5, 38.5, 42, 45, 39, 36, 22, 26, 21, 17, 30, 54, 48, 51, 57]
    np.testing.assert_array_equal(converted[0, :, 0], expected)
    np.testing.assert_array_equal(converted[0, :, 1], 200 - np.array(expected))


def test_68_to_44_by_hand():
    converted = convert(numbered(68), IBUG_68, POINTS_44)
    np.testing.assert_array_equal(converted[0, :, 0], [*range(17, 60), 8])
    assert POINTS_44.labels[43] == "chin_tip"
    assert POINTS_44.labels[0] == IBUG_68.labels[17]


@pytest.mark.parametrize("target", [KAGGLE_15, POINTS_44], ids=lambda scheme: scheme.name)
def test_converting_and_mirroring_commute(target):
    points = np.random.default_rng(0).normal(size=(3, 68, 2)).astype(np.float32)
    mirrored_first = convert(points[:, list(IBUG_68.mirror)], IBUG_68, target)
    mirrored_last = convert(points, IBUG_68, target)[:, list(target.mirror)]
    np.testing.assert_allclose(mirrored_first, mirrored_last, atol=1e-6)


def test_converted_point_is_unlabelled_if_a_part_is():
    points = numbered(68)
    points[0, 43] = np.nan
    unlabelled = np.isnan(convert(points, IBUG_68, KAGGLE_15)).any(axis=2)[0]
    assert np.flatnonzero(unlabelled).tolist() == [KAGGLE_15.labels.index("left_eye_center")]


def test_converting_to_the_same_scheme_keeps_the_points():
    np.testing.assert_array_equal(convert(numbered(15), KAGGLE_15, KAGGLE_15), numbered(15))


def test_converting_without_a_map_says_which_exist():
    with pytest.raises(ValueError, match=r"no map from kaggle15 to ibug68.*ibug68 -> kaggle15"):
        convert(numbered(15), KAGGLE_15, IBUG_68)


@every_scheme
def test_a_number_of_points_stands_for_a_scheme_where_only_one_has_it(scheme):
    assert by_count(len(scheme)) is scheme


def test_a_number_of_points_that_names_no_scheme_is_refused(monkeypatch):
    with pytest.raises(ValueError, match=r"68 \(ibug68\), .* 98 \(wflw98\); got 20"):
        by_count(20)
    monkeypatch.setitem(SCHEMES, "other44", POINTS_44)
    with pytest.raises(ValueError, match="got 44"):
        by_count(44)
