"""What is known of a study: its manifest.json, and the metrics of the runs that it names."""

import json
import shutil
from contextlib import suppress
from pathlib import Path

from fkp.papers import answers
from fkp.record.files import write_json
from fkp.study import wording
from fkp.study.records import read_metrics
from fkp.study.studyfile import HEADING


def read_manifest(reports):
    """The manifest of a study's report folder; an empty one if there is none.

    `{"study": name, "latest": profile, "profiles": {profile: section}}`; a section holds title,
    text, data, environment, git and the records of its runs, in order.
    """
    path = Path(reports) / "manifest.json"
    if not path.exists():
        return {"study": Path(reports).name, "latest": None, "profiles": {}}
    with suppress(ValueError):
        match found := json.loads(path.read_text("utf-8")):
            case {"study": str(), "latest": _, "profiles": dict()}:
                return found
    raise ValueError(f"{path}: damaged; `fkp run` makes it anew")


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
    there = sorted(path for path in Path(reports, "runs").glob("[!.]*") if path.is_dir())
    folders = [folder for folder in there if folder.name not in shown]
    for folder in folders:
        shutil.rmtree(folder)
    return [folder.name for folder in folders]


def read_study(reports: Path, profile: str | None = None, **heading: str) -> dict:
    """What is known of a study at one profile, from its manifest and the metrics of its runs.

    Args:
        reports: `reports/<study>` or `reports/published/<study>`.
        profile: which runs; None = those of the latest `run`.
        **heading: of `studyfile.HEADING`, where they differ from those at the latest `run`.

    Returns:
        dict: study, profile, the heading, section (of the manifest), runs (records with their
        metrics, status, seconds and place), done (the metrics of the finished ones), source (what
        the data is called), answer.

    Raises:
        ValueError: the study has no results, or none of this profile.
    """
    manifest = read_manifest(reports)
    profile = profile or manifest["latest"]
    if profile not in manifest["profiles"]:
        known = ", ".join(manifest["profiles"])
        at = f"at profile {profile} (there: {known})" if known else "yet: `fkp run` makes them"
        raise ValueError(f"no results of {reports.name} {at}")
    section = manifest["profiles"][profile] | heading
    runs = [_load(reports, record) for record in section["runs"]]
    finished = (run["metrics"] for run in runs if run["status"] == "finished")
    # The notebook of one that is being repeated has written its own part alone.
    done = [metrics for metrics in finished if "run" in metrics]
    answer = wording.cell(answers.answer(manifest["study"], done) or " ").strip()
    if answer and len(done) < len(runs):
        answer = f"So far, with {len(done)} of {len(runs)} runs. {answer}"
    about = {key: section.get(key, "") for key in HEADING}
    return {"study": manifest["study"], "profile": profile, "section": section, "runs": runs,
            "source": _source(section, runs), "answer": answer, "done": done, **about}  # fmt: skip


def run_folder(reports: Path, record: dict) -> Path:
    """Where the result of a manifest's entry lies: in `reports`, or published."""
    if record.get("published"):
        reports = reports.parent / "published" / reports.name
    return reports / "runs" / record["folder"]


def metrics_of(folder: Path) -> dict:
    """The metrics of a run folder; {} where there are none, or they are damaged."""
    try:
        return read_metrics(folder)
    except (OSError, ValueError):
        return {}


def _load(reports, record):
    folder = run_folder(reports, record)
    metrics = metrics_of(folder)
    status = record["status"]
    if status == "finished" and not metrics:
        status = "missing"
    return record | {
        "at": folder,
        "status": status,
        "metrics": metrics,
        "seconds": (metrics.get("run") or {}).get("seconds"),
    }


def _source(section, runs):
    """What the data is called: by the runs that read it or, before any has, by the plan."""
    named = {(run["metrics"].get("data") or {}).get("source") for run in runs} - {None}
    return named.pop() if len(named) == 1 else section["data"]["source"]
