"""A new network that starts from the weights of a trained one."""

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fkp.data.schemes import SCHEMES, Scheme, members, twice
from fkp.models import about
from fkp.models.files import load

if TYPE_CHECKING:
    import keras

_LAST = "heatmap"


def start(model: "keras.Model", path: str | Path, scheme: Scheme) -> int:
    """Copy the weights of a trained model's layers into those of the same name and shape.

    The layer that gives a map for each point is copied point by point: what a point of the new
    scheme is made of in the old one, by name or by the map between the two, gives its weights.

    Args:
        model: to be trained; changed in place.
        path: of a .keras file that says of itself which points it finds.
        scheme: of the model's points.

    Returns:
        How many of the model's points start from trained weights.

    Raises:
        ValueError: the file is no .keras file or of another body, says nothing of its points, or
            has none of these.
    """
    sources = _sources(path, scheme)
    trained = load(path)
    old = {layer.name: layer for layer in trained.layers}
    weighted = [layer for layer in model.layers if layer.weights and layer.name != _LAST]
    for layer in weighted:
        shapes = [w.shape for w in old[layer.name].weights] if layer.name in old else None
        if shapes != [w.shape for w in layer.weights]:
            raise ValueError(f"{path}: another network, it has no layer {layer.name} of this shape")
    for layer in weighted:
        layer.set_weights(old[layer.name].get_weights())
    for mine, other in zip(model.get_layer(_LAST).weights, old[_LAST].weights, strict=True):
        values, theirs = np.array(mine), np.array(other)
        for point, of in sources.items():
            values[..., point] = theirs[..., list(of)].mean(axis=-1)
        mine.assign(values)
    return len(sources)


def check(path: str | Path, scheme: Scheme, channels: int, like: Path | None = None) -> None:
    """Refuse a file that `start` would refuse, by what it says of itself: no network is opened.

    Args:
        path: of the .keras file.
        scheme: of the points of the model that is to start from it.
        channels: of that model's images.
        like: a .keras file of that model's network; None: the network is not looked at.

    Raises:
        ValueError: as `start`.
    """
    _sources(path, scheme)
    (taken, body), (_, wanted) = _network(path), _network(like or path)
    if taken != channels:
        raise ValueError(f"{path}: takes images of {taken} channels, these have {channels}")
    if body != wanted:
        raise ValueError(f"{path}: another network than {like.stem}")


def _network(path):
    """Channels of the images; name -> filters and kernel of the layers before the maps."""
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))["config"]
    layers = [layer["config"] for layer in config["layers"]]
    body = {at["name"]: (at["filters"], at["kernel_size"]) for at in layers if "filters" in at}
    body.pop(_LAST, None)
    return layers[0]["batch_shape"][-1], body


def _sources(path, scheme):
    """Point of the scheme -> the trained model's points that it is made of."""
    if Path(path).suffix != ".keras":
        raise ValueError(f"{path}: expected a .keras file: only it has weights to start from")
    said = about.read(path)
    if said is None:
        raise ValueError(f"{path}: does not say which points it finds; expected a model of fkp's")
    once = next((s for s in SCHEMES.values() if s.mirror and twice(s) == scheme), scheme)
    if said.scheme in SCHEMES and (found := members(SCHEMES[said.scheme], once)) is not None:
        return dict(enumerate(found * (len(scheme) // len(once))))
    shared = {
        i: (said.labels.index(label),)
        for i, label in enumerate(scheme.labels)
        if label in said.labels
    }
    if not shared:
        raise ValueError(f"{path}: none of its points ({said.scheme}) is one of {scheme.name}")
    return shared
