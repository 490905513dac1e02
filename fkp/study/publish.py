"""What the project shows of a study: `reports/published/<study>/`, written by nothing else.

Metrics, charts (SVG) and the page go there; pictures, which may show people, models and notebooks
stay where they were made.
"""

import shutil
from pathlib import Path

from fkp.record.files import write_json
from fkp.study import hub, manifest, readme, report
from fkp.study.freshness import ACCEPTED, Freshness, read_accepted
from fkp.study.plan import Plan
from fkp.study.records import finished, given, read_metrics, record_of, whole_path
from fkp.study.runner import DONE, lock
from fkp.study.studyfile import load_study


def publish(plan: Plan, replace: bool = False, partly: bool = False) -> dict[str, str]:
    """Publish a finished study: its runs at the plan's profile, beside those of other profiles.

    Args:
        plan: a study of which every run has a result, here or published.
        replace: what is published at this profile, or shown first, may be of other data.
        partly: runs may be missing; the page says so.

    Returns:
        Label of each stale run -> why; they are published, and shown as stale.

    Raises:
        ValueError: a run is missing or failed, lacks a chart, or a file names a place of this
            machine; with `partly`, what is published would be taken away and nothing put in its
            place; the profile, or the one shown first, is published on other data; the study is in
            use.
    """
    with lock(plan.reports):
        freshness = Freshness(plan)
        states = {run.folder: freshness.state(run) for run in plan.runs}
        if partly:
            _refuse_to_take_away(plan, states)
        else:
            _refuse_unfinished(plan, states)
        if not replace:
            _refuse_other_data(plan)
        target = plan.published
        staged = target.with_name(f".{target.name}.new")
        shutil.rmtree(staged, ignore_errors=True)
        try:
            if target.exists():
                shutil.copytree(target, staged)
            for name, state in states.items():
                if state.done and target not in state.folder.parents:
                    _copy_run(state.folder, staged / "runs" / name)
            records = [
                freshness.record(run) if states[run.folder].done else record_of(run)
                for run in plan.runs
            ]
            _write_manifest(plan, staged, records)
            manifest.remove_unshown(staged)
            _write_accepted(plan, staged)
            report.write_report(staged, plan.profile)
            _refuse_places(staged, plan)
            _replace(target, staged)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        hub.write_hub(target.parent)
        return {record["label"]: record["stale"] for record in records if "stale" in record}


def rebuild(root: Path) -> list[Path]:
    """Write all published pages anew from what is published.

    Question, leading chart and changes against the paper are those of today's studies; title and
    text stay, for they describe the runs that were published.

    Args:
        root: the project's folder.

    Returns:
        Paths of the pages, that of all studies last.
    """
    pages, published = [], root / "reports" / "published"
    for path in sorted(published.glob("[!.]*/manifest.json")):
        study = load_study(path.parent.name, root)
        heading = {key: study[key] for key in ("question", "lead", "changes")}
        with lock(path.parent):
            known = manifest.read_manifest(path.parent)
            for section in known["profiles"].values():
                section |= heading
            write_json(path, known)
            pages.append(report.write_report(path.parent))
    page = published / "README.md"
    if page.is_file():
        readme.refresh(page, published)
    return [*pages, hub.write_hub(published)]


def _refuse_unfinished(plan, states):
    bad = [run for run in plan.runs if not states[run.folder].done]
    if bad:
        first = states[bad[0].folder]
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        raise ValueError(
            f"{plan.study}, profile {plan.profile}, is not finished: "
            f"{bad[0].label} ({first.status}: {first.why}){more}"
        )


def _refuse_to_take_away(plan, states):
    section = manifest.read_manifest(plan.published)["profiles"].get(plan.profile, {"runs": []})
    shown = [run["label"] for run in section["runs"] if run["status"] in DONE]
    there = {run.label for run in plan.runs if states[run.folder].done}
    if lost := [label for label in shown if label not in there]:
        raise ValueError(
            f"{plan.study}, profile {plan.profile}: {', '.join(lost)} would no longer be "
            "published, as nothing finished takes that place; run it first (`fkp run --only`)"
        )


def _refuse_other_data(plan):
    """ValueError if the profile, or the one that the study's page shows, is of other data."""
    known = manifest.read_manifest(plan.published)
    for profile in (plan.profile, known["latest"]):
        section = known["profiles"].get(profile)
        if section and section["data"]["fingerprint"] != plan.data.fingerprint:
            raise ValueError(
                f"{plan.study}, profile {profile}, is published on {section['data']['name']} "
                f"({section['data']['fingerprint']}), this is {plan.data.name} "
                f"({plan.data.fingerprint}): --replace if that is meant"
            )


def _copy_run(source, target):
    """Metrics and charts of a run, nothing else."""
    shutil.rmtree(target, ignore_errors=True)
    (target / "figures").mkdir(parents=True)
    shutil.copyfile(source / "metrics.json", target / "metrics.json")
    for figure in read_metrics(source).get("figures") or []:
        if figure["file"].endswith(".svg"):
            if not (source / figure["file"]).is_file():
                raise ValueError(f"{source.name}: its chart {figure['file']} is not there")
            shutil.copyfile(source / figure["file"], target / figure["file"])


def _write_manifest(plan, staged, records):
    """The section of the last run here or, where all is published already, the published one."""
    found = (manifest.read_manifest(place)["profiles"].get(plan.profile) for place in plan.places)
    section = next(filter(None, found), {})
    heading = {**plan.heading, "data": plan.data.label(), "overrides": given(plan)}
    runs = [{k: v for k, v in record.items() if k != "published"} for record in records]
    manifest.write_manifest(staged, plan.study, plan.profile, section | heading | {"runs": runs})


def _write_accepted(plan, staged):
    """What was accepted of the runs that are shown."""
    kept = {
        name: entry
        for accepted in (read_accepted(plan.published), read_accepted(plan.reports))
        for name, entry in accepted.items()
        if finished(folder := staged / "runs" / name)
        and entry["of"] == read_metrics(folder)["run"]["started"]
    }
    if kept:
        write_json(staged / ACCEPTED, kept)


def _refuse_places(staged, plan):
    """ValueError if a text file names the project's folder, the data's or the user's."""
    given = [plan.root, Path.home(), plan.data.path]
    places = [str(place) for place in given if place and len(place.parts) > 1]
    for file in sorted(staged.rglob("*.*")):
        text = file.read_text("utf-8", errors="replace") if file.is_file() else ""
        for place in places:
            if whole_path(place).search(text):
                raise ValueError(f"{file.relative_to(staged)}: names a place here, {place}")


def _replace(target, staged):
    before = target.with_name(f".{target.name}.old")
    shutil.rmtree(before, ignore_errors=True)
    if target.exists():
        target.rename(before)
    staged.rename(target)
    shutil.rmtree(before, ignore_errors=True)
