"""What goes wrong in a study that takes a night, done to one that takes a minute.

    python -m benchmarks.faults --json OUT [--kills 20] [--only NAME]  # known ones in OUT stay

Each fault strikes a study of real trainings on drawn faces (two of three epochs, and a page that
compares them) in a project of its own; then the fault is taken away and the same command given
again. The table says how the first command ended, what finished runs were lost or done twice, and
whether the results are those of a study that nothing happened to. Disks are small tmpfs, so this
wants to be root; times do not matter, so the machine need not be idle.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil

from fkp.record.files import write_json
from fkp.record.forks import PACKAGE_ROOT, threads
from fkp.study.records import finished

STUDY = """
runs:
  - notebook: train
    parameters: {drawn: {n: 80, size: 48}, model: tiny, epochs: 3, epoch_size: 160}
    grid: {seed: [0, 1]}
  - {notebook: compare, collect: true}
"""
# The command line on a project whose folder is the first argument.
CODE = """
import pathlib, sys, fkp.cli, fkp.study.studyfile
root = pathlib.Path(sys.argv.pop(1))
fkp.study.studyfile.project = lambda: root
fkp.cli.main()
"""
FAULTS = {}


def fault(title: str) -> Callable:
    """Registers a function of a `Project` that does the damage and mends it again."""

    def keep(function):
        FAULTS[title] = function
        return function

    return keep


class Project:
    """A project that shares the code of this one and has a study of its own."""

    takes = 60.0  # s, its study

    def __init__(self, folder: Path, small: int | None = None):
        self.root = folder
        (folder / "data").mkdir(parents=True)
        (folder / "fkp").symlink_to(PACKAGE_ROOT / "fkp")
        shutil.copytree(PACKAGE_ROOT / "notebooks", folder / "notebooks")
        for old in (folder / "notebooks" / "studies").iterdir():
            old.unlink()
        (folder / "notebooks" / "studies" / "night.yaml").write_text(STUDY)
        self.reports = folder / "reports"
        self.reports.mkdir()

    def start(self, *options: str) -> subprocess.Popen:
        """The study, running."""
        return subprocess.Popen(
            [sys.executable, "-c", CODE, str(self.root), "run", "night", *options],
            cwd=PACKAGE_ROOT,
            # As on the cluster: with other threads sums are rounded otherwise.
            env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"} | threads(1),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def training(self, *options: str) -> subprocess.Popen:
        """The study, once its first network trains."""
        process = self.start(*options)
        self.until(process, "night/runs/*/progress.json")
        return process

    def run(self, *options: str) -> tuple[int, str]:
        """The study, to its end: exit status, what it said."""
        process = self.start(*options)
        said, _ = process.communicate(timeout=900)
        return process.returncode, said

    def folders(self) -> list[Path]:
        """Folders of the runs."""
        return sorted(self.reports.glob("night/runs/[!.]*"))

    def done(self) -> dict[str, str]:
        """Finished runs that read no others -> when they began."""
        return {
            folder.name: json.loads((folder / "metrics.json").read_text())["run"]["started"]
            for folder in self.folders()
            if finished(folder) and not folder.name.startswith("compare")
        }

    def results(self) -> dict:
        """What the study has found, without times."""
        found = {}
        for folder in self.folders():
            metrics = json.loads((folder / "metrics.json").read_text())
            found[folder.name] = {k: metrics.get(k) for k in ("scores", "model", "per_point")}
        return found

    def until(self, process: subprocess.Popen, pattern: str) -> list[Path]:
        """Wait until a file is there (or the study has ended)."""
        while not (found := list(self.reports.glob(pattern))) and process.poll() is None:
            time.sleep(0.05)
        return found

    def notebook_processes(self, process: subprocess.Popen) -> list[psutil.Process]:
        """The executor and the kernel of the notebook that runs."""
        host = next(iter(psutil.Process(process.pid).children()))
        while len(host.children()) < 2 and process.poll() is None:
            time.sleep(0.05)
        return sorted(host.children(), key=lambda p: p.create_time())


@contextlib.contextmanager
def disk(folder: Path, megabytes: float):
    """A small file system at a folder."""
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={int(megabytes * 1024)}k", "tmpfs", folder],
        check=True,
    )
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def last_line(said: str) -> str:
    """What the user reads last that is no path of a report."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(("report:", "stale results"))]
    return next((line for line in told if line.startswith(("failed:", "error:"))), told[-1])


