"""What the training notebooks share: rows read, split and treated; a model trained and saved."""

from dataclasses import dataclass
from pathlib import Path

import keras
import pandas as pd

from fkp import models
from fkp.data import copies, readers, split
from fkp.data.faces import Faces
from fkp.prepare.treatments import treat
from fkp.training.fit import fit


@dataclass(frozen=True, eq=False)
class Rows:
    """The faces of a training.

    Attributes:
        faces: all of them, grouped by copies.
        original: training rows as read.
        training: training rows as the treatment leaves them.
        validation, test: rows with original labels.
        treatment: its name.
    """

    faces: Faces
    original: Faces
    training: Faces
    validation: Faces
    test: Faces
    treatment: str

    def table(self) -> pd.DataFrame:
        """Rows, complete rows and labelled points of each part."""
        parts = {
            "training": self.original,
            f"training, treatment {self.treatment!r}": self.training,
            "validation": self.validation,
            "test": self.test,
        }
        return pd.DataFrame(
            {
                "rows": [len(part) for part in parts.values()],
                "complete rows": [part.complete.sum() for part in parts.values()],
                "labelled points": [part.labelled.sum() for part in parts.values()],
            },
            index=[*parts],
        )


def prepare(
    data: str | Path | None,
    source: str | None,
    options: dict,
    drawn: dict,
    *,
    treatment: str,
    limit: int | None = None,
    split_seed: int = 0,
    seed: int = 0,
) -> Rows:
    """Read or draw faces, group copies, split, and only then treat the training rows.

    Args:
        data, source, options, drawn: as for `fkp.data.readers.read_or_draw`.
        treatment: a key of `fkp.prepare.treatments.TREATMENTS`.
        limit: use that many rows, drawn at random; None = all.
        split_seed: of the draw and the split.
        seed: of the treatment.

    Raises:
        ValueError: as the reader, the split and the treatment.
    """
    faces = copies.group_duplicates(readers.read_or_draw(data, source, options, drawn))
    if limit is not None:
        faces = faces.sample(limit, seed=split_seed)
    parts = split.holdout(faces, seed=split_seed)
    original, validation, test = (
        faces.take(rows) for rows in (parts.train, parts.validation, parts.test)
    )
    training = treat(original, treatment, seed=seed)
    return Rows(faces, original, training, validation, test, treatment)


def train(
    network: keras.Model,
    training: Faces,
    validation: Faces,
    out: str | Path | None,
    **options: object,
) -> tuple[keras.Model, list[dict]]:
    """`fit`, with its checkpoints in `out`; the best model in float32, saved as `out`/model.keras.

    Args:
        network, training, validation, **options: as for `fkp.training.fit.fit`.
        out: run folder; None keeps nothing.
    """
    network, history = fit(network, training, validation, folder=out, **options)
    network = models.in_float32(network)
    if out is not None:
        models.save(network, Path(out, "model.keras"))
    return network, history
