"""Published small landmark models on 300-W: their accuracy, and their time beside ours.

    python -m benchmarks.peers.measure DATA --cache DIR --json OUT
    python -m benchmarks.peers.measure --time --with MODEL.tflite --cache DIR --json OUT

The first scores every peer on the common test faces, in crops cut round the labels. "As is" is the
error of the points that it gives; "mapped" is that of a ridge map from them to the 68 labels. The
map is fitted on the training faces and its strength chosen on the validation faces. For either
figure the size and the height of the crop are those of the least error on training faces. The
second command times one image on one thread, beside MobileNetV2 at 96 px and the given files, and
adds that to OUT.

A peer may have seen the test faces in its own training.
"""

import argparse
import itertools
import json
import os
import statistics
from pathlib import Path

import cv2
import numpy as np
from sklearn.linear_model import Ridge

from benchmarks.peers import Peer, faceapi, mesh
from fkp.data.faces import Faces
from fkp.data.schemes import IBUG_68
from fkp.measure import errors
from fkp.record.files import write_json

# (side of the crop, its shift downwards), both as fractions of the landmark box's longer side.
ZOOMS, SHIFTS = (1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6), (-0.1, -0.05, 0, 0.05, 0.1, 0.15)
CROPS = tuple(itertools.product(ZOOMS, SHIFTS))
CHOSEN_ON = 600  # training faces that the crop is chosen on
STRENGTHS = tuple(10.0**power for power in range(-6, 1))
REFERENCE = "MobileNetV2, 96 px"


def run(peer: Peer, faces: Faces, zoom: float, shift: float) -> tuple[np.ndarray, np.ndarray]:
    """A peer's points and the labels, both in fractions of its crop's side.

    Crops are sampled bilinearly, without a blur before: so do the peers' own libraries.

    Args:
        faces: RGB, with room round the landmark box for the crop.
        zoom, shift: see `CROPS`.

    Returns:
        (float64 (n, k, 2), float64 (n, 68, 2)).
    """
    low, high = faces.points.min(axis=1), faces.points.max(axis=1)
    box = (high - low).max(axis=1, keepdims=True)
    scale = peer.side / (zoom * box)
    offset = (peer.side - 1) / 2 - scale * ((low + high) / 2 + box * (0, shift))
    images = [
        cv2.warpAffine(
            image, np.array([[s, 0, x], [0, s, y]]), (peer.side, peer.side),
            flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
        )
        for image, s, (x, y) in zip(faces.images, scale[:, 0], offset, strict=True)
    ]  # fmt: skip
    found = np.concatenate([peer.predict(image[None]) for image in images])
    labels = faces.points * scale[:, None] + offset[:, None]
    return np.float64(found) / peer.side, np.float64(labels) / peer.side


