import json
import sys

import papermill
import pytest

from fkp.study import execute, kernel


def test_a_kernel_that_does_not_come_up_is_started_again(tmp_path, monkeypatch):
    tries = []

    def start(*_, **__):
        tries.append(1)
        if len(tries) < 3:
            raise RuntimeError("Kernel died before replying to kernel_info")

    monkeypatch.setattr(papermill, "execute_notebook", start)
    execute._run(tmp_path / "a.ipynb", tmp_path / "b.ipynb", {})
    assert len(tries) == 3
    tries[:] = []
    with pytest.raises(RuntimeError, match="before replying"):
        execute._run(tmp_path / "a.ipynb", tmp_path / "b.ipynb", {}, attempts=2)


def test_the_kernel_is_this_python(tmp_path):
    kernel.write_spec(tmp_path / "python3")
    spec = json.loads((tmp_path / "python3" / "kernel.json").read_text())
    assert spec["argv"][0] == sys.executable
