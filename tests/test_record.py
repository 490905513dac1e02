import json
import sys

import numpy as np
import pytest

from fkp.record import digests, files, machine


def test_json_is_plain_and_whole(tmp_path):
    path = tmp_path / "new" / "metrics.json"
    value = {
        "nan": float("nan"),
        "array": np.array([[1.5, np.inf]], dtype=np.float32),
        "count": np.int64(3),
        "pair": (1, "é"),
        7: None,
    }
    files.write_json(path, value)
    expected = {"nan": None, "array": [[1.5, None]], "count": 3, "pair": [1, "é"], "7": None}
    assert json.loads(path.read_text(encoding="utf-8")) == expected
    assert [p.name for p in path.parent.iterdir()] == ["metrics.json"]


def test_a_write_that_fails_leaves_the_old_file_alone(tmp_path, monkeypatch):
    path = tmp_path / "metrics.json"
    files.write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        files.write_json(path, {"a": object()})

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        files.write_json(path, {"a": 2})
    assert json.loads(path.read_text()) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["metrics.json"]


def test_a_name_may_be_as_long_as_a_file_system_allows(tmp_path):
    for name in (f"1.{'x' * 249}.jpg", f"{'x' * 243}.weights.h5"):
        files.write_text(tmp_path / name, "text")
        assert (tmp_path / name).read_text() == "text"
    with files.whole(tmp_path / "best.weights.h5") as temporary:
        assert temporary.name.endswith(".weights.h5")


def test_a_fingerprint_follows_names_and_bytes_of_visible_files(tmp_path):
    folder = tmp_path / "faces"
    (folder / ".fkp-cache").mkdir(parents=True)
    (folder / "a.csv").write_bytes(b"123")
    before = digests.file_fingerprint(folder)
    (folder / ".fkp-cache" / "x.npz").write_bytes(b"cache")
    (folder / "README.md").write_text("where it comes from")
    assert digests.file_fingerprint(folder) == before
    (folder / "a.csv").write_bytes(b"124")
    assert digests.file_fingerprint(folder) != before
    (folder / "a.csv").write_bytes(b"123")
    (folder / "a.csv").rename(folder / "b.csv")
    assert digests.file_fingerprint(folder) != before
    with pytest.raises(FileNotFoundError, match="gone"):
        digests.file_fingerprint(tmp_path / "gone")


def test_environment_names_versions_and_machine():
    environment = machine.environment()
    assert environment["versions"]["numpy"] == np.__version__
    assert environment["versions"]["python"] == sys.version.split()[0]
    assert environment["cpu"] and environment["cores"] >= 1


def test_outside_git_there_is_no_git_state(tmp_path):
    assert machine.git_state(tmp_path) is None
