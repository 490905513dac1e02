"""A cache of parsed arrays that is never trusted once its file has changed.

`arrays` keeps one uncompressed .npz per file and set of options, in `.fkp-cache/` beside the data
or, where that folder is read-only by its mode or its disk, under `$XDG_CACHE_HOME/fkp`
(`~/.cache/fkp`). Where neither can be written there is no cache, and no error either.
"""

import hashlib
import os
import zipfile
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np

from fkp.record.files import whole

FOLDER = ".fkp-cache"
UNREADABLE = (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error)
_BLOCK = 4096
_BLOCKS = 64


def arrays(
    anchor: Path, files: Iterable[Path], make: Callable[[], dict], **options: object
) -> dict[str, np.ndarray]:
    """The arrays of `make()`, from the cache where that is still true.

    Args:
        anchor: file or folder that names the cache entry.
        files: every file that `make` reads.
        make: () -> dict of arrays (no object arrays).
        **options: what else the result depends on, the reader's version included.

    Returns:
        dict of arrays, equal to what `make()` returns.
    """
    anchor = Path(anchor).resolve()
    before = fingerprint(files)
    entry = f"{anchor.name}-{_digest(sorted(options.items()))}.npz"
    home = anchor if anchor.is_dir() else anchor.parent
    beside = home.stat().st_mode & 0o222  # root could write there all the same: it shall not
    places = [home / FOLDER / entry] if beside else []
    with suppress(RuntimeError):  # no home folder
        folder = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        places.append(Path(folder, "fkp", _digest(str(home)), entry))
    for place in places:
        found = _load(place, before)
        if found is not None:
            return found
    made = make()
    if fingerprint(files) == before:
        any(_store(place, before, made) for place in places)
    return made


def fingerprint(files: Iterable[Path]) -> str:
    """Hex digest of names, sizes, times (modified, changed) and sampled content of files.

    64 blocks of 4 KiB in all, spread evenly, at least one per file: files of up to 256 KiB read
    alone, and .pts files always, count in full.
    """
    files = [Path(file) for file in files]
    digest = hashlib.blake2b(digest_size=16)
    blocks = max(1, _BLOCKS // max(1, len(files)))
    for file in files:
        stat = file.stat()
        digest.update(
            f"{file.name}|{stat.st_size}|{stat.st_mtime_ns}|{stat.st_ctime_ns}\n".encode()
        )
        with file.open("rb", buffering=0) as stream:
            last = max(0, stat.st_size - _BLOCK)
            for start in np.unique(np.linspace(0, last, blocks).astype(int)):
                stream.seek(start)
                digest.update(stream.read(_BLOCK))
    return digest.hexdigest()


def load(path: Path | str) -> dict[str, np.ndarray]:
    """The arrays of a .npz file as a dict; one of `UNREADABLE` where it is damaged."""
    stored = np.load(path, allow_pickle=False)
    if not isinstance(stored, np.lib.npyio.NpzFile):
        raise ValueError("one array, not several")
    with stored:
        return {name: stored[name] for name in stored.files}


def save(path: Path | str, made: dict[str, np.ndarray]) -> None:
    """Write a dict of arrays as .npz: a whole file or none."""
    with whole(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, **made)


def _digest(value):
    return hashlib.blake2b(repr(value).encode(), digest_size=6).hexdigest()


def _load(place, mark):
    """The arrays at `place`, or None if absent, damaged or of another fingerprint."""
    try:
        stored = load(place)
        return stored if str(stored.pop("fingerprint")) == mark else None
    except (KeyError, *UNREADABLE):
        return None


def _store(place, mark, made):
    """False where that is not possible."""
    try:
        save(place, {"fingerprint": np.array(mark), **made})
    except OSError:
        return False
    return True
