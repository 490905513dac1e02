"""The command that runs studies."""

from typing import TYPE_CHECKING, Annotated

import typer

from fkp.cli.output import shorten, show
from fkp.cli.planned import (
    DataPath,
    Parameters,
    Profile,
    SourceName,
    Study,
    parse_duration,
    planned_study,
)

if TYPE_CHECKING:
    from fkp.study.plan import Plan


def run(
    study: Study,
    data: DataPath = None,
    source: SourceName = None,
    profile: Profile = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Notebooks at a time.", show_default="one for two cores"),
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
    from fkp.study.executors import Cluster
    from fkp.study.progress import watch
    from fkp.study.runner import Interrupted, check_names, run_study
    from fkp.study.shared import reads_beside

    planned = planned_study(study, data, source, profile, parameter)
    seconds = None if limit is None else parse_duration(limit)
    check_names(planned, only, again or ())
    if shared and not scheduler:
        raise ValueError("--shared: goes with --scheduler")
    if shared and reads_beside(planned):
        raise ValueError(
            f"--shared: what {planned.data.name} is read with does not travel; "
            "run it where all machines see the data, without --shared"
        )
    if dry_run:
        show_plan(planned, only, again or (), stale, workers)
        return
    place = Cluster(scheduler, planned.root, shared) if scheduler else None
    if place:
        typer.echo(f"{place.address}: {place.workers} notebooks at a time")
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
        why = f"{stop}; " if str(stop) else ""
        kept = "what --again was repeating is as before; without it " if again else ""
        typer.echo(f"{why}stopped; {kept}the same command resumes where this one ended", err=True)
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


def show_plan(
    planned: "Plan", only: list[str] | None, again: list[str], stale: bool, workers: int | None
) -> None:
    """Print what a study would run, with the time that it may take."""
    from fkp.study.cost import estimates, makespan
    from fkp.study.executors import usual_workers
    from fkp.study.freshness import Freshness, due
    from fkp.study.wording import duration

    freshness, seconds = Freshness(planned), estimates(planned)
    rows, left, unknown = [], [], 0
    for run in planned.runs:
        fed = (run.collect or stale) and any(other.name in run.reads for other in left)
        there = (other in left or freshness.state(other).done for other in planned.read_by(run))
        asked = not only or run.name in only or (run.collect and all(there))
        if not asked or not (fed or due(run, freshness.record(run), again, stale)):
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