def nme(points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Inter-ocular NME of each face, %, (n,)."""
    return errors.nme(labels, points, errors.inter_ocular(labels, IBUG_68))


def fit_map(fitting, checking):
    """The ridge map from a peer's points to the labels that errs least on the checking faces.

    Args:
        fitting, checking: (points (n, k, 2), labels (n, 68, 2)), as `run` returns them.

    Returns:
        Function (n, k, 2) -> (n, 68, 2).
    """

    def fit(strength):
        model = Ridge(alpha=strength).fit(*(part.reshape(len(part), -1) for part in fitting))
        return lambda points: model.predict(points.reshape(len(points), -1)).reshape(-1, 68, 2)

    points, labels = checking
    return min(map(fit, STRENGTHS), key=lambda mapped: nme(mapped(points), labels).mean())


def score(peer: Peer, train: Faces, validation: Faces, test: Faces) -> dict:
    """A peer's row: nme (%), over_8 (% of faces) and crop, mapped and, for the 68 points, as is."""
    chosen, mapped, as_is = train.sample(CHOSEN_ON), {}, {}
    for place in CROPS:
        points, labels = run(peer, chosen, *place)
        fitted = fit_map((points[::2], labels[::2]), (points[1::2], labels[1::2]))
        mapped[place] = nme(fitted(points[1::2]), labels[1::2]).mean()
        as_is[place] = nme(points, labels).mean() if peer.as_is else 0
    place = min(mapped, key=mapped.get)
    fitted = fit_map(run(peer, train, *place), run(peer, validation, *place))
    points, labels = run(peer, test, *place)
    row = _figures("mapped", nme(fitted(points), labels), place)
    place = min(as_is, key=as_is.get)
    values = nme(*run(peer, test, *place)) if peer.as_is else None
    about = {name: getattr(peer, name) for name in ("name", "url", "licence", "file_mb", "side")}
    return about | _figures("as_is", values, place) | row


def _figures(how, values, place):
    figures = dict.fromkeys(("nme", "over_8", "crop"))
    if values is not None:
        figures |= {"nme": values.mean(), "over_8": 100 * np.mean(values > 8), "crop": place}
    return {f"{name}_{how}": value for name, value in figures.items()}


def accuracy(data: Path, peers: list[Peer]) -> dict:
    """{rows, data}: all peers scored on the faces of 300-W, and which faces these are."""
    from fkp.data import readers
    from fkp.data.copies import group_duplicates
    from fkp.data.sets import coverage
    from fkp.data.split import holdout

    faces = group_duplicates(readers.read(data, size=384, margin=0.5, channels=3))
    split = holdout(faces, seed=0)
    parts = {name: getattr(split, name) for name in ("train", "validation", "test")}
    rows = [score(peer, *map(faces.take, parts.values())) for peer in peers]
    about = {"source": coverage(faces), "fingerprint": faces.fingerprint}
    return {"rows": rows, "data": about | {name: len(part) for name, part in parts.items()}}


def times(peers: list[Peer], ours: list[Path], cache: Path, rounds: int) -> dict:
    """{rows, conditions}: milliseconds for one image on one thread, all models in one process.

    In each round the models take turns in shuffled order; each is warmed up until its times are
    stable, then timed for up to 100 calls. A call takes uint8 pixels in memory and gives points in
    pixels. The median is over rounds, of each round's median; the range is that of the rounds.
    """
    from fkp import models
    from fkp.deploy.benchmark import conditions, time_calls
    from fkp.deploy.export import export

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])
    model = models.build("mobilenet_v2", (96, 96, 1), 15, weights="none")
    file = export(model, cache, "mobilenet_v2", ["litert"])["litert"]["path"]
    rows = {peer.name: {"side": peer.side, "file_mb": peer.file_mb} for peer in peers}
    calls = {peer.name: (peer.predict, (peer.side, peer.side, 3)) for peer in peers}
    for name, path in {REFERENCE: file, **{path.stem: path for path in ours}}.items():
        loaded = models.load(path, threads=1)
        calls[name] = loaded.predict, loaded.input_shape[1:]
        rows[name] = {"side": loaded.input_shape[1], "file_mb": path.stat().st_size / 1e6}
    rng, medians = np.random.default_rng(0), {name: [] for name in calls}
    about = conditions(threads=1) | {"rounds": rounds, "runtime": "LiteRT", "batch": 1}
    for _ in range(rounds):
        for name in rng.permutation(list(calls)):
            predict, shape = calls[name]
            images = itertools.repeat(rng.integers(0, 256, (1, *shape), dtype=np.uint8))
            medians[name].append(time_calls(predict, images, calls=100, seconds=1)["median_ms"])
    for name, values in medians.items():
        between = {"median_ms": statistics.median(values), "range_ms": [min(values), max(values)]}
        rows[name] = {"name": name} | rows[name] | between
        print(rows[name])
    return {"rows": list(rows.values()), "conditions": about}


def merged(old: dict, new: dict) -> dict:
    """A result with what another adds to it; rows are the same where their names are."""
    rows = {row["name"]: row for row in old.get("rows", [])}
    for row in new["rows"]:
        rows[row["name"]] = rows.get(row["name"], {}) | row
    return {**old, **new, "rows": list(rows.values())}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", nargs="?", type=Path, help="folder of 300-W")
    parser.add_argument("--cache", type=Path, required=True, help="folder of the downloads")
    parser.add_argument("--json", type=Path, required=True, help="result, added to if it exists")
    parser.add_argument("--time", action="store_true", help="time the models instead")
    parser.add_argument("--with", nargs="+", type=Path, default=[], dest="ours", metavar="FILE")
    parser.add_argument("--rounds", type=int, default=30, help="of the timing")
    options = parser.parse_args()
    if not options.time and options.data is None:
        parser.error("the accuracy needs the folder of 300-W")
    if len({path.stem for path in options.ours}) < len(options.ours):
        parser.error("--with: two files of one name; rename one")
    cache = options.cache.resolve()
    peers = mesh.peers(cache) + faceapi.peers(cache)
    if options.time:
        new = times(peers, options.ours, cache, options.rounds)
    else:
        new = accuracy(options.data, peers)
    old = json.loads(options.json.read_text("utf-8")) if options.json.exists() else {}
    write_json(options.json, merged(old, new))


if __name__ == "__main__":
    main()
