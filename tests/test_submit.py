"""Submissions: the right coordinate in the right row, checked and written whole."""

import keras
import numpy as np
import pandas as pd
import pytest

from fkp.data.readers.kaggle import COLUMNS, read_lookup
from fkp.data.schemes import KAGGLE_15
from fkp.deploy import submit
from fkp.models import save

IMAGES = 3


def constant_model(path, value, shape=(96, 96, 1), points=15):
    """A model that answers every image with value, value + 1, ... in the order of `COLUMNS`."""
    inputs = keras.Input(shape)
    x = keras.layers.GlobalAveragePooling2D()(inputs)
    x = keras.layers.Dense(2 * points, kernel_initializer="zeros", name="out")(x)
    model = keras.Model(inputs, keras.layers.Reshape((points, 2))(x))
    model.get_layer("out").bias.assign(np.arange(2 * points, dtype=np.float32) + value)
    save(model, path)
    return path


def write_csv(path, header, rows):
    path.write_text("\n".join(",".join(map(str, row)) for row in (header, *rows)) + "\n")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Three test images; five wanted values, not in the order of RowId."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "kaggle"
    folder.mkdir()
    pixels = " ".join(["7"] * 96 * 96)
    write_csv(folder / "test.csv", ["ImageId", "Image"], [[i + 1, pixels] for i in range(IMAGES)])
    wanted = [(4, 2, COLUMNS[3]), (1, 1, COLUMNS[0]), (2, 1, COLUMNS[29]), (9, 3, COLUMNS[1])]
    rows = [(row, image, name, "") for row, image, name in wanted]
    write_csv(folder / "IdLookupTable.csv", ["RowId", "ImageId", "FeatureName", "Location"], rows)
    return folder


def sample(folder, ids):
    write_csv(folder / "SampleSubmission.csv", ["RowId", "Location"], [(i, 0) for i in ids])


def test_rows_come_in_order_with_the_clipped_value_of_their_coordinate(folder, tmp_path):
    sample(folder, (1, 2, 4, 9))
    out = tmp_path / "new" / "submission.csv"
    submit.submit([constant_model(tmp_path / "m.keras", 70.5)], folder, out)
    assert out.read_text() == "RowId,Location\n1,70.5000\n2,96.0000\n4,73.5000\n9,71.5000\n"
    assert [path.name for path in out.parent.iterdir()] == ["submission.csv"]


def test_several_models_are_averaged_before_clipping(folder, tmp_path):
    models = [constant_model(tmp_path / f"{v}.keras", v) for v in (-20, 10, 40)]
    found = submit.submit(models, folder, tmp_path / "out.csv")
    assert found["Location"].tolist() == [10, 39, 13, 11]
    one = submit.submit(models[:1], folder, tmp_path / "out.csv")
    assert one["Location"].tolist() == [0, 9, 0, 0]


def test_a_mirrored_view_counts_as_much_as_the_plain_one():
    inputs = keras.Input((96, 96, 1))
    x = keras.layers.Dense(30, kernel_initializer="zeros", name="out")(
        keras.layers.GlobalAveragePooling2D()(inputs)
    )
    model = keras.Model(inputs, keras.layers.Reshape((15, 2))(x))
    plain = np.random.default_rng(0).uniform(0, 95, (15, 2)).astype(np.float32)
    model.get_layer("out").bias.assign(plain.ravel())
    swapped = plain[list(KAGGLE_15.mirror)] * [-1, 1] + [95, 0]
    found = submit.mean_points([model], np.zeros((2, 96, 96, 1), np.uint8), mirrored=True)
    np.testing.assert_allclose(found, np.stack([(plain + swapped) / 2] * 2), atol=1e-4)


def test_each_image_gets_its_own_row(folder):
    points = np.arange(IMAGES * 30, dtype=float).reshape(IMAGES, 15, 2)
    found = submit.locations(points, read_lookup(folder)).set_index("RowId")["Location"]
    assert found.to_dict() == {1: 0.0, 2: 29.0, 4: 33.0, 9: 61.0}


