"""What is kept of a run: its entry in the manifest and the section `run` of its metrics.json."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from fkp.record.files import mapped, texts, write_json
from fkp.study.plan import Plan, Run

METRICS = "metrics.json"


def finished(folder: Path) -> bool:
    """Whether the run in a folder was carried through to its end."""
    try:
        return bool(read_metrics(folder)["run"]["finished"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def read_metrics(folder: Path) -> dict:
    """The metrics.json of a run folder."""
    return json.loads((folder / METRICS).read_text("utf-8"))


def record_of(run: Run, status: str = "pending", **about: object) -> dict:
    """The manifest's entry of a run; the status is pending, finished, skipped or failed."""
    names = _names(run) | {"collect": run.collect}
    return {"folder": run.folder, **names, "status": status, **about}


def _names(run):
    return {
        "notebook": run.notebook.name, "name": run.name, "label": run.label, "grid": run.axes
    }  # fmt: skip


def section_of(plan: Plan, run: Run, **about: object) -> dict:
    """The section `run` of a run's metrics.json, as far as it is known before the run.

    Args:
        plan: that the run is of.
        run: the run.
        **about: more entries: environment, git, made_by, inputs.
    """
    return {
        "key": run.key,
        "study": plan.study,
        "profile": plan.profile,
        **_names(run),
        "parameters": run.parameters,
        "data": plan.data.label() if "data" in run.notebook.defaults else None,
        **about,
    }


def places_of(parameters: dict, data: str | None, name: str) -> list[tuple[str, str]]:
    """Paths of this machine that may occur in a metrics.json, and what stands for them there.

    Args:
        parameters: of the run.
        data: path of the faces, or None.
        name: what the data is called.
    """
    given = [(text, Path(text).name) for text in texts(parameters) if Path(text).is_absolute()]
    return given + ([(data, name)] if data else [])


def seal(
    folder: Path, section: dict, places: list[tuple[str, str]], root: Path | str
) -> str | None:
    """Add the section `run` to the metrics.json of a notebook, which makes the run finished.

    Args:
        folder: where the notebook has written its metrics.json, or has not.
        section: see `section_of`.
        places: see `places_of`; the folder and the root are left out of texts as well.
        root: the project's folder.

    Returns:
        None, or what is wrong with the notebook's metrics.json.
    """
    path = folder / METRICS
    try:
        metrics = json.loads(path.read_text("utf-8")) if path.exists() else {}
    except ValueError as error:
        return f"metrics.json: {error}"
    if not isinstance(metrics, dict):
        return f"metrics.json: expected an object, got {type(metrics).__name__}"
    places = [*places, (f"{folder}/", ""), (str(folder), "."), (f"{root}/", "")]
    # A training that was resumed has also taken the time before.
    epochs = (epoch.get("seconds", 0) for epoch in metrics.get("history") or ())
    seconds = max(section.get("seconds", 0), round(sum(epochs), 1))
    found = metrics | {"run": section | {"seconds": seconds, "finished": True}}
    write_json(path, _without_places(found, places))
    return None


def now() -> str:
    """The time, in UTC, as results carry it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _without_places(value, places):
    """A JSON value with the paths of this machine replaced in all its texts."""

    def change(item):
        for place, name in places if isinstance(item, str) else ():
            item = whole_path(place).sub(lambda _, name=name: name, item)
        return item

    return mapped(value, change)


def given(plan: Plan) -> dict:
    """The overrides of a plan, without places of this machine."""
    return _without_places(plan.overrides, places_of(plan.overrides, None, ""))


def whole_path(place: str) -> re.Pattern:
    """Finds a path in a text where it stands as a whole, not as a part of a longer name."""
    end = "" if place.endswith("/") else r"(?![\w-])"
    return re.compile(rf"(?<![\w.…-]){re.escape(place)}{end}")
