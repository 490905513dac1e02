"""What a plan will take: seconds of each run, as earlier ones of its kind took, and of all."""

import contextlib
import heapq
from collections import Counter
from collections.abc import Iterable
from statistics import median

from fkp.study.manifest import read_manifest
from fkp.study.plan import Plan, Run


def estimates(plan: Plan) -> dict[str, float | None]:
    """Seconds that each run may take: run folder -> seconds, None where nothing is known.

    The last record of that very run counts or, failing that, the median of the study's runs of that
    name at this profile, at any profile, of the notebook's runs in any study.
    """
    known = _known(plan)
    levels = [{} for _ in range(4)]
    for (study, profile), records in known.items():
        for record in records:
            keys = (
                record["folder"],
                (record["name"], profile) if study == plan.study else None,
                record["name"] if study == plan.study else None,
                record["notebook"],
            )
            for level, key in zip(levels, keys, strict=True):
                level.setdefault(key, []).append(record["seconds"])
    medians = [{key: median(values) for key, values in level.items()} for level in levels]

    def seconds(run):
        keys = (run.folder, (run.name, plan.profile), run.name, run.notebook.name)
        found = (level.get(key) for level, key in zip(medians, keys, strict=True))
        return next((value for value in found if value is not None), None)

    return {run.folder: seconds(run) for run in plan.runs}


def makespan(runs: Iterable[Run], seconds: dict[str, float | None], workers: int) -> float:
    """Seconds until the last run ends, when each starts as soon as it may, the longest first.

    Args:
        runs: in any order; what they read beside is there already.
        seconds: see `estimates`; where nothing is known, a minute.
        workers: runs at a time.
    """
    runs = list(runs)
    left = Counter(run.name for run in runs)
    waiting, ready, running, clock = [], [], [], 0.0
    for run in runs:
        cost = seconds[run.folder]
        waiting.append((60.0 if cost is None else cost, run.folder, run))
    while waiting or ready or running:
        still = []
        for cost, folder, run in waiting:
            if any(left[name] for name in run.reads):
                still.append((cost, folder, run))
            else:
                heapq.heappush(ready, (-cost, folder, run.name))
        waiting = still
        while ready and len(running) < workers:
            cost, folder, name = heapq.heappop(ready)
            heapq.heappush(running, (clock - cost, folder, name))
        clock, _, name = heapq.heappop(running)
        left[name] -= 1
    return clock


def _known(plan):
    """(study, profile) -> records with seconds, of all that was run here or is published."""
    found = {}
    for reports in (plan.root / "reports" / "published", plan.root / "reports"):
        for path in sorted(reports.glob("*/manifest.json")):
            with contextlib.suppress(ValueError):  # a damaged one tells nothing
                for profile, section in read_manifest(path.parent)["profiles"].items():
                    records = [record for record in section["runs"] if record.get("seconds")]
                    found.setdefault((path.parent.name, profile), []).extend(records)
    return found
