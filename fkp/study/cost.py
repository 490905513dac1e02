"""What a plan will take: seconds of each run, as earlier ones of its kind took, and of all."""

import contextlib
import heapq
from collections import Counter
from collections.abc import Sequence
from math import prod
from statistics import median

from fkp.study.plan import Plan, Run
from fkp.study.records import read_metrics

_START = 10.0  # seconds of a training that its images do not explain: libraries, faces, tracing


def estimates(plan: Plan) -> dict[str, float | None]:
    """Seconds that each run may take: run folder -> seconds, None where nothing is known.

    The last record of that very run counts or, failing that, the median of the study's runs of that
    name at this profile; of what trains also at any profile, of the notebook's runs of that model
    in any study; these three, after some seconds to start, in proportion to the images that a
    training sees.
    """
    same, alike = {}, {}
    for about in _finished(plan.root):
        same[_key(about)] = about["seconds"]
        for key in _keys(about["study"], about["profile"], about):
            alike.setdefault(key, []).append((about["seconds"], _images(about["parameters"])))

    def seconds(run):
        about = {"name": run.name, "notebook": run.notebook.name, "key": run.key}
        if _key(about) in same:
            return same[_key(about)]
        about["parameters"] = run.parameters
        keys = _keys(plan.study, plan.profile, about)
        keys = keys if run.parameters.get("epochs") else keys[:1]
        mine = _images(run.parameters)
        found = (median(_scaled(*one, mine) for one in alike[key]) for key in keys if key in alike)
        return next(found, None)

    return {run.folder: seconds(run) for run in plan.runs}


def makespan(runs: Sequence[Run], seconds: dict[str, float | None], workers: int) -> float:
    """Seconds until the last run ends, when each starts as soon as it may, the longest first.

    Args:
        runs: in any order; what they read beside is there already.
        seconds: see `estimates`; where nothing is known, a minute.
        workers: runs at a time.
    """
    cost = {run.folder: seconds[run.folder] for run in runs}
    cost = {folder: 60.0 if known is None else known for folder, known in cost.items()}
    waiting = sorted(runs, key=lambda run: (-cost[run.folder], run.folder))
    left, running, clock = Counter(run.name for run in waiting), [], 0.0
    while waiting or running:
        ready = [run for run in waiting if not any(left[name] for name in run.reads)]
        for run in ready[: workers - len(running)]:
            waiting.remove(run)
            heapq.heappush(running, (clock + cost[run.folder], run.folder, run.name))
        clock, _, name = heapq.heappop(running)
        left[name] -= 1
    return clock


def _key(about):
    return about["notebook"], about.get("name", about["notebook"]), about["key"]


def _keys(study, profile, about):
    """What runs have in common that take alike: the study's at a profile, the study's, any's."""
    notebook, given = about["notebook"], about["parameters"]
    passes = given.get("epoch_size") is None  # over the rows, of whatever number
    name = study, about.get("name", notebook), passes
    return (*name, profile), name, (notebook, str(given.get("model")), passes)


def _scaled(seconds, images, mine):
    """What took so many seconds with so many images, with mine."""
    start = min(_START, seconds)
    return start + (seconds - start) * mine / images


def _images(parameters):
    """Images that a training sees, or passes over all rows; 1 of what trains nothing."""
    given = (parameters.get(name) for name in ("epochs", "epoch_size"))
    return prod(number for number in given if number)


def _finished(root):
    """The sections `run` of what is published and what was run here, in this order."""
    for reports in (root / "reports" / "published", root / "reports"):
        for path in sorted(reports.glob("*/runs/*/metrics.json")):
            with contextlib.suppress(ValueError, OSError):  # a damaged one tells nothing
                about = read_metrics(path.parent).get("run", {})
                if about.get("seconds"):
                    yield about
