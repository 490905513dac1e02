"""From a trained model to the files that ship: calibrated, described, with a card."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jinja2 import Template

from fkp import __version__, models
from fkp.data.faces import Faces
from fkp.data.own import to_dict
from fkp.data.schemes import SCHEMES
from fkp.deploy.export import FORMATS, export
from fkp.measure import calibration, errors
from fkp.models.about import About
from fkp.models.predict import predict
from fkp.models.trust import ExpectedError, Offset, followed_by, label_offset, with_spread
from fkp.prepare.warp import plain

if TYPE_CHECKING:
    import keras

_IMAGES = 300  # faces from which int8 takes its value ranges


def release(
    model: "keras.Model",
    training: Faces,
    validation: Faces,
    folder: str | Path,
    *,
    name: str,
    zoom: float,
    data: str,
    terms: str,
    placed: dict | None = None,
    formats: Sequence[str] = FORMATS,
) -> dict[str, Path]:
    """Write a model so that `fkp.load` opens it; one with heat maps says how far off it may be.

    Args:
        model: trained, pixels -> points.
        training: pictures that the model was trained on, for the offset of their labels and int8's
            value ranges.
        validation: pictures that the model was not trained on, to calibrate its expected errors.
        folder: where the files go.
        name: stem of the files.
        zoom: of the model's crops, see `fkp.prepare.warp.plain`.
        data, terms: see `fkp.models.about.About`.
        placed: its `zoom`, `picture`, `middle` and `scheme` where the pictures are not cut round
            the box of the 68 points, or not all points are the scheme's.
        formats: of `FORMATS`, beside "keras".

    Returns:
        format -> path, "keras" among them; with heat maps all give x, y and expected error, px of
        the crop.
    """
    side, scheme = model.input_shape[1], training.scheme
    usual = {"zoom": zoom, "picture": training.image_shape[0], "scheme": scheme}
    described = usual | (placed or {})
    scheme = described.pop("scheme")
    says = any(layer.name == "heatmap" for layer in model.layers)
    model, offset = centred(with_spread(model) if says else model, training, zoom)
    about = About(
        name,
        scheme.name,
        scheme.labels,
        points=None if scheme.name in SCHEMES else to_dict(scheme),
        offset=tuple(map(tuple, offset.round(3).tolist())),
        error=says,
        data=data,
        terms=terms,
        version=__version__,
        **described,
    )
    if says:
        seen = plain(validation, side, zoom)
        answer = predict(model, seen.images)
        apart = errors.distances(seen.points, answer[..., :2])
        told = ExpectedError(**calibration.fit(answer[..., 2], apart), name="error")
        model = followed_by(model, told)
    folder = Path(folder)
    images = plain(training.sample(_IMAGES), side, zoom).images
    files = export(model, folder, name, formats, images, about) if formats else {}
    models.save(model, folder / f"{name}.keras", about=about)
    return {"keras": folder / f"{name}.keras"} | {form: f["path"] for form, f in files.items()}


def centred(model: "keras.Model", training: Faces, zoom: float) -> tuple["keras.Model", np.ndarray]:
    """The same network, its points where the labels of its training faces are on average.

    Args:
        model, training, zoom: see `release`.

    Returns:
        (the network, what it adds to each point: (k, 2), px).
    """
    seen = plain(training, model.input_shape[1], zoom)
    offset = label_offset(seen.points, predict(model, seen.images))
    layer = Offset(offset.tolist(), dtype="float32", name="offset")
    return followed_by(model, layer), offset


def card(
    about: About,
    side: int,
    files: list[dict],
    recipe: str,
    facts: Sequence[str] = (),
    parts: dict[str, dict[str, float]] | None = None,
) -> str:
    """The card of a shipped model, Markdown.

    Args:
        about: of its files.
        side: of its crops, px.
        files: a row each, all with the same columns.
        recipe: the command that makes the model again.
        facts: further lines.
        parts: kind of faces -> {which -> inter-ocular NME, %}.
    """
    template = Path(__file__).parent / "templates" / "card.md"
    return Template(template.read_text(encoding="utf-8"), keep_trailing_newline=True).render(
        about=about, side=side, files=files, recipe=recipe, facts=facts, parts=parts
    )


def audited(found: dict) -> tuple[list[str], dict[str, dict[str, float]]]:
    """Facts and parts of a `card`, from what `fkp.measure.audit.audit` returns."""
    nme, over = found["scores"]["nme_ocular"], found["scores"]["failure_8"]["value"]
    ratio = found["reliability"]["ratio"]
    facts = [
        f"**Error** of the int8 file on {nme['n']} test faces, boxes from the labels: inter-ocular "
        f"NME {nme['value']:.2f} % [{nme['low']:.2f}, {nme['high']:.2f}], {over:.2f} % of the "
        "faces over 8 %.",
        "**Expected errors** are calibrated on validation faces. Over the tenths of the test "
        "points by expected error, measured over expected lies within "
        f"{min(ratio):.2f} and {max(ratio):.2f}.",
    ]
    parts = {
        "set": {name: s["nme_ocular"]["value"] for name, s in found["by_set"].items()},
        "region": found["regions"],
        "turned aside by degrees,": _values(found["by_yaw"]),
        "size in px,": _values(found["by_size"]),
        "look:": _values(found["views"]),
    }
    return facts, parts


def _values(scores):
    return {name: score["value"] for name, score in scores.items()}
