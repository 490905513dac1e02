"""HTML pages from the templates: one file each, style and script inside, no network needed."""

from pathlib import Path

import jinja2
from markupsafe import Markup

from fkp.study import glossary, wording

TEMPLATES = Path(__file__).with_name("templates")


def _markdown(text):
    import mistune

    return Markup(mistune.html(str(text or "")))


_ENV = jinja2.Environment(
    loader=jinja2.FileSystemLoader(TEMPLATES),
    autoescape=jinja2.select_autoescape(["html"]),
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENV.globals["source_of"] = lambda name: Markup(TEMPLATES.joinpath(name).read_text("utf-8"))
_ENV.filters |= {
    "cell": wording.cell,
    "differences": wording.differences,
    "duration": wording.duration,
    "explain": glossary.explain,
    "interval": wording.interval,
    "markdown": _markdown,
    "repeated": wording.repeated,
    "score": wording.score_text,
    "seeds": wording.seeds,
    "sides": wording.sides,
    "slug": lambda text: "-".join(str(text).lower().split()),
}


def render(template: str, **values: object) -> str:
    """A page from a template and what it shows, with the words that it explains at its end."""
    body = Markup(_ENV.get_template(template).render(values))
    page = _ENV.get_template("page.html")
    return page.render(values, body=body, glossary=glossary.found(body))
