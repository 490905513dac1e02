"""Loading Kaggle's training.csv: the usual pandas idiom against `fkp.data.readers`.

    python benchmarks/loading.py [training.csv]

Each way runs in fresh processes, in turn, and the median of its times and the largest of its peak
memories are shown. A process is timed after its imports. Without a path, a file of 7049 random
faces of Kaggle's format (about 230 MB) is written to a temporary folder. On Linux and macOS only
(peak memory is read from `resource`).
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
USUAL = """
import numpy as np, pandas as pd
def load(path):
    df = pd.read_csv(path)
    pixels = df.Image.apply(lambda text: np.fromstring(text, sep=" "))
    return np.vstack(pixels.values), df.drop(columns="Image").to_numpy()
"""
OURS = """
from fkp.data.readers import kaggle
def load(path):
    faces = kaggle.read(path, use_cache={use_cache})
    return faces.images.reshape(len(faces), -1), faces.points.reshape(len(faces), -1)
"""
WAYS = {
    "usual idiom": USUAL,
    "fkp, file": OURS.format(use_cache=False),
    "fkp, cache": OURS.format(use_cache=True),
}
MEASURE = """
import json, resource, sys, time
start = time.perf_counter()
images, points = load(sys.argv[1])
seconds = time.perf_counter() - start
scale = 1024 if sys.platform == "darwin" else 1
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale / 1024
import hashlib; import numpy as np
digest = hashlib.blake2b(np.ascontiguousarray(images.astype(np.uint8)).data)
digest.update(np.ascontiguousarray(points.astype(np.float32)).data)
print(json.dumps(dict(seconds=seconds, peak=peak, digest=digest.hexdigest())))
"""


def measure(way, path):
    """{seconds, peak (MiB), digest of the result} of one fresh process."""
    command = [sys.executable, "-W", "ignore", "-c", WAYS[way] + MEASURE, str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def compare(path, repeats):
    """way -> (median seconds, peak MiB); RuntimeError if two ways read different faces."""
    measure("fkp, cache", path)  # fills the cache
    results = {way: [] for way in WAYS}
    for _ in range(repeats):
        for way in WAYS:
            results[way].append(measure(way, path))
    if len({result["digest"] for runs in results.values() for result in runs}) > 1:
        raise RuntimeError(f"{path}: the ways do not read the same faces")
    return {
        way: (
            statistics.median(result["seconds"] for result in runs),
            max(result["peak"] for result in runs),
        )
        for way, runs in results.items()
    }


def write_random(path, rows=7049, seed=0):
    """A training.csv of random faces; two thirds of the rows carry 4 of the 15 points."""
    sys.path.insert(0, str(ROOT))
    from fkp.data.readers.kaggle import COLUMNS

    rng = np.random.default_rng(seed)
    with path.open("w") as stream:
        stream.write(",".join((*COLUMNS, "Image")) + "\n")
        for row in range(rows):
            fields = [f"{value:.4f}" for value in rng.uniform(5, 90, 30)]
            if row % 3:
                fields[4:20] = [""] * 16
                fields[22:28] = [""] * 6
            pixels = rng.integers(0, 256, 9216).tolist()
            stream.write(",".join((*fields, " ".join(map(str, pixels)))) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("path", nargs="?", type=Path, help="training.csv")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.path
        if path is None:
            path = Path(folder) / "training.csv"
            write_random(path)
        results = compare(path.resolve(), options.repeats)
        size = path.stat().st_size / 1e6
    usual_time, usual_peak = results["usual idiom"]
    print(f"{path.name}, {size:.0f} MB; {platform.machine()}, Python {platform.python_version()}")
    print(f"median of {options.repeats} fresh processes; peak of the whole process\n")
    print("| way | seconds | times faster | peak MiB | of the usual peak |")
    print("|---|---|---|---|---|")
    for way, (seconds, peak) in results.items():
        print(
            f"| {way} | {seconds:.2f} | {usual_time / seconds:.1f} "
            f"| {peak:.0f} | 1/{usual_peak / peak:.1f} |"
        )


if __name__ == "__main__":
    main()
