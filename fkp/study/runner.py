"""Run a planned study: finished runs skipped, long ones first, failures carried along."""

import contextlib
import signal
import time
from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, CancelledError, wait
from pathlib import Path

from fkp.record.machine import environment, git_state
from fkp.study import hub, report
from fkp.study.cost import estimates
from fkp.study.executors import Local
from fkp.study.freshness import Freshness, due
from fkp.study.job import FINISHED, STOPPED, alone, as_it_is, job_of
from fkp.study.manifest import write_manifest
from fkp.study.plan import Plan, Run
from fkp.study.records import given, now, record_of
from fkp.study.studyfile import check_known

DONE = ("finished", "skipped")


class Interrupted(Exception):
    """The user, a signal or a lost cluster stopped the study; what is finished stays finished."""


def run_study(
    plan: Plan,
    *,
    only: Collection[str] | None = None,
    again: Collection[str] = (),
    stale: bool = False,
    workers: int | None = None,
    limit: float | None = None,
    place=None,
    watch=None,
) -> list[dict]:
    """Carry out what is missing of a plan and keep its manifest and report up to date.

    What the project has published of the same parameters and data counts as done, and nothing is
    written there. A run starts as soon as what it reads is there, the longest first.

    Args:
        plan: what to run.
        only: names of the runs to carry out; None: all. What reads others runs as soon as all that
            it reads is there or, if it is named, with what is there.
        again: names of runs to repeat from nothing though they are finished.
        stale: repeat the runs that other code or versions made; trainings whose own code, rows and
            arguments are the same are taken up from their checkpoints.
        workers: notebooks at a time on this machine; None: one for two cores.
        limit: seconds that a notebook may take.
        place: `fkp.study.executors.Cluster` to run on; None: this machine.
        watch: object with `started(run, folder)`, `ended(run, record)` and, if it wants to know,
            `computes_on(backend, device)`; a record is the run's entry in the manifest. None:
            silent.

    Returns:
        The records of all runs, in the order of the plan: dicts with `status` "finished",
        "skipped", "failed" or, if not asked for, "pending".

    Raises:
        ValueError: the study is being run by another process, or no run of a name in `only` or
            `again`.
        Interrupted: by Ctrl-C, a request to terminate, or a cluster that is gone.
    """
    chosen = check_names(plan, only, again)
    with lock(plan.reports), _interruptible() as deaf:
        study = _StudyRun(plan, chosen, again, stale, limit, watch)
        place = place or Local(workers)
        place.started = study.started
        try:
            with place:
                try:
                    study.carry_out(place)
                except (KeyboardInterrupt, CancelledError) as error:
                    deaf()
                    lost = isinstance(error, CancelledError)
                    raise Interrupted("the cluster is gone" if lost else "") from None
        finally:
            study.save()
            hub.write_hub(plan.reports.parent)
    return list(study.records.values())


def check_names(plan: Plan, only: Collection[str] | None, again: Collection[str]) -> set[str]:
    """The names of the runs to carry out; ValueError where `only` or `again` hold another."""
    chosen = {run.name for run in plan.runs}
    check_known(again, chosen, "--again")
    if only is None:
        return chosen
    check_known(only, chosen, "--only")
    check_known(again, only, "--again beside --only")
    return set(only)


