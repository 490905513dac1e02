"""Published small models of face landmarks ("peers"), measured on the faces that ours are.

One module per family; each offers `peers(cache) -> list[Peer]`. Nothing here is needed to use or to
test `fkp`. Packages are fetched by pip and npm into a folder outside the project; neither they nor
the weights inside are part of it.
"""

import hashlib
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True, eq=False)
class Peer:
    """A published model as a function.

    Attributes:
        name, url, licence: as published.
        file_mb: size of the published file of weights, MB (10^6 bytes).
        side: of the square crop that it takes, px.
        predict: uint8 RGB crops (n, side, side, 3) -> float32 (n, k, 2), (x, y) in pixels of the
            crop; it scales the pixels and runs one LiteRT file on one thread.
        as_is: its k points are 300-W's 68, in their order.
    """

    name: str
    url: str
    licence: str
    file_mb: float
    side: int
    predict: Callable[[np.ndarray], np.ndarray]
    as_is: bool


def fetch(path: Path, sha256: str, command: Sequence[str]) -> Path:
    """A package from a registry, downloaded unless it is there already.

    Args:
        path: where the package lies or shall lie; the registry's client chooses the same name.
        sha256: hex digest that its content must have.
        command: the client's command; runs in the folder of `path`.

    Returns:
        `path`.

    Raises:
        RuntimeError: the client is absent or fails.
        ValueError: the content is another.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        try:
            done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True)
            failure = done.stderr.strip()
        except FileNotFoundError as error:
            failure = str(error)
        if not path.exists():
            raise RuntimeError(f"{path} is absent and `{' '.join(command)}` failed: {failure}")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise ValueError(f"{path}: sha256 is {found}, expected {sha256}: remove it and try again")
    return path
