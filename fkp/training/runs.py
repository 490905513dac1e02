"""What the training notebooks share: rows read, split and treated; a model trained and saved."""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from fkp import models
from fkp.data import copies, readers, split
from fkp.data.faces import Faces
from fkp.measure import errors, landmarks
from fkp.measure.scores import score
from fkp.models.predict import predict
from fkp.prepare.hidden import HIDDEN
from fkp.prepare.treatments import treat
from fkp.record.files import named
from fkp.training.fit import fit


@dataclass(frozen=True, eq=False)
class Rows:
    """The faces of a training.

    Attributes:
        faces: all of them, grouped by copies.
        original: training rows as read, or with labels hidden.
        truth: (n, k, 2), their labels before any was hidden.
        training: training rows as the treatment leaves them.
        validation, test: rows with original labels.
        treatment: its name.
    """

    faces: Faces
    original: Faces
    truth: np.ndarray
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

    def imputed_rmse(self) -> float | None:
        """RMSE of the hidden labels as the treatment fills them in, px; None if it does not."""
        points, kept = self.original.points, self.original.labelled
        filled = self.training.points[: len(points)]
        hidden = np.isnan(points) & ~np.isnan(self.truth)
        same = len(filled) == len(points) and np.array_equal(filled[kept], points[kept])
        if not same or not hidden.any() or np.isnan(filled[hidden]).any():
            return None
        return errors.rmse(np.where(hidden, self.truth, np.nan), filled)


def prepare(
    data: str | Path | None,
    source: str | None,
    options: dict,
    drawn: dict,
    *,
    treatment: str,
    hide: str | None = None,
    limit: int | None = None,
    split_seed: int = 0,
    seed: int = 0,
) -> Rows:
    """Read or draw faces, group copies, split, and only then treat the training rows.

    Args:
        data, source, options, drawn: as for `fkp.data.readers.read_or_draw`.
        treatment: a key of `fkp.prepare.treatments.TREATMENTS`.
        hide: a key of `fkp.prepare.hidden.HIDDEN`: complete rows alone, of which the training rows
            lose labels before they are treated; None = the rows as they are.
        limit: use that many rows, drawn at random; None = all.
        split_seed: of the draw and the split.
        seed: of the treatment.

    Raises:
        ValueError: as the reader, the split and the treatment.
    """
    faces = copies.group_duplicates(readers.read_or_draw(data, source, options, drawn))
    if limit is not None:
        faces = faces.sample(limit, seed=split_seed)
    if hide is not None:
        change = named(HIDDEN, "hide", hide)
        faces = faces.take(faces.complete)
    parts = split.holdout(faces, seed=split_seed)
    original, validation, test = (
        faces.take(rows) for rows in (parts.train, parts.validation, parts.test)
    )
    truth = original.points
    if hide is not None:
        original = change(original, np.random.default_rng([split_seed, 1]))
    training = treat(original, treatment, seed=seed)
    return Rows(faces, original, truth, training, validation, test, treatment)


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


def examples(test: Faces, model: keras.Model) -> dict[str, list]:
    """Labels and predictions, (8, k, 2) px, of the same few complete test faces for every model.

    So that charts can show them where neither the faces nor the model are at hand.
    """
    few = test.take(test.complete).sample(8, seed=0)
    found = {"points": few.points, "predicted": predict(model, few.images)}
    return {name: points.round(1).tolist() for name, points in found.items()}


def scored(faces: Faces, predicted: np.ndarray) -> dict:
    """`fkp.measure.scores.score`, with draws of the figures that studies compare."""
    return score(faces, predicted, keep=("rmse", "rmse_complete"))


def scores_on(faces: Faces, model: keras.Model) -> dict:
    """`scored` of a model on these faces, for `fit`'s `score`."""
    return scored(faces, predict(model, faces.images))


def landmark_scores_on(faces: Faces, model: keras.Model) -> dict:
    """`fkp.measure.landmarks.measures` of a model on these faces, for `fit`'s `score`."""
    predicted = {"test": predict(model, faces.images)}
    return landmarks.measures({"test": faces}, predicted)["scores"]
