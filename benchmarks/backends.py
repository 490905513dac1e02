"""Keras' backends: the same networks, their initial loss and how fast they train.

    python -m benchmarks.backends --json OUT

For each backend that is installed a process of its own loads the same initial weights, takes the
loss of one batch and then times updates: images a second, the median of rounds that go through the
backends in turn. One thread a process (`--threads`), batches of 32 drawn faces; nothing else should
run meanwhile.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from fkp.record import forks, machine
from fkp.record.files import write_json

BACKENDS = ("tensorflow", "jax", "torch")
NETWORKS = {"manual_cnn": 96, "resnet18": 96, "tiny": 96, "small": 128}  # name -> side, px
BATCH = 32


def _faces(side):
    from fkp.data import readers

    return readers.read(n=BATCH, size=side, seed=0)


def initial(name: str, side: int, path: Path) -> None:
    """Write a network's initial weights; in the process of any backend."""
    from fkp import models

    models.build(name, (side, side, 1), 15, seed=0).save_weights(path)


def measure(name: str, side: int, path: str, updates: int) -> dict[str, float | str]:
    """What the backend of this process makes of a network.

    Args:
        name, side: of the network and its images.
        path: of the initial weights.
        updates: to time, after three that are not.

    Returns:
        dict: backend, device, loss (before any update), later (after the updates), points (the
        prediction's sum, px), images a second.
    """
    import time

    import keras
    import numpy as np

    from fkp import models
    from fkp.models.predict import predict
    from fkp.training.losses import objective

    faces = _faces(side)
    network = models.build(name, (side, side, 1), 15, seed=0)
    network.load_weights(path)
    points = predict(network, faces.images)
    trained, penalties = objective(network, "mse")
    trained.compile(keras.optimizers.Adam(1e-4), penalties, jit_compile=False)
    # Not `evaluate`: batch normalisation and dropout differ in training.
    before = float(np.mean((points - faces.points) ** 2))
    first = trained.evaluate(faces.images, faces.points, batch_size=BATCH, verbose=0)
    for _ in range(3):
        trained.train_on_batch(faces.images, faces.points)
    began = time.perf_counter()
    for _ in range(updates):
        trained.train_on_batch(faces.images, faces.points)
    seconds = time.perf_counter() - began
    return {
        "backend": keras.config.backend(),
        "device": machine.device(),
        "loss": float(np.ravel(first)[0]),
        "mean square, px2": before,
        "later": float(np.mean((predict(network, faces.images) - faces.points) ** 2)),
        "images/s": updates * BATCH / seconds,
    }


def call(backend: str, *arguments: object, threads: int = 1) -> dict:
    """`measure` in a process of a backend."""
    env = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    env |= forks.threads(threads)
    env["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}"
    code = (
        "import json, sys; from benchmarks import backends;"
        "print(json.dumps(backends.measure(*json.loads(sys.argv[1]))))"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            code,
            json.dumps([str(a) if isinstance(a, Path) else a for a in arguments]),
        ],
        cwd=Path(__file__).parents[1],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{backend}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--updates", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    there, rows = [name for name in BACKENDS if find_spec(name)], []
    with tempfile.TemporaryDirectory() as folder:
        for name, side in NETWORKS.items():
            path, found = Path(folder, f"{name}.weights.h5"), {backend: [] for backend in there}
            initial(name, side, path)
            for _ in range(args.rounds):
                for backend in there:
                    measured = call(backend, name, side, path, args.updates, threads=args.threads)
                    found[backend].append(measured)
            for several in found.values():
                pace = statistics.median(one["images/s"] for one in several)
                rows.append(
                    {"network": name, "side, px": side, **several[0], "images/s": round(pace)}
                )
                print(*rows[-1].values(), sep=" | ", flush=True)
    if args.json:
        write_json(args.json, {"threads": args.threads, "batch": BATCH, "rows": rows})


if __name__ == "__main__":
    main()
