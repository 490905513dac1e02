"""Executed notebooks as pages that anyone may see, for they show drawn faces alone."""

import base64
import io
import re
from pathlib import Path

from PIL import Image

from fkp.record.files import write_text
from fkp.study.manifest import read_study
from fkp.study.pages import render
from fkp.study.records import whole_path

MOST = 1_500_000  # bytes of a page
STYLE = "notebook.css"
# Jupyter's own, a quarter of a megabyte, are the same in every page.
_STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
_PNG = re.compile(r"data:image/png;base64,([\w+/=\s]+)")


def write_gallery(reports: Path, root: Path) -> list[Path]:
    """Copy the notebooks' pages of a finished study to `reports/published/gallery/`.

    Args:
        reports: folder of a study that was run here, on drawn faces.
        root: the project's folder; no page names it.

    Returns:
        Paths of the pages, that which lists them first.

    Raises:
        ValueError: a run is of other than drawn faces or has no page, or a page is too large.
    """
    found, target = read_study(reports), root / "reports" / "published" / "gallery"
    pages, styles = {}, {}
    for run in found["runs"]:
        source = (run["metrics"].get("data") or {}).get("source")
        page = run["at"] / "notebook.html"
        if source != "drawn" or not page.exists():
            raise ValueError(
                f"{run['label']}: expected a finished run of drawn faces with its page, got "
                f"{source or 'no'} faces, {'a' if page.exists() else 'no'} page"
            )
        html = whole_path(f"{root}/").sub("", page.read_text("utf-8"))
        html = _PNG.sub(_lighter, html)
        if len(html) > MOST:
            raise ValueError(f"{run['label']}: its page has {len(html):,} bytes of {MOST:,}")
        styles |= dict.fromkeys(_STYLE.findall(html))
        html = _STYLE.sub("", html)
        pages[run["label"]] = html.replace(
            "</title>", f'</title><link rel="stylesheet" href="{STYLE}">', 1
        )
    target.mkdir(parents=True, exist_ok=True)
    links = {label: re.sub(r"[^\w.-]+", "-", label) + ".html" for label in pages}
    for label, html in pages.items():
        write_text(target / links[label], html)
    write_text(target / STYLE, "\n".join(styles))
    listed = render(
        "gallery.html", **found | {"title": "Notebooks with what they show"}, links=links
    )
    write_text(target / "index.html", listed)
    return [target / "index.html", *(target / link for link in links.values())]


def _lighter(found):
    """A PNG inside a page as WebP, a fraction of its size."""
    kept = io.BytesIO()
    picture = Image.open(io.BytesIO(base64.b64decode(found[1])))
    picture.convert("RGB").save(kept, "WEBP", quality=80)
    return f"data:image/webp;base64,{base64.b64encode(kept.getvalue()).decode()}"
