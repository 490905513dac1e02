"""Commands that run studies and rebuild what shows them."""

import re
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fkp.cli.output import AsJson, quiet, shorten, show

if TYPE_CHECKING:
    from fkp.study.executors import Cluster
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
# What `-p NAME=` may be at least.
LEAST = {
    **dict.fromkeys(("epochs", "batch_size", "limit", "trials"), 1),
    **dict.fromkeys(("seed", "split_seed", "weight_decay", "average", "calm"), 0),
    **{"side": 16, "size": 16, "zoom": 0.1, "learning_rate": 1e-9},
}


def run(
    study: Study,
    data: DataPath = None,
    source: SourceName = None,
    profile: Profile = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Notebooks at a time.", show_default="one a two cores")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only the runs of that name; may be repeated."),
    ] = None,
    again: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Repeat the finished runs of that name from nothing."),
    ] = None,
    stale: Annotated[
        bool, typer.Option("--stale", help="Repeat what earlier code or other versions made.")
    ] = False,
    limit: Annotated[
        str | None, typer.Option(help="Time that a notebook may take, such as 90m or 2h.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Run on the Dask cluster of this tcp://HOST:PORT.")
    ] = None,
    shared: Annotated[
        str | None,
        typer.Option(help="URL by which data and results reach the cluster, such as s3://..."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would run and how long it may take.")
    ] = False,
    parameter: Parameters = None,
) -> None:
    """Run a study; finished runs are skipped, interrupted ones resumed.

    Without --data and without a data set in data/ the study runs on drawn faces. What the project
    has published of the same parameters and data counts as finished. Results go to
    reports/STUDY/; what is published is left alone.

    Example: fkp run paper-a --data data/kaggle --profile quick -p seed=[0,1]
    """
    from fkp.study.progress import watch
    from fkp.study.runner import Interrupted, run_study

    planned = planned_study(study, data, source, profile, parameter)
    seconds = None if limit is None else parse_duration(limit)
    if dry_run:
        show_plan(planned, only, again or (), stale, workers)
        return
    if shared and not scheduler:
        raise ValueError("--shared: goes with --scheduler")
    place = place_of(scheduler, planned.root, shared) if scheduler else None
    named = [run for run in planned.runs if only is None or run.name in only]
    asked = "" if only is None else f"{len(named)} of "
    typer.echo(
        f"{study}, profile {planned.profile}: {asked}{len(planned.runs)} runs on "
        f"{planned.data.source} ({planned.data.name})"
    )
    try:
        with watch(planned) as progress:
            records = run_study(
                planned,
                only=only,
                again=again or (),
                stale=stale,
                workers=workers,
                limit=seconds,
                place=place,
                watch=progress,
            )
    except Interrupted as stop:
        hint = " without --again" if again else ""
        why = f"{stop}; " if str(stop) else ""
        typer.echo(f"{why}stopped; the same command{hint} resumes where this one ended", err=True)
        raise typer.Exit(130) from None
    asked = [record for record in records if only is None or record["name"] in only]
    for record in records:
        if record["status"] == "failed":
            typer.echo(f"failed: {record['label']}: {record['error']}", err=True)
            if "notebook_file" in record:
                typer.echo(f"        see {planned.reports / record['notebook_file']}", err=True)
    unmade = [record for record in asked if record["status"] == "pending"]
    for record in unmade:
        typer.echo(f"pending: {record['label']}: there is nothing to read yet", err=True)
    late = sum("stale" in record for record in records)
    if late:
        typer.echo(f"stale results: {late}; `fkp status` says why, --stale repeats them")
    typer.echo(f"report: {shorten(planned.reports / 'index.html')}")
    bad = unmade or [record for record in asked if record["status"] == "failed"]
    raise typer.Exit(1 if bad else 0)


def place_of(scheduler: str, root: Path, shared: str | None) -> "Cluster":
    """The cluster at an address; ValueError where there is none or it does not fit."""
    from fkp.study.executors import Cluster

    place = Cluster(scheduler, root, shared)
    typer.echo(f"{place.address}: {place.workers} notebooks at a time")
    return place


