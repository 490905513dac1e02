"""Keras' backends: the same networks, their initial loss and how fast they train.

    python -m benchmarks.backends --json OUT

For each backend that is installed (TensorFlow's once without and once with oneDNN's kernels) a
process of its own loads the same initial weights and takes the loss of one batch; once all are
ready, they make updates in turn, while the others wait. Images a second: the median of the rounds.
One thread a process (`--threads`), batches of 32 drawn faces; nothing else should run meanwhile.
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

# What is measured -> Keras' backend and the environment's variables for it.
BACKENDS = {
    "tensorflow, without oneDNN": ("tensorflow", {"TF_ENABLE_ONEDNN_OPTS": "0"}),
    "tensorflow, with oneDNN": ("tensorflow", {"TF_ENABLE_ONEDNN_OPTS": "1"}),
    "jax": ("jax", {}),
    "torch": ("torch", {}),
}
NETWORKS = {"manual_cnn": 96, "resnet18": 96, "tiny": 96, "small": 128}  # name -> side, px
BATCH = 32


def initial(name: str, side: int, path: Path) -> None:
    """Write a network's initial weights; in the process of any backend."""
    from fkp import models

    models.build(name, (side, side, 1), 15, seed=0).save_weights(path)


def serve(name: str, side: int, path: str) -> None:
    """Be a backend: say what it makes of a network, then time updates as lines of stdin ask for.

    Writes JSON lines: first backend, device, loss (before any update) and the prediction's mean
    square, px2; for a number of updates the images a second; at the end of stdin the mean square
    after all of them.

    Args:
        name, side: of the network and its images.
        path: of the initial weights.
    """
    import time

    import keras
    import numpy as np

    from fkp import models
    from fkp.data import readers
    from fkp.models.predict import predict
    from fkp.training.losses import objective
    from fkp.training.norm import fused_batch_norm

    faces = readers.read(n=BATCH, size=side, seed=0)
    network = models.build(name, (side, side, 1), 15, seed=0)
    network.load_weights(path)

    def mean_square():
        return float(np.mean((predict(network, faces.images) - faces.points) ** 2))

    trained, penalties = objective(network, "mse")
    trained.compile(keras.optimizers.Adam(1e-4), penalties, jit_compile=False)
    found = {
        "backend": keras.config.backend(),
        "device": machine.device(),
        "mean square, px2": mean_square(),
        "loss": float(
            np.ravel(trained.evaluate(faces.images, faces.points, batch_size=BATCH, verbose=0))[0]
        ),
    }
    with fused_batch_norm():
        for _ in range(3):
            trained.train_on_batch(faces.images, faces.points)
    print(json.dumps(found), flush=True)
    for line in sys.stdin:
        began = time.perf_counter()
        for _ in range(int(line)):
            trained.train_on_batch(faces.images, faces.points)
        print(int(line) * BATCH / (time.perf_counter() - began), flush=True)
    print(mean_square(), flush=True)


class Backend:
    """A process that serves one backend; to be closed with `end`."""

    def __init__(self, which: str, name: str, side: int, path: Path, threads: int = 1):
        backend, more = BACKENDS[which]
        env = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"} | more
        env |= forks.threads(threads)
        env["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}"
        code = f"from benchmarks import backends; backends.serve({name!r}, {side}, {str(path)!r})"
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parents[1],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def answer(self) -> object:
        """The next line that the process writes."""
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            raise RuntimeError(self._errors.read()[-2000:])
        return json.loads(line)

    def pace(self, updates: int) -> float:
        """Images a second over some updates."""
        self._process.stdin.write(f"{updates}\n")
        self._process.stdin.flush()
        return self.answer()

    def end(self) -> float:
        """Mean square of the prediction, px2, after all updates."""
        self._process.stdin.close()
        last = self.answer()
        self._process.wait()
        self._process.stdout.close()
        self._errors.close()
        return last


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--updates", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    there, rows = [key for key, (name, _) in BACKENDS.items() if find_spec(name)], []
    with tempfile.TemporaryDirectory() as folder:
        for name, side in NETWORKS.items():
            path = Path(folder, f"{name}.weights.h5")
            initial(name, side, path)
            running = {which: Backend(which, name, side, path, args.threads) for which in there}
            found = {which: one.answer() for which, one in running.items()}
            paces = {which: [] for which in there}
            for _ in range(args.rounds):
                for which, one in running.items():
                    paces[which].append(one.pace(args.updates))
            for which, one in running.items():
                row = {"network": name, "side, px": side, **found[which], "backend": which}
                row["later"] = one.end()
                rows.append(row | {"images/s": round(statistics.median(paces[which]), 1)})
                print(*rows[-1].values(), sep=" | ", flush=True)
    if args.json:
        write_json(
            args.json,
            {
                "cpu": machine.environment()["cpu"],
                "threads": args.threads,
                "batch": BATCH,
                "rows": rows,
            },
        )


if __name__ == "__main__":
    main()
