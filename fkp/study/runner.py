"""Run a planned study: one process per notebook, finished runs skipped, failures carried along."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import UTC, datetime
from pathlib import Path

from fkp.record.files import write_text
from fkp.record.machine import environment, git_state
from fkp.study import report
from fkp.study.freshness import FAILED, Freshness
from fkp.study.plan import Plan
from fkp.study.records import finished, record_of, seal
from fkp.study.studyfile import check_known

PACKAGE_ROOT = Path(__file__).resolve().parents[2]


class Interrupted(Exception):
    """The user (or a signal) stopped the study; what is finished stays finished."""


def run_study(
    plan: Plan,
    *,
    only: Collection[str] | None = None,
    again: Collection[str] = (),
    stale: bool = False,
    workers: int = 1,
    watch=None,
) -> list[dict]:
    """Carry out what is missing of a plan and keep its manifest and report up to date.

    What the project has published of the same parameters and data counts as done, and nothing is
    written there.

    Args:
        plan: what to run.
        only: names of the runs to carry out; None: all. What reads others runs as soon as all that
            it reads is there or, if it is named, with what is there.
        again: names of runs to repeat from nothing though they are finished.
        stale: repeat the runs that other code or versions made; trainings whose own code, rows and
            arguments are the same are taken up from their checkpoints.
        workers: notebooks at a time.
        watch: object with `started(run, folder)` and `ended(run, record)`; a record is the run's
            entry in the manifest. None: silent.

    Returns:
        The records of all runs, in the order of the plan: dicts with `status` "finished",
        "skipped", "failed" or, if not asked for, "pending".

    Raises:
        ValueError: the study is being run by another process, or no run of a name in `only` or
            `again`.
        Interrupted: by Ctrl-C or a request to terminate.
    """
    chosen = {run.name for run in plan.runs}
    check_known(again, chosen, "--again")
    if only is not None:
        check_known(only, chosen, "--only")
        chosen = set(only)
        check_known(again, chosen, "--again beside --only")
    with lock(plan.reports), _terminate_as_interrupt():
        study = _StudyRun(plan, again, stale, workers, watch)
        try:
            study.save()
            study.carry_out([r for r in plan.runs if r.name in chosen and not r.collect])
            for run in (run for run in plan.runs if run.collect):
                study.collect(run, asked=run.name in chosen)
        except KeyboardInterrupt:
            study.stop()
            raise Interrupted from None
        finally:
            study.save()
    return study.records


class _StudyRun:
    """The state of one `run_study`: records, running processes, manifest."""

    def __init__(self, plan, again, stale, workers, watch):
        self.plan, self.again, self.stale = plan, again, stale
        self.workers, self.watch = workers, watch
        self.runs_dir = plan.reports / "runs"
        self.freshness = Freshness(plan)
        self.records = [self.freshness.record(run) for run in plan.runs]
        self.processes, self.stopped = set(), False
        self.about = {"environment": environment(), "git": git_state(plan.root)}
        self.began = _now()

    def carry_out(self, runs):
        """Run notebooks, several at a time, and save after each."""
        with ThreadPoolExecutor(self.workers) as pool:
            waiting = {pool.submit(self.one, run): run for run in runs}
            try:
                while waiting:
                    done, _ = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                    for future in done:
                        self.settle(waiting.pop(future), future.result())
            except KeyboardInterrupt:
                for future in waiting:
                    future.cancel()
                self.stop()
                raise

    def collect(self, run, asked):
        """Run a notebook that reads others: once all are there or, where it was asked for, with
        what is there.
        """
        read = [record for record in self.records if record["name"] in run.reads]
        there = [record for record in read if record["status"] in ("finished", "skipped")]
        if there and (asked or len(there) == len(read)):
            self.carry_out([run])
        elif asked and any(record["status"] == "failed" for record in read):
            self.settle(run, record_of(run, "failed", error="there is no finished run to read"))
        else:
            self.settle(run, self.freshness.record(run))

    def settle(self, run, record):
        """Take over the record of a run that has ended."""
        self.records[self.plan.runs.index(run)] = record
        self.save()
        if self.watch:
            self.watch.ended(run, record)

    def wanted(self, run):
        """Whether a run has to be carried out: it has no result, or is to be repeated."""
        state = self.freshness.state(run)
        return (
            not state.done
            or run.name in self.again
            or (state.status == "stale" and (self.stale or run.collect))
        )

    def one(self, run):
        """Run one notebook unless it is done; returns its record."""
        if not self.wanted(run):
            return self.freshness.record(run, "skipped")
        if self.stopped:
            return record_of(run)
        folder = self.runs_dir / run.folder
        with _set_aside(folder, checkpoints_stay=not run.collect and run.name not in self.again):
            return self.carried_out(run, folder)

    def carried_out(self, run, folder):
        """Run one notebook; returns its record."""
        if self.watch:
            self.watch.started(run, folder)
        started, clock = _now(), time.monotonic()
        freshness = Freshness(self.plan)  # the code may have changed since the study began
        made = {"made_by": freshness.made_by(run)}
        if run.collect:
            made["inputs"] = freshness.inputs(run)
        error = self.execute(run, folder)
        if self.stopped:
            return record_of(run)
        if error is None:
            about = {"started": started, "seconds": round(time.monotonic() - clock, 1)}
            error = seal(self.plan, run, folder, **about, **self.about, **made)
        if error is None:
            return record_of(run, "finished")
        write_text(folder / FAILED, error)
        return self.freshness.record(run)

    def execute(self, run, folder):
        """Start the process of one notebook and wait; returns the error's last line or None."""
        job = {
            "notebook": str(run.notebook.path),
            "parameters": run.parameters | self.engine_parameters(run, folder),
            "out": str(folder),
            "root": str(self.plan.root),
        }
        with (folder / "log.txt").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "fkp.study.execute"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=PACKAGE_ROOT,
                env=self.threads(),
                text=True,
                start_new_session=True,
            )
        with process, contextlib.suppress(OSError, ValueError):
            self.processes.add(process)
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
            if self.stopped:
                process.stdin.close()
            error = process.stdout.read().strip()
            status = process.wait()
        self.processes.discard(process)
        return error or (f"the notebook's process ended with status {status}" if status else None)

    def engine_parameters(self, run, folder):
        """Values of the parameters that only the engine knows, as far as the notebook has them."""
        data = self.plan.data
        values = {
            "out": str(folder),
            "data": str(data.path) if data.path else None,
            "source": data.source if data.forced else None,
            "runs_dir": str(self.runs_dir),
            "runs": [str(f) for f in map(self.freshness.result, self.plan.read_by(run)) if f],
        }
        return {name: value for name, value in values.items() if name in run.notebook.defaults}

    def threads(self):
        """The environment of a notebook: with several at a time each gets its share of cores."""
        if self.workers == 1:
            return dict(os.environ)
        share = str(max(1, (os.cpu_count() or 1) // self.workers))
        names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
        return dict(os.environ) | dict.fromkeys(names, share)

    def save(self):
        """Write the manifest and the report as they stand."""
        section = {
            "title": self.plan.title,
            "text": self.plan.text,
            "data": self.plan.data.label(),
            "started": self.began,
            "updated": _now(),
            "workers": self.workers,
            **self.about,
            "runs": [
                record
                | {"status": "finished" if record["status"] == "skipped" else record["status"]}
                for record in self.records
            ],
        }
        report.write_manifest(self.plan.reports, self.plan.study, self.plan.profile, section)
        report.write_report(self.plan.reports, self.plan.profile)

    def stop(self):
        """End the running notebooks; their folders keep what a later run can resume from."""
        self.stopped = True
        for process in list(self.processes):
            with contextlib.suppress(OSError):
                process.stdin.close()


@contextlib.contextmanager
def _set_aside(folder, checkpoints_stay):
    """An empty run folder, but for checkpoints; what it held comes back unless a result is made."""
    before = folder.with_name(f".{folder.name}.before")
    _put_back(folder, before)
    if finished(folder):
        if checkpoints_stay:
            before.mkdir()
            for name in ("metrics.json", "figures", "notebook.ipynb", "notebook.html"):
                if (folder / name).exists():
                    (folder / name).rename(before / name)
        else:
            folder.rename(before)
    folder.mkdir(parents=True, exist_ok=True)
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
        for path in before.iterdir():
            target = folder / path.name
            shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
            path.rename(target)
    shutil.rmtree(before)


def _now():
    return datetime.now(UTC).isoformat(timespec="seconds")


@contextlib.contextmanager
def lock(folder):
    """Only one process at a time works on a study."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ValueError(f"study {folder.name} is in use by another process") from None
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def _terminate_as_interrupt():
    """SIGTERM ends the study as Ctrl-C does (in the main thread; elsewhere nothing changes)."""
    try:
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
