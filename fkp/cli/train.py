"""Commands that train: on one's own faces, or on Kaggle's for a submission."""

import json
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fkp.cli.output import shorten, writable
from fkp.cli.planned import (
    Parameters,
    SourceName,
    check_choices,
    choose_data,
    parse_parameters,
)

if TYPE_CHECKING:
    from fkp.data.faces import Faces
    from fkp.study.plan import Plan

# Photographs are cut with room around the face; of these formats a picture is taken whole.
_CUT = {"size": 192, "channels": 1, "margin": 0.5}
_WHOLE = {"options": {}, "zoom": 2.0}
PICTURES = {"npz": _WHOLE, "kaggle": _WHOLE}
_SIDES = {"small": 128, "tiny": 96}
_SHOWN = ("rmse", "nme_ocular", "nme_box")

Force = Annotated[bool, typer.Option("--force", help="Write over an existing file.")]


def train(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="File or folder of faces.")],
    out: Annotated[Path, typer.Option(help="The model, a .keras file.")] = Path("model.keras"),
    model: Annotated[
        str | None,
        typer.Option(
            help="small or tiny; `models` lists more.", show_default="that of --weights, or tiny"
        ),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1)] = 40,
    treatment: Annotated[
        str,
        typer.Option(
            help="Of incomplete labels: mask, none, ffill, knn, iterative, pca, augment..."
        ),
    ] = "mask",
    weights: Annotated[
        str | None,
        typer.Option(
            help="Start from them: small, tiny or a .keras file; of the same network, "
            "with some of the same points, by name."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    source: SourceName = None,
    parameter: Parameters = None,
    force: Force = False,
) -> None:
    """Train a model on faces of your own; stopped, the same command goes on where it was.

    Choices are made on validation faces, the test faces are looked at once. More parameters of
    notebooks/15-small.ipynb are set by -p.

    Example: fkp train faces.npz --weights small --out mine.keras
    """
    from fkp.study.plan import plan

    free(out, ".keras", force)
    given = parse_parameters(parameter or [])
    found = choose_data(data, source, given.get("options"))
    model = model or (weights if weights in _SIDES else "tiny")
    overrides = {
        **PICTURES.get(found.source, {}),
        **{"model": model, "epochs": epochs, "treatment": treatment, "seed": [seed]},
        "side": _SIDES.get(model, 96),
        **({} if weights is None else {"weights": str(_weights(weights))}),
        **given,
    }
    if isinstance(given.get("options"), dict) and found.source not in PICTURES:
        overrides["options"] = _CUT | given["options"]
    check_choices(overrides, {"model", "treatment"} - given.keys())
    planned = plan("train", data=found, overrides=overrides | {"name": out.stem})
    faces = _faces(found, overrides.get("options"))
    if weights is not None:
        _check_start(overrides, faces)
    labelled = f"{faces.labelled.mean():.0%} of the points labelled"
    typer.echo(f"{faces.source}: {len(faces)} rows, {len(faces.scheme)} points, {labelled}")
    made = _carried_out(planned)
    _copy(made / f"{out.stem}.keras", out)
    scores = json.loads((made / "metrics.json").read_text())["scores"]
    said = [f"{k} {scores[k]['value']:.3g} {scores[k]['unit']}" for k in _SHOWN if k in scores]
    typer.echo(f"{shorten(out)}: on {scores['rmse']['n']} test faces {', '.join(said)}")
    typer.echo(f"page: {shorten(made.parents[1] / 'index.html')}")
    made = shlex.quote(str(out))
    submit = f"; fkp submit {made} --data {shlex.quote(str(data))}" * (found.source == "kaggle")
    typer.echo(f"next: fkp predict PICTURE --model {made}; fkp export {made} --format onnx{submit}")


def kaggle(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="Folder of Kaggle's training, test and lookup.")
    ],
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("submission.csv"),
    profile: Annotated[
        str, typer.Option(help="smoke (a minute), quick (ten) or paper (an hour).")
    ] = "paper",
    seed: Annotated[int, typer.Option(min=0)] = 0,
    force: Force = False,
) -> None:
    """Train the best recipe on Kaggle's files and write a submission, checked; offline.

    Stopped, the same command goes on where it was. notebooks/17-kaggle.ipynb does the same step by
    step.

    Example: fkp kaggle data/kaggle --out submission.csv
    """
    from fkp.data.readers.kaggle import read, read_lookup, read_sample
    from fkp.study.plan import plan

    free(out, ".csv", force)
    if data.is_file():
        raise ValueError(f"{data}: a file, expected the folder with Kaggle's files")
    read_lookup(data)
    read(data, part="test")
    if (data / "SampleSubmission.csv").is_file():
        read_sample(data / "SampleSubmission.csv")
    found = choose_data(data, None)
    if found.source != "kaggle":
        raise ValueError(f"{data}: expected a folder with training.csv or .zip")
    made = _carried_out(plan("kaggle", profile=profile, data=found, overrides={"seed": [seed]}))
    _copy(made / "submission.csv", out)
    typer.echo(f"{shorten(out)}: a row for each of the lookup table's")
    typer.echo(f"page: {shorten(made.parents[1] / 'index.html')}")


