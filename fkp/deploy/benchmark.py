"""Inference time: fresh, interleaved processes, each with one model in one runtime.

A call takes uint8 images (n, h, w, c) in memory and returns points as a NumPy array; what a runtime
does in between (copies, casts, the scaling inside the model) is part of its time. The processes of
one round run in shuffled order, so that a machine which slows down does not favour anybody; results
are medians over rounds, with the range.

`python -m fkp.deploy.benchmark` is one such process: it reads one line of JSON from standard input
and writes JSON to standard output.
"""

import itertools
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
import psutil

from fkp.deploy import runtimes
from fkp.record.machine import environment

# Scaling pixels to [-1, 1] in NumPy: what every model does inside, timed apart.
PREPROCESSING = "preprocessing"
MIN_CALLS = 7
STABLE = 0.05  # warm-up ends when two windows of calls have medians this close
_WINDOWS = 20  # windows into which the time for the warm-up is divided
_LIBRARIES = ("tensorflow", "keras", "ai-edge-litert", "onnxruntime", "numpy")


def measure(
    files: dict[str, dict[str, Path]],
    images: np.ndarray,
    *,
    rounds: int = 3,
    threads: int = 1,
    calls: int = 1024,
    seconds: float = 10,
    batches: Sequence[int] = (1, 100),
    seed: int = 0,
) -> list[dict]:
    """Time models in runtimes.

    Args:
        files: model name -> {runtime: path}.
        images: uint8 (n, h, w, c), at least as many as the largest batch.
        rounds: fresh processes per model and runtime.
        threads: of each runtime; where the system allows it, cores that the process may use
            (see `runtimes.UNPINNED` for the exception).
        calls, seconds: a batch size is timed for so many calls or so long, whichever comes first,
            but for at least `MIN_CALLS`, after warming up for at most as long or `MIN_CALLS`.
        batches: images per call.
        seed: of the order of processes.

    Returns:
        List of dicts, one per process and batch size, in the order of `files`: model, runtime,
        round, turn (of the process, in the order measured), batch, and what `time_calls` returns,
        images_per_s, load_s, memory_mb (peak over what the process held before it loaded the
        runtime: Python, NumPy and the images). Rows of the scaling alone have no model.

    Raises:
        ValueError: too few images, or more threads than cores.
        ChildProcessError: a process failed; says which and why.
    """
    _check_threads(threads)
    if len(images) < max(batches):
        raise ValueError(f"a batch of {max(batches)} needs as many images, got {len(images)}")
    pairs = [(model, *item) for model, paths in files.items() for item in paths.items()]
    pairs.append(("", PREPROCESSING, None))
    order = np.random.default_rng(seed)
    plan = [(i, j) for i in range(rounds) for j in order.permutation(len(pairs))]
    job = {"threads": threads, "calls": calls, "seconds": seconds, "batches": sorted(batches)}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "images.npy", images)
        job["images"] = str(Path(folder) / "images.npy")
        for turn, (number, pair) in enumerate(plan, 1):
            model, runtime, path = pairs[pair]
            answer = _process(job | {"runtime": runtime, "path": path and str(path)}, model)
            key = {"model": model, "runtime": runtime, "round": number, "turn": turn}
            rows += [(pair, key | row) for row in answer]
    return [row for _, row in sorted(rows, key=lambda item: (item[0], item[1]["round"]))]


def measure_models(entries: Sequence[str | Path], **how: object) -> list[dict]:
    """Export models, check the files and time them in every runtime, on noise.

    Args:
        entries: names of models, then for 15 points, or .keras files, which decide the shape of the
            images; without a file 96 x 96 x 1.
        **how: of `measure`.
    """
    from fkp.deploy import export
    from fkp.deploy.candidates import candidate

    stored = next((entry for entry in map(str, entries) if entry.endswith(".keras")), None)
    shape = candidate(stored, None, 15)[1].input_shape[1:] if stored else (96, 96, 1)
    images = np.random.default_rng(0).integers(0, 256, (100, *shape), dtype=np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for entry in entries:
            name, model, _ = candidate(str(entry), images, 15)
            if name in files:
                raise ValueError(f"two models are called {name}: rename one of the files")
            wanted = list(runtimes.RUNTIMES)
            files[name], _ = export.for_runtimes(model, folder, name, wanted, images)
        return measure(files, images, **how)


def conditions(threads: int) -> dict:
    """What the times depend on besides the models: machine, threads, versions, other load.

    Returns:
        dict: cpu, cores, threads, versions, load_percent (use of all cores by others over one
        second, before anything is measured).

    Raises:
        ValueError: more threads than cores.
    """
    _check_threads(threads)
    return {
        "cpu": environment()["cpu"],
        "cores": os.cpu_count(),
        "threads": threads,
        "pinned": hasattr(os, "sched_setaffinity"),
        "load_percent": psutil.cpu_percent(interval=1.0),
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in _LIBRARIES},
    }


