"""Imports go one way, notebooks stay thin: read from the source, nothing is imported."""

import ast
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = {
    ".".join(("fkp", *path.relative_to(ROOT / "fkp").with_suffix("").parts)): path
    for path in sorted((ROOT / "fkp").rglob("*.py"))
}
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

# What a module may import of the package, by name; "x" stands for the package x as well. A module
# that is not listed needs a line here: deciding where it belongs is the point.
DATA = {"schemes", "faces"}
WORK = {*DATA, "models", "losses", "predict", "evaluate", "treatments", "provenance"}
STUDY = {"study", "studyfile", "dependencies", "notebooks", "provenance"}
MEASURE = {"export", "benchmark", "timings"}
PICTURE = {"photo", "recolour"}
ENGINE = {*STUDY, "runner", "records", "execute", "report", "progress", "wording"}
MAY_IMPORT = {
    "schemes": set(),
    "faces": {"schemes"},
    "sources": {*DATA, "sources"},
    "split": DATA,
    "impute": DATA,
    "augment": DATA,
    "expand": {*DATA, "augment"},
    "treatments": {*DATA, "impute", "augment"},
    "models": {"models"},
    "losses": set(),
    "predict": DATA,
    "evaluate": DATA,
    "saliency": {"evaluate", "predict"},
    "train": WORK,
    "trials": {"provenance"},
    "tune": {*WORK, "train", "trials"},
    "runtimes": set(),
    "export": {"models", "runtimes"},
    "benchmark": {"cost", "export", "provenance", "runtimes"},
    "cost": {"models"},
    "timings": {"runtimes"},
    "plots": {"plots", "schemes"},
    "results": {"provenance"},
    "readme": {"provenance", "report", "wording"},
    "provenance": set(),
    "dependencies": set(),
    "notebooks": set(),
    "execute": {"provenance"},
    "study": STUDY,
    "studyfile": set(),
    "records": {"execute", "provenance"},
    "wording": set(),
    "report": {"provenance", "wording"},
    "runner": {"provenance", "records", "report", "studyfile"},
    "progress": {"wording"},
    "labels": {"schemes", "sources", "provenance"},
    "hidden": {"impute", "evaluate"},
    "leak": {"augment", "evaluate"},
    "landmarks": {*DATA, "evaluate", "features"},
    "features": set(),
    "cascade": {"features", "provenance"},
    "lbf": {"augment", "cascade", "features"},
    "submit": {"augment", "predict", "provenance", "sources"},
    "surfaces": set(),
    "recolour": {"surfaces"},
    "photo": {"predict", "schemes", "sources"},
    "published": set(),
    "claims": {"published"},
    "facts": {"models", "split"},
    "cli": {*ENGINE, *MEASURE, *PICTURE, "facts", "sources", "models", "readme", "submit"},
    "__main__": {"cli"},
    "__init__": set(),
}
NOT_FOR_NOTEBOOKS = {*ENGINE, "facts", "cli", "__main__"}
NEEDS_TENSORFLOW = {"export", "runtimes", "saliency"}


def imports(tree):
    """Dotted names that a tree imports, at any depth; `from a import b` gives a and a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports are not followed when runs are keyed"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def members(tree):
    """First names under fkp that a tree imports: "models" for fkp.models.cnn."""
    known = {name.split(".")[1] for name in MODULES}
    return {n.split(".")[1] for n in imports(tree) if n.startswith("fkp.")} & known


def code_cells(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def parse(cell):
    lines = "".join(cell["source"]).splitlines()
    return ast.parse("\n".join("" if re.match(r"\s*[%!]", line) else line for line in lines))


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_what_lies_below_it(name):
    member = name.split(".")[1]
    assert member in MAY_IMPORT, f"say in MAY_IMPORT what {name} may import"
    found = members(ast.parse(MODULES[name].read_text(encoding="utf-8")))
    assert found <= MAY_IMPORT[member], f"{name} imports {sorted(found - MAY_IMPORT[member])}"


def test_layers_have_no_circles():
    below = {name: set(others) - {name} for name, others in MAY_IMPORT.items()}
    while below:
        free = {name for name, others in below.items() if not others & below.keys()}
        assert free, f"a circle among {sorted(below)}"
        below = {name: others for name, others in below.items() if name not in free}


@pytest.mark.parametrize("name", MODULES)
def test_tensorflow_is_imported_only_where_export_needs_it(name):
    tops = {n.split(".")[0] for n in imports(ast.parse(MODULES[name].read_text(encoding="utf-8")))}
    assert "tensorflow" not in tops or name.split(".")[1] in NEEDS_TENSORFLOW


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_thin_and_clean(path):
    cells = code_cells(path)
    tags = [cell["metadata"].get("tags", []) for cell in cells]
    assert sum("parameters" in tag for tag in tags) == 1
    assert len(cells) <= 14
    assert not any(cell["outputs"] or cell["execution_count"] for cell in cells)
    for cell in cells:
        tree = parse(cell)
        assert not members(tree) & NOT_FOR_NOTEBOOKS
        for node in ast.walk(tree):
            assert not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)


def test_there_are_notebooks():
    assert len(NOTEBOOKS) >= 3
