"""Files written whole: a reader sees all of one, or none."""

import json
import math
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path):
    """A temporary path beside `path`, renamed to it when all went well: a whole file or none.

    It ends as `path` does, for writers that choose a format by the ending.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    ending = "".join(part for part in path.suffixes[-2:] if len(part) < 16)
    handle, name = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.stem[:50]}.", suffix=f".tmp{ending}"
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path, text):
    """Write a file whole: readers never see half of it."""
    with whole(path) as temporary:
        # Names of files may hold what is no UTF-8.
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path, data):
    """Write JSON atomically; NumPy values become plain ones, NaN and infinities become null."""
    write_text(path, json.dumps(plain(data), indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def mapped(value, change):
    """A value of nested dicts, lists and tuples with everything else changed; tuples to lists."""
    if isinstance(value, dict):
        return {key: mapped(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [mapped(item, change) for item in value]
    return change(value)


def texts(value):
    """The texts inside a value of nested dicts, lists and tuples, keys among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for item in (*value, *value.values()) if isinstance(value, dict) else value:
            yield from texts(item)


def plain(value):
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Path):
        return value.as_posix()
    return value


def named(table: dict, kind: str, name: str) -> object:
    """The entry of a table; ValueError lists the known names."""
    if name not in table:
        raise ValueError(f"{kind}: expected one of {', '.join(table)}, got {name!r}")
    return table[name]