def test_a_submission_has_the_rows_of_the_sample(folder, tmp_path):
    model, out = constant_model(tmp_path / "m.keras", 1), tmp_path / "out.csv"
    for ids, message in (((1, 2, 4), "no RowId 9"), ((1, 2, 3, 4, 9), "RowId 3 only here")):
        sample(folder, ids)
        with pytest.raises(ValueError, match=message):
            submit.submit([model], folder, out)
    assert not out.exists()


def test_what_does_not_fit_is_named(folder, tmp_path):
    good, out = constant_model(tmp_path / "good.keras", 1), tmp_path / "out.csv"
    other = constant_model(tmp_path / "big.keras", 1, shape=(128, 128, 1))
    with pytest.raises(ValueError, match=r"big.keras: takes images of shape \(128, 128, 1\)"):
        submit.submit([good, other], folder, out)
    other = constant_model(tmp_path / "many.keras", 1, points=68)
    with pytest.raises(ValueError, match=r"many.keras: gives 68 points"):
        submit.submit([other], folder, out)
    (tmp_path / "bad.keras").write_text("no model")
    with pytest.raises(ValueError, match=r"bad.keras: not a model"):
        submit.submit([tmp_path / "bad.keras"], folder, out)
    with pytest.raises(FileNotFoundError, match=r"absent.keras: no such file"):
        submit.submit([tmp_path / "absent.keras"], folder, out)
    with pytest.raises(ValueError, match="expected a folder"):
        submit.submit([good], tmp_path / "nowhere", out)
    assert not out.exists()


def test_the_lookup_table_asks_for_what_there_is(folder, tmp_path):
    lookup = pd.DataFrame({"RowId": [5], "ImageId": [4], "FeatureName": ["nose_tip_x"]})
    with pytest.raises(ValueError, match="RowId 5: ImageId 4, expected at most 3"):
        submit.locations(np.zeros((3, 15, 2)), lookup)
    with pytest.raises(ValueError, match="image 3: the prediction of nose_tip_x is NaN"):
        submit.locations(np.full((3, 15, 2), np.nan), lookup.assign(ImageId=3))
    model, header = constant_model(tmp_path / "m.keras", 1), ["RowId", "ImageId", "FeatureName"]
    for row, message in (
        ((1, 1, "chin_x"), r"row 1 .*FeatureName.*'chin_x'"),
        ((1, 10**12, COLUMNS[0]), r"ImageId 1000000000000, expected at most 3"),
        ((1, "1e30", COLUMNS[0]), r"row 1 .*ImageId.*whole number"),
    ):
        write_csv(folder / "IdLookupTable.csv", header, [row])
        with pytest.raises(ValueError, match=message):
            submit.submit([model], folder, tmp_path / "out.csv")
    (folder / "test.csv").unlink()
    write_csv(folder / "IdLookupTable.csv", header, [(1, 1, COLUMNS[0])])
    with pytest.raises(ValueError, match=r"test.csv or test.zip"):
        submit.submit([tmp_path / "m.keras"], folder, tmp_path / "out.csv")


def test_a_model_of_both_regimes_answers_by_what_is_asked(folder, tmp_path):
    """The second block is 30 px beyond the first; of images 1 to 3 few coordinates are asked."""
    model = constant_model(tmp_path / "both.keras", 0, points=30)
    found = submit.submit([model], folder, tmp_path / "out.csv")
    assert found["Location"].tolist() == [30, 59, 33, 31]
    every = [(row, 1, name, "") for row, name in enumerate(COLUMNS, 1)]
    rows = [*every, (31, 2, COLUMNS[3], "")]
    write_csv(folder / "IdLookupTable.csv", ["RowId", "ImageId", "FeatureName", "Location"], rows)
    found = submit.submit([model], folder, tmp_path / "out.csv")
    assert found["Location"].tolist() == [*range(30), 33]
