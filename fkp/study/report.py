"""`index.html` of a study, built from its manifest.json and the runs' metrics.json alone."""

import json
import os
import shutil
from pathlib import Path

import jinja2

from fkp.record.files import write_json, write_text
from fkp.study import wording
from fkp.study.records import read_metrics

TEMPLATES = Path(__file__).with_name("templates")


def read_manifest(reports):
    """The manifest of a study's report folder; an empty one if there is none.

    `{"study": name, "latest": profile, "profiles": {profile: section}}`; a section holds title,
    text, data, environment, git and the records of its runs, in order.
    """
    path = Path(reports) / "manifest.json"
    if not path.exists():
        return {"study": Path(reports).name, "latest": None, "profiles": {}}
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError:
        raise ValueError(f"{path}: damaged; `fkp run` makes it anew") from None


def write_manifest(reports, study, profile, section):
    """Put the section of one profile into the manifest; those of other profiles stay.

    A damaged one is made anew: all that counts lies in the runs' folders.
    """
    try:
        profiles = read_manifest(reports)["profiles"] | {profile: section}
    except ValueError:
        profiles = {profile: section}
    write_json(
        Path(reports) / "manifest.json",
        {"study": study, "latest": profile, "profiles": profiles},
    )


def remove_unshown(reports: Path) -> list[str]:
    """Delete the run folders that no profile refers to; returns their names.

    They are results of parameters or data that nobody asks for any more.
    """
    sections = read_manifest(reports)["profiles"].values()
    shown = {record["folder"] for section in sections for record in section["runs"]}
    folders = [f for f in sorted(Path(reports, "runs").glob("*")) if f.name not in shown]
    for folder in folders:
        shutil.rmtree(folder)
    return [folder.name for folder in folders]


def write_report(reports, profile=None, **heading):
    """Write `index.html`.

    Args:
        reports: `reports/<study>` or `reports/published/<study>`.
        profile: which runs to show; None = those of the latest `run`.
        **heading: title and text, where they differ from those at the latest `run`.

    Returns:
        Path of the page.

    Raises:
        ValueError: the study has no results, or none of this profile.
    """
    reports = Path(reports)
    manifest = read_manifest(reports)
    profile = profile or manifest["latest"]
    if profile not in manifest["profiles"]:
        known = ", ".join(manifest["profiles"])
        at = f"at profile {profile} (there: {known})" if known else "yet: `fkp run` makes them"
        raise ValueError(f"no results of {reports.name} {at}")
    section = manifest["profiles"][profile] | heading
    runs = [_load(reports, record) for record in section["runs"]]
    alone = [run for run in runs if not run["grid"]]
    template = _environment().get_template("index.html")
    page = template.render(
        study=manifest["study"],
        profile=profile,
        section=section,
        source=_source(section, runs),
        makers=_makers(section, runs),
        runs=runs,
        alone=sorted(alone, key=lambda run: not run["collect"]),
        grids=_grids(runs),
        figures={run["folder"]: _figures(reports, run) for run in alone},
        stale=_labels(runs, lambda run: run.get("stale")),
        accepted=_labels(runs, _acceptance),
        seeds=sorted({s for run in runs if (s := _seed(run)) is not None}),
        seconds=sum(run["seconds"] or 0 for run in runs),
    )
    write_text(reports / "index.html", page)
    return reports / "index.html"


def run_folder(reports: Path, record: dict) -> Path:
    """Where the result of a manifest's entry lies: in `reports`, or published."""
    if record.get("published"):
        reports = reports.parent / "published" / reports.name
    return reports / "runs" / record["folder"]


def _load(reports, record):
    folder = run_folder(reports, record)
    try:
        metrics = read_metrics(folder)
    except (OSError, ValueError):
        metrics = {}
    status = record["status"]
    if status == "finished" and not metrics:
        status = "missing"
    return record | {
        "status": status,
        "metrics": metrics,
        "seconds": (metrics.get("run") or {}).get("seconds"),
        "page": _link(reports, folder / "notebook.html"),
    }


def _link(reports, path):
    """The path as a link from the report, None where nothing is there."""
    return Path(os.path.relpath(path, reports)).as_posix() if path.exists() else None


def _labels(runs, text_of):
    """Text -> labels of the runs it is said of."""
    found = {}
    for run in runs:
        if text := text_of(run):
            found.setdefault(text, []).append(run["label"])
    return found


def _acceptance(run):
    accepted = run.get("accepted")
    if not accepted:
        return ""
    at = f", commit {accepted['commit']}" if accepted.get("commit") else ""
    return f"{accepted['because']} ({accepted['date']}{at})"


def _source(section, runs):
    """What the data is called: by the runs that read it or, before any has, by the plan."""
    named = {(run["metrics"].get("data") or {}).get("source") for run in runs} - {None}
    return named.pop() if len(named) == 1 else section["data"]["source"]


def _makers(section, runs):
    """The different commits, machines and sets of versions that the runs were made with."""
    made = [run["metrics"]["run"] for run in runs if "run" in run["metrics"]] or [section]
    machines = [made_by["environment"] for made_by in made]
    return {
        "Code": _different(_commit(made_by["git"]) for made_by in made if made_by["git"]),
        "Machine": _different("{cpu}, {cores} cores, {platform}".format(**m) for m in machines),
        "Keras backend": _different(m["backend"] for m in machines),
        "Versions": _different(
            " · ".join(f"{name} {version}" for name, version in m["versions"].items())
            for m in machines
        ),
    }


def _different(texts):
    return list(dict.fromkeys(texts))


def _commit(git):
    return f"commit {git['commit']}" + (" with changes not committed" if git["dirty"] else "")


def _seed(run):
    parameters = (run["metrics"].get("run") or {}).get("parameters") or {}
    return run["metrics"].get("seed", parameters.get("seed"))


def _grids(runs):
    """One table per entry of the study that has a grid: its axes, then the scores."""
    tables = []
    names = dict.fromkeys(run["name"] for run in runs if run["grid"])
    for name in names:
        rows = [run for run in runs if run["name"] == name and run["grid"]]
        axes = list(dict.fromkeys(axis for run in rows for axis in run["grid"]))
        scores = {}
        for run in rows:
            for key, score in (run["metrics"].get("scores") or {}).items():
                if wording.score_text(score) != "":
                    scores.setdefault(key, score.get("unit") if isinstance(score, dict) else None)
        tables.append({"name": name, "axes": axes, "scores": scores, "runs": rows})
    return tables


def _figures(reports, run):
    """The figures of a run that are there, each with its link.

    Charts are SVG. Pictures (any other format) may show faces of real people: they are never
    published.
    """
    folder = run_folder(reports, run)
    figures = run["metrics"].get("figures") or []
    linked = [figure | {"link": _link(reports, folder / figure["file"])} for figure in figures]
    return [figure for figure in linked if figure["link"]]


def _environment():
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {
        "cell": wording.cell,
        "duration": wording.duration,
        "interval": wording.interval,
        "markdown": _markdown,
        "sides": wording.sides,
        "score": wording.score_text,
    }
    return env


def _markdown(text):
    import mistune
    from markupsafe import Markup

    return Markup(mistune.html(text or ""))
