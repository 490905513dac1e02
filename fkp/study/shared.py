"""Data and results by way of a place that all machines of a cluster reach: any fsspec URL.

There lie, below the URL, `data/<fingerprint>/<name>` and `runs/<study>/<run folder>/`. A worker
fetches what a run reads, carries it out in a folder of its own, puts back checkpoints as they come,
and the result; the one who asked fetches that into the project.
"""

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePosixPath

from fkp.data.readers import LISTS
from fkp.record.forks import PACKAGE_ROOT, Host
from fkp.study.freshness import FAILED
from fkp.study.job import FINISHED, Job, carry_out
from fkp.study.plan import Plan
from fkp.study.records import METRICS, finished

_PAUSE = 60.0  # seconds between two looks at the checkpoints of a running notebook


class Store:
    """Folders at an fsspec URL, such as s3://bucket/fkp, gs://..., memory://fkp or a path.

    Args:
        url: what fsspec opens; the packages for it, such as s3fs, are installed by who uses it.

    Raises:
        ValueError: fsspec does not know the URL, lacks a package, or cannot reach it.
    """

    def __init__(self, url: str):
        import fsspec

        try:
            self._system, self._base = fsspec.url_to_fs(url)
            self._system.makedirs(self._base, exist_ok=True)
        except Exception as error:
            raise ValueError(f"--shared {url}: {error}") from None
        self.offered = set()  # names of data that are there for certain

    def put(self, source: Path, name: str, keep: bool = False) -> None:
        """Write a file or folder; a run's metrics.json last, as it says that all is there.

        Args:
            source: to be written.
            name: where, below the URL.
            keep: leave what is there already in the same size.
        """
        files = [source] if source.is_file() else [f for f in source.rglob("*") if f.is_file()]
        for file in sorted(files, key=lambda f: f.name == METRICS):
            inner = () if file == source else (file.relative_to(source).as_posix(),)
            target = "/".join((self._base, name, *inner))
            there = keep and self._system.exists(target)
            if not (there and self._system.size(target) == file.stat().st_size):
                self._system.makedirs(str(PurePosixPath(target).parent), exist_ok=True)
                self._system.put_file(str(file), target)

    def get(self, name: str, target: Path) -> bool:
        """Fetch a file or folder; False if there is none."""
        base = f"{self._base}/{name}"
        self._system.invalidate_cache()
        found = self._system.find(base) if self._system.exists(base) else []
        for path in sorted(found, key=lambda p: PurePosixPath(p).name == METRICS):
            part = path[path.index(base.strip("/")) + len(base.strip("/")) :].strip("/")
            file = target / part if part else target
            file.parent.mkdir(parents=True, exist_ok=True)
            self._system.get_file(path, str(file))
        return bool(found)

    def remove(self, name: str) -> None:
        """Delete a folder, if it is there."""
        if self._system.exists(f"{self._base}/{name}"):
            self._system.rm(f"{self._base}/{name}", recursive=True)


def offer(store: Store, job: Job) -> list[str]:
    """Put what a job reads where its worker finds it; returns the names of the results there."""
    data = job.plan.data
    if data.path and _data(data) not in store.offered:
        store.put(data.path, _data(data), keep=True)  # it is named by its content
        store.offered.add(_data(data))
    for folder in job.reads:
        store.put(folder, _run(job, folder.name))
    if job.again:
        store.remove(_run(job, job.run.folder))
    return [_run(job, folder.name) for folder in job.reads]


def reads_beside(plan: Plan) -> bool:
    """Whether more is read than the path of the data: images of a list, points.yaml beside it."""
    path, options = plan.data.path, plan.overrides.get("options")
    alone = path is not None and path.is_file()
    listed = alone and (plan.data.source in LISTS or path.with_name("points.yaml").is_file())
    return listed or (isinstance(options, dict) and "images" in options)


def take(store: Store, job: Job) -> None:
    """Fetch what a job has left into the project, whole or not at all, and clear it away.

    A result that is there stays where the job has none: its log and error alone come beside it.
    """
    name, folder = _run(job, job.run.folder), job.folder
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    if not store.get(name, part):
        return
    if finished(folder) and not finished(part):
        for name in (FAILED, "failed.ipynb", "running.ipynb", "log.txt"):
            if (part / name).exists():
                (part / name).replace(folder / name)
        shutil.rmtree(part)
    else:
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    store.remove(name)


def carry_out_there(
    job: Job, url: str, host: Host, stopped: Callable[[], bool]
) -> tuple[str, str | None]:
    """`fkp.study.job.carry_out` in a folder of this machine, by way of the store."""
    store, name = Store(url), _run(job, job.run.folder)
    with tempfile.TemporaryDirectory(prefix="fkp-run-") as root:
        for part in ("fkp", "notebooks"):
            Path(root, part).symlink_to(PACKAGE_ROOT / part)
        mine = _here(job, Path(root), _fetched(url, _data(job.plan.data), job.plan.data.path))
        for folder in (*mine.reads, mine.folder):
            store.get(_run(job, folder.name), folder)
        if finished(mine.folder) and not job.again:
            return FINISHED, None
        last = time.monotonic()

        def unwanted():
            nonlocal last
            if time.monotonic() - last > _PAUSE:
                store.put(mine.folder, name)
                last = time.monotonic()
            return stopped()

        try:
            return carry_out(mine, host, unwanted)
        finally:
            store.put(mine.folder, name)


def _here(job, root, data):
    """The job with all its places below `root`."""
    notebook = replace(
        job.run.notebook, path=root / job.run.notebook.path.relative_to(job.plan.root)
    )
    run = replace(job.run, notebook=notebook)
    runs = tuple(run if other is job.run else other for other in job.plan.runs)
    plan = replace(job.plan, root=root, runs=runs, data=replace(job.plan.data, path=data))
    reads = tuple(plan.reports / "runs" / folder.name for folder in job.reads)
    return replace(job, plan=plan, run=run, reads=reads)


@cache
def _fetched(url, name, path):
    """The data on this machine, fetched once; None for drawn faces."""
    if path is None:
        return None
    target = Path(tempfile.mkdtemp(prefix="fkp-data-"), path.name)
    if not Store(url).get(name, target):
        raise ValueError(f"{url}: no data {name} there")
    return target


def _data(data):
    return f"data/{data.fingerprint}/{data.name}"


def _run(job, folder):
    return f"runs/{job.plan.study}/{folder}"