def parse_duration(text: str) -> float:
    """ "90m", "2h", "1h30m", "45s" or a number of seconds -> seconds."""
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?", text.strip())
    hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    if not (total := 3600 * hours + 60 * minutes + seconds):
        raise ValueError(f"--limit: expected a time such as 90m or 2h, got {text!r}")
    return total


def show_plan(
    planned: "Plan", only: list[str] | None, again: list[str], stale: bool, workers: int | None
) -> None:
    """Print what a study would run, with the time that it may take."""
    from fkp.study.cost import estimates, makespan
    from fkp.study.executors import usual_workers
    from fkp.study.freshness import Freshness
    from fkp.study.wording import duration

    freshness, seconds = Freshness(planned), estimates(planned)
    rows, left, unknown = [], [], 0
    for run in planned.runs:
        state = freshness.state(run)
        late = state.status == "stale" and (stale or run.collect)
        late = late or any(other.name in run.reads for other in left)
        if (only and run.name not in only) or (state.done and run.name not in again and not late):
            continue
        about = duration(seconds[run.folder]) or "unknown"
        unknown += seconds[run.folder] is None
        left.append(run)
        rows.append({"run": run.label, "time": about, "reads": ", ".join(run.reads)})
    show(rows, False)
    workers = workers or usual_workers()
    total = duration(makespan(left, seconds, workers)) or "nothing"
    guess = f" ({unknown} of unknown length, a minute each)" if unknown else ""
    typer.echo(f"{len(left)} of {len(planned.runs)} runs, {workers} at a time: {total}{guess}")


def status(
    study: Study,
    data: DataPath = None,
    source: SourceName = None,
    profile: Profile = None,
    parameter: Parameters = None,
    as_json: AsJson = False,
) -> None:
    """Show which runs of a study are fresh, stale, missing or failed, and why; nothing is run.

    Example: fkp status paper-a --data data/kaggle
    """
    from fkp.study.freshness import Freshness

    planned = planned_study(study, data, source, profile, parameter)
    freshness = Freshness(planned)
    states = [(run.label, freshness.state(run)) for run in planned.runs]
    rows = [{"label": label, "status": state.status, "why": state.why} for label, state in states]
    show(rows, as_json)
    if not as_json:
        counts = Counter(row["status"] for row in rows)
        words = ", ".join(f"{counts[s]} {s}" for s in ("fresh", "stale", "missing", "failed"))
        typer.echo(f"{study}, profile {planned.profile}, {planned.data.name}: {words}")


def accept(
    study: Study,
    because: Annotated[str, typer.Option(help="Why the results are still true; for the report.")],
    data: DataPath = None,
    source: SourceName = None,
    profile: Profile = None,
    parameter: Parameters = None,
) -> None:
    """Take stale results for still true, once the test of same numbers has passed.

    Example: fkp accept paper-a --data data/kaggle --because "files moved"
    """
    from fkp.study import freshness

    accepted = freshness.accept(planned_study(study, data, source, profile, parameter), because)
    typer.echo(f"stale runs accepted: {len(accepted)}")


def publish(
    study: Study,
    data: DataPath = None,
    source: SourceName = None,
    profile: Profile = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="What is published may be of other data.")
    ] = False,
) -> None:
    """Put a finished study into reports/published/: metrics, charts and page, no photographs.

    Failed or missing runs are refused. This is for those who keep the project's results.

    Example: fkp publish paper-a --data data/kaggle
    """
    from fkp.study.publish import publish as publish_study

    planned = planned_study(study, data, source, profile, None)
    for label, why in publish_study(planned, replace).items():
        typer.echo(f"stale: {label}: {why}")
    typer.echo(shorten(planned.published / "index.html"))


