"""Study files, `notebooks/studies/<name>.yaml`: where they are and what they may hold.

```yaml
title: Imputation against augmentation
question: Does augmenting complete faces beat filling in missing labels?
lead: compare/rmse              # run/figure: the chart at the top; without it, the first
text: One paragraph of Markdown for the top of the report.
changes:                        # what is not as in the paper, a line each
  - Rows are split before they are expanded.
parameters: {epochs: 20}        # for every notebook that has the parameter
runs:
  - notebook: train             # notebooks/NN-train.ipynb
    name: grid                  # optional: what the runs are called instead of the notebook
    parameters: {epochs: 30}
    grid: {model: [baseline_cnn, manual_cnn], seed: [0, 1]}
    exclude: [{model: manual_cnn, seed: 1}]
    profiles: {smoke: {seed: 0}}     # what a profile changes for these runs only
    reads: [search]                  # a training that starts from runs named further up
  - notebook: compare
    collect: true               # runs last, reads the finished runs; [grid] = only those so called
profiles:
  smoke: {epochs: 1}
  quick: {epochs: 8}
```

A text `${NAME:-default}` stands for an environment variable of the user's: where a file is that one
user has and another lets download.
"""

import os
import re
from pathlib import Path

import yaml

from fkp.record.files import mapped

# Parameters that only the engine sets, where a notebook has them.
ENGINE_PARAMETERS = ("out", "data", "source", "runs_dir", "runs")
_VARIABLE = re.compile(r"^\$\{(\w+):-(.*)\}$")
HEADING = ("title", "question", "lead", "text", "changes")  # of the report
_STUDY_KEYS = (*HEADING, "parameters", "runs", "profiles")
_KINDS = {
    **dict.fromkeys(("parameters", "grid", "profiles"), dict),
    **dict.fromkeys(("runs", "exclude", "reads", "changes"), list),
    "collect": bool | list,
}
_RUN_KEYS = ("notebook", "name", "parameters", "grid", "exclude", "profiles", "reads", "collect")


def project() -> Path:
    """The project folder, which holds notebooks/, reports/, data/ and the package fkp/.

    Raises:
        ValueError: the package is installed apart from its notebooks.
    """
    folder = Path(__file__).resolve().parents[2]
    if not (folder / "notebooks" / "studies").is_dir():
        raise ValueError(
            f"studies need the project folder: expected notebooks/studies in {folder}; work in a "
            "copy of the repository (make, or pip install --editable .)"
        )
    return folder


class _Loader(yaml.SafeLoader):
    """YAML 1.2's numbers: PyYAML by itself reads 1e-3 as text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"),
    list("-+0123456789"),
)


def read_yaml(text, where):
    """Parse YAML; ValueError says where the text came from."""
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise ValueError(f"{where}: not YAML: {' '.join(str(error).split())}") from None


def study_names(root=None):
    """Names of the studies in `notebooks/studies/`."""
    folder = Path(root or project()) / "notebooks" / "studies"
    return sorted(path.stem for path in folder.glob("*.yaml"))


def load_study(name, root=None):
    """The checked content of a study's YAML file, as a dict with every key of a study.

    Raises:
        ValueError: no such study, not YAML, or a key that a study does not know.
    """
    path = Path(root or project()) / "notebooks" / "studies" / f"{name}.yaml"
    if not path.is_file():
        raise ValueError(f"no study {name!r} (known: {', '.join(study_names(root))})")
    study = read_yaml(path.read_text(encoding="utf-8"), path.name)
    if not isinstance(study, dict) or study.get("runs") is None:
        raise ValueError(f"{path.name}: expected a mapping with a list `runs`")
    check_known(study, _STUDY_KEYS, path.name)
    _check_kinds(study, path.name)
    named = [(f"{path.name}, run {number}", entry) for number, entry in enumerate(study["runs"], 1)]
    for where, entry in named:
        if not isinstance(entry, dict) or "notebook" not in entry:
            raise ValueError(f"{where}: expected a mapping with `notebook`")
        check_known(entry, _RUN_KEYS, where)
        _check_kinds(entry, where)
    before = []
    for where, entry in named:
        check_known(entry.get("profiles") or {}, study.get("profiles") or {}, f"{where}, profiles")
        if isinstance(entry.get("collect"), list):
            known = {other.get("name") or other.get("notebook") for other in study["runs"]}
            check_known(entry["collect"], known, f"{where}, collect")
        check_known(entry.get("reads") or (), before, f"{where}, reads")
        before += [] if entry.get("collect") else [entry.get("name") or entry["notebook"]]
    study = mapped(study, _from_environment)
    empty = dict.fromkeys(HEADING, "") | {"title": name, "parameters": {}, "profiles": {}}
    return empty | {key: value for key, value in study.items() if value is not None}


def _check_kinds(given, where):
    for key in given.keys() & _KINDS.keys():
        kind, value = _KINDS[key], given[key]
        if value is not None and not isinstance(value, kind):
            what = "a mapping" if kind is dict else "a list" if kind is list else "true or a list"
            raise ValueError(f"{where}: {key}: expected {what}, got {value!r}")


def _from_environment(value):
    """A text `${NAME:-default}` is replaced by that variable, or its default.

    A variable that names an existing file becomes an absolute path.
    """
    match = _VARIABLE.match(value) if isinstance(value, str) else None
    if not match:
        return value
    given = os.environ.get(match[1]) or match[2]
    return str(Path(given).resolve()) if Path(given).is_file() else given


def check_known(given, known, where):
    """ValueError, listing the known names, if a name is not among them."""
    unknown = ", ".join(repr(key) for key in given if key not in [*known])
    if unknown:
        names = ", ".join(sorted(str(name) for name in known if name not in ENGINE_PARAMETERS))
        raise ValueError(f"{where}: unknown {unknown} (known: {names})")
