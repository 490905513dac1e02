"""One notebook in this process: papermill, then an HTML page that needs no network.

`main` is what `fkp.study.job` has forked, once per run.
"""

import base64
import os
import re
import tempfile
import time
from pathlib import Path

from fkp.data import readers
from fkp.record.files import write_text
from fkp.study import kernel
from fkp.study.records import seal

RUNNING, DONE, FAILED = "running.ipynb", "notebook.ipynb", "failed.ipynb"
_DRAWS_FACES = re.compile(r"\bplots\.(face|grid|heat|sheet)\(")
# The stock page without the scripts that it would fetch from the network.
_PAGE = """
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block jupyter_widgets -%}{%- endblock -%}
{%- block html_head_css -%}
<style>main { max-width: 60rem; margin: 0 auto; padding: 1rem } img, svg { max-width: 100% }</style>
{%- endblock -%}
"""


def execute(notebook, parameters, out, root):
    """Run a notebook with this Python as its kernel; the result is `out`/notebook.ipynb and .html.

    Args:
        notebook: path of the notebook.
        parameters: name -> value.
        out: existing folder for the executed notebook; also where a failed one stays.
        root: project folder, from which the notebook imports fkp.

    Raises:
        papermill.PapermillExecutionError: a cell failed; `out`/failed.ipynb shows where.
    """
    out = Path(out)
    running = out / RUNNING
    with tempfile.TemporaryDirectory() as folder:
        os.environ["JUPYTER_PATH"] = folder
        os.environ["PYTHONPATH"] = os.pathsep.join(
            [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
        )
        kernel.write_spec(Path(folder) / "kernels" / "python3")
        try:
            _run(notebook, running, parameters)
        except BaseException:
            if running.exists():
                running.replace(out / FAILED)
            raise
    write_html(running, out / "notebook.html", title=Path(notebook).stem)
    write_pictures(running, out / "pictures")
    running.replace(out / DONE)
    (out / FAILED).unlink(missing_ok=True)


def _run(notebook, running, parameters, attempts=3):
    """Run with papermill; a kernel that does not come up is started again.

    Kernels choose free ports before they bind them, so of two that start together one may fail.
    """
    import papermill

    for attempt in range(attempts):
        try:
            papermill.execute_notebook(
                str(notebook),
                str(running),
                parameters=parameters,
                kernel_name="python3",
                cwd=str(Path(notebook).parent),
                progress_bar=False,
                start_timeout=300,
            )
            return
        except RuntimeError as error:
            if "before replying" not in str(error) or attempt == attempts - 1:
                raise


def write_html(notebook, page, title):
    """Export an executed notebook as one HTML file without scripts from elsewhere.

    Progress bars and library messages, which go to standard error, stay in the notebook.
    """
    import nbformat
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="lab",
        template_file="page.html.j2",
        extra_loaders=[DictLoader({"page.html.j2": _PAGE})],
        embed_images=True,
    )
    node = nbformat.read(notebook, as_version=4)
    for cell in node.cells:
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
    html, _ = exporter.from_notebook_node(node, resources={"metadata": {"name": title}})
    write_text(page, html)


def write_pictures(notebook, folder):
    """Save what the cells that draw faces have shown as PNG files named by the headings above them.

    The report of who runs the study shows them. They may show people: nothing publishes them.
    """
    import nbformat

    heading, number = "", 0
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "markdown":
            heading = (re.findall(r"^#+ (.+)$", cell.source, re.MULTILINE) or [heading])[-1]
        elif cell.cell_type == "code" and _DRAWS_FACES.search(cell.source):
            for output in cell.outputs:
                if picture := output.get("data", {}).get("image/png"):
                    number += 1
                    name = re.sub(r"\W+", "-", heading.lower()).strip("-")
                    folder.mkdir(exist_ok=True)
                    path = folder / f"{number:02d}-{name}.png"
                    path.write_bytes(base64.b64decode(picture))


def main(notebook, parameters, out, root, section, places, data):
    """Run a notebook and make it a finished run.

    Args:
        notebook, parameters, out, root: see `execute`.
        section, places: see `fkp.study.records.seal`.
        data: path of the faces, None for drawn ones.

    Returns:
        None, or the last line of what went wrong.
    """
    began = time.monotonic()
    try:
        execute(notebook, parameters, out, root)
    except BaseException as error:
        name = getattr(error, "ename", type(error).__name__)
        text = str(getattr(error, "evalue", error))
        lines = [line for line in text.splitlines() if line.strip()] or [""]
        return f"{name}: {lines[-1].strip()}"
    if data and (read := section["data"]):
        found = readers.fingerprint(Path(data), read["source"], parameters.get("options"))
        if found != read["fingerprint"]:
            return f"{read['name']}: the data has changed while the notebook ran"
    about = section | {"seconds": round(time.monotonic() - began, 1)}
    return seal(Path(out), about, places, root)
