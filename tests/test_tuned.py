import numpy as np
import pytest

from fkp import models
from fkp.models import describe
from fkp.models.tuned import PAPER_A

# Paper A, table 1; the figure for KNN leaves out the batch statistics (see `PAPER_A`).
TABLE_1 = {"none": 306_750, "ffill": 246_478, "knn": 246_062, "augment": 364_318}


@pytest.mark.parametrize("treatment", PAPER_A)
def test_the_papers_tuned_networks_have_its_parameter_counts(treatment):
    model = models.build("tuned_cnn", (96, 96, 1), 15, **PAPER_A[treatment])
    size = describe.size(model)
    counted = "trainable_parameters" if treatment == "knn" else "parameters"
    assert size[counted] == TABLE_1[treatment]


def test_the_default_is_the_papers_network_without_imputation():
    model = models.build("tuned_cnn", (96, 96, 1), 15)
    assert model.count_params() == TABLE_1["none"]


def test_a_wide_network_has_the_given_layers():
    options = {
        "filters": [16, 32, 64],
        "kernels": [3, 5, 3],
        "pool_after": [1, 3],
        "padding": "same",
        "activation": "leaky_relu",
        "batch_norm": False,
        "dense": 32,
        "dropout": 0.3,
    }
    model = models.build("tuned_cnn", (32, 24, 3), 68, seed=0, **options)
    table = describe.layer_table(model).set_index("layer")
    assert table.loc["conv2_5x5", "output"] == (16, 12, 32)
    assert table.loc["pool3", "output"] == (8, 6, 64)
    assert "pool2" not in table.index and "norm1" not in table.index
    assert set(table.loc[["leaky_relu1", "dropout"], "kind"]) == {"LeakyReLU", "Dropout"}
    images = np.zeros((2, 32, 24, 3), np.uint8)
    assert model.predict_on_batch(images).shape == (2, 68, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filters": [16], "kernels": [3, 3]}, r"\[16\] and \[3, 3\]"),
        ({"filters": [], "kernels": []}, "one each per convolution"),
        ({"pool_after": [0, 2]}, r"1\.\.4, got \[0, 2\]"),
        ({"padding": "full"}, "'full'"),
        ({"activation": "gelu"}, "'gelu'"),
        ({"pool_after": [1, 2, 3, 4]}, "conv4_5x5: a window of 5 does not fit a map of 3x3"),
        (
            {"filters": [8] * 6, "kernels": [3] * 6, "padding": "same", "pool_after": range(1, 7)},
            "pool6: a window of 2 does not fit a map of 1x1",
        ),
    ],
)
def test_errors_name_what_came_in(options, message):
    with pytest.raises(ValueError, match=message):
        models.build("tuned_cnn", (48, 48, 1), 15, **options)
