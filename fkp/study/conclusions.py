"""What the papers conclude, each conclusion at the smallest and at the largest budget run."""

import re
from collections.abc import Iterable
from pathlib import Path

from fkp.papers.phrases import CLAIM, alike, judged, span
from fkp.study.manifest import read_manifest, read_study

BUDGETS = ("quick", "paper")  # profiles that judge a paper, from small to large
_PAPER = re.compile(r"Paper [A-Z]\b")


def conclusions(folders: Iterable[Path]) -> list[dict]:
    """A row per conclusion of a paper, in the papers' order.

    Args:
        folders: report folders of studies. What two of them judge, as the study `budget` does for
            paper A at several numbers of images, is one row: like is compared with like, the study
            and profile with the largest budget at its own smallest, if it has several, and of the
            same models, where some were trained for longer than others.

    Returns:
        list of dict: paper, claim, folder (of the study that judges it at the largest budget),
        small and large: budget, verdict, median, range, comparisons, seeds; large is None where
        only one budget was run, and turned says whether their verdicts differ.
    """
    found = {}
    # A paper's own study first: what others say of its conclusions, they say at larger budgets.
    for folder in sorted(folders, key=lambda path: (not path.name.startswith("paper"), path.name)):
        for said in _judged(folder):
            found.setdefault(said["claim"], []).append(said)
    rows = []
    for several in found.values():
        where = several[-1]["folder"], several[-1]["profile"]
        same = alike([said for said in several if (said["folder"], said["profile"]) == where])
        small = same[0] if len(same) > 1 else several[0]
        large = same[-1] if len(several) > 1 else None
        rows.append(
            {key: several[-1][key] for key in ("paper", "claim", "folder")}
            | {"small": small, "large": large}
            | {"turned": large is not None and large["verdict"] != small["verdict"]}
        )
    return sorted(rows, key=lambda row: (row["paper"], row["claim"].startswith("(not")))


def _judged(folder):
    """The conclusions of one study, smaller budgets first."""
    try:
        sections = read_manifest(folder)["profiles"]
    except ValueError:
        return
    for profile in BUDGETS:
        paper = _PAPER.match(sections.get(profile, {}).get("title", ""))
        if not paper:
            continue
        study = read_study(folder, profile)
        for row in judged(study["done"]):
            budget = f"{row['images']:,} images" if "images" in row else f"profile {profile}"
            yield row | {
                "paper": paper[0],
                "claim": row[CLAIM],
                "folder": folder,
                "profile": profile,
                "budget": budget,
                "seeds": row["seeds"] if "seeds" in row else _seeds(study["done"]),
            }


def _seeds(runs):
    """ "1" or "1 to 3": of how many seeds the entries of a study are."""
    several = {}
    for run in runs:
        parameters = dict(run["run"].get("parameters") or {})
        if "seed" in parameters:
            seed = parameters.pop("seed")
            several.setdefault(repr(sorted(parameters.items())), set()).add(seed)
    return span(len(seeds) for seeds in several.values())
