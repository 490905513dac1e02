"""One run carried out, here or on a worker of a cluster."""

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from fkp.record.files import write_text
from fkp.record.forks import Fork, Host
from fkp.record.machine import environment, git_state
from fkp.study.freshness import FAILED, Freshness, unlike
from fkp.study.notebooks import read_notebook
from fkp.study.plan import Plan, Run
from fkp.study.records import METRICS, finished, now, places_of, section_of
from fkp.study.wording import duration

FINISHED, STOPPED = "finished", "stopped"
# What trainings and searches go on from.
_CHECKPOINTS = ("last.keras", "best.weights.h5", "progress.json", "training.json", "search")


@dataclass(frozen=True)
class Job:
    """All that it takes to carry out a run.

    Attributes:
        plan: of the run and of those that it reads alone.
        run: the run.
        reads: folders of the results that it reads.
        again: whether a finished result's checkpoints are forgotten.
        limit: seconds that it may take; None: any.
        code: module -> digest of the code that has to carry it out; None: whatever is there.
    """

    plan: Plan
    run: Run
    reads: tuple[Path, ...] = ()
    again: bool = False
    limit: float | None = None
    code: dict | None = None

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.plan.reports / "runs" / self.run.folder


def job_of(plan: Plan, run: Run, freshness: Freshness, **options: object) -> Job:
    """The job of a run, with no more of the plan than it needs."""
    reads = plan.read_by(run)
    folders = tuple(folder for folder in map(freshness.result, reads) if folder)
    return Job(replace(plan, runs=(*reads, run)), run, folders, **options)


def as_it_is(run: Run) -> Run:
    """The run with its notebook as it lies there by now, which is the one that is run.

    One that cannot be read, or has other parameters, leaves the run as it was planned.
    """
    try:
        notebook = read_notebook(run.notebook.path)
    except (OSError, ValueError):
        return run
    same = notebook.defaults.keys() == run.notebook.defaults.keys()
    return replace(run, notebook=notebook) if same else run


def carry_out(job: Job, host: Host, stopped: Callable[[], bool]) -> tuple[str, str | None]:
    """Run a notebook; what it leaves in the run's folder is whole or as it was before.

    Args:
        job: what to run.
        host: that forks the notebook's process.
        stopped: asked twice a second whether to end it.

    Returns:
        ("finished", None), ("stopped", None) or ("failed", the error).
    """
    if stopped():
        return STOPPED, None
    job = replace(job, run=as_it_is(job.run))
    made = {"made_by": (freshness := Freshness(job.plan)).made_by(job.run)}
    if job.run.reads:
        made["inputs"] = freshness.inputs(job.run)
    if job.code and (other := unlike(job.code, made["made_by"]["code"])):
        return "failed", f"{os.uname().nodename} has other code: {other}; bring it up to date"
    stay = not job.run.collect and not job.again
    job.folder.mkdir(parents=True, exist_ok=True)
    with alone(job.folder) as free:
        if not free:
            return "failed", "another process works on it"
        with _set_aside(job.folder, checkpoints_stay=stay):
            error = _process(job, host, stopped, made)
        if error is STOPPED:
            return STOPPED, None
        if error is None:
            return FINISHED, None
        write_text(job.folder / FAILED, error)
    return "failed", error


def _process(job, host, stopped, made):
    """Fork the notebook's process and wait; None, what went wrong, or `STOPPED`."""
    plan, run = job.plan, job.run
    data = str(plan.data.path) if plan.data.path else None
    arguments = {
        "notebook": str(run.notebook.path),
        "parameters": run.parameters | _engine_parameters(job, data),
        "out": str(job.folder),
        "root": str(plan.root),
        "section": section_of(plan, run, started=now(), **_about(plan.root, host), **made),
        "data": data,
        "places": places_of(run.parameters, data, plan.data.name),
    }
    log = job.folder / "log.txt"
    log.write_text("")
    fork = host.fork("fkp.study.execute:main", arguments, env={"FKP_LOG": str(log)}, log=log)
    with contextlib.closing(fork):
        return _watched(fork, job.limit, stopped)


def _watched(fork: Fork, limit, stopped):
    began = time.monotonic()
    while True:
        with contextlib.suppress(TimeoutError):
            status = fork.wait(0.5)
            break
        late = limit is not None and time.monotonic() - began > limit
        if late or stopped():
            fork.kill()
            fork.wait()
            return f"over its limit of {duration(limit)}" if late else STOPPED
    if status:
        memory = ", perhaps for memory" if status == -9 else ""
        killed = f"was killed by signal {-status}{memory}"
        return f"the notebook's process {killed if status < 0 else f'ended with status {status}'}"
    return fork.answer


def _engine_parameters(job, data):
    """Values of the parameters that only the engine knows, as far as the notebook has them."""
    values = {
        "out": str(job.folder),
        "data": data,
        "source": job.plan.data.source if job.plan.data.forced else None,
        "runs_dir": str(job.plan.reports / "runs"),
        "runs": [str(folder) for folder in job.reads],
    }
    return {name: value for name, value in values.items() if name in job.run.notebook.defaults}


@lru_cache(maxsize=8)
def _about(root, host):
    return {"environment": environment() | {"device": host.device}, "git": git_state(root)}


@contextlib.contextmanager
def alone(folder: Path, patience: float = 30.0) -> Iterator[bool]:
    """Whether no other process works in a folder, such as one that a cluster has given up.

    Args:
        patience: seconds to wait for another one.
    """
    handle, ends = os.open(folder, os.O_RDONLY), time.monotonic() + patience
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= ends:
                    yield False
                    return
                time.sleep(0.5)
            except OSError:  # a file system without locks
                break
            else:
                break
        yield True
    finally:
        os.close(handle)


@contextlib.contextmanager
def _set_aside(folder, checkpoints_stay):
    """An empty run folder, but for checkpoints; what it held comes back unless a result is made.

    Whoever is killed between two moves leaves what the next one puts back: the metrics, by which a
    result is known, go first and come last.
    """
    before = folder.with_name(f".{folder.name}.before")
    _put_back(folder, before)
    if finished(folder):
        before.mkdir()
        stay = ("log.txt", *(_CHECKPOINTS if checkpoints_stay else ()))
        for path in sorted(folder.iterdir(), key=lambda path: path.name != METRICS):
            if path.name not in stay:
                path.rename(before / path.name)
    (folder / FAILED).unlink(missing_ok=True)
    try:
        yield
    finally:
        _put_back(folder, before)


def _put_back(folder, before):
    """Undo what was set aside, unless there is a new result."""
    if not before.exists():
        return
    if not finished(folder):
        for path in sorted(before.iterdir(), key=lambda path: path.name == METRICS):
            target = folder / path.name
            shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
            path.rename(target)
    shutil.rmtree(before)