def end(process: subprocess.Popen) -> None:
    """Kill an engine (-9), if it still runs."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def killed_at(project, rng):
    """The engine is killed (-9) a random while after its start."""
    process = project.start()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(rng.uniform(0.1, 0.9) * project.takes)
    end(process)


@fault("a notebook's process is killed")
def executor_killed(project):
    process = project.training()
    project.notebook_processes(process)[0].kill()
    return process.communicate()[0]


@fault("a kernel is killed, as for memory")
def kernel_killed(project):
    process = project.training()
    project.notebook_processes(process)[-1].kill()
    return process.communicate()[0]


@fault("a kernel hangs; --limit 45s")
def kernel_hangs(project):
    process = project.training("--limit", "45")
    project.notebook_processes(process)[-1].suspend()
    return process.communicate()[0]


@fault("a notebook raises")
def raises(project):
    path = next((project.root / "notebooks").glob("*-compare.ipynb"))
    whole = path.read_text()
    path.write_text(whole.replace("results.load(", "results.no_such("))
    said = project.run()[1]
    path.write_text(whole)
    return said


def _full(project, megabytes):
    """A disk that is full at some moment; then it has room."""
    with disk(project.reports, megabytes):
        said = project.run()[1]
        subprocess.run(["mount", "-o", "remount,size=64m", project.reports], check=True)
        _again(project)
        shutil.copytree(project.reports, project.root / "kept")
    shutil.copytree(project.root / "kept", project.reports, dirs_exist_ok=True)
    return said


for _size, _what in ((0.1, "the first checkpoint"), (1.0, "a checkpoint"), (1.8, "results")):
    FAULTS[f"disk full ({_size} MB): while {_what} is written"] = lambda project, size=_size: _full(
        project, size
    )


@fault("the reports folder is read-only")
def read_only(project):
    with disk(project.reports, 32):
        subprocess.run(["mount", "-o", "remount,ro", project.reports], check=True)
        said = project.run()[1]
    return said


@fault("the share with the reports goes away in mid-run")
def share_gone(project):
    with disk(project.reports, 32):
        process = project.training()
        subprocess.run(["umount", "-l", project.reports], check=True)
        said = process.communicate()[0]
    return said


def _spoilt(project, pattern, spoil):
    """A file of a half-finished study is spoilt."""
    process = project.start()
    project.until(process, "night/runs/*-1-*/progress.json")
    end(process)
    for path in project.reports.glob(pattern):
        spoil(path)
    return project.run()[1]


def _cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


for _name, _pattern in {
    "metrics.json": "night/runs/*-0-*/metrics.json",
    "manifest.json": "night/manifest.json",
    "the last checkpoint": "night/runs/*-1-*/last.keras",
    "the best weights": "night/runs/*-1-*/best.weights.h5",
    "the progress file": "night/runs/*-1-*/progress.json",
}.items():
    FAULTS[f"truncated: {_name}"] = lambda project, p=_pattern: _spoilt(project, p, _cut)
    FAULTS[f"garbage in {_name}"] = lambda project, p=_pattern: _spoilt(
        project, p, lambda path: path.write_bytes(b"\xff\x00garbage" * 9)
    )


@fault("two engines on one study")
def two_engines(project):
    process = project.start()
    project.until(process, "night/runs/*/log.txt")
    said = project.run()[1]
    process.communicate()
    return said


@fault("Ctrl-C twice")
def twice_interrupted(project):
    process = project.training()
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    return process.communicate()[0]


@fault("the clock is set back a day in mid-study")
def clock(project):
    process = project.start()
    project.until(process, "night/runs/*-1-*/progress.json")
    process.send_signal(signal.SIGINT)
    said = process.communicate()[0]
    future = time.time() + 86400
    for path in project.reports.rglob("*"):
        os.utime(path, (future, future))
    return said


@fault("the data changes during the study")
def data_changes(project):
    study = project.root / "notebooks" / "studies" / "night.yaml"
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 96, 96, 1), dtype=np.uint8)
    points = rng.uniform(20, 70, (60, 15, 2)).astype(np.float32)
    path = project.root / "data" / "faces.npz"
    np.savez(path, images=images, points=points)
    process = project.training()
    np.savez(path, images=images, points=points + 1)
    said = process.communicate()[0]
    path.unlink()
    shutil.rmtree(project.reports / "night")
    assert study.exists()
    return said


@fault("a wrong weights file")
def wrong_weights(project):
    study = project.root / "notebooks" / "studies" / "night.yaml"
    right = study.read_text()
    (project.root / "w.keras").write_bytes(b"no weights")
    study.write_text(
        "runs: [{notebook: small, parameters: {drawn: {n: 80, size: 96}, side: 48, zoom: 2.0, "
        f"epochs: 1, weights: {project.root}/w.keras}}}}]"
    )
    said = project.run()[1]
    study.write_text(right)
    shutil.rmtree(project.reports / "night")
    return said


@contextlib.contextmanager
def _cluster(port):
    """A scheduler and two workers, as (address, scheduler, workers)."""
    address = f"tcp://127.0.0.1:{port}"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}

    def dask(part, *options):
        module = f"distributed.cli.dask_{part}"
        return subprocess.Popen([sys.executable, "-m", module, "--no-dashboard", *options], **quiet)

    scheduler = dask("scheduler", "--port", str(port))
    options = (address, "--nthreads", "1", "--no-nanny", "--death-timeout", "60")
    workers = [dask("worker", *options) for _ in range(2)]
    time.sleep(12)
    try:
        yield address, scheduler, workers
    finally:
        for process in (*workers, scheduler):
            process.kill()


@fault("a Dask worker is killed in mid-run")
def worker_killed(project):
    with _cluster(38801) as (address, _, workers):
        process = project.training("--scheduler", address)
        workers[0].kill()
        return process.communicate()[0]


@fault("the Dask scheduler goes")
def scheduler_gone(project):
    with _cluster(38802) as (address, scheduler, _):
        process = project.training("--scheduler", address)
        scheduler.kill()
        return process.communicate()[0]


@fault("the engine is killed, its cluster goes on")
def engine_killed_on_cluster(project):
    with _cluster(38803) as (address, _, _):
        process = project.training("--scheduler", address)
        end(process)
        return project.run("--scheduler", address)[1]


def _again(project):
    """The same command until it succeeds, twice at most."""
    for _ in range(2):
        status, said = project.run()
        if not status:
            return said
    raise RuntimeError(f"does not recover: {said[-2000:]}")


def main() -> None:
    """Inject the faults and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--only", help="faults whose title holds this")
    args = parser.parse_args()
    rows = json.loads(args.json.read_text())["faults"] if args.json and args.json.exists() else []
    known = {row["fault"] for row in rows}
    with tempfile.TemporaryDirectory() as scratch:
        clean = Project(Path(scratch, "clean"))
        began = time.monotonic()
        assert clean.run()[0] == 0
        Project.takes = time.monotonic() - began
        expected = clean.results()

        def judge(title, project, before, said):
            _again(project)
            after = project.done()
            lost = sum(after.get(name) != began for name, began in before.items())
            equal = project.results() == expected
            row = {"fault": title, "finished before": len(before), "lost or done twice": lost}
            row |= {"equal after": equal, "said": last_line(said).replace(str(project.root), "...")}
            rows.append(row)
            print(*row.values(), sep=" | ", flush=True)
            if args.json:
                write_json(args.json, {"faults": rows})

        title = f"engine killed (-9) at {args.kills} random moments"
        if title not in known and (not args.only or args.only in title):
            rng, moments, lost = random.Random(args.kills), 0, 0
            while moments < args.kills:
                project, kept = Project(Path(scratch, f"killed{moments}")), {}
                while moments < args.kills and len(kept) < 2:
                    killed_at(project, rng)
                    moments += 1
                    now = project.done()
                    lost += sum(now.get(name) != began for name, began in kept.items())
                    kept = now
                if moments < args.kills:
                    _again(project)
                    lost += sum(project.done().get(name) != began for name, began in kept.items())
                    assert project.results() == expected
            judge(title, project, kept, "-")
            rows[-1]["lost or done twice"] += lost
        for title, strike in FAULTS.items():
            if title in known or (args.only and args.only not in title):
                continue
            project = Project(Path(scratch, f"p{len(rows)}"))
            said = strike(project)
            judge(title, project, project.done(), said)
    print(f"{len(rows)} faults, {sum(row['lost or done twice'] for row in rows)} results lost")


if __name__ == "__main__":
    main()
