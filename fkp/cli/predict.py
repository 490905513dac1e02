"""The command that finds faces and their points."""

import json
import sys
import time
from contextlib import ExitStack, nullcontext, suppress
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from fkp.cli.output import quiet, shorten, writable


def predict(
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE...", help="Pictures, videos, folders, camera:0.")
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
    pose: Annotated[bool, typer.Option("--pose", help="Draw the axes of each head.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Do not smooth the points of videos.")] = False,
) -> None:
    """Find faces and their points, and draw them: an overlay of each picture in predictions/.

    In a video and before a camera (camera:0) faces are followed: they keep their numbers, and
    their points are steady. A camera is shown in a window; where none can be opened its video is
    written until Ctrl-C.

    A picture without a face is not an error. One that cannot be read is named, the others go on,
    and the exit status is 2.

    Example: fkp predict photo.jpg holiday/ clip.mp4 --save csv
    """
    from tqdm import tqdm

    from fkp.photo.predictions import FORMS, remember
    from fkp.photo.video import is_video

    names = _named(sources, out, save or ())
    if unsaid := bool(save or not as_json):
        writable(out / "overlay", out)
    with quiet():
        finder = _opened(model)
    folder, keeps = None if as_json else out, bool(as_json or save)
    look, found, stills, status = {"max_faces": max_faces, "min_score": min_score}, [], [], 0
    for file, name in tqdm(names.items(), unit="file", leave=False, disable=len(names) < 2 or None):
        try:
            if is_video(file):
                seen, told = _film(finder, file, name, folder, look, pose, raw, keeps)
                found += seen
            else:
                picture, told = _one(finder, file, name, folder, look, pose)
                found.append(picture)
                stills.append(len(picture.faces))
        except (ValueError, OSError) as error:
            tqdm.write(f"error: {error}", file=sys.stderr)
            status = 2
            continue
        except KeyboardInterrupt:
            typer.echo("stopped", err=True)
            status = 130
            break
        if unsaid and (save or out.is_dir()):  # at once: this call may be killed
            remember(out, names)
            unsaid = False
        if not as_json:
            tqdm.write(f"{shorten(file)}: {told}")
    if as_json:
        typer.echo(json.dumps([picture.facts() for picture in found], indent=1))
    elif not all(map(is_video, names)):
        typer.echo(f"pictures: {len(stills)}, faces: {sum(stills)}, overlays: {shorten(out)}/")
    forms = dict.fromkeys(save or ()) if found else ()
    earlier = {form for form in forms if (out / f"predictions.{form}").is_file()}
    written = {form: FORMS[form](found, out) for form in forms}
    for form, file in written.items():
        again = ", in place of an earlier file" if form in earlier else ""
        typer.echo(f"written: {shorten(file)}{again}", err=as_json)
    raise typer.Exit(status)


def _named(sources, out, save):
    """Picture, video or camera -> what is written about it is called so."""
    from fkp.photo.predictions import FORMS, pictures
    from fkp.photo.video import CAMERA, is_video

    unknown = [form for form in save if form not in FORMS]
    if unknown:
        raise ValueError(f"--save: got {unknown[0]!r}, expected {', '.join(FORMS)}")
    names = pictures([name for name in sources if not name.startswith(CAMERA)], out)
    now = datetime.now().strftime("%Y%m%d-%H%M%S")
    names |= {Path(s): f"{s.replace(':', '-')}-{now}" for s in sources if s.startswith(CAMERA)}
    film = next(filter(is_video, names), None)
    if film and "pts" in save:
        raise ValueError(f"--save pts: is for pictures, {film} is a video; use json or csv")
    return names


def _opened(model):
    """A finder that has been called once: what LiteRT says then is not heard later."""
    import numpy as np

    from fkp.photo.finder import load

    finder, black = load(model), np.zeros((64, 64, 3), np.uint8)
    finder.at(black, [(0, 0, 64, 64)])
    finder(black)
    return finder


def _one(finder, file, name, folder, look, pose):
    """(Found, what came out in words) of a picture; its overlay is drawn into a folder, if any."""
    import cv2

    from fkp.photo.overlay import draw
    from fkp.photo.picture import read
    from fkp.photo.predictions import Found
    from fkp.record.files import whole

    start = time.perf_counter()
    pixels = read(file).pixels
    faces = finder(pixels, **look)
    told = f"{len(faces) or 'no'} face{'s' * (len(faces) != 1)}"
    if folder:
        overlay = folder / f"{name}{'.png' if file.suffix.lower() == '.png' else '.jpg'}"
        drawn = cv2.cvtColor(draw(pixels, faces, pose), cv2.COLOR_RGB2BGR)
        fits, packed = cv2.imencode(overlay.suffix, drawn)
        if not fits:
            size = f"{drawn.shape[1]} x {drawn.shape[0]} px"
            raise ValueError(f"{overlay}: {size} do not fit into a {overlay.suffix} file")
        with whole(overlay) as part:
            part.write_bytes(packed)
        told += f", {1000 * (time.perf_counter() - start):.0f} ms, {shorten(overlay)}"
    return Found(file, name, pixels.shape[1], pixels.shape[0], faces), told


def _film(finder, source, name, folder, look, pose, raw, keeps):
    """([Found of each picture, if kept], what came out in words) of a video or camera.

    A video is written into a folder, if any; a camera is, if no window can be opened.
    """
    from tqdm import tqdm

    from fkp.photo.overlay import draw
    from fkp.photo.predictions import Found
    from fkp.photo.track import Tracker
    from fkp.photo.video import Video, recording, window

    with quiet():
        film = Video(source)
    tracker, found, count, numbers = Tracker(finder, raw, **look), [], 0, set()
    start, out = time.perf_counter(), folder and folder / f"{name}.mp4"
    with ExitStack() as stack:
        stack.callback(film.close)
        show = stack.enter_context(window(str(source))) if film.live and folder else None
        if film.live and not show:
            typer.echo(f"{source}: no window; until Ctrl-C", err=True)
        record = folder and not show and stack.enter_context(recording(out, film.size, film.rate))
        bar = tqdm(film, total=film.count, unit="picture", leave=False, disable=None)
        with suppress(KeyboardInterrupt) if film.live else nullcontext():
            for seconds, pixels in bar:
                followed = tracker(pixels, seconds)
                faces, count = [*followed.values()], count + 1
                numbers |= {*followed}
                if keeps:
                    found.append(Found(source, name, *film.size, faces, seconds, [*followed]))
                drawn = draw(pixels, faces, pose, [*followed]) if folder else pixels
                if record:
                    record(seconds, drawn)
                if show and not show(drawn):
                    break
    if film.count and count < 0.95 * film.count:  # as stated it may be a little off
        tqdm.write(f"{source}: ends after {count} of {film.count} pictures", file=sys.stderr)
    told = f"pictures: {count}, faces: {len(numbers)}"
    told += f", {count / (time.perf_counter() - start):.1f} pictures a second"
    return found, f"{told}, {shorten(out)}" if record else told
