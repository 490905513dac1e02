"""Commands for one model, one data set or one photograph."""

import json
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from fkp.cli.output import AsJson, quiet, shorten, show, writable
from fkp.cli.train import PICTURES, Force, free, pictures


def models(
    as_json: AsJson = False,
    shape: Annotated[str, typer.Option(help="Input as HEIGHTxWIDTHxCHANNELS.")] = "96x96x1",
    points: Annotated[int, typer.Option(min=1, max=1000, help="Number of points.")] = 15,
) -> None:
    """List the models: input, number of parameters, size of the saved file.

    Example: fkp models --shape 256x256x1 --points 68
    """
    from fkp.models import MODELS, build, describe

    try:
        input_shape = height, width, channels = tuple(map(int, shape.split("x")))
    except ValueError:
        raise ValueError(f"--shape: expected HEIGHTxWIDTHxCHANNELS, got {shape!r}") from None
    if not (36 <= height <= 1024 and 36 <= width <= 1024 and channels in (1, 3)):
        raise ValueError(f"--shape: expected sides from 36 to 1024, 1 or 3 channels, got {shape!r}")
    with quiet():
        sizes = {name: describe.size(build(name, input_shape, points)) for name in MODELS}
    shown = ("parameters", "float32_mb")
    rows = [{"name": n, "input": shape} | {key: s[key] for key in shown} for n, s in sizes.items()]
    show(rows, as_json)


