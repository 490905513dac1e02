"""Digests: short names for values and for what files hold."""

import hashlib
import json
from pathlib import Path

import numpy as np

from fkp.record.files import plain


def digest(*parts, size=6):
    """Hex digest of JSON-able parts, in order."""
    text = json.dumps(plain(parts), sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=size).hexdigest()


def array_digest(label: str, *arrays: np.ndarray) -> str:
    """Hex digest of a label and of the shapes and bytes of arrays."""
    state = hashlib.blake2b(label.encode(), digest_size=8)
    for array in arrays:
        state.update(str(array.shape).encode())
        state.update(np.ascontiguousarray(array).data)
    return state.hexdigest()


def file_fingerprint(path):
    """Hex digest of a file's bytes, or of the names and bytes of all visible files of a folder.

    Hidden files (caches, finder litter) and Markdown files are left out.

    Raises:
        FileNotFoundError: nothing is at `path`.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    files = [path] if path.is_file() else sorted(f for f in path.rglob("*") if f.is_file())
    state = hashlib.blake2b(digest_size=8)
    for file in files:
        inside = file.relative_to(path) if file != path else Path(file.name)
        if file != path and (inside.suffix == ".md" or any(p[0] == "." for p in inside.parts)):
            continue
        with file.open("rb") as stream:
            content = hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=8))
        state.update(
            f"{inside.as_posix()}\0{content.hexdigest()}\n".encode(errors="surrogateescape")
        )
    return state.hexdigest()