def _check_threads(threads):
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if threads > cores:
        raise ValueError(f"threads: {threads}, each on its own core, but {cores} can be used")


def work(job: dict) -> list[dict]:
    """What a process does; `job` holds images, path, runtime, threads, batches, calls, seconds."""
    images = np.load(job["images"])
    if job["runtime"] not in runtimes.UNPINNED and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))  # the last ones are the quietest
        os.sched_setaffinity(0, cores[-job["threads"] :])
    before, started = psutil.Process().memory_info().rss / 1e6, time.perf_counter()
    if job["runtime"] == PREPROCESSING:
        call = _scale
    else:
        call = runtimes.load(job["runtime"], job["path"], job["threads"])
    seconds, rows = time.perf_counter() - started, []
    for batch in job["batches"]:
        starts = range(0, len(images) - batch + 1, batch)
        parts = itertools.cycle([images[i : i + batch] for i in starts])
        row = time_calls(call, parts, job["calls"], job["seconds"])
        row["images_per_s"] = 1000 * batch / row["median_ms"]
        rows.append({"batch": batch, **row, "load_s": seconds, "memory_mb": _peak_mb() - before})
    return rows


def time_calls(
    call: Callable[[np.ndarray], object], inputs: Iterator[np.ndarray], calls: int, seconds: float
) -> dict:
    """Time a function on inputs from an iterator, after warming up until its times are stable.

    Returns:
        dict: first_ms (the first call, with any tracing), median_ms, p90_ms, calls (timed),
        warm_up_calls, stable (whether the warm-up settled in time).
    """
    first = _time(call, next(inputs))
    warm, stable = _warm_up(call, inputs, seconds)
    times, end = [], time.perf_counter() + seconds
    while len(times) < calls and (len(times) < MIN_CALLS or time.perf_counter() < end):
        times.append(_time(call, next(inputs)))
    return {
        "first_ms": 1000 * first,
        "median_ms": 1000 * float(np.median(times)),
        "p90_ms": 1000 * float(np.percentile(times, 90)),
        "calls": len(times),
        "warm_up_calls": warm,
        "stable": stable,
    }


def _warm_up(call, inputs, seconds):
    """(calls made, whether the medians of two windows in a row agreed before time was up).

    A call may take longer than all of the time: `MIN_CALLS` are made in any case.
    """
    end, made, before = time.perf_counter() + seconds, 0, None
    while True:
        window, until = [], time.perf_counter() + seconds / _WINDOWS
        while not window or time.perf_counter() < until:
            window.append(_time(call, next(inputs)))
        made, now = made + len(window), np.median(window)
        if before is not None and abs(now - before) <= STABLE * before:
            return made, True
        if made >= MIN_CALLS and time.perf_counter() > end:
            return made, False
        before = now


def _time(call, argument):
    start = time.perf_counter()
    call(argument)
    return time.perf_counter() - start


def _scale(images):
    return images.astype(np.float32) / np.float32(127.5) - np.float32(1)


def _process(job, model):
    """The answer of a fresh process to a job."""
    root = str(Path(__file__).resolve().parents[2])
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(job["threads"]))
    env = os.environ | limits | {
        "PYTHONPATH": os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])]),
        "KERAS_BACKEND": "tensorflow",
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "fkp.deploy.benchmark"],
        input=json.dumps(job) + "\n", capture_output=True, text=True, env=env, check=False,
    )  # fmt: skip
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = {"error": f"ended with status {done.returncode}"}
    if isinstance(answer, dict):
        raise ChildProcessError(f"{model or 'no model'} in {job['runtime']}: {answer['error']}")
    return answer


def _peak_mb():
    """Peak resident memory of this process; elsewhere than on Linux, the present one.

    The limit that `getrusage` gives would include the process that started this one.
    """
    status = Path("/proc/self/status")
    if status.exists():
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(fields["VmHWM"].split()[0]) * 1024 / 1e6
    return psutil.Process().memory_info().rss / 1e6


def main() -> None:
    """Answer one job from standard input."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no part of the answer
    try:
        result = work(json.loads(sys.stdin.readline()))
    except Exception as error:
        result = {"error": f"{type(error).__name__}: {error}"}
    with answer:
        json.dump(result, answer)


if __name__ == "__main__":
    main()
