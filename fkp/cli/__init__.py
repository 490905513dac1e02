"""The command line, `python -m fkp ...`; a command imports what it needs when it runs."""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Facial keypoints: run studies, read their reports, look at models and data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Study = Annotated[str, typer.Argument(help="Name of a study; `studies` lists them.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Profile = Annotated[str | None, typer.Option(help="Profile of the study, such as smoke or quick.")]


@app.command()
def run(
    study: Study,
    data: Annotated[
        Path | None, typer.Option(help="File or folder of faces; default: what data/ holds.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Read the data as this format instead of recognising it.")
    ] = None,
    profile: Profile = None,
    workers: Annotated[int, typer.Option(min=1, help="Notebooks at a time.")] = 1,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only the runs of that name; may be repeated."),
    ] = None,
    again: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Repeat the finished runs of that name."),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="NAME=VALUE", help="Set a parameter; may be repeated."),
    ] = None,
):
    """Run a study; finished runs are skipped, interrupted ones resumed.

    Without --data and without a data set in data/ the study runs on drawn faces.

    Example: python -m fkp run paper-a --data data/kaggle --profile quick -p seed=[0,1]
    """
    from fkp.study.plan import plan
    from fkp.study.progress import watch
    from fkp.study.runner import Interrupted, run_study

    planned = plan(
        study,
        profile=profile,
        data=choose_data(data, source),
        overrides=parse_parameters(parameter or []),
    )
    page = planned.reports / "index.html"
    label = planned.data.label()
    typer.echo(
        f"{study}, profile {planned.profile}: {len(planned.runs)} runs on "
        f"{label['source']} ({label['name']})"
    )
    try:
        with watch(planned) as progress:
            records = run_study(
                planned, only=only, again=again or (), workers=workers, watch=progress
            )
    except Interrupted:
        typer.echo("stopped; the same command resumes where this one ended", err=True)
        raise typer.Exit(130) from None
    failed = [record for record in records if record["status"] == "failed"]
    for record in failed:
        typer.echo(f"failed: {record['label']}: {record['error']}", err=True)
        typer.echo(f"        see {planned.reports / record['notebook_file']}", err=True)
    typer.echo(f"report: {shorten(page)}")
    raise typer.Exit(1 if failed else 0)


@app.command()
def report(
    study: Study,
    profile: Profile = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete results that no profile shows any more.")
    ] = False,
):
    """Rebuild a study's index.html from the metrics of its runs.

    Example: python -m fkp report paper-a --profile quick
    """
    from fkp.study.report import remove_unshown, write_report
    from fkp.study.runner import lock
    from fkp.study.studyfile import load_study, project

    content = load_study(study)
    folder = project() / "reports" / study
    page = write_report(folder, profile, title=content["title"], text=content["text"])
    if prune:
        with lock(folder):
            for name in remove_unshown(folder):
                typer.echo(f"deleted {name}")
    typer.echo(shorten(page))


@app.command()
def readme(
    page: Annotated[Path, typer.Argument(help="Markdown file with marked tables.")] = Path(
        "README.md"
    ),
):
    """Fill the marked tables of a Markdown page from the metrics of finished runs.

    Example: python -m fkp readme README.md
    """
    from fkp.study.readme import refresh
    from fkp.study.studyfile import project

    typer.echo(f"{refresh(page, project() / 'reports')} tables written to {page}")


@app.command()
def studies(as_json: AsJson = False):
    """List the studies.

    Example: python -m fkp studies
    """
    from fkp.study.studyfile import load_study, study_names

    rows = [
        {"study": name, "title": study["title"], "profiles": list(study["profiles"])}
        for name in study_names()
        for study in [load_study(name)]
    ]
    show(rows, as_json)


@app.command()
def models(
    as_json: AsJson = False,
    shape: Annotated[str, typer.Option(help="Input as HEIGHTxWIDTHxCHANNELS.")] = "96x96x1",
    points: Annotated[int, typer.Option(min=1, help="Number of points.")] = 15,
):
    """List the models: input, number of parameters, size of the saved file.

    Example: python -m fkp models --shape 256x256x1 --points 68
    """
    from fkp.cli.facts import model_facts, quiet
    from fkp.models import MODELS

    try:
        height, width, channels = map(int, shape.split("x"))
    except ValueError:
        raise ValueError(f"--shape: expected HEIGHTxWIDTHxCHANNELS, got {shape!r}") from None
    input_shape = (height, width, channels)
    with quiet():
        rows = [model_facts(name, input_shape, points) for name in MODELS]
    show(rows, as_json)


