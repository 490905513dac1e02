"""fkp: facial keypoints, from a file of faces to a model and a report that can be trusted."""

import os

__version__ = "0.1.0"

# TensorFlow leaves oneDNN's kernels off where the CPU has no AVX-512; with them networks train up
# to 1.7 times as fast there (`python -m benchmarks.backends`).
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def load(model="small", threads=None):
    """A shipped model by name, or a model file, as a `fkp.photo.finder.Finder`; see its `load`."""
    from fkp.photo.finder import load

    return load(model, threads)
