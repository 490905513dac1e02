"""The page of all studies: a card each with its answer, and the models of others beside ours."""

import json
from pathlib import Path

from fkp.papers.phrases import verdicts
from fkp.record.files import write_text
from fkp.study.manifest import read_study
from fkp.study.pages import render

PEERS = Path("benchmarks") / "peers" / "pareto.json"  # in the project; see benchmarks.peers.chart

SAID = ("holds", "mixed", "does not hold", "not shown", "not run")


def write_hub(folder: Path) -> Path:
    """Write `index.html` beside the studies' folders.

    Args:
        folder: `reports` or `reports/published`; of a study that is in both, the former shows what
            is here.

    Returns:
        Path of the page.
    """
    folder = Path(folder)
    here = [path.parent for path in sorted(folder.glob("[!.]*/manifest.json"))]
    names = {path.name for path in here}
    published = sorted(folder.glob("published/[!.]*/manifest.json"))
    cards = [
        card
        for path in [*here, *(p.parent for p in published if p.parent.name not in names)]
        if (card := _card(path, folder))
    ]
    root = folder.parent.parent if folder.name == "published" else folder.parent
    pictures = ("faces.jpg", "published/faces.jpg")
    galleries = ("gallery/index.html", "published/gallery/index.html")
    page = render(
        "hub.html",
        title="fkp: what came out" if folder.name == "published" else "fkp: studies",
        cards=sorted(cards, key=lambda card: card["title"]),
        peers=json.loads((root / PEERS).read_text("utf-8")) if (root / PEERS).exists() else [],
        picture=next((name for name in pictures if (folder / name).exists()), None),
        gallery=next((name for name in galleries if (folder / name).exists()), None),
    )
    write_text(folder / "index.html", page)
    return folder / "index.html"


def _card(reports, folder):
    """What the hub says of one study; None where its manifest is damaged or nothing was run."""
    try:
        found = read_study(reports)
    except ValueError:
        return None
    table = verdicts(found["done"])
    place = table["columns"].index("verdict") if table else 0
    said = [row[place] for row in table["rows"]] if table else []
    return {
        **{key: found[key] for key in ("title", "question", "answer", "source", "profile")},
        "link": (reports.relative_to(folder) / "index.html").as_posix(),
        "published": "published" in reports.parts[len(folder.parts) :],
        "runs": len(found["runs"]),
        "finished": len(found["done"]),
        "verdicts": {word: n for word in SAID if (n := said.count(word))},
    }
