"""Whether a result is still that of today's code: fresh, stale, missing or failed.

A run is named by its parameters and data alone; what made it stands in its metrics.json: the code
that its notebook can reach (module by module), library versions, Keras backend. Where these differ
from today's the result is stale: kept, shown as such, and repeated only when asked for. `accept`
declares stale results to be still true, with a reason, once the numbers have been proved the same.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fkp.record.code import digests_of
from fkp.record.digests import digest
from fkp.record.files import plain, texts, write_json
from fkp.record.machine import environment, git_state
from fkp.study.plan import Plan, Run
from fkp.study.records import finished, now, read_metrics, record_of

# What draws and records results but does not make them: it makes stale the runs that collect
# others, not those that train or measure.
PRESENTATION = ("fkp.plots", "fkp.record", "fkp.papers.published")
# The libraries whose version can change a number.
LIBRARIES = (
    "tensorflow", "keras", "keras-tuner", "numpy", "scikit-learn", "opencv-python-headless",
)  # fmt: skip
ACCEPTED = "accepted.json"
FAILED = "failed.txt"
INPUTS_CHANGED = "what it reads has changed"
PROOF = Path("tests") / "test_same_numbers.py"


@dataclass(frozen=True)
class State:
    """What is known of one run.

    Attributes:
        status: "fresh", "stale", "missing" or "failed".
        why: in words; "" for a fresh run.
        folder: where its result lies, None if there is none.
    """

    status: str
    why: str = ""
    folder: Path | None = None

    @property
    def done(self) -> bool:
        """Whether there is a result and the last attempt did not fail."""
        return self.status in ("fresh", "stale")


class Freshness:
    """Judges the runs of a plan against the code, versions and backend of today."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self._code = {}

    @cached_property
    def _today(self):
        about = environment()
        versions = {name: about["versions"].get(name) for name in LIBRARIES}
        return {"versions": versions, "backend": about["backend"]}

    @cached_property
    def _acceptances(self):
        return [read_accepted(reports) for reports in self.plan.places]

    def made_by(self, run: Run) -> dict:
        """What would make the run today: code (module -> digest), versions, backend."""
        words = frozenset([*texts(run.parameters), self.plan.data.source])
        key = run.notebook.path, words, run.collect
        if key not in self._code:
            skip = () if run.collect else PRESENTATION
            package = self.plan.root / "fkp"
            self._code[key] = digests_of(run.notebook.code, package, words, skip)
        return {"code": self._code[key], **self._today}

    def inputs(self, run: Run) -> dict[str, str]:
        """Folder -> digest of the results there are of those that a collecting run reads."""
        folders = filter(None, map(self.result, self.plan.read_by(run)))
        return {f.name: digest((f / "metrics.json").read_text("utf-8")) for f in folders}

    def result(self, run: Run) -> Path | None:
        """Folder of the run's result: here or, failing that, published."""
        folders = (reports / "runs" / run.folder for reports in self.plan.places)
        there = [f for f in folders if finished(f) and not _other_defaults(run, f)]
        if len(there) > 1:  # a fresh one that is published goes before a stale one of here
            there.sort(key=lambda folder: bool(self._why_stale(run, folder)))
        return there[0] if there else None

    def state(self, run: Run) -> State:
        """The run's `State`."""
        folder = self.result(run)
        failure = self.plan.reports / "runs" / run.folder / FAILED
        if failure.exists():
            return State("failed", failure.read_text("utf-8").strip(), folder)
        if folder is None:
            return State("missing", self._why_missing(run))
        why = self._why_stale(run, folder)
        return State("stale" if why else "fresh", why, folder)

    def _why_stale(self, run, folder):
        made = read_metrics(folder)["run"]
        if run.reads and made.get("inputs") != self.inputs(run):
            return INPUTS_CHANGED
        known = self.acceptance(run, made).get("made_by") or made.get("made_by") or {}
        return _differences(known, self.made_by(run))

    def _why_missing(self, run):
        folders = (reports / "runs" / run.folder for reports in self.plan.places)
        for other in (_other_defaults(run, f) for f in folders if finished(f)):
            if other:
                return f"made when the notebook had another default of {', '.join(other)}"
        return "not run with these parameters on this data"

    def record(self, run: Run) -> dict:
        """The manifest's entry of a run as its result lies there; pending without a result."""
        state = self.state(run)
        if state.status == "failed":
            return record_of(run, "failed", error=state.why, notebook_file=self._last_words(run))
        if not state.done:
            return record_of(run)
        made = read_metrics(state.folder)["run"]
        accepted = self.acceptance(run, made)
        about = {
            "published": self.plan.published in state.folder.parents,
            "stale": state.why,
            "seconds": made.get("seconds"),
            "accepted": {k: accepted[k] for k in ("date", "commit", "because") if k in accepted},
        }
        return record_of(run, "finished", **{key: value for key, value in about.items() if value})

    def _last_words(self, run):
        """What is left of a failed run to look at, as a path from the report."""
        folder = self.plan.reports / "runs" / run.folder
        names = ("failed.ipynb", "running.ipynb", "notebook.ipynb", "log.txt")
        name = next((name for name in names if (folder / name).exists()), "")
        return f"runs/{run.folder}/{name}"

    def acceptance(self, run: Run, made: dict) -> dict:
        """What `accept` recorded of a result, given its section `run`; {} if nothing."""
        entries = (accepted.get(run.folder, {}) for accepted in self._acceptances)
        return next((entry for entry in entries if entry.get("of") == made["started"]), {})


