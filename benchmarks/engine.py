"""What the engine costs beyond the notebooks' own work, and what memory things take.

    python -m benchmarks.engine --data 300W --kaggle KAGGLE --json OUT

Overhead: a study is run in a project of its own; of its wall time that is the engine's which no
cell of a notebook was running in. Memory: the peak of a process (resident) that loads or trains and
the engine's and its host's after few and after many runs. Nothing else should run meanwhile.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import psutil

from fkp.record.files import write_json
from fkp.record.forks import PACKAGE_ROOT
from fkp.study.executors import Local
from fkp.study.plan import plan
from fkp.study.runner import run_study

MANY = """
runs:
  - notebook: explore
    parameters: {drawn: {n: 20, size: 32}}
    grid: {seed: [%s]}
"""


def project(folder: Path) -> Path:
    """A project with this one's code, notebooks and studies and no results."""
    shutil.copytree(PACKAGE_ROOT / "notebooks", folder / "notebooks")
    (folder / "fkp").symlink_to(PACKAGE_ROOT / "fkp")
    (folder / "data").mkdir()
    return folder


def in_cells(notebook: Path) -> float:
    """Seconds that the cells of an executed notebook were running."""
    total = 0.0
    for cell in json.loads(notebook.read_text())["cells"]:
        about = cell["metadata"].get("papermill") or {}
        if about.get("start_time") and about.get("end_time"):
            began, ended = (datetime.fromisoformat(about[k]) for k in ("start_time", "end_time"))
            total += (ended - began).total_seconds()
    return total


def overhead(root: Path, study: str, profile: str) -> dict[str, float]:
    """Wall time of a study, s, and what of it no cell was running in."""
    planned, began = plan(study, profile=profile, root=root), time.perf_counter()
    records = run_study(planned, workers=1)
    wall = time.perf_counter() - began
    folders = [planned.reports / "runs" / record["folder"] for record in records]
    cells = [in_cells(folder / "notebook.ipynb") for folder in folders]
    lost = [record["seconds"] - own for record, own in zip(records, cells, strict=True)]
    began = time.perf_counter()
    run_study(planned, workers=1)
    return {
        "study": study,
        "profile": profile,
        "runs": len(records),
        "wall, s": round(wall, 1),
        "cells, s": round(sum(cells), 1),
        "engine, s": round(wall - sum(cells), 1),
        "engine, %": round(100 * (wall - sum(cells)) / wall, 1),
        "of a run with a warm kernel, s": round(sorted(lost)[len(lost) // 2], 2),
        "answers when finished, s": round(time.perf_counter() - began, 2),
    }


def peak(code: str) -> float:
    """Most memory that a process had while it ran some code, MB."""
    ending = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    unit = 1024 if sys.platform == "darwin" else 1  # there in bytes, elsewhere in kB
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{ending}"],
        cwd=PACKAGE_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return round(int(done.stdout.split()[-1]) / unit / 1024)


def growth(root: Path, runs: int) -> dict[str, float]:
    """Memory of the engine and its host after an eighth of the runs and after all, MB."""
    path = root / "notebooks" / "studies" / "many.yaml"
    path.write_text(MANY % ", ".join(map(str, range(runs))))
    place, seen = Local(1), []

    class Watch:
        """Notes memory when a run ends."""

        def started(self, run: object, folder: Path) -> None:
            """Nothing."""

        def ended(self, run: object, record: dict) -> None:
            """Take note."""
            host = psutil.Process(place._host._process.pid)
            seen.append((psutil.Process().memory_info().rss, host.memory_info().rss))

    run_study(plan("many", root=root), place=place, watch=Watch())
    names = ("engine", "host")
    return {
        f"{name} after {number} runs, MB": round(seen[number - 1][i] / 1e6)
        for number in (runs // 8, runs)
        for i, name in enumerate(names)
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--data", type=Path, help="300-W")
    parser.add_argument("--kaggle", type=Path)
    parser.add_argument("--runs", type=int, default=40)
    args = parser.parse_args()
    read = "from fkp.data import readers; faces = readers.read({!r}, None, **{!r})"
    options = {"size": 192, "channels": 1, "margin": 0.5, "use_cache": False}
    train = (
        "import numpy as np; from fkp import models; from fkp.data import readers, split;"
        "from fkp.prepare.warp import Warp, plain; from fkp.training.fit import fit;"
        "faces = readers.read(n=2000, size=192, scheme=__import__('fkp.data.schemes', fromlist='x')"
        ".IBUG_68); network = models.build('small', (128, 128, 1), 68, seed=0);"
        "fit(network, faces, plain(faces.take(np.arange(200)), 128), epochs=1, batch_size=32,"
        "augment=Warp(faces.scheme), progress=False)"
    )
    tasks = {"training small, 2000 faces of 192 px": train}
    if args.data:
        tasks["loading 300-W, 192 px, no cache"] = read.format(str(args.data), options)
    if args.kaggle:
        tasks["loading Kaggle's file, no cache"] = read.format(str(args.kaggle), {})
    memory = {name: peak(code) for name, code in tasks.items()}
    memory["importing keras and tensorflow alone"] = peak("import keras")
    with tempfile.TemporaryDirectory() as scratch:
        root = project(Path(scratch).resolve())
        found = {"memory, MB": memory, "growth": growth(root, args.runs)}
        found["overhead"] = overhead(root, "tour", "quick")
    print(json.dumps(found, indent=1))
    if args.json:
        write_json(args.json, found)


if __name__ == "__main__":
    main()