@app.command()
def inspect(
    path: Annotated[Path, typer.Argument(help="File or folder of faces.")],
    source: Annotated[
        str | None, typer.Option(help="Read as this format instead of recognising it.")
    ] = None,
    as_json: AsJson = False,
):
    """Describe a data set: rows, labels per point, copies, split.

    Example: python -m fkp inspect data/training.zip
    """
    from fkp.cli.facts import data_facts
    from fkp.data import readers

    facts = data_facts(readers.read(path, source))
    if as_json:
        typer.echo(json.dumps(facts, indent=1))
        return
    labels = facts.pop("labels_per_point")
    show([{"": key.replace("_", " "), "value": value} for key, value in facts.items()], False)
    show([{"point": key, "labels": value} for key, value in labels.items()], False)


@app.command()
def submit(
    models: Annotated[
        list[Path], typer.Argument(metavar="MODEL...", help=".keras files; several are averaged.")
    ],
    data: Annotated[
        Path, typer.Option(help="Folder with test.csv or .zip and IdLookupTable.csv.")
    ] = Path("data"),
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("submission.csv"),
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Average with the predictions on mirrored images.")
    ] = False,
):
    """Write a Kaggle submission: the mean prediction of one model or several.

    Example: python -m fkp submit model.keras --data data/kaggle --out submission.csv
    """
    from fkp.cli.facts import quiet
    from fkp.deploy.submit import submit

    with quiet():
        submission = submit(models, data, out, mirrored=mirror)
    typer.echo(f"{shorten(out)}: {len(submission):,} rows, models averaged: {len(models)}")


@app.command()
def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help=".keras file.")],
    form: Annotated[str, typer.Option("--format", help="litert, litert-int8 or onnx.")] = "litert",
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path(),
    calibrate: Annotated[
        Path | None, typer.Option(help="Faces from which int8 takes its value ranges.")
    ] = None,
):
    """Convert a trained model to a file for LiteRT or ONNX Runtime, and check it against Keras.

    Example: python -m fkp export model.keras --format litert-int8 --calibrate data/training.zip
    """
    from fkp.cli.facts import quiet
    from fkp.data import readers
    from fkp.deploy.export import export_file

    images = readers.read(calibrate).sample(200).images if calibrate else None
    with quiet():
        file = export_file(model, form, out, images)
    typer.echo(
        f"{shorten(file['path'])}: {file['bytes'] / 1e6:.2f} MB, points differ from Keras' by "
        f"{file['rms_px']:.2g} px (RMS), {file['max_px']:.2g} px at most"
    )


