import numpy as np
import pytest

from fkp import models
from fkp.models import describe

# Paper A, table 1: without imputation, with forward fill and after augmentation. The figure for
# KNN, 246,062, leaves out the batch statistics of the second.
TABLE_1 = {"tuned_cnn": 306_750, "tuned_cnn_ffill": 246_478, "tuned_cnn_augment": 364_318}


@pytest.mark.parametrize(("name", "count"), TABLE_1.items())
def test_the_papers_tuned_networks_have_its_parameter_counts(name, count):
    size = describe.size(models.build(name, (96, 96, 1), 15))
    assert size["parameters"] == count
    if name == "tuned_cnn_ffill":
        assert size["trainable_parameters"] == 246_062


def test_a_wide_network_has_the_given_layers():
    options = {
        "filters": [16, 32, 64],
        "kernels": [3, 5, 3],
        "pool_after": [1, 3],
        "padding": "same",
        "activation": "leaky_relu",
        "dense": 32,
        "dropout": 0.3,
    }
    model = models.build("tuned_cnn", (32, 24, 3), 68, seed=0, **options)
    table = describe.layer_table(model).set_index("layer")
    assert table.loc["conv2_5x5", "output"] == (16, 12, 32)
    assert table.loc["pool3", "output"] == (8, 6, 64)
    assert "pool2" not in table.index
    assert set(table.loc[["leaky_relu1", "dropout"], "kind"]) == {"LeakyReLU", "Dropout"}
    images = np.zeros((2, 32, 24, 3), np.uint8)
    assert model.predict_on_batch(images).shape == (2, 68, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filters": [16], "kernels": [3, 3]}, r"\[16\] and \[3, 3\]"),
        ({"filters": [], "kernels": []}, "one each per convolution"),
        ({"pool_after": [0, 2]}, r"1\.\.4, got \[0, 2\]"),
        ({"padding": "full"}, "full"),
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
