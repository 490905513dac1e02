"""The page of all studies: their answers, the papers' conclusions, other models beside ours."""

import json
from pathlib import Path

from fkp.papers.phrases import alike, by_claim, said
from fkp.record.files import write_text
from fkp.study.conclusions import conclusions
from fkp.study.manifest import read_study
from fkp.study.pages import render

PEERS = Path("benchmarks") / "peers" / "pareto.json"  # in the project; see benchmarks.peers.chart

PUBLISHED = ("faces.jpg", "gallery/index.html", "README.md")  # beside the studies
SAID = ("holds", "mixed", "does not hold", "not shown", "not comparable", "not run")


def write_hub(folder: Path) -> Path:
    """Write `index.html` beside the studies' folders.

    Args:
        folder: `reports` or `reports/published`; of a study that is in both, the former shows what
            is here.

    Returns:
        Path of the page.
    """
    own = {path.parent.name: path.parent for path in folder.glob("[!.]*/manifest.json")}
    shown = {path.parent.name: path.parent for path in folder.glob("published/[!.]*/manifest.json")}
    every = [*(shown | own).values()]
    cards = [card for path in every if (card := _card(path, folder))]
    here, root = (
        ("", folder.parents[1]) if folder.name == "published" else ("published/", folder.parent)
    )
    there = {name for name in PUBLISHED if (folder / here / name).exists()}
    page = render(
        "hub.html",
        title="fkp: what came out" if folder.name == "published" else "fkp: studies",
        cards=sorted(cards, key=lambda card: card["title"]),
        conclusions=[row | {"link": _link(row["folder"], folder)} for row in conclusions(every)],
        peers=_read(root / PEERS),
        here=here,
        there=there,
        extremes=_read(folder / here / "extremes.json"),
    )
    write_text(folder / "index.html", page)
    return folder / "index.html"


def _read(path):
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def _link(reports, folder):
    return (reports.relative_to(folder) / "index.html").as_posix()


def _card(reports, folder):
    """What the hub says of one study; None where its manifest is damaged or nothing was run."""
    try:
        found = read_study(reports)
    except ValueError:
        return None
    claims = by_claim(said(found["done"]))
    last = [alike(rows)[-1]["verdict"] for rows in claims.values()]
    shown = ("study", "profile", "title", "question", "answer", "source")
    return {
        **{key: found[key] for key in shown},
        "link": _link(reports, folder),
        "published": "published" in reports.parts[len(folder.parts) :],
        "runs": len(found["runs"]),
        "finished": len(found["done"]),
        "seconds": sum(run["seconds"] or 0 for run in found["runs"]),
        "verdicts": {word: n for word in SAID if (n := last.count(word))},
    }
