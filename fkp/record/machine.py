"""What a result was made with: library versions, machine, commit."""

import contextlib
import json
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

from fkp import __version__

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


def environment():
    """Versions and machine as a flat dict; imports none of the packages it names."""
    versions = {"python": platform.python_version(), "fkp": __version__}
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return {
        "versions": versions,
        "backend": _backend(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def _backend():
    """Keras' backend, without importing Keras: the variable, else its file, else its default."""
    file = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "keras.json"
    try:
        stored = json.loads(file.read_text("utf-8")).get("backend")
    except (OSError, ValueError, AttributeError):
        stored = None
    return os.environ.get("KERAS_BACKEND") or stored or "tensorflow"


def device():
    """What Keras' backend computes on, "CPU" or the name of a GPU; imports the backend."""
    if _backend() == "torch":
        import torch

        return torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    from keras.distribution import list_devices

    if all(name.lower().startswith("cpu") for name in list_devices()):
        return "CPU"
    names = _output(["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"])
    return names.splitlines()[0] if names else "GPU"


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