def pictures(path: Path, source: str | None = None, options: dict | None = None) -> "Faces":
    """Faces as a training of one's own reads them: photographs are cut with room around."""
    from fkp.data import readers

    cut = source or readers.recognise(path)
    usual = {} if cut in PICTURES else _CUT
    return readers.read(path, source, **usual | (options or {}))


def _faces(data, options):
    """What is read; reading it tells faults before anything runs."""
    from fkp.data import split

    faces = pictures(data.path, data.source, options)
    if not faces.labelled.any():
        raise ValueError(f"{data.path}: no point is labelled")
    h, w, _ = faces.image_shape
    if h != w:
        raise ValueError(f"{data.path}: pictures of {w} x {h} px, expected square ones")
    split.holdout(faces)
    return faces


def free(out: Path, ending: str, force: bool) -> None:
    """ValueError unless a file of that name may be written."""
    if out.suffix != ending:
        raise ValueError(f"--out: expected a name that ends in {ending}, got {str(out)!r}")
    if out.exists() and not force:
        raise ValueError(f"{out}: exists already; give another --out, or --force to replace it")
    writable(out, out)


def _weights(name):
    from fkp.photo.finder import WEIGHTS

    shipped = WEIGHTS / f"{name}.keras"
    path = shipped if shipped.is_file() else Path(name)
    if not path.is_file():
        raise ValueError(f"--weights: {name}: no such file, nor one of the shipped models")
    return path.resolve()


def _check_start(overrides, faces):
    """ValueError, before anything runs, if the network cannot start from the weights."""
    from fkp.models import warm
    from fkp.photo.finder import WEIGHTS

    model = overrides["model"]
    if model not in (*_SIDES, "keypoint_net"):
        raise ValueError(f"--weights: go with small, tiny or keypoint_net, not with {model}")
    own = model not in _SIDES or overrides.get("model_options")
    like = None if own else WEIGHTS / f"{model}.keras"
    warm.check(overrides["weights"], faces.scheme, faces.image_shape[-1], like)


def _carried_out(planned: "Plan") -> Path:
    """Run a study whose last run makes the files; the folder of that run."""
    from fkp.study.progress import watch
    from fkp.study.runner import Interrupted, run_study

    with_files = [run for run in planned.runs if (planned.reports / "runs" / run.folder).is_dir()]
    # What is published holds metrics alone, no model.
    again = [run.name for run in planned.runs if run not in with_files]
    try:
        with watch(planned) as progress:
            records = run_study(planned, again=again, watch=progress)
    except Interrupted:
        typer.echo("stopped; the same command goes on where this one ended", err=True)
        raise typer.Exit(130) from None
    for record in records:
        if record["status"] not in ("finished", "skipped"):
            error = record.get("error", "not run")
            raise ValueError(f"{record['label']}: {error}; see {planned.reports / 'index.html'}")
    return planned.reports / "runs" / planned.runs[-1].folder


def _copy(made, out):
    from fkp.record.files import whole

    with whole(out) as part:
        shutil.copyfile(made, part)
