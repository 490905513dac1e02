"""Where runs are carried out: processes of this machine, or a Dask cluster.

Both take jobs as `concurrent.futures` does: `submit` returns a Future of what
`fkp.study.job.carry_out` returns.
"""

import contextlib
import os
import re
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from fkp.record.code import package_digests
from fkp.record.forks import PACKAGE_ROOT, Host, threads, worker_host
from fkp.study.freshness import Freshness, unlike
from fkp.study.job import Job, as_it_is, carry_out
from fkp.study.shared import Store, carry_out_there, offer, take


def usual_workers() -> int:
    """Notebooks at a time on this machine, unless told otherwise: one for two cores."""
    return max(1, (os.cpu_count() or 1) // 2)


class Local:
    """Notebooks on this machine.

    Args:
        workers: notebooks at a time; None: `usual_workers`.

    Attributes:
        started: called with a job and what it computes on when it begins, in another thread.
    """

    def __init__(self, workers: int | None = None):
        cores = os.cpu_count() or 1
        self.workers = workers or usual_workers()
        self.started: Callable[[Job, str], None] | None = None
        self._host = Host(threads(cores // self.workers if self.workers > 1 else None))
        self._pool, self._stop = ThreadPoolExecutor(self.workers), threading.Event()

    def submit(self, job: Job) -> Future:
        """Carry out a job as soon as a worker is free."""
        return self._pool.submit(self._carry_out, job)

    def _carry_out(self, job):
        if self.started and not self._stop.is_set():
            self.started(job, self._host.device)
        return carry_out(job, self._host, self._stop.is_set)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._pool.shutdown(cancel_futures=True)
        self._host.close()


class Cluster:
    """Notebooks on the workers of a Dask cluster.

    Args:
        address: of its scheduler, "tcp://host:port", with tls or dask in place of tcp.
        root: the project's folder, which the workers see unless there is a store.
        shared: fsspec URL of a store by which data and results travel, see `fkp.study.shared`.

    Raises:
        ValueError: Dask is not installed, the address is of another form, nothing answers, no
            worker is there, or one has other code or does not see the folder.
    """

    def __init__(self, address: str, root: Path, shared: str | None = None):
        if not re.fullmatch(r"(tcp|tls|dask)://.+:\d+|inproc://.+", address):  # the last for tests
            raise ValueError(f"--scheduler: expected tcp://HOST:PORT, got {address!r}")
        try:
            from distributed import Client
        except ImportError:
            raise ValueError("--scheduler needs Dask: pip install distributed") from None
        self._shared, self._store, self._offered = shared, Store(shared) if shared else None, set()
        self.address = address.replace("dask://", "tcp://")
        try:
            self._client = Client(self.address, timeout=10, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ValueError(f"--scheduler {address}: no scheduler answers ({error})") from None
        try:
            self.workers = self._checked(root)
        except BaseException:
            self._client.close()
            raise
        self._executor: Executor = self._client.get_executor(pure=False)

    def _checked(self, root):
        """Number of threads of the workers, all of which have this code and see the folder."""
        counts = self._client.nthreads()
        if not counts:
            raise ValueError(f"--scheduler {self.address}: no worker is connected")
        mine = package_digests(PACKAGE_ROOT / "fkp")
        for worker, (theirs, sees) in self._client.run(_about, str(root)).items():
            if other := unlike(mine, theirs):
                raise ValueError(f"worker {worker} has other code: {other}")
            if not (sees or self._shared):
                raise ValueError(
                    f"worker {worker} does not see {root}: expected a shared folder, or "
                    "--shared with a URL that all machines reach"
                )
        return sum(counts.values())

    def submit(self, job: Job) -> Future:
        """Carry out a job on a worker."""
        code = Freshness(job.plan).made_by(as_it_is(job.run))["code"]
        job = replace(job, code=code)
        if self._store is None:
            return self._executor.submit(_on_worker, job)
        self._offered.update(offer(self._store, job))
        here, there = Future(), self._executor.submit(_on_worker, job, self._shared)
        there.add_done_callback(lambda done: self._take(job, done, here))
        return here

    def _take(self, job, done, here):
        """Fetch what a worker has left, then say how it went."""
        try:
            outcome = done.result()
            take(self._store, job)
            here.set_result(outcome)
        except BaseException as error:
            here.set_exception(error)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(Exception):
            self._executor.shutdown(wait=False)  # of what runs, workers notice and end it
        with contextlib.suppress(Exception):
            for name in self._offered:
                self._store.remove(name)
        with contextlib.suppress(Exception):
            self._client.close(timeout=5)


def _about(root):
    return package_digests(PACKAGE_ROOT / "fkp"), Path(root, "notebooks").is_dir()


def _on_worker(job, shared=None):
    """Carry out a job on a worker, until nobody wants it any more."""
    from distributed import get_worker, secede

    worker = get_worker()
    key, host = worker.get_current_task(), worker_host()
    if job.run.parameters.get("tuners", 1) > 1:
        secede()  # its helpers need the place

    def unwanted():
        task = worker.state.tasks.get(key)
        return task is None or task.state not in ("executing", "long-running")

    if shared:
        return carry_out_there(job, shared, host, unwanted)
    return carry_out(job, host, unwanted)
