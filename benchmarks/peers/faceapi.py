"""The two 68-point networks of face-api.js: blocks of separable convolutions with added inputs.

The package keeps each weight as one byte with a minimum and a step per tensor, in one file beside a
manifest that names the tensors in order. Both networks take 112 px RGB minus the mean colour; a
block halves the side, and its last convolutions each see the sum of all before them. The mean of
the last block's cells and a dense layer give (x, y) as fractions of the side. Here the scaling of
pixels and points is part of the LiteRT file, which is in float32.
"""

import json
import tarfile
from itertools import count
from pathlib import Path

import numpy as np

from benchmarks.peers import Peer, fetch

TARBALL = "vladmandic-face-api-1.7.15.tgz"
SHA256 = "0d77fffeef362ef9c0939cf6c567f3a2e8e177f114fa257a3270cbd2e509b031"
FILES = {
    "face-api.js 68 points": "face_landmark_68_model",
    "face-api.js 68 points, tiny": "face_landmark_68_tiny_model",
}
SIDE = 112
MEAN = (122.782, 117.001, 104.298)  # of red, green, blue


def peers(cache: Path) -> list[Peer]:
    """Both networks, each as a LiteRT file in `cache`."""
    command = ["npm", "pack", "@vladmandic/face-api@1.7.15"]
    tarball = fetch(cache / TARBALL, SHA256, command)
    return [_peer(tarball, cache, *item) for item in FILES.items()]


def _peer(tarball, cache, name, stem):
    from fkp import models

    file = cache / f"{stem}.tflite"
    with tarfile.open(tarball) as archive:
        raw = archive.extractfile(f"package/model/{stem}.bin").read()
        manifest = archive.extractfile(f"package/model/{stem}-weights_manifest.json").read()
    if not file.exists():
        from fkp.deploy.export import export

        export(network(dequantised(json.loads(manifest), raw)), cache, stem, ["litert"])
    return Peer(
        name=name,
        url="https://github.com/vladmandic/face-api",
        licence="MIT",
        file_mb=len(raw) / 1e6,
        side=SIDE,
        predict=models.load(file, threads=1).predict,
        as_is=True,
    )


def dequantised(manifest: list[dict], raw: bytes) -> dict[str, np.ndarray]:
    """Tensor name -> float32 array: min + scale * byte, tensors one after the other.

    Raises:
        ValueError: the bytes are more or fewer than the manifest says.
    """
    tensors, start = {}, 0
    for about in (tensor for group in manifest for tensor in group["weights"]):
        size, step = int(np.prod(about["shape"])), about["quantization"]
        values = np.frombuffer(raw[start : start + size], np.uint8).reshape(about["shape"])
        tensors[about["name"]] = (step["min"] + step["scale"] * values).astype(np.float32)
        start += size
    if start != len(raw):
        raise ValueError(f"the manifest describes {start} bytes, the file has {len(raw)}")
    return tensors


def network(tensors: dict[str, np.ndarray]):
    """keras.Model, uint8 RGB (n, 112, 112, 3) -> points (n, 68, 2) in pixels.

    Args:
        tensors: by name; `dense2/conv1/...` belongs to the second convolution of the third block.
    """
    import keras
    from keras import layers

    def weights(place, *names):
        return [tensors[f"{place}/{name}"] for name in names]

    def convolve(x, place, strides):
        if f"{place}/filters" in tensors:
            kind, parts = layers.Conv2D, weights(place, "filters", "bias")
        else:
            names = "depthwise_filter", "pointwise_filter", "bias"
            kind, parts = layers.SeparableConv2D, weights(place, *names)
        layer = kind(len(parts[-1]), 3, strides=strides, padding="same")
        y = layer(x)
        layer.set_weights(parts)
        return y

    inputs = keras.Input((SIDE, SIDE, 3), name="pixels")
    x = layers.Rescaling(1 / 255, offset=[-value / 255 for value in MEAN])(inputs)
    for block in count():
        if f"dense{block}/conv0/bias" not in tensors:
            break
        total = x = layers.ReLU()(convolve(x, f"dense{block}/conv0", 2))
        for number in count(1):
            if f"dense{block}/conv{number}/bias" not in tensors:
                break
            total = layers.Add()([total, convolve(x, f"dense{block}/conv{number}", 1)])
            x = layers.ReLU()(total)
    dense = layers.Dense(136)
    x = dense(layers.GlobalAveragePooling2D()(x))
    dense.set_weights(weights("fc", "weights", "bias"))
    return keras.Model(inputs, layers.Rescaling(SIDE)(layers.Reshape((68, 2))(x)))