def read_accepted(reports: Path) -> dict[str, dict]:
    """Run folder -> what `accept` recorded of it: of, date, commit, because, made_by."""
    path = reports / ACCEPTED
    try:
        return json.loads(path.read_text("utf-8")) if path.exists() else {}
    except ValueError as error:
        raise ValueError(f"{path}: not JSON: {error}") from None


def accept(plan: Plan, because: str, prove: Callable[[Path], None] | None = None) -> list[str]:
    """Declare the stale results of a plan to be still true, after proving the numbers the same.

    Recorded in `reports/<study>/accepted.json`, of published results as well, where `publish`
    takes it over. A run whose inputs have changed is not accepted: it is to be collected anew.

    Args:
        plan: the study.
        because: the reason, shown in the report.
        prove: function of the project's root that raises ValueError if numbers have changed;
            None: `prove_same_numbers`.

    Returns:
        Labels of the accepted runs.

    Raises:
        ValueError: no reason, or the proof fails.
    """
    if not because.strip():
        raise ValueError("--because: expected the reason why the results are still true")
    freshness = Freshness(plan)
    states = [(run, freshness.state(run)) for run in plan.runs]
    stale = [run for run, it in states if it.status == "stale" and it.why != INPUTS_CHANGED]
    if not stale:
        return []
    (prove or prove_same_numbers)(plan.root)
    about = {
        "date": now()[:10],
        "commit": (git_state(plan.root) or {}).get("commit"),
        "because": because.strip(),
    }
    entries = read_accepted(plan.reports)
    for run in stale:
        of = read_metrics(freshness.result(run))["run"]["started"]
        entries[run.folder] = about | {"of": of, "made_by": freshness.made_by(run)}
    write_json(plan.reports / ACCEPTED, entries)
    return [run.label for run in stale]


def prove_same_numbers(root: Path) -> None:
    """Run the project's test of same numbers; ValueError with its last words if it fails."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(PROOF)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()
        said = [line for line in lines if line.startswith(("E ", "FAILED"))] or lines
        raise ValueError(f"{PROOF} does not pass, nothing is accepted: {' '.join(said[-3:])}")


def _other_defaults(run, folder):
    """Parameters at their default, which was another one when the result was made."""
    made, defaults = read_metrics(folder)["run"]["parameters"], run.notebook.defaults
    given = plain(run.parameters)
    left = (k for k, value in given.items() if value == plain(defaults[k]) and k in made)
    return [k for k in left if made[k] != plain(defaults[k])]


def _differences(known, today):
    """What made a result against what would make it today, in words; "" if nothing differs."""
    before, now = known.get("code"), today["code"]
    if not before:
        said = ["made by code that was not recorded"]
    else:
        # A module that is no longer reached, or only now, need not be told: another has changed.
        changed = [name for name in now if before.get(name, now[name]) != now[name]]
        said = [f"made by an earlier {listed(changed)}"] if changed else []
    for name, version in today["versions"].items():
        if (other := known.get("versions", {}).get(name)) != version:
            said.append(f"made with {name} {other or 'unknown'}, here is {version}")
    if known.get("backend") != today["backend"]:
        said.append(f"made on {known.get('backend')}, here is {today['backend']}")
    return "; ".join(said)


def due(run: Run, record: dict, again: Iterable[str], stale: bool) -> bool:
    """Whether a run has to be carried out.

    Args:
        run: the run.
        record: of it, see `Freshness.record`.
        again: names of runs to repeat.
        stale: whether stale ones are repeated; those that collect others always are.
    """
    late = "stale" in record and (stale or run.collect)
    return record["status"] != "finished" or run.name in again or late


def unlike(one: dict[str, str], other: dict[str, str]) -> str:
    """The modules whose digests differ, as `listed`; "" if none do."""
    return listed(name for name in {*one, *other} if one.get(name) != other.get(name))


def listed(modules: Iterable[str], most: int = 3) -> str:
    """Names of modules as files of the package, the first few."""
    files = sorted(
        name if name == "notebook" else name.removeprefix("fkp.").replace(".", "/") + ".py"
        for name in modules
    )
    more = f" and {len(files) - most} more" if len(files) > most else ""
    return ", ".join(files[:most]) + more
