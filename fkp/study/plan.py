"""A study planned into runs: notebooks x parameter grid, each named by its parameters and data.

The file format is described in `fkp.study.studyfile`.

A run's parameters are, later ones winning: the notebook's defaults, the study's, the run's, the
profile's, the run's own profile's, the grid's, and those of the command line. A profile or command
line value that names an axis of the grid replaces that axis: a list by its values, anything else by
one value.
"""

import itertools
import math
import re
from dataclasses import dataclass, field
from pathlib import Path

from fkp.record.digests import digest, file_fingerprint
from fkp.record.files import mapped, plain
from fkp.study import studyfile
from fkp.study.notebooks import Notebook, find_notebook
from fkp.study.studyfile import ENGINE_PARAMETERS, check_known, load_study

# Numbers that may be None, and those that need not be whole though their default is.
_OR_NONE = ("limit", "points", "epoch_size", "trial_epoch_size")
_OR_NONE += ("explained", "depth", "weight_decay")
_REAL = ("seconds",)


@dataclass(frozen=True)
class Data:
    """What the runs read: a path and what it holds, or drawn faces.

    Attributes:
        path: absolute path, None for drawn faces.
        source: name of the format, "drawn" without a path.
        name: what reports call it; never more of the path than its last part.
        fingerprint: of the content.
        forced: the format was given by the user, not recognised.
    """

    path: Path | None = None
    source: str = "drawn"
    name: str = "drawn faces"
    fingerprint: str = "drawn"
    forced: bool = False

    def label(self):
        """The committed part: no path."""
        parts = {"source": self.source, "name": self.name, "fingerprint": self.fingerprint}
        return parts | ({"forced": True} if self.forced else {})


@dataclass(frozen=True)
class Run:
    """One notebook with its final parameters.

    Attributes:
        notebook: what runs.
        name: what the run is called: the notebook, or the `name` of its entry.
        axes: the grid parameters of this run, in the order of the grid.
        parameters: every parameter but those in `ENGINE_PARAMETERS`.
        reads: names of the runs that it reads; it runs after them.
        collect: whether it only sums up what it reads; else it is a training that starts from it.
        key: digest of parameters and data; of a run that reads others also of theirs. What code
            and versions made a result does not count, nor a default: see `fkp.study.freshness`.
    """

    notebook: Notebook = field(repr=False)
    name: str
    axes: dict
    parameters: dict
    reads: tuple[str, ...]
    key: str
    collect: bool = False

    @property
    def label(self):
        """ "train baseline_cnn mask seed 0"."""
        values = (v if isinstance(v, str) else f"{k} {v}" for k, v in self.axes.items())
        return " ".join([self.name, *values])

    @property
    def slug(self):
        """The label as a file name without the names of the axes: "train-baseline_cnn-mask-0"."""
        words = "-".join([self.name, *map(str, self.axes.values())])
        return re.sub(r"[^\w.-]+", "_", words).strip("_")[:80]

    @property
    def folder(self):
        """Name of the run's folder under `runs/`."""
        return f"{self.slug}-{self.key}"


@dataclass(frozen=True)
class Plan:
    """The runs of one study at one profile on one data set.

    Attributes:
        heading: of the report, see `studyfile.HEADING`.
        overrides: parameter -> value, given by the user.
    """

    study: str
    heading: dict
    profile: str
    data: Data
    runs: tuple[Run, ...]
    root: Path
    overrides: dict = field(default_factory=dict)

    @property
    def reports(self):
        """Folder of what is run here."""
        return self.root / "reports" / self.study

    @property
    def published(self):
        """Folder of what the project publishes; `fkp publish` alone writes it."""
        return self.root / "reports" / "published" / self.study

    @property
    def places(self):
        """Where a result may lie, what is run here first."""
        return self.reports, self.published

    def read_by(self, run):
        """The runs that a collecting run reads, in the order of the plan."""
        return [other for other in self.runs if other.name in run.reads]


