"""What a training leaves on disk so that it can go on: checkpoints that know what they are of.

In its folder lie the model with its optimizer after the last epoch (last.keras), the weights of the
best epoch (best.weights.h5), the history (progress.json) and what all that is of (training.json).
Each file is whole or absent.
"""

import json
import re
import sys
import zipfile
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path

import keras
from tqdm import tqdm

from fkp.data.faces import Faces
from fkp.models import save
from fkp.record.code import digests_of
from fkp.record.digests import array_digest
from fkp.record.files import plain, whole, write_json

PACKAGE = Path(__file__).parents[1]
_NO_MATTER = ("fkp.models.cascade", "fkp.record")


def about(
    model: keras.Model, train: Faces, validation: Faces, augment: Callable | None, arguments: dict
) -> dict:
    """What a training depends on, JSON-able: where it is equal, checkpoints may be taken up.

    Args:
        model: before its first step.
        train, validation: the faces.
        augment: what is done to each batch.
        arguments: all others that change the outcome, by name.
    """
    cells = [
        "import fkp.training.fit",
        *(f"import {name}" for name in sorted({*_modules(augment)})),
    ]
    return plain(
        {
            "training rows": train.fingerprint,
            "validation rows": validation.fingerprint,
            "model": _fingerprint(model),
            "augment": _told(augment),
            **arguments,
            "backend": keras.config.backend(),
            "code": digests_of(cells, PACKAGE, words=[model.name], skip=_NO_MATTER),
        }
    )


def _modules(value):
    """Names of the package's modules that a callable, and what it holds, are from."""
    module = getattr(value, "__module__", None) or ""
    if module.startswith("fkp."):
        yield module
    for field in fields(value) if is_dataclass(value) else ():
        yield from _modules(getattr(value, field.name))


def _fingerprint(model):
    """Hex digest of layers and weights, without the numbers that Keras appends to names."""
    layers = re.sub(r'_\d+"', '"', json.dumps(json.loads(model.to_json())["config"]))
    return array_digest(layers, *model.get_weights())


def _told(value):
    """A function by its name, a dataclass by its fields, a scheme or faces by what names them."""
    for name in ("fingerprint", "name"):
        if is_dataclass(value) and hasattr(value, name):
            return getattr(value, name)
    if is_dataclass(value):
        told = {field.name: _told(getattr(value, field.name)) for field in fields(value)}
        return {"": type(value).__qualname__} | told
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    return value if isinstance(value, int | float | str | None) else repr(value)


class Checkpoints:
    """The history of a training, its best epoch, and the files that keep both.

    Args:
        folder: where they live; None keeps them in memory.
        of: as `about` returns it; files that are of something else are removed.

    Attributes:
        history: one dict an epoch.
        best: that of the lowest validation RMSE so far, None before the first.
    """

    def __init__(self, folder: str | Path | None, of: dict | None = None):
        self.folder = None if folder is None else Path(folder)
        self.history, self.best, self._weights = [], None, None
        if self.folder is not None:
            names = ("last.keras", "progress.json", "best.weights.h5", "training.json")
            self._last, self._progress, self._best, self._of = (self.folder / n for n in names)
            self._clear_others(of)

    def _clear_others(self, of):
        stored = _read(self._of, {})
        differ = [name for name in of if stored.get(name) != of[name]]
        if not differ:
            return
        if self._last.exists():
            reason = f"made with another {', '.join(differ)}" if stored else "of unknown origin"
            tqdm.write(f"{self.folder}: checkpoints {reason}, training anew", file=sys.stderr)
        for file in (self._of, self._last, self._progress, self._best):
            file.unlink(missing_ok=True)
        write_json(self._of, of)

    def resume(self, steps: int) -> keras.Model | None:
        """The model after the last epoch that is kept, None if none is; `steps` make an epoch."""
        if self.folder is None or not self._last.exists():
            return None
        history = _read(self._progress, [])
        try:
            model = keras.saving.load_model(self._last)
        except (ValueError, OSError, TypeError, KeyError, zipfile.BadZipFile):
            return None
        # The history is written before the model, so it may be one epoch ahead.
        epochs = int(model.optimizer.iterations) // steps
        if len(history) < epochs or not self._best.exists():
            return None
        self.history = history[:epochs]
        self.best = min(self.history, key=lambda row: row["validation_rmse"])
        return model

    def add(self, model: keras.Model, row: dict) -> None:
        """Append an epoch of the model as it was scored."""
        self.history.append(row)
        if self.best is None or row["validation_rmse"] < self.best["validation_rmse"]:
            self.best, self._weights = row, model.get_weights()
            if self.folder is not None:
                with whole(self._best) as temporary:
                    model.save_weights(temporary)

    def keep(self, network: keras.Model) -> None:
        """The history, and the network with its optimizer, after `add`: where to go on."""
        if self.folder is not None:
            write_json(self._progress, self.history)
            save(network, self._last, optimizer=True)

    def stale(self, patience: int | None) -> bool:
        """Whether the last `patience` epochs have brought nothing better."""
        if self.best is None or patience is None:
            return False
        return self.history[-1]["epoch"] - self.best["epoch"] >= patience

    def best_model(self, model: keras.Model) -> keras.Model:
        """The model as it was after its best epoch."""
        if self._weights is None:
            model.load_weights(self._best)
        else:
            model.set_weights(self._weights)
        return model


def _read(path, default):
    """The JSON in a file; the default where there is none, or it is damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return default
