"""A Kaggle submission: the wanted coordinates of the test rows, as RowId,Location."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from fkp.data.images import seen_in_mirror
from fkp.data.readers import fault, kaggle
from fkp.data.schemes import of_regime, twice
from fkp.models import about, load
from fkp.models.predict import predict
from fkp.record.files import write_text


def _opened(path):
    """The model in a file; ValueError unless it takes Kaggle's images and gives their points."""
    model, k, shape = load(path), len(kaggle.KAGGLE_15), (kaggle.SIZE, kaggle.SIZE, 1)
    if (got := tuple(model.input_shape[1:])) != shape:
        raise ValueError(f"{path}: takes images of shape {got}, Kaggle's are {shape}")
    if model.output_shape[1] not in (k, 2 * k):
        raise ValueError(
            f"{path}: gives {model.output_shape[1]} points, Kaggle's are {k}, or {2 * k} of a "
            "model that knows both labelling regimes"
        )
    return model


def mean_points(
    models: Sequence,
    images: np.ndarray,
    mirrored: bool = False,
    second: np.ndarray | None = None,
    offsets: Sequence | None = None,
) -> np.ndarray:
    """Mean of the models' predictions, float64 (n, 15, 2), px.

    Args:
        models: as `fkp.models.load` opens them.
        images: uint8 (n, h, w, c).
        second: bool (n,), images of the second labelling regime, of which a model that knows both
            gives the points of its second block; None = none.
        mirrored: show every model each image in the mirror as well, and count what it says of that,
            mirrored back.
        offsets: of each model, see `fkp.data.images.seen_in_mirror`.
    """
    second = np.zeros(len(images), bool) if second is None else second

    def points(model, offset):
        def place(seen):
            return predict(model, seen)[..., :2].astype(np.float64)

        found = place(images)
        both = found.shape[1] != len(kaggle.KAGGLE_15)
        if mirrored:
            scheme = twice(kaggle.KAGGLE_15) if both else kaggle.KAGGLE_15
            found = (found + seen_in_mirror(place, images, scheme, offset)) / 2
        return of_regime(found, second) if both else found

    offsets = [None] * len(models) if offsets is None else offsets
    return np.mean([points(m, o) for m, o in zip(models, offsets, strict=True)], axis=0)


def asked_for_few(lookup: pd.DataFrame, n: int) -> np.ndarray:
    """bool (n,): test images of which at most half of the coordinates are asked for.

    Kaggle's second labelling regime has few points, so the questions tell an image's regime.

    Args:
        lookup: as `fkp.data.readers.kaggle.read_lookup` returns it.
        n: test images.
    """
    asked = lookup["ImageId"].value_counts().reindex(range(1, n + 1), fill_value=0).to_numpy()
    return asked <= len(kaggle.COLUMNS) / 2


def locations(points: np.ndarray, lookup: pd.DataFrame) -> pd.DataFrame:
    """The coordinate that each row of the lookup table asks for, clipped to 0..96 px.

    Args:
        points: (n, 15, 2), one row per test image; ImageId counts them from 1.
        lookup: DataFrame as `fkp.data.readers.kaggle.read_lookup` returns it.

    Returns:
        DataFrame of RowId and Location, in the order of RowId.

    Raises:
        ValueError: an ImageId beyond the last image, or a prediction that is not finite.
    """
    beyond = lookup.index[lookup["ImageId"] > len(points)]
    if len(beyond):
        row = lookup.loc[beyond[0]]
        raise ValueError(
            f"lookup table, RowId {row['RowId']}: ImageId {row['ImageId']}, "
            f"expected at most {len(points)}, the number of test images"
        )
    columns = pd.Index(kaggle.COLUMNS).get_indexer(lookup["FeatureName"])
    table = points.reshape(len(points), -1)
    values = table[lookup["ImageId"].to_numpy() - 1, columns]
    if not np.isfinite(values).all():
        row = lookup.iloc[np.flatnonzero(~np.isfinite(values))[0]]
        raise ValueError(f"image {row['ImageId']}: the prediction of {row['FeatureName']} is NaN")
    frame = pd.DataFrame({"RowId": lookup["RowId"], "Location": np.clip(values, 0, kaggle.SIZE)})
    return frame.sort_values("RowId", ignore_index=True)


def check_rows(submission: pd.DataFrame, sample: pd.DataFrame, path: Path) -> None:
    """SourceError unless the submission has exactly the RowIds of the sample submission."""
    missing = sorted(set(sample["RowId"]) - set(submission["RowId"]))
    extra = sorted(set(submission["RowId"]) - set(sample["RowId"]))
    if missing or extra:
        first = f"RowId {missing[0]} only here" if missing else f"no RowId {extra[0]}"
        raise fault(
            path, f"the {len(submission)} RowIds of IdLookupTable.csv", f"{len(sample)}, {first}"
        )


def submit(
    models: Sequence[str | Path], folder: str | Path, out: str | Path, mirrored: bool = False
) -> pd.DataFrame:
    """Write a submission for the test images of a folder.

    Args:
        models: path of one model file or several; their predictions are averaged.
        folder: holds test.csv or test.zip, IdLookupTable.csv and, to check against it,
            SampleSubmission.csv.
        out: the file to write; it appears whole or not at all.
        mirrored: as in `mean_points`.

    Returns:
        DataFrame of RowId and Location (px, 0..96), in the order of RowId.

    Raises:
        ValueError, FileNotFoundError: something is missing, does not fit or is not what its name
            promises.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder}: expected a folder with test.csv or test.zip")
    lookup = kaggle.read_lookup(folder)
    networks = [_opened(path) for path in models]
    faces = kaggle.read(folder, part="test")
    second = asked_for_few(lookup, len(faces))
    said = [about.read(path) for path in models]
    offsets = [None if one is None else one.offset for one in said]
    points = mean_points(networks, faces.images, mirrored, second, offsets)
    submission = locations(points, lookup)
    sample = folder / "SampleSubmission.csv"
    if sample.is_file():
        check_rows(submission, kaggle.read_sample(sample), sample)
    write_text(out, submission.to_csv(index=False, float_format="%.4f", lineterminator="\n"))
    return submission