def plan(name, *, profile=None, data=None, overrides=None, root=None):
    """Expand a study into runs.

    Args:
        name: of the study.
        profile: one of the study's profiles; None = quick, or the first if there is no quick.
        data: Data; None = drawn faces.
        overrides: parameter -> value, stronger than everything in the file.
        root: project folder; None = the one this package lies in.

    Returns:
        Plan; runs come in the order of the file, those that collect last.

    Raises:
        ValueError: unknown study, profile, notebook or parameter, a parameter that only the engine
            sets, or runs of several splits summed up as one.
    """
    root = Path(root or studyfile.project())
    study, data, overrides = load_study(name, root), data or Data(), overrides or {}
    profile = _choose_profile(study["profiles"], profile)
    settings = study["profiles"].get(profile) or {}
    entries = [
        (entry, find_notebook(root / "notebooks", entry["notebook"])) for entry in study["runs"]
    ]
    every = {key for _, notebook in entries for key in notebook.defaults}
    several = [study["parameters"], *study["profiles"].values(), overrides]
    _refuse_engine_parameters(several)
    check_known(study["parameters"], every, f"{name}: parameters")
    for other, values in study["profiles"].items():
        check_known(values or {}, every, f"{name}: profile {other}")
    check_known(overrides, every, "-p")
    if data.forced and "source" not in every:
        raise ValueError(f"{name}: no notebook of this study has a parameter `source`")

    first = tuple(dict.fromkeys(_name(e, n) for e, n in entries if not e.get("collect")))
    runs, before = {}, set()
    for entry, notebook in sorted(entries, key=lambda pair: bool(pair[0].get("collect"))):
        collect, called = entry.get("collect") or (), _name(entry, notebook)
        reads = first if collect is True else tuple(collect or entry.get("reads") or ())
        if late := [other for other in reads if other == called or other not in before]:
            raise ValueError(f"{name}: {called} cannot read {late[0]}, which is not run before it")
        before.add(called)
        for axes, parameters in _expand(entry, notebook, profile, study, settings, overrides):
            inputs = [run for run in runs.values() if run.name in reads]
            if collect and len({run.parameters.get("split_seed") for run in inputs} - {None}) > 1:
                raise ValueError(
                    f"{name}: {called} cannot sum up runs of several split_seed: it compares "
                    "figures of the same test faces"
                )
            key = _key(notebook, parameters, data, [run.folder for run in inputs])
            run = Run(notebook, called, axes, parameters, reads, key, bool(collect))
            runs.setdefault((run.name, run.key), run)
    heading = {key: study[key] for key in studyfile.HEADING}
    return Plan(name, heading, profile, data, tuple(runs.values()), root, overrides)


def _choose_profile(profiles, profile):
    if profile is None:
        return "quick" if "quick" in profiles or not profiles else next(iter(profiles))
    if profiles:
        check_known([profile], profiles, "profile")
    return profile


def _expand(entry, notebook, profile, study, settings, overrides):
    """Yield (axes, parameters) of each run of one entry."""
    where = f"notebook {notebook.name}"
    fixed, grid = entry.get("parameters") or {}, entry.get("grid") or {}
    for rule in entry.get("exclude") or []:
        check_known(rule, grid, f"{where}: exclude")
    own = (entry.get("profiles") or {}).get(profile) or {}
    for given in (fixed, grid, *(v or {} for v in (entry.get("profiles") or {}).values())):
        check_known(given, notebook.defaults, where)
        _refuse_engine_parameters([given])
    own = {k: v for k, v in (settings | own).items() if k in notebook.defaults}
    forced = {k: v for k, v in overrides.items() if k in notebook.defaults}
    if empty := [k for k in grid if forced.get(k) == []]:
        raise ValueError(f"-p {empty[0]}: expected a value or several, got []")
    changes = own | forced
    axes = {k: changes.get(k, values) for k, values in grid.items()}
    axes = {k: values if isinstance(values, list) else [values] for k, values in axes.items()}
    base = notebook.defaults | study["parameters"] | fixed | changes
    base = {k: v for k, v in base.items() if k in notebook.defaults and k not in ENGINE_PARAMETERS}
    for values in itertools.product(*axes.values()):
        point = dict(zip(axes, values, strict=True))
        if not any(rule.items() <= point.items() for rule in entry.get("exclude") or []):
            for key, value in (base | point).items():
                _check_kind(where, key, value, notebook.defaults[key])
            yield point, base | point


def _name(entry, notebook):
    """What the runs of an entry are called."""
    return entry.get("name") or notebook.name


def _key(notebook, parameters, data, inputs):
    """Digest of data, of the runs that are read, and of parameters that are not at their default.

    So a new parameter, whose default leaves things as they were, renames nothing.
    """
    chosen = {k: v for k, v in parameters.items() if plain(v) != plain(notebook.defaults[k])}
    about = [data.source, data.fingerprint] if "data" in notebook.defaults else None
    chosen = mapped(chosen, lambda value: _with_contents(value, notebook.path.parent))
    return digest(chosen, about, inputs)


def _with_contents(value, folder):
    """The path of an existing file with what it holds; anything else as it is."""
    if isinstance(value, str) and "/" in value and (folder / value).is_file():
        return [Path(value).name, file_fingerprint(folder / value)]
    return value


def _check_kind(where, name, value, default):
    """A value is of the kind of the default, a number finite, and whole if the default is."""
    kind = float if name in _REAL else type(default)
    number = kind in (int, float)
    if default is None or (value is None and (name in _OR_NONE or not number)):
        return
    allowed = {float: int | float, tuple: list | tuple}.get(kind, kind)
    fits = isinstance(value, allowed) and isinstance(value, bool) == isinstance(default, bool)
    if not fits or (number and not abs(value) < math.inf):
        what = "a whole number" if kind is int else "a value"
        raise ValueError(f"{where}: {name}: expected {what} like {default!r}, got {value!r}")


def _refuse_engine_parameters(several):
    for name in {key for values in several for key in values or {}} & set(ENGINE_PARAMETERS):
        hint = f"--{name}" if name in ("data", "source") else "the engine"
        raise ValueError(f"parameter {name!r} is set by {hint}, not by a study or -p")
