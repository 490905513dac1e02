"""How many drawn faces per second one thread makes: python benchmarks/drawn.py [--rounds 5]

The settings take turns, so that a slow spell of the machine hits all of them; shown are the median
and the range over the rounds. CPU time is what counts on a busy machine, wall time what one waits.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import cv2

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fkp.data import drawing
from fkp.data.schemes import HELEN_194, IBUG_68, KAGGLE_15

# (scheme, size, channels, faces per round)
SETTINGS = (
    (KAGGLE_15, 96, 1, 200),
    (KAGGLE_15, 96, 3, 200),
    (IBUG_68, 96, 1, 200),
    (IBUG_68, 256, 3, 60),
    (HELEN_194, 256, 3, 60),
)


def measure(scheme, size, channels, n, seed):
    """Faces per second of wall time and of CPU time."""
    wall, cpu = time.perf_counter(), time.process_time()
    drawing.read(n, scheme, size, channels, seed=seed)
    return n / (time.perf_counter() - wall), n / (time.process_time() - cpu)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    cv2.setNumThreads(1)
    drawing.read(20)  # warm up
    speeds = [[] for _ in SETTINGS]
    for seed in range(rounds):
        for setting, pairs in zip(SETTINGS, speeds, strict=True):
            pairs.append(measure(*setting, seed))
    print(f"one thread, {rounds} interleaved rounds")
    print("| points | image | faces/s (wall) | range | faces/s (CPU) |")
    print("|---|---|---|---|---|")
    for (scheme, size, channels, _), pairs in zip(SETTINGS, speeds, strict=True):
        wall, cpu = zip(*pairs, strict=True)
        print(
            f"| {scheme.name} | {size}x{size}x{channels} | {statistics.median(wall):.0f} "
            f"| {min(wall):.0f}-{max(wall):.0f} | {statistics.median(cpu):.0f} |"
        )


if __name__ == "__main__":
    main()