def inspect(
    path: Annotated[
        Path | None, typer.Argument(help="File or folder of faces; default: data.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Read as this format instead of recognising it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Describe a data set: rows, labels per point, copies, split.

    Example: fkp inspect data/training.zip
    """
    from rich.console import Console

    from fkp.data import readers
    from fkp.data.describe import data_facts

    path = path or (None if source == "drawn" else Path("data"))
    with Console(stderr=True).status("reading, and looking for copies of photographs"):
        facts = data_facts(readers.read(path if source else readers.within(path) or path, source))
    if as_json:
        typer.echo(json.dumps(facts, indent=1))
        return
    labels = facts.pop("labels_per_point")
    show([{"": key.replace("_", " "), "value": value} for key, value in facts.items()], False)
    show([{"point": key, "labels": value} for key, value in labels.items()], False)


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
    force: Force = False,
) -> None:
    """Write a Kaggle submission: the mean prediction of one model or several.

    Example: fkp submit model.keras --data data/kaggle --out submission.csv
    """
    from fkp.deploy.submit import submit

    free(out, ".csv", force)
    inside = [place for place in sorted(data.glob("*")) if (place / "IdLookupTable.csv").is_file()]
    data = data if (data / "IdLookupTable.csv").is_file() or not inside else inside[0]
    with quiet():
        submission = submit(models, data, out, mirrored=mirror)
    typer.echo(f"{shorten(out)}: {len(submission):,} rows, models averaged: {len(models)}")


def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help=".keras file.")],
    form: Annotated[
        str, typer.Option("--format", help="tflite, float16, int8 or onnx.")
    ] = "tflite",
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path(),
    calibrate: Annotated[
        Path | None, typer.Option(help="Faces from which int8 takes its value ranges.")
    ] = None,
    force: Force = False,
) -> None:
    """Convert a trained model to a file for LiteRT or ONNX Runtime, and check it against Keras.

    Example: fkp export model.keras --format int8 --calibrate data/training.zip
    """
    from fkp.data import readers
    from fkp.deploy.export import export_file
    from fkp.models import about, load

    writable(out / "model", out)
    faces, cut = None, {}
    if calibrate:
        if readers.recognise(calibrate) not in PICTURES:  # which are read as they are
            with quiet():
                cut = {"channels": load(model).input_shape[-1]}
        # What says how faces are cut for it is shown some that have room around.
        room = about.read(model) is not None
        faces = pictures(calibrate, options=cut) if room else readers.read(calibrate, **cut)
        faces = faces.sample(200)
    with quiet():
        file = export_file(model, form, out, faces, force)
    typer.echo(
        f"{shorten(file['path'])}: {file['bytes'] / 1e6:.2f} MB, points differ from Keras' by "
        f"{file['rms_px']:.2g} px (RMS), {file['max_px']:.2g} px at most"
    )


def benchmark(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help=".keras files or names of models.")
    ],
    threads: Annotated[int, typer.Option(min=1, help="Threads, each on its own core.")] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="One round, a second each.")] = False,
    as_json: AsJson = False,
) -> None:
    """Time models in Keras, LiteRT and ONNX Runtime, for one image and for 100 at once.

    Nothing else should run meanwhile. Models must take images of the same shape.

    Example: fkp benchmark manual_cnn reports/tour/runs/*/model.keras --quick
    """
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


def recolour(
    photo: Annotated[Path, typer.Argument(help="Photograph, .jpg or .png.")],
    lips: Annotated[
        str | None, typer.Option(metavar="COLOUR", help='"#b03060" or a CSS name.')
    ] = None,
    eyes: Annotated[
        str | None, typer.Option(metavar="COLOUR", help="Colour of the irises.")
    ] = None,
    opacity: Annotated[
        float | None, typer.Option(help="0 (nothing changes) to 1; default: 0.6.")
    ] = None,
    face: Annotated[
        int | None, typer.Option(min=1, help="Only this one, counted from the largest; else all.")
    ] = None,
    model: Annotated[str, typer.Option(help="Finds the 68 points; as for `predict`.")] = "small",
    points: Annotated[
        Path | None, typer.Option(help=".pts file of 68 points, in place of faces found.")
    ] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Paper C's plain fill.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="File to write; default: NAME-recoloured.png, here.")
    ] = None,
) -> None:
    """Give lips and irises on a photograph another colour.

    Example: fkp recolour photo.jpg --lips "#b03060" --eyes green
    """
    from fkp.data.schemes import IBUG_68
    from fkp.photo import finder, picture
    from fkp.photo.recolour import plain_fill, recolour

    if lips is None and eyes is None:
        raise ValueError("nothing to paint: give --lips COLOUR, --eyes COLOUR or both")
    if plain and opacity is not None:
        raise ValueError("--plain covers what it fills: it takes no --opacity")
    out = out or Path(f"{photo.stem}-recoloured.png")
    if out.resolve() == photo.resolve():
        raise ValueError(f"--out {out}: is the photograph itself; give another name")
    writable(out, out)
    shown = picture.read(photo)
    if points is not None:
        found = [(picture.marked(shown, points), IBUG_68)]
    else:
        with quiet():
            faces = finder.load(model)(shown.pixels)
        found = [(each.points, each.scheme) for each in faces]
    if not found or (face or 1) > len(found):
        raise ValueError(f"{photo}: faces found: {len(found)}, asked for: {face or 'all'}")
    change = plain_fill if plain else partial(recolour, opacity=0.6 if opacity is None else opacity)
    pixels = shown.pixels
    for places, scheme in found if face is None else [found[face - 1]]:
        pixels = change(pixels, places, scheme, lips=lips, eyes=eyes)
    again = ", in place of an earlier file" if out.exists() else ""
    picture.write(shown, pixels, out)
    typer.echo(f"{shorten(out)}: faces recoloured: {len(found) if face is None else 1}{again}")


def demo(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the page's address; 0: a free one.")
    ] = 8765,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Do not open a browser; print the address.")
    ] = False,
) -> None:
    """Find points in the browser, live: pictures and the camera, which stay on this machine.

    The page's runtime, 12 MB, is fetched once; then no network is needed. Ctrl-C ends it.

    Example: fkp demo
    """
    import webbrowser

    from fkp.photo.demo import cache, serve, site

    typer.echo(f"runtime in {cache()}; fetched the first time", err=True)
    with serve(site(cache()), port) as server:
        address = f"http://127.0.0.1:{server.server_port}/"
        typer.echo(f"{address}  (Ctrl-C ends it)")
        if not no_browser:
            webbrowser.open(address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            typer.echo("", err=True)
