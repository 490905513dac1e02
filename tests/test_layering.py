"""Imports go one way, notebooks stay thin: read from the source, nothing is imported."""

import ast
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# The rooms; one imports only from itself and from rooms named before it.
ROOMS = (
    "record", "data", "plots", "prepare", "measure", "models",
    "training", "photo", "deploy", "papers", "study", "cli",
)  # fmt: skip
NOT_FOR_NOTEBOOKS = {"study", "cli"}
NEEDS_TENSORFLOW = {"deploy.export", "deploy.runtimes", "papers.saliency", "training.norm"}
MODULES = {
    ".".join(path.relative_to(ROOT / "fkp").with_suffix("").parts): path
    for path in sorted((ROOT / "fkp").rglob("*.py"))
    if path.parent != ROOT / "fkp"
}
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def imports(tree):
    """Dotted names that a tree imports, at any depth; `from a import b` gives a and a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports are not followed when runs are judged"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms(tree):
    """The rooms that a tree imports from."""
    return {name.split(".")[1] for name in imports(tree) if name.startswith("fkp.")} & {*ROOMS}


def code_cells(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def parse(cell):
    lines = "".join(cell["source"]).splitlines()
    return ast.parse("\n".join("" if re.match(r"\s*[%!]", line) else line for line in lines))


@pytest.mark.parametrize("name", MODULES)
def test_a_room_imports_only_from_rooms_before_it(name):
    below = ROOMS[: ROOMS.index(name.split(".")[0]) + 1]
    assert rooms(ast.parse(MODULES[name].read_text(encoding="utf-8"))) <= {*below}


@pytest.mark.parametrize("name", MODULES)
def test_tensorflow_is_imported_only_where_export_needs_it(name):
    tops = {n.split(".")[0] for n in imports(ast.parse(MODULES[name].read_text(encoding="utf-8")))}
    assert "tensorflow" not in tops or name in NEEDS_TENSORFLOW


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_thin_and_clean(path):
    cells = code_cells(path)
    tags = [cell["metadata"].get("tags", []) for cell in cells]
    assert sum("parameters" in tag for tag in tags) == 1
    assert len(cells) <= 14
    assert not any(cell["outputs"] or cell["execution_count"] for cell in cells)
    for cell in cells:
        tree = parse(cell)
        assert not rooms(tree) & NOT_FOR_NOTEBOOKS
        for node in ast.walk(tree):
            assert not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)


def test_there_are_notebooks():
    assert len(NOTEBOOKS) >= 3
