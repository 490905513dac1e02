"""Paper A's treatments of incomplete labels: what the training rows become.

A treatment sees training rows only; validation and test rows keep their original labels.
"""

from functools import partial

import numpy as np

from fkp.data.faces import Faces
from fkp.prepare import augment
from fkp.prepare.impute import IMPUTERS
from fkp.record.files import named


def none(faces: Faces, seed: int) -> Faces:
    """The complete rows."""
    return faces.take(faces.complete)


def mask(faces: Faces, seed: int) -> Faces:
    """All rows with at least one label; the loss skips the unlabelled points."""
    return faces.take(faces.labelled.any(axis=1))


def imputed(name: str, faces: Faces, seed: int) -> Faces:
    """All rows, missing labels imputed by an imputer fitted on the same rows."""
    imputer = IMPUTERS[name]().fit(faces.points, faces.scheme.labels)
    return faces.with_points(imputer.transform(faces.points))


def augmented(name: str, faces: Faces, seed: int) -> Faces:
    """The rows of another treatment and their offline variants (`fkp.prepare.augment.paper_a`)."""
    return augment.paper_a(TREATMENTS[name](faces, seed), np.random.default_rng(seed))


# The paper's first, then ours.
TREATMENTS = {
    "none": none,
    "ffill": partial(imputed, "ffill"),
    "knn": partial(imputed, "knn"),
    "augment": partial(augmented, "none"),
    "mask": mask,
    "iterative": partial(imputed, "iterative"),
    "pca": partial(imputed, "pca"),
    "knn_augment": partial(augmented, "knn"),
    "mask_augment": partial(augmented, "mask"),
}


def treat(faces: Faces, name: str, seed: int = 0) -> Faces:
    """Training rows after a treatment.

    Args:
        faces: training rows, in file order.
        name: a key of `TREATMENTS`.
        seed: for the treatments that draw at random.

    Raises:
        ValueError: unknown treatment, or no row is left after it.
    """
    treated = named(TREATMENTS, "treatment", name)(faces, seed)
    if len(treated) == 0:
        raise ValueError(f"treatment {name!r} leaves none of {len(faces)} training rows")
    return treated
