"""A study of two thousand runs: planned, started, reported; and paper A's grid on many workers.

    python -m benchmarks.scale --json OUT

The runs are those of paper A's training notebook over a grid, each with a finished result of a
usual size; nothing is trained. Times are of this machine, which should be idle. The simulation has
the durations that paper A's published runs had and starts each run as the engine would: as soon as
what it reads is there, the longest first, `OVERHEAD` seconds for each on top.
"""

import argparse
import copy
import json
import shutil
import tempfile
import time
from pathlib import Path

import psutil

from fkp.record.files import write_json
from fkp.record.forks import PACKAGE_ROOT
from fkp.study.cost import estimates, makespan
from fkp.study.freshness import Freshness
from fkp.study.plan import plan
from fkp.study.records import read_metrics, seal, section_of
from fkp.study.report import write_report
from fkp.study.runner import run_study

STUDY = """
runs:
  - notebook: train
    grid:
      model: [baseline_cnn, manual_cnn, resnet18, tiny, small]
      treatment: [none, ffill, knn, augment, mask]
      seed: [%s]
"""
WORKERS = (1, 2, 4, 8, 16, 32, 64)
OVERHEAD = 2.0  # s a run


def project(folder: Path, seeds: int) -> None:
    """A project with a study of 25 x seeds runs, all of them finished."""
    shutil.copytree(PACKAGE_ROOT / "notebooks", folder / "notebooks")
    (folder / "fkp").symlink_to(PACKAGE_ROOT / "fkp")
    path = folder / "notebooks" / "studies" / "large.yaml"
    path.write_text(STUDY % ", ".join(map(str, range(seeds))))


def results(planned: object) -> None:
    """A finished result for every run, as large as one of paper A's."""
    published = sorted((PACKAGE_ROOT / "reports/published/paper-a/runs").glob("train-*"))
    usual = read_metrics(published[0])
    freshness = Freshness(planned)
    for number, run in enumerate(planned.runs):
        metrics = copy.deepcopy(usual)
        metrics.pop("run")
        metrics["scores"]["rmse"]["value"] += number / 1000
        folder = planned.reports / "runs" / run.folder
        write_json(folder / "metrics.json", metrics)
        about = {k: usual["run"][k] for k in ("environment", "git", "started")}
        about |= {"seconds": 100.0 + number, "made_by": freshness.made_by(run)}
        seal(folder, section_of(planned, run, **about), [], planned.root)


def timed(what: object) -> tuple[object, float]:
    """(result, seconds)."""
    began = time.perf_counter()
    found = what()
    return found, round(time.perf_counter() - began, 2)


def grid_on(workers: int) -> dict[str, float]:
    """Makespan of paper A's study on workers, s, against the sum of its runs over these."""
    planned = plan("paper-a", profile="quick")
    seconds = {f: s and s + OVERHEAD for f, s in estimates(planned).items()}
    known = [run for run in planned.runs if seconds[run.folder]]
    total = sum(seconds[run.folder] for run in known)
    longest = max(seconds[run.folder] for run in known)
    late = sum(seconds[run.folder] for run in known if run.collect)
    found = makespan(known, seconds, workers)
    return {
        "workers": workers,
        "makespan, s": round(found),
        "ideal, s": round(max(total / workers, longest)),
        "of ideal": round(found / max(total / workers, longest), 3),
        "collecting, s": round(late),
        "runs": len(known),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--seeds", type=int, default=80, help="25 runs each")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch).resolve()
        project(root, args.seeds)
        planned, planning = timed(lambda: plan("large", root=root))
        results(planned)
        process = psutil.Process()
        before = process.memory_info().rss
        records, answering = timed(lambda: run_study(planned))
        page, reporting = timed(lambda: write_report(planned.reports))
        found = {
            "runs": len(planned.runs),
            "plan, s": planning,
            "finished study answers, s": answering,
            "report, s": reporting,
            "page, MB": round(page.stat().st_size / 1e6, 2),
            "memory, MB more": round((process.memory_info().rss - before) / 1e6),
        }
        assert all(record["status"] == "skipped" for record in records)
    rows = [grid_on(workers) for workers in WORKERS]
    print(json.dumps(found, indent=1), *rows, sep="\n")
    if args.json:
        write_json(args.json, {"large": found, "paper-a": rows})


if __name__ == "__main__":
    main()
