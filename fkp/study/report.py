"""`index.html` of a study, built from its manifest.json and the runs' metrics.json alone."""

import json
import os
import shlex
from pathlib import Path

from fkp.papers.phrases import verdicts
from fkp.record.files import write_text
from fkp.study import wording
from fkp.study.facemap import face_map
from fkp.study.manifest import read_manifest, read_study
from fkp.study.pages import render

SHOWN = ("tables", "figures", "pictures")  # of a run that has no grid


def write_report(reports: Path, profile: str | None = None, **heading: str) -> Path:
    """Write the `index.html` of a study, and a page beside it for each of its other profiles.

    Args:
        reports, profile, heading: those of `read_study`, for index.html.

    Returns:
        Path of index.html.

    Raises:
        ValueError: the study has no results, or none of this profile.
    """
    shown = read_study(reports, profile, **heading)
    others = [name for name in read_manifest(reports)["profiles"] if name != shown["profile"]]
    pages = {shown["profile"]: "index.html"} | {name: f"{name}.html" for name in others}
    for found in (shown, *(read_study(reports, name, **heading) for name in others)):
        write_text(reports / pages[found["profile"]], _page(reports, found, pages))
    (reports / f"{shown['profile']}.html").unlink(missing_ok=True)
    return reports / "index.html"


def _page(reports, found, pages):
    runs = [run | {"page": _link(reports, run["at"] / "notebook.html")} for run in found["runs"]]
    judged = verdicts(found["done"])
    parts = _parts(reports, runs)
    lead = _take_lead(parts, found["lead"])
    for part in parts:
        part["tables"] = [table for table in part["tables"] if table is not judged]
    shown = found | {
        "others": {name: page for name, page in pages.items() if name != found["profile"]},
        "runs": runs,
        "verdicts": judged,
        "lead": lead,
        "parts": [part for part in parts if any(part[kind] for kind in SHOWN)],
        "face": face_map(found["done"]),
        "makers": _makers(found["section"], runs),
        "given": "".join(map(_given, (found["section"].get("overrides") or {}).items())),
        "grids": _grids(runs),
        "stale": _labels(runs, lambda run: run.get("stale")),
        "accepted": _labels(runs, _acceptance),
        "seeds": sorted({s for run in runs if (s := _seed(run)) is not None}),
        "seconds": sum(run["seconds"] or 0 for run in runs),
    }
    return render("study.html", **shown)


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


def _makers(section, runs):
    """The commits, machines and sets of versions that the runs were made with."""
    made = [run["metrics"]["run"] for run in runs if "run" in run["metrics"]] or [section]
    gits = filter(None, (made_by["git"] for made_by in made))
    machines = [made_by["environment"] for made_by in made]
    return {
        "Code": [f"commit {g['commit']}{' with changes not committed' * g['dirty']}" for g in gits],
        "Machine": ["{cpu}, {cores} cores, {platform}".format(**m) for m in machines],
        "Keras backend": [m["backend"] for m in machines],
        "Versions": [" · ".join(map(" ".join, m["versions"].items())) for m in machines],
    }


def _given(override):
    name, value = override
    return f" -p {shlex.quote(f'{name}={json.dumps(value, ensure_ascii=False)}')}"


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


def _parts(reports, runs):
    """What each run without a grid shows, those that collect others first, and pictures of all."""
    parts = []
    for run in sorted(runs, key=lambda run: not run["collect"]):
        title = run["metrics"].get("title") or run["label"].capitalize()
        if title in [part["title"] for part in parts]:
            title = f"{title}: {run['label']}"
        own = {} if run["grid"] else run["metrics"]
        pictures = sorted(run["at"].glob("pictures/*.png"))
        parts.append(
            {
                "title": title,
                "name": run["name"],
                "tables": own.get("tables") or [],
                "figures": _figures(reports, run["at"], own.get("figures") or []),
                "pictures": [{"link": _link(reports, p), "caption": _caption(p)} for p in pictures],
                "page": run["page"],
            }
        )
    return parts


def _caption(picture):
    """ "pictures/02-where-it-errs.png" as "Where it errs"."""
    return picture.stem[3:].replace("-", " ").capitalize()


def _figures(reports, folder, figures):
    """The figures of a run that are there, each with its link.

    Charts are SVG. Pictures (any other format) may show faces of real people: they are never
    published.
    """
    linked = [figure | {"link": _link(reports, folder / figure["file"])} for figure in figures]
    return [figure for figure in linked if figure["link"]]


def _take_lead(parts, wanted):
    """Take the chart that carries the answer out of its part: RUN/NAME, or else the first."""
    charts = [(part, figure) for part in parts for figure in part["figures"]]
    for part, figure in charts:
        if not wanted or f"{part['name']}/{Path(figure['file']).stem}" == wanted:
            part["figures"].remove(figure)
            return figure
    return None
