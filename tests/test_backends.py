"""The models under every backend of Keras that is installed."""

from importlib.util import find_spec

import pytest

from benchmarks import backends


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "tiny.weights.h5"
    backends.initial("tiny", 48, path)
    return path


def measure(which, weights):
    one = backends.Backend(which, "tiny", 48, weights)
    found = one.answer()
    assert one.pace(7) > 0
    return found | {"later": one.end()}


@pytest.fixture(scope="module")
def reference(weights):
    return measure("tensorflow, without oneDNN", weights)


@pytest.mark.parametrize("which", [*backends.BACKENDS][1:])
def test_a_backend_starts_from_the_same_loss_trains_and_predicts(which, weights, reference):
    backend, _ = backends.BACKENDS[which]
    if not find_spec(backend):
        pytest.skip(f"{backend} is not installed")
    found = measure(which, weights)
    assert found["backend"] == backend and found["device"]
    assert found["loss"] == pytest.approx(reference["loss"], rel=1e-4)
    assert found["mean square, px2"] == pytest.approx(reference["mean square, px2"], rel=1e-4)
    assert found["later"] < 0.9 * found["mean square, px2"]
