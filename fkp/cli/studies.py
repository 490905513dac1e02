"""Commands that run studies and rebuild what shows them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fkp.cli.output import AsJson, shorten, show

if TYPE_CHECKING:
    from fkp.study.plan import Data

Study = Annotated[str, typer.Argument(help="Name of a study; `studies` lists them.")]
Profile = Annotated[str | None, typer.Option(help="Profile of the study, such as smoke or quick.")]


def run(
    study: Study,
    data: Annotated[
        Path | None, typer.Option(help="File or folder of faces; default: what data/ holds.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Read the data as this format instead of recognising it.")
    ] = None,
    profile: Profile = None,
    workers: Annotated[int, typer.Option(min=1, help="Notebooks at a time.")] = 1,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only the runs of that name; may be repeated."),
    ] = None,
    again: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Repeat the finished runs of that name."),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="NAME=VALUE", help="Set a parameter; may be repeated."),
    ] = None,
) -> None:
    """Run a study; finished runs are skipped, interrupted ones resumed.

    Without --data and without a data set in data/ the study runs on drawn faces.

    Example: fkp run paper-a --data data/kaggle --profile quick -p seed=[0,1]
    """
    from fkp.study.plan import plan
    from fkp.study.progress import watch
    from fkp.study.runner import Interrupted, run_study

    planned = plan(
        study,
        profile=profile,
        data=choose_data(data, source),
        overrides=parse_parameters(parameter or []),
    )
    page = planned.reports / "index.html"
    label = planned.data.label()
    typer.echo(
        f"{study}, profile {planned.profile}: {len(planned.runs)} runs on "
        f"{label['source']} ({label['name']})"
    )
    try:
        with watch(planned) as progress:
            records = run_study(
                planned, only=only, again=again or (), workers=workers, watch=progress
            )
    except Interrupted:
        typer.echo("stopped; the same command resumes where this one ended", err=True)
        raise typer.Exit(130) from None
    failed = [record for record in records if record["status"] == "failed"]
    for record in failed:
        typer.echo(f"failed: {record['label']}: {record['error']}", err=True)
        typer.echo(f"        see {planned.reports / record['notebook_file']}", err=True)
    typer.echo(f"report: {shorten(page)}")
    raise typer.Exit(1 if failed else 0)


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
        "README.md"
    ),
) -> None:
    """Fill the marked tables of a Markdown page from the metrics of finished runs.

    Example: fkp readme README.md
    """
    from fkp.study.readme import refresh
    from fkp.study.studyfile import project

    typer.echo(f"{refresh(page, project() / 'reports')} tables written to {page}")


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
