"""HTML pages from the templates: one file each, style and script inside, no network needed."""

from pathlib import Path

import jinja2
from markupsafe import Markup

from fkp.study import glossary, wording

TEMPLATES = Path(__file__).with_name("templates")


def render(template: str, **values: object) -> str:
    """A page from a template and what it shows, with the words that it explains at its end."""
    env = _environment()
    body = env.get_template(template).render(values)
    return env.get_template("page.html").render(
        values, body=Markup(body), glossary=glossary.found(body)
    )


def _environment():
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=jinja2.select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals["source_of"] = lambda name: Markup(TEMPLATES.joinpath(name).read_text("utf-8"))
    env.filters |= {
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
    return env


def _markdown(text):
    import mistune

    return Markup(mistune.html(str(text or "")))
