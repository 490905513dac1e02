"""A project in miniature for the study engine's tests: a package, two notebooks, a study."""

from textwrap import dedent

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from fkp.record.digests import file_fingerprint
from fkp.study.plan import Data

PACKAGE = {
    "__init__": "def load():\n    from fkp.unused import load\n\n    return load()\n",
    "models/__init__": """
        from importlib import import_module

        MODELS = {"cnn": ("fkp.models.cnn", "score"), "tree": ("fkp.models.tree", "score")}


        def score(name):
            module, function = MODELS[name]
            return getattr(import_module(module), function)()
    """,
    "models/cnn": "from fkp.scale import SCALE\n\n\ndef score():\n    return 2 * SCALE\n",
    "models/tree": "def score():\n    return 3.0\n",
    "plots": "COLOUR = 'red'\n",
    "scale": "SCALE = 1.5\n",
    "unused": "",
}

TRAIN = (
    """
    model = "cnn"
    treatment = "none"
    epochs = 2
    seed = 0
    trouble = None
    data = None
    out = None
    """,
    "import json\nfrom pathlib import Path\nfrom fkp import models, plots",
    """
    checkpoint = Path(out, "progress.json")
    resumed = checkpoint.exists()
    checkpoint.touch()
    assert trouble is None or resumed, f"{model} has {trouble}"
    """,
    """
    scores = {"rmse": {"value": models.score(model), "unit": "px", "low": 1.0, "high": 4.0}}
    metrics = {"scores": scores, "resumed": resumed, "where": f"{out}/x", "data_path": data}
    _ = Path(out, "metrics.json").write_text(json.dumps(metrics))
    """,
)

COMPARE = (
    "runs_dir = None\nruns = None\nout = None",
    "import json\nfrom pathlib import Path",
    """
    read = [json.loads(Path(runs_dir, run, "metrics.json").read_text()) for run in runs]
    rows = [[m["run"]["label"], m["scores"]["rmse"]["value"]] for m in read]
    import matplotlib.pyplot as plt
    _ = plt.plot([1, 2])
    Path(out, "figures").mkdir()
    for name in ("bars.svg", "faces.png"):
        Path(out, "figures", name).write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    metrics = {
        "tables": [{"title": "All <runs>", "columns": ["run", "rmse"], "rows": rows}],
        "figures": [{"file": f"figures/{n}", "caption": n} for n in ("bars.svg", "faces.png")],
    }
    _ = Path(out, "metrics.json").write_text(json.dumps(metrics))
    """,
)

STUDY = """
title: A toy study
text: Some *text*.
runs:
  - notebook: compare
    collect: true
  - notebook: train
    parameters: {treatment: mask}
    grid: {model: [cnn, tree], seed: [0, 1]}
    exclude: [{model: tree, seed: 1}]
profiles:
  smoke: {epochs: 1, seed: 0}
  quick: {epochs: 5}
"""


def write_notebook(path, parameters, *cells):
    """Save a notebook whose first code cell is tagged `parameters`."""
    tagged = new_code_cell(dedent(parameters).strip(), metadata={"tags": ["parameters"]})
    others = [new_code_cell(dedent(cell).strip()) for cell in cells]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    cells = [new_markdown_cell("# A title"), tagged, *others]
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)


def write_project(root):
    """Lay out the project under `root` and return `root`."""
    for name, source in PACKAGE.items():
        path = root / "fkp" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source).lstrip())
    (root / "notebooks" / "studies").mkdir(parents=True)
    (root / "data").mkdir()
    write_notebook(root / "notebooks" / "01-train.ipynb", *TRAIN)
    write_notebook(root / "notebooks" / "02-compare.ipynb", *COMPARE)
    write_study(root, STUDY)
    return root


def faces_of(root, name="faces"):
    """A data set of the project, as a study reads it."""
    path = root / "data" / f"{name}.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(name)
    return Data(path, "kaggle", name, file_fingerprint(path))


def write_study(root, text, name="toy"):
    """Save a study's YAML."""
    (root / "notebooks" / "studies" / f"{name}.yaml").write_text(text)