class _StudyRun:
    """The state of one `run_study`: records and manifest."""

    def __init__(self, plan, chosen, again, stale, limit, watch):
        self.plan, self.chosen, self.again, self.stale = plan, chosen, again, stale
        self.limit, self.watch, self.workers, self.device = limit, watch, None, None
        self.freshness = Freshness(plan)
        self.records = {run.folder: self.freshness.record(run) for run in plan.runs}
        self.cost = estimates(plan)
        self.about = {"environment": environment(), "git": git_state(plan.root)}
        self.began, self.saved = now(), time.monotonic() + 1

    def carry_out(self, place):
        """Hand over runs, the longest first, as soon as what they read is there."""
        self.workers, running = place.workers, {}
        waiting = {r.folder: r for r in self.plan.runs if r.collect or r.name in self.chosen}
        while waiting or running:
            busy = {run.name for run in (*waiting.values(), *running.values())}
            for run in sorted(waiting.values(), key=lambda r: -(self.cost[r.folder] or 0)):
                if not busy.intersection(run.reads):
                    del waiting[run.folder]
                    if job := self.job(run):
                        running[place.submit(job)] = run
            done, _ = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in done:
                self.settle(running.pop(future), *self.outcome(future))
            self.save(at_most=0.05)

    def job(self, run: Run):
        """The job of a run; None if there is nothing to do, which is recorded."""
        asked = run.name in self.chosen
        if run.reads:
            read = [self.records[other.folder]["status"] for other in self.plan.read_by(run)]
            there = sum(status in DONE for status in read)
            if not there or not (asked or there == len(read)):
                failed = asked and "failed" in read
                self.settle(run, "failed" if failed else None, "there is no finished run to read")
                return None
            self.records[run.folder] = self.freshness.record(run)  # what it reads may be new
        if not due(run, self.records[run.folder], self.again, self.stale):
            self.settle(run, "skipped")
            return None
        again = run.name in self.again
        return job_of(self.plan, run, self.freshness, again=again, limit=self.limit)

    @staticmethod
    def outcome(future):
        """(status, error) of a job that has ended, however."""
        try:
            return future.result()
        except CancelledError:
            raise
        except Exception as error:
            return "failed", f"{type(error).__name__}: {error}".strip(": ").splitlines()[0]

    def settle(self, run, status, error=None):
        """Take over how a run has ended; None: as its folder says."""
        if status == "failed" and self.freshness.state(run).status != "failed":
            record = record_of(run, "failed", error=error)
        elif status == "skipped":
            record = self.records[run.folder] | {"status": "skipped"}
        elif status == STOPPED:
            record = record_of(run)
        else:
            record = Freshness(self.plan).record(as_it_is(run))  # and of the code as it is by now
        self.records[run.folder] = record
        if self.watch:
            self.watch.ended(run, record)

    def started(self, job, device):
        """A run begins."""
        if not self.device and (tell := getattr(self.watch, "computes_on", None)):
            tell(self.about["environment"]["backend"], device)
        self.device = device
        if self.watch:
            self.watch.started(job.run, job.folder)

    def save(self, at_most=None):
        """Write manifest and report as they stand; `at_most`: this share of the time."""
        began = time.monotonic()
        if at_most is not None and began < self.saved:
            return
        section = {
            **self.plan.heading,
            "data": self.plan.data.label(),
            "overrides": given(self.plan),
            "started": self.began,
            "updated": now(),
            "workers": self.workers,
            **self.about,
            "runs": [
                record | {"status": FINISHED if record["status"] in DONE else record["status"]}
                for record in self.records.values()
            ],
        }
        write_manifest(self.plan.reports, self.plan.study, self.plan.profile, section)
        report.write_report(self.plan.reports, self.plan.profile)
        ended = time.monotonic()
        self.saved = ended + (ended - began) / (at_most or 1)


@contextlib.contextmanager
def lock(folder: Path):
    """Only one process at a time works on a study; ValueError if another does."""
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder, patience=0) as free:
        if not free:
            raise ValueError(f"study {folder.name} is in use by another process")
        yield


@contextlib.contextmanager
def _interruptible():
    """SIGTERM ends the study as Ctrl-C does (in the main thread; elsewhere nothing changes).

    Gives a function after which neither is heard any more, so that what is stopping is not stopped.
    """
    before = {}

    def deaf():
        for number in before:
            signal.signal(number, signal.SIG_IGN)

    try:
        before[signal.SIGTERM] = signal.signal(signal.SIGTERM, signal.default_int_handler)
        before[signal.SIGINT] = signal.getsignal(signal.SIGINT)
    except ValueError:
        before.clear()
    try:
        yield deaf
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
