"""Errors point by point on the mean face of a study's page."""

import pytest

from fkp.data.schemes import IBUG_68
from fkp.study.facemap import MOST, face_map


def run(name, label, px):
    errors = dict.fromkeys(IBUG_68.labels, px) | {IBUG_68.labels[0]: 2 * px}
    about = {"name": name, "label": label}
    return {"run": about, "per_point": errors, "data": {"image_shape": [100, 100, 1]}}


def test_each_network_is_shown_with_its_best_run_and_its_explanation_is_not():
    runs = [run("net", "net 0", 2.0), run("net", "net 1", 1.0), run("explain", "explain", 1.0)]
    found = face_map([*runs, run("other", "other", 3.0)])
    assert found["names"] == ["net 1", "other"]
    assert found["points"][0]["errors"] == pytest.approx([2.0, 6.0])  # % of the side
    assert found["highest"] == [IBUG_68.labels[0].replace("_", " ")] * 2


def test_errors_in_a_crop_are_of_the_crops_side():
    crop = run("net", "net", 1.0) | {"model": {"input": [50, 50, 1]}}
    assert face_map([crop])["points"][0]["errors"] == pytest.approx([4.0])


def test_no_more_than_fit_beside_one_another_and_none_without_errors():
    runs = [run(str(n), str(n), 1.0 + n) for n in range(MOST + 2)]
    assert face_map(runs)["names"] == [str(n) for n in range(MOST)]
    assert face_map([{"run": {"name": "a"}}]) is None
