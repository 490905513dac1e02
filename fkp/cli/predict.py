"""The command that finds faces and their points."""

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from fkp.cli.output import quiet, shorten


def predict(
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE...", help="Pictures, folders or globs.")
    ],
    model: Annotated[
        str, typer.Option(help="small, tiny, kaggle, or a .tflite, .onnx or .keras file.")
    ] = "small",
    out: Annotated[Path, typer.Option(help="Folder for overlays and files.")] = Path("predictions"),
    save: Annotated[
        list[str] | None, typer.Option(metavar="json|csv|pts", help="Also write the points so.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; no overlays.")] = False,
    max_faces: Annotated[int | None, typer.Option(min=1, help="Of a picture, at most.")] = None,
    min_score: Annotated[
        float, typer.Option(min=0, max=1, help="Of a detection; lower finds more.")
    ] = 0.5,
) -> None:
    """Find faces and their points, and draw them: an overlay of each picture in predictions/.

    A picture without a face is not an error. One that cannot be read is named, the others go on,
    and the exit status is 2.

    Example: fkp predict photo.jpg holiday/ --save csv
    """
    import numpy as np
    from tqdm import tqdm

    from fkp.photo.finder import load
    from fkp.photo.predictions import FORMS, pictures

    unknown = [form for form in save or () if form not in FORMS]
    if unknown:
        raise ValueError(f"--save: got {unknown[0]!r}, expected {', '.join(FORMS)}")
    names = pictures(sources, out)
    with quiet():
        finder = load(model)
        black = np.zeros((64, 64, 3), np.uint8)  # what LiteRT says at its first call is not heard
        finder.at(black, [(0, 0, 64, 64)])
        finder(black)
    found, faults = [], 0
    for file, name in tqdm(names.items(), unit="picture", leave=False, disable=None):
        start = time.perf_counter()
        try:
            picture, overlay = _one(finder, file, name, max_faces, min_score, out, not as_json)
        except (ValueError, OSError) as error:
            tqdm.write(f"error: {error}", file=sys.stderr)
            faults += 1
            continue
        found.append(picture)
        if not as_json:
            count = len(picture.faces)
            many = f"{count or 'no'} face{'s' * (count != 1)}"
            took = 1000 * (time.perf_counter() - start)
            tqdm.write(f"{shorten(file)}: {many}, {took:.0f} ms, {shorten(overlay)}")
    written = [FORMS[form](found, out) for form in save or ()]
    if as_json:
        typer.echo(json.dumps([picture.facts() for picture in found], indent=1))
    else:
        faces = sum(len(picture.faces) for picture in found)
        typer.echo(f"pictures: {len(found)}, faces: {faces}, overlays: {shorten(out)}/")
    for file in written:
        typer.echo(f"written: {shorten(file)}", err=as_json)
    raise typer.Exit(2 if faults else 0)


def _one(finder, file, name, max_faces, min_score, folder, draws):
    """(Found, the overlay's file or None) of one picture."""
    import cv2

    from fkp.photo.overlay import draw
    from fkp.photo.picture import read
    from fkp.photo.predictions import Found
    from fkp.record.files import whole

    pixels = read(file).pixels
    faces = finder(pixels, max_faces, min_score)
    overlay = folder / f"{name}{'.png' if file.suffix.lower() == '.png' else '.jpg'}"
    if draws:
        with whole(overlay) as part:
            cv2.imwrite(str(part), cv2.cvtColor(draw(pixels, faces), cv2.COLOR_RGB2BGR))
    return Found(file, name, pixels.shape[1], pixels.shape[0], faces), overlay
