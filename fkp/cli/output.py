"""How commands print."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def show(rows: list[dict], as_json: bool) -> None:
    """Print dicts of the same keys as JSON or as a table."""
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    from fkp.study.wording import cell

    table = Table(box=None, pad_edge=False, header_style="bold")
    for key, value in (rows[0] if rows else {}).items():
        numeric = isinstance(value, int | float)
        table.add_column(
            key.replace("_", " ").replace(" mb", " MB"), justify="right" if numeric else "left"
        )
    for row in rows:
        table.add_row(*(", ".join(v) if isinstance(v, list) else cell(v) for v in row.values()))
    Console(markup=False).print(table)


def shorten(path: str | Path) -> str:
    """The path in words, relative to the current folder where it lies below it."""
    with contextlib.suppress(ValueError):
        path = Path(path).relative_to(Path.cwd())
    return str(path).encode(errors="backslashreplace").decode()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence what TensorFlow's native code writes to standard error."""
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def writable(file: Path, out: Path) -> None:
    """ValueError, naming the option --out, unless a file of that name may be written."""
    folder = next(parent for parent in file.absolute().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise ValueError(f"--out {out}: {folder} is no folder that can be written to")