@app.command()
def benchmark(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help=".keras files or names of models.")
    ],
    threads: Annotated[int, typer.Option(min=1, help="Threads, each on its own core.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="One round, a second each.")] = False,
    as_json: AsJson = False,
):
    """Time models in Keras, LiteRT and ONNX Runtime, for one image and for 100 at once.

    Nothing else should run meanwhile. Models must take images of the same shape.

    Example: python -m fkp benchmark manual_cnn reports/tour/runs/*/model.keras --quick
    """
    from fkp.cli.facts import quiet
    from fkp.deploy import timings
    from fkp.deploy.benchmark import conditions, measure_models

    how = {"rounds": 1, "calls": 256, "seconds": 1} if quick else {"rounds": 3}
    with quiet():
        circumstances = conditions(threads)
        rows = measure_models(models, threads=threads, **how)
    if as_json:
        typer.echo(json.dumps({"conditions": circumstances, "timings": rows}, indent=1))
        return
    show(timings.short_rows(rows), False)
    typer.echo(timings.conditions_in_words(circumstances) + timings.unsettled(rows))


@app.command()
def recolour(
    photo: Annotated[Path, typer.Argument(help="Photograph, .jpg or .png.")],
    lips: Annotated[
        str | None, typer.Option(metavar="COLOUR", help='"#b03060" or a CSS name.')
    ] = None,
    eyes: Annotated[
        str | None, typer.Option(metavar="COLOUR", help="Colour of the irises.")
    ] = None,
    opacity: Annotated[float, typer.Option(help="0 (nothing changes) to 1.")] = 0.6,
    points: Annotated[
        Path | None, typer.Option(help=".pts file of 68 points; default: the one beside the photo.")
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help=".keras file that finds the points where no .pts file is.")
    ] = None,
    box: Annotated[
        str | None,
        typer.Option(metavar="X,Y,W,H", help="Face for the model, brows to chin, in pixels."),
    ] = None,
    equalise: Annotated[
        bool, typer.Option("--equalise", help="The model was trained on equalised images.")
    ] = False,
    plain: Annotated[bool, typer.Option("--plain", help="Paper C's plain fill.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="File to write; default: NAME-recoloured.png, here.")
    ] = None,
):
    """Give lips and irises on a photograph another colour.

    The points of the face come from --points, else from the .pts file beside the photograph, else
    from --model in --box. Points lie on the pixels as stored, the box on the picture as shown.

    Example: python -m fkp recolour photo.jpg --lips "#b03060" --eyes green
    """
    from fkp.cli.facts import quiet
    from fkp.photo import picture as photos
    from fkp.photo.recolour import plain_fill, recolour

    if lips is None and eyes is None:
        raise ValueError("nothing to paint: give --lips COLOUR, --eyes COLOUR or both")
    box = None if box is None else parse_box(box)
    with quiet():
        picture, places, scheme, origin = photos.with_points(photo, points, model, box, equalise)
    change = plain_fill if plain else partial(recolour, opacity=opacity)
    pixels = change(picture.pixels, places, scheme, lips=lips, eyes=eyes)
    out = out or Path(f"{photo.stem}-recoloured.png")
    photos.write(picture, pixels, out)
    typer.echo(f"{shorten(out)}: {len(scheme)} points from {shorten(origin)}")


def choose_data(path, source):
    """What a study reads: the given path, what `data/` holds, or drawn faces.

    Raises:
        ValueError: the path does not exist or is not recognised, or the format is unknown.
    """
    from fkp.data import readers
    from fkp.record.digests import file_fingerprint
    from fkp.study.plan import Data
    from fkp.study.studyfile import project

    if source is not None and source not in readers.SOURCES:
        raise ValueError(f"unknown source {source!r} (known: {', '.join(readers.SOURCES)})")
    folder = project() / "data"
    if path is None and source == "drawn":
        return Data(forced=True)
    if path is None:
        places = [folder, *sorted(folder.glob("[!.]*"))]
        path = next((place for place in places if holds(place, source)), None)
        if path is None and source is None:
            return Data()
        if path is None:
            raise ValueError(f"--source {source} needs --data PATH; data/ holds nothing like it")
    path = Path(path).expanduser().resolve()
    name = source or readers.recognise(path)
    return Data(path, name, path.name, file_fingerprint(path), forced=source is not None)


def holds(path, source):
    """Whether a path holds data of a format (None: of any)."""
    from fkp.data import readers

    try:
        return readers.recognise(path) == source or source is None
    except ValueError:
        return False


def parse_parameters(texts):
    """["seed=[0,1]", "model=resnet18"] -> dict; values are read as YAML."""
    from fkp.study.studyfile import read_yaml

    values = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name.isidentifier() and equals):
            raise ValueError(f"-p: expected NAME=VALUE, got {text!r}")
        values[name] = read_yaml(value, f"-p {name}") if value else ""
    return values


def parse_box(text):
    """ "x,y,w,h" -> four numbers."""
    try:
        x, y, w, h = map(float, text.split(","))
    except ValueError:
        raise ValueError(f"--box: expected X,Y,W,H, four numbers, got {text!r}") from None
    return x, y, w, h


def show(rows, as_json):
    """Print dicts of the same keys as JSON or as a table."""
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for key, value in (rows[0] if rows else {}).items():
        numeric = isinstance(value, int | float)
        table.add_column(
            key.replace("_", " ").replace(" mb", " MB"), justify="right" if numeric else "left"
        )
    for row in rows:
        table.add_row(*(cell(value) for value in row.values()))
    Console().print(table)


def cell(value):
    """A value as text: thousands separated, lists joined."""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)


def shorten(path):
    """The path relative to the current folder where it lies below it."""
    try:
        return Path(path).relative_to(Path.cwd())
    except ValueError:
        return path


def main():
    """Run the command line; expected errors become one line and status 2."""
    try:
        app(prog_name="python -m fkp")
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
