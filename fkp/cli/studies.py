"""Commands that tell of studies and keep what shows them."""

from collections import Counter
from typing import Annotated

import typer

from fkp.cli.output import AsJson, shorten, show
from fkp.cli.planned import DataPath, Parameters, Profile, SourceName, Study, planned_study


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
    study: Annotated[
        str | None, typer.Argument(help="One that `fkp studies` lists; none: the pages alone.")
    ] = None,
    data: DataPath = None,
    source: SourceName = None,
    profile: Profile = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="What is published may be of other data.")
    ] = False,
    partly: Annotated[
        bool, typer.Option("--partly", help="What is finished so far; the page names the rest.")
    ] = False,
    notebooks: Annotated[
        bool,
        typer.Option("--notebooks", help="Its notebooks' pages instead, of drawn faces alone."),
    ] = False,
) -> None:
    """Put a finished study into reports/published/: metrics, charts and page, no photographs.

    Failed or missing runs are refused, unless --partly. Without a study, all published pages are
    written anew from what is published. This is for those who keep the project's results.

    Example: fkp publish paper-a --data data/kaggle
    """
    from fkp.study.gallery import write_gallery
    from fkp.study.publish import publish as publish_study
    from fkp.study.publish import rebuild
    from fkp.study.studyfile import project

    if study is None or notebooks:
        made = write_gallery(project() / "reports" / study, project()) if study else []
        for page in [*made, *rebuild(project())]:
            typer.echo(shorten(page))
        return
    planned = planned_study(study, data, source, profile, None)
    for label, why in publish_study(planned, replace, partly).items():
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
    from fkp.study.hub import write_hub
    from fkp.study.manifest import remove_unshown
    from fkp.study.report import write_report
    from fkp.study.runner import lock
    from fkp.study.studyfile import HEADING, load_study, project

    content = load_study(study)
    folder = project() / "reports" / study
    page = write_report(folder, profile, **{key: content[key] for key in HEADING})
    write_hub(folder.parent)
    if prune:
        with lock(folder):
            for name in remove_unshown(folder):
                typer.echo(f"deleted {name}")
    typer.echo(shorten(page))


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
