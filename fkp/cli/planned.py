"""What the commands of studies have in common: options, and the plan that follows from them."""

import math
import operator
import re
from collections.abc import Collection
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fkp.cli.output import quiet

if TYPE_CHECKING:
    from fkp.study.plan import Data, Plan

Study = Annotated[str, typer.Argument(help="Name of a study; `studies` lists them.")]
Profile = Annotated[str | None, typer.Option(help="Profile of the study, such as smoke or quick.")]

DataPath = Annotated[
    Path | None, typer.Option(help="File or folder of faces; default: what data/ holds.")
]
SourceName = Annotated[
    str | None, typer.Option(help="Read the data as this format instead of recognising it.")
]
Parameters = Annotated[
    list[str] | None,
    typer.Option("-p", metavar="NAME=VALUE", help="Set a parameter; may be repeated."),
]

# What `-p NAME=` chooses by name, and the table that it chooses from.
TABLES = {
    "model": "fkp.models:MODELS",
    "treatment": "fkp.prepare.treatments:TREATMENTS",
    "optimizer": "fkp.training.optimizers:OPTIMIZERS",
    "schedule": "fkp.training.optimizers:SCHEDULES",
    "loss": "fkp.training.losses:NAMES",
}
# What `-p NAME=` may be at least, a whole number if this is one.
LEAST = {
    **dict.fromkeys(("epochs", "batch_size", "limit", "trials", "trial_epochs", "tuners"), 1),
    **dict.fromkeys(("ranks", "rounds", "threads", "calls", "stages", "trees", "shown"), 1),
    **dict.fromkeys(("seed", "seeds", "split_seed", "patience"), 0),
    **dict.fromkeys(("epoch_size", "trial_epoch_size"), 0),
    **dict.fromkeys(("weight_decay", "average", "calm", "momentum"), 0.0),
    **{"side": 16, "size": 16, "zoom": 0.1, "learning_rate": 1e-9},
}
# What takes the keys of `-p NAME={...}`, numbers from 0, and those that it is given anyway.
TAKERS = {"warp": "fkp.prepare.warp:Warp", "jitter": "fkp.prepare.augment:Jitter"}
_GIVEN = {"scheme", "side", "zoom", "input_shape", "n_points", "x", "options"}


def planned_study(
    study: str,
    data: Path | None,
    source: str | None,
    profile: str | None,
    parameters: list[str] | None,
) -> "Plan":
    """The plan of a study with the options of the command line."""
    from fkp.study.plan import plan

    overrides = parse_parameters(parameters or [])
    check_choices(overrides)
    found = choose_data(data, source, overrides.get("options"))
    return plan(study, profile=profile, data=found, overrides=overrides)


def check_choices(overrides: dict, options: Collection[str] = ()) -> None:
    """Refuse a value that its table does not hold, or out of range, before anything runs.

    Args:
        options: names that were given as --NAME, not by -p.

    Raises:
        ValueError: names the value and what was expected.
    """
    from fkp.study.studyfile import check_known

    for name, given in overrides.items():
        where = f"--{name}" if name in options else f"-p {name}"
        values = given if isinstance(given, list) else [given]
        if name in TABLES and values and given is not None:
            module, attribute = TABLES[name].split(":")
            if name == "loss":  # a sum of losses
                values = [part for value in values for part in str(value).split("+")]
            with quiet():
                known = getattr(import_module(module), attribute)
            check_known(values, known, where)
        if name in LEAST and not values:
            raise ValueError(f"{where}: expected a value or several, got []")
        if name == "drawn" and isinstance(given, dict):
            _check_drawn(given)
        for value in values if name in LEAST else ():
            if value is not None:
                _check_least(where, value, LEAST[name])
        for value in values if name in (*TAKERS, "model_options") else ():
            if isinstance(value, dict) and value:
                check_known(value, _keys(name, overrides.get("model")), where)
                for key, number in value.items() if name in TAKERS else ():
                    _check_least(f"{where}: {key}", number, 0.0)


def _check_least(where, value, least):
    """A finite number from the least, a whole one if that is."""
    whole = isinstance(least, int)
    number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not (number and least <= value < math.inf):
        a = "a whole" if whole and isinstance(value, float) else "a"
        raise ValueError(f"{where}: expected {a} number from {least:g}, got {value!r}")


def _check_drawn(given):
    """A single face is drawn with these options, which refuses those that cannot be."""
    from fkp.data import readers

    _check_least("-p drawn: n", given.get("n", 1), 1)
    try:
        readers.read_or_draw(None, None, {}, given | {"n": 1})
    except (TypeError, ValueError) as error:
        raise ValueError(f"-p drawn: {error}") from error


def _keys(name, model):
    """The keys that a parameter may hold; `model_options` those of a model, of several, of any."""
    with quiet():
        if name in TAKERS:
            module, taker = TAKERS[name].split(":")
            takers = [getattr(import_module(module), taker)]
        else:
            from fkp.models import MODELS
            from fkp.models.bodies import BODIES

            chosen = model if isinstance(model, list) else [model]
            found = [at for known, at in MODELS.items() if model is None or known in chosen]
            takers = [getattr(import_module(module), builder) for module, builder in found]
            if any("body" in signature(taker).parameters for taker in takers):
                takers += BODIES.values()
    return {key for taker in takers for key in signature(taker).parameters} - _GIVEN


def choose_data(path: Path | None, source: str | None, options: object = None) -> "Data":
    """What a study reads: the given path, what `data/` holds, or drawn faces.

    Options are the reader's.

    Raises:
        ValueError: the path does not exist or is not recognised, as all that `data/` holds, or the
            format is unknown.
    """
    from fkp.data import readers
    from fkp.study.plan import Data
    from fkp.study.studyfile import project

    if source is not None:
        readers.module(source)  # or an error that lists the known ones
    folder = project() / "data"
    if path is None and source == "drawn":
        return Data(forced=True)
    if path is None:
        path = readers.within(folder, source)
        if path is None and source is None:
            for other in sorted({*folder.glob("[!.]*")} - {folder / "README.md"}):
                try:
                    readers.recognise(other)
                except ValueError as error:
                    raise ValueError(f"{error}; --source drawn: drawn faces") from None
            return Data()
        if path is None:
            raise ValueError(f"--source {source} needs --data PATH; data/ holds nothing like it")
    path = Path(path).expanduser().resolve()
    name = source or readers.recognise(path)
    path = readers.only(path, name) or path
    found = readers.fingerprint(path, name, options)
    return Data(path, name, path.name, found, forced=source is not None)


def parse_parameters(texts: list[str]) -> dict:
    """["seed=[0,1]", "model=resnet18"] -> dict; values are read as YAML."""
    from fkp.study.studyfile import read_yaml

    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name.isidentifier() and equals):
            raise ValueError(f"-p: expected NAME=VALUE, got {text!r}")
        values[name] = read_yaml(value, f"-p {name}") if value else ""
    options = values.get("options")
    if isinstance(options, dict) and isinstance(options.get("images"), str):
        options["images"] = str(Path(options["images"]).resolve())  # notebooks run elsewhere
    return values


def parse_duration(text: str) -> float:
    """ "90m", "2h", "1h30m", "45s" or a number of seconds -> seconds."""
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?|(\d+)", text.strip())
    parts = [int(part or 0) for part in found.groups()] if found else []
    if not (total := sum(map(operator.mul, parts, (3600, 60, 1, 1)))):
        raise ValueError(f"--limit: expected a time such as 90m or 2h, got {text!r}")
    return total
