"""What the comparison with published models does without their files; nothing is downloaded."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers import Peer, chart, faceapi, fetch, measure
from fkp.data.faces import Faces
from fkp.data.schemes import IBUG_68


def test_weights_are_bytes_with_a_step_and_a_minimum():
    about = {"shape": [2], "quantization": {"min": -1.0, "scale": 0.5}}
    manifest = [{"weights": [{"name": "a", **about}, {"name": "b", **about}]}]
    tensors = faceapi.dequantised(manifest, bytes([0, 2, 4, 6]))
    assert {name: list(values) for name, values in tensors.items()} == {"a": [-1, 0], "b": [1, 2]}
    with pytest.raises(ValueError, match="4 bytes, the file has 5"):
        faceapi.dequantised(manifest, bytes(5))


def test_a_package_is_checked_and_a_failed_download_explained(tmp_path):
    with pytest.raises(RuntimeError, match=r"is absent and .* failed: no network"):
        fetch(tmp_path / "a.whl", "0", [sys.executable, "-c", "raise SystemExit('no network')"])
    with pytest.raises(RuntimeError, match="nosuchclient"):
        fetch(tmp_path / "a.whl", "0", ["nosuchclient"])
    (tmp_path / "a.whl").write_bytes(b"other")
    with pytest.raises(ValueError, match="sha256"):
        fetch(tmp_path / "a.whl", "0", [])


def test_a_pixel_lit_at_a_point_stays_lit_there():
    points = np.random.default_rng(0).uniform(60, 130, (1, 68, 2)).astype(np.float32)
    images = np.zeros((1, 192, 192, 3), np.uint8)
    x, y = points[0, 30] = 100, 90
    images[0, y - 1 : y + 2, x - 1 : x + 2] = 255

    def brightest(crops):
        at = np.argwhere(crops[..., 0] == crops[..., 0].max())[:, :0:-1]
        return at.mean(axis=0, keepdims=True)[None]

    peer = Peer("lit", "", "", 0, 96, brightest, as_is=False)
    found, labels = measure.run(peer, Faces(images, points, IBUG_68, "test"), 1.3, 0.1)
    assert np.abs(found[0, 0] - labels[0, 30]).max() * 96 < 1


def test_the_map_finds_a_linear_relation():
    points = np.random.default_rng(0).uniform(0, 1, (400, 10, 2))
    labels = np.tile(points, (1, 7, 1))[:, :68] * 0.9 + 0.05
    mapped = measure.fit_map((points[:300], labels[:300]), (points[300:], labels[300:]))
    assert np.abs(mapped(points) - labels).max() < 1e-3


def test_the_page_of_all_studies_draws_what_the_chart_shows():
    folder = Path(chart.__file__).parent
    rows = json.loads((folder / "results.json").read_text())["rows"]
    drawn = json.loads((folder / "pareto.json").read_text())
    assert chart.as_rows(chart.table(rows)) == drawn
    assert {row["name"] for row in drawn} >= {"fkp small", "fkp tiny"}


def test_times_are_added_to_the_rows_of_the_same_name():
    old = {"rows": [{"name": "a", "nme": 4.0}], "data": 1}
    new = {"rows": [{"name": "a", "ms": 1.0}, {"name": "b", "ms": 2.0}]}
    rows = [{"name": "a", "nme": 4.0, "ms": 1.0}, {"name": "b", "ms": 2.0}]
    assert measure.merged(old, new) == {"rows": rows, "data": 1}
