"""Make fkp/measure/mean_face.csv again: python benchmarks/mean_face.py data/300w [--out FILE]

The mean 3-D face is found from labels alone, as structure from motion: each face and its mirror
image is taken for a view of one rigid head under scaled orthography (Tomasi & Kanade 1992, IJCV 9;
here with a scale a view). In turn, each view's pose is fitted to the head (`fkp.measure.pose.fit`)
and the head to all views, until nothing moves. What people and expressions differ by is left over:
its spread, a robust standard deviation in x and y, weighs the points.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fkp.data.readers.ibug import read_pts
from fkp.data.schemes import IBUG_68
from fkp.measure import pose
from fkp.record.files import write_text

PARTS = "afw", "helen/trainset", "lfpw/trainset"  # training faces; the test sets are not looked at
MIRROR, EYES, TIP = list(IBUG_68.mirror), list(IBUG_68.ocular), 30


def factorised(faces: np.ndarray, rounds: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """The head (68, 3) and the spread of its points (68,), outer-eye distances, of (n, 68, 2)."""
    views = np.concatenate([faces, faces[:, MIRROR] * (-1, 1)])
    views = views - views.mean(axis=1, keepdims=True)
    views /= np.linalg.norm(views, axis=(1, 2), keepdims=True)
    flat = views.mean(axis=0)
    # To start: a cone with its tip at the nose; it tells the head from its hollow mould.
    head = np.column_stack([flat, -0.5 * np.linalg.norm(flat - flat[TIP], axis=1)])
    spread = np.ones(len(head))
    for _ in range(rounds):
        before = head
        turns, scale, shift = pose.fit(views, head, spread**-2)
        seen, rows = (views - shift[:, None]) / scale[:, None, None], turns[:, :2]
        normal = np.einsum("nij,nik->jk", rows, rows)
        head = np.einsum("nij,nki->kj", rows, seen) @ np.linalg.inv(normal)
        left = ((seen - head @ rows.transpose(0, 2, 1)) ** 2).sum(axis=2)
        size = np.linalg.norm(np.subtract(*head[EYES]))
        head = (head + head[MIRROR] * (-1, 1, 1)) / 2 / size
        head -= head[EYES].mean(axis=0)
        spread = np.sqrt(np.median(left, axis=0) / np.log(4)) / size
        spread = (spread + spread[MIRROR]) / 2
        if np.abs(head - before).max() < 1e-6:
            break
    turns = pose.fit(views, head, spread**-2)[0]
    pitch = np.median(pose.angles(turns)[:, 1])
    return head @ pose.rotation(0, pitch, 0).T, spread


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder of 300-W: afw/, helen/, lfpw/")
    parser.add_argument("--out", type=Path, default=Path(pose.__file__).with_name("mean_face.csv"))
    options = parser.parse_args()
    files = [file for part in PARTS for file in sorted((options.data / part).rglob("*.pts"))]
    head, spread = factorised(np.stack([read_pts(file) for file in files]))
    rows = [
        ",".join([label, *(f"{value:.4f}" for value in (*xyz, each))])
        for label, xyz, each in zip(IBUG_68.labels, head, spread, strict=True)
    ]
    write_text(options.out, "\n".join(["point,x,y,z,spread", *rows]) + "\n")
    print(f"{options.out}: of {len(files)} faces")


if __name__ == "__main__":
    main()
