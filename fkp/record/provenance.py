"""Where a result comes from: files written whole, fingerprints of data, versions, machine, git."""

import hashlib
import json
import math
import os
import platform
import subprocess
import tempfile
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

PACKAGES = (
    "tensorflow",
    "keras",
    "keras-tuner",
    "numpy",
    "pandas",
    "scikit-learn",
    "opencv-python-headless",
    "papermill",
)


@contextmanager
def whole(path):
    """A temporary path beside `path`, renamed to it when all went well: a whole file or none."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
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
        temporary.write_text(text, encoding="utf-8")


def write_json(path, data):
    """Write JSON atomically; NumPy values become plain ones, NaN and infinities become null."""
    write_text(path, json.dumps(_plain(data), indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def _plain(value):
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Path):
        return value.as_posix()
    return value


def digest(*parts, size=6):
    """Hex digest of JSON-able parts, in order."""
    text = json.dumps(_plain(parts), sort_keys=True, ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=size).hexdigest()


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
        state.update(f"{inside.as_posix()}\0{content.hexdigest()}\n".encode())
    return state.hexdigest()


def environment():
    """Versions and machine as a flat dict; imports none of the packages it names."""
    versions = {"python": platform.python_version()}
    for name in ("fkp", *PACKAGES):
        versions[name] = _version(name)
    return {
        "versions": {name: version for name, version in versions.items() if version},
        "backend": os.environ.get("KERAS_BACKEND", "tensorflow"),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def _version(name):
    if name == "fkp":
        from fkp import __version__

        return __version__
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _cpu():
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    command = ["sysctl", "-n", "machdep.cpu.brand_string"]
    return _output(command) or platform.processor() or platform.machine()


def git_state(root):
    """Commit of the checkout at `root` and whether its code differs from it; None outside git."""
    git = ["git", "-C", str(root)]
    commit = _output([*git, "rev-parse", "--short=12", "HEAD"])
    if not commit:
        return None
    changes = _output([*git, "status", "--porcelain", "--", "fkp", "notebooks", "requirements.txt"])
    return {"commit": commit, "dirty": bool(changes)}


def _output(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
