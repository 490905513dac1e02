import base64
import json
import sys

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

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


def test_pictures_of_faces_are_kept_beside_the_notebook_and_charts_are_not(tmp_path):
    png = base64.b64encode(b"a picture").decode()
    shown = [new_output("display_data", data={"image/png": png})]
    cells = [
        new_markdown_cell("# All\n\n## Where it errs (figure 2)"),
        new_code_cell("plots.face(ax, image)", outputs=shown),
        new_code_cell("plots.history(ax, rows)", outputs=shown),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "done.ipynb")
    execute.write_pictures(tmp_path / "done.ipynb", tmp_path / "pictures")
    (picture,) = (tmp_path / "pictures").iterdir()
    assert picture.name == "01-where-it-errs-figure-2.png"
    assert picture.read_bytes() == b"a picture"


def test_the_kernel_is_this_python(tmp_path):
    kernel.write_spec(tmp_path / "python3")
    spec = json.loads((tmp_path / "python3" / "kernel.json").read_text())
    assert spec["argv"][0] == sys.executable
