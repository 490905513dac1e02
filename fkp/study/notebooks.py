"""Notebooks as the study engine sees them: a name, default parameters and code cells."""

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path

from fkp.record.code import without_magics


@dataclass(frozen=True)
class Notebook:
    """A notebook on disk.

    Attributes:
        name: file name without its number, "train" for "02-train.ipynb".
        path: the file.
        defaults: parameter name -> default value, from the cell tagged `parameters`.
        code: sources of the other code cells.
    """

    name: str
    path: Path
    defaults: dict
    code: tuple[str, ...]


def find_notebook(folder, name):
    """Read the one notebook of a folder that is called `name`, whatever its number."""
    found = {}
    for path in sorted(Path(folder).glob("*.ipynb")):
        found.setdefault(re.sub(r"^\d+-", "", path.stem), []).append(path)
    if name not in found:
        raise ValueError(
            f"no notebook {name!r} in {Path(folder).name}/ (there: {', '.join(found)})"
        )
    if len(found[name]) > 1:
        names = ", ".join(path.name for path in found[name])
        raise ValueError(f"several notebooks are called {name!r}: {names}")
    return read_notebook(found[name][0])


def read_notebook(path):
    """Read a notebook.

    Raises:
        ValueError: it is none, has a cell that is no Python, or has not exactly one cell of literal
            parameters; names the file.
    """
    try:
        cells = [
            ("".join(cell["source"]), cell["metadata"].get("tags", ()))
            for cell in json.loads(path.read_text("utf-8"))["cells"]
            if cell["cell_type"] == "code"
        ]
        for source, _ in cells:
            ast.parse(without_magics(source))
    except (ValueError, LookupError, TypeError, SyntaxError) as error:
        raise ValueError(f"{path.name}: {error}") from None
    tagged = [cell for cell in cells if "parameters" in cell[1]]
    if len(tagged) != 1:
        raise ValueError(f"{path.name}: {len(tagged)} cells tagged 'parameters', expected one")
    return Notebook(
        name=re.sub(r"^\d+-", "", path.stem),
        path=path,
        defaults=_literals(tagged[0][0], path.name),
        code=tuple(cell[0] for cell in cells if cell is not tagged[0]),
    )


def _literals(source, where):
    values = {}
    for node in ast.parse(source).body:
        targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
        try:
            values[targets[0].id] = ast.literal_eval(node.value)
        except (AttributeError, ValueError):
            raise ValueError(
                f"{where}: the parameters cell may only hold NAME = literal value, "
                f"got {ast.unparse(node)!r}"
            ) from None
    return values