def report(
    study: Study,
    profile: Profile = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete results that no profile shows any more.")
    ] = False,
) -> None:
    """Rebuild a study's index.html from the metrics of its runs.

    Example: fkp report paper-a --profile quick
    """
    from fkp.study.report import remove_unshown, write_report
    from fkp.study.runner import lock
    from fkp.study.studyfile import load_study, project

    content = load_study(study)
    folder = project() / "reports" / study
    page = write_report(folder, profile, title=content["title"], text=content["text"])
    if prune:
        with lock(folder):
            for name in remove_unshown(folder):
                typer.echo(f"deleted {name}")
    typer.echo(shorten(page))


def readme(
    page: Annotated[Path, typer.Argument(help="Markdown file with marked tables.")] = Path(
        "reports/published/README.md"
    ),
) -> None:
    """Fill the marked tables of a Markdown page from published metrics.

    Example: fkp readme reports/published/README.md
    """
    from fkp.study.readme import refresh
    from fkp.study.studyfile import project

    typer.echo(f"{refresh(page, project() / 'reports' / 'published')} tables written to {page}")


def studies(as_json: AsJson = False) -> None:
    """List the studies.

    Example: fkp studies
    """
    from fkp.study.studyfile import load_study, study_names

    rows = [
        {"study": name, "title": study["title"], "profiles": list(study["profiles"])}
        for name in study_names()
        for study in [load_study(name)]
    ]
    show(rows, as_json)


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
    return plan(study, profile=profile, data=choose_data(data, source), overrides=overrides)


def check_choices(overrides: dict) -> None:
    """Refuse a value that its table does not hold, or out of range, before anything runs.

    Raises:
        ValueError: names the value and what was expected.
    """
    from fkp.study.studyfile import check_known

    for name, given in overrides.items():
        values = given if isinstance(given, list) else [given]
        if name in TABLES and values and given is not None:
            module, attribute = TABLES[name].split(":")
            if name == "loss":  # a sum of losses
                values = [part for value in values for part in str(value).split("+")]
            with quiet():
                known = getattr(import_module(module), attribute)
            check_known(values, known, f"-p {name}")
        for value in values if name in LEAST else ():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if value is not None and not (number and value >= LEAST[name]):
                raise ValueError(
                    f"-p {name}: expected a number from {LEAST[name]:g}, got {value!r}"
                )


def choose_data(path: Path | None, source: str | None) -> "Data":
    """What a study reads: the given path, what `data/` holds, or drawn faces.

    Raises:
        ValueError: the path does not exist or is not recognised, or the format is unknown.
    """
    from fkp.data import readers
    from fkp.record.digests import file_fingerprint
    from fkp.study.plan import Data
    from fkp.study.studyfile import project

    if source is not None and source not in readers.SOURCES:
        raise ValueError(f"unknown source {source!r} (known: {', '.join(readers.SOURCES)})")
    folder = project() / "data"
    if path is None and source == "drawn":
        return Data(forced=True)
    if path is None:
        places = [folder, *sorted(folder.glob("[!.]*"))]
        path = next((place for place in places if holds(place, source)), None)
        if path is None and source is None:
            return Data()
        if path is None:
            raise ValueError(f"--source {source} needs --data PATH; data/ holds nothing like it")
    path = Path(path).expanduser().resolve()
    name = source or readers.recognise(path)
    return Data(path, name, path.name, file_fingerprint(path), forced=source is not None)


def holds(path: Path, source: str | None) -> bool:
    """Whether a path holds data of a format (None: of any)."""
    from fkp.data import readers

    try:
        return readers.recognise(path) == source or source is None
    except ValueError:
        return False


def parse_parameters(texts: list[str]) -> dict:
    """["seed=[0,1]", "model=resnet18"] -> dict; values are read as YAML."""
    from fkp.study.studyfile import read_yaml

    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name.isidentifier() and equals):
            raise ValueError(f"-p: expected NAME=VALUE, got {text!r}")
        values[name] = read_yaml(value, f"-p {name}") if value else ""
    return values
