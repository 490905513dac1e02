import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import json
import signal
import subprocess
import sys
from concurrent.futures import Executor, Future
from pathlib import Path

import numpy as np
import pytest

from fkp.data.faces import Faces
from fkp.data.schemes import KAGGLE_15
from fkp.training import search as search_module
from fkp.training import trials

ROOT = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:keras_tuner")


def faces(n, seed=0, size=32):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (n, size, size, 1), dtype=np.uint8)
    points = rng.uniform(8, 24, (n, 15, 2)).astype(np.float32)
    points[: n // 2, 3] = np.nan
    return Faces(images, points, KAGGLE_15, "test")


def tiny(hp):
    """A space of networks that train in no time."""
    options = {"filters": [hp.Int("filters", 2, 8)], "kernels": [3], "pool_after": [1], "dense": 4}
    return {"options": options, "learning_rate": hp.Float("learning_rate", 1e-4, 1e-2)}


search_module.SPACES["tiny"] = tiny


def score(options, epochs):
    """A made-up validation RMSE that prefers few filters."""
    return 2 + sum(options["filters"]) / 100 + 1 / epochs


@pytest.fixture
def fits(monkeypatch):
    """`fit` replaced by one that answers at once; a list of the weights it was given."""
    calls = []

    def fit(model, train, validation, *, epochs, learning_rate, seed, folder, **setting):
        widths = [w.shape[-1] for w in model.weights if w.name == "kernel" and len(w.shape) == 4]
        calls.append({"weights": model.get_weights(), "learning_rate": learning_rate} | setting)
        rmse = score({"filters": widths}, epochs)
        return model, [{"epoch": i, "validation_rmse": rmse, "seconds": 0.5} for i in range(epochs)]

    monkeypatch.setattr(search_module, "fit", fit)
    monkeypatch.setattr(search_module.keras.utils, "clear_session", lambda: None)
    return calls


def search(folder=None, **options):
    options = {"space": "tiny", "trials": 4, "epochs": 2} | options
    return search_module.search(faces(8), faces(4, seed=1), folder=folder, **options)


def test_the_seed_decides_hyperparameters_and_weights(fits):
    first, again, other = (search(seed=seed, trials=3) for seed in (0, 0, 1))
    assert first == again
    for a, b in zip(fits[:3], fits[3:6], strict=True):
        assert a["learning_rate"] == b["learning_rate"]
        assert all(np.array_equal(x, y) for x, y in zip(a["weights"], b["weights"], strict=True))
    tried = [[r["learning_rate"] for r in records] for records in (first, other)]
    assert not set(tried[0]) & set(tried[1])
    assert len(set(tried[0])) == 3


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("at_once", [1, 2])
@pytest.mark.parametrize("algorithm", search_module.ALGORITHMS)
def test_an_interrupted_search_goes_on_where_it_stopped(
    algorithm, at_once, fits, tmp_path, monkeypatch
):
    options = {"algorithm": algorithm, "space": "paper", "epochs": 3, "trials": 6}
    if at_once > 1:
        options |= {"helpers": AtOnce(), "at_once": at_once}
    monkeypatch.setattr(search_module.models, "build", lambda **given: FakeModel(given["filters"]))
    whole = search(**options)
    quick = search_module.fit

    def stop_at_fifth(*args, **kwargs):
        if len(fits) - len(whole) == 4:
            raise KeyboardInterrupt
        return quick(*args, **kwargs)

    monkeypatch.setattr(search_module, "fit", stop_at_fifth)
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path, **options)
    kept = len(json.loads((tmp_path / "trials.json").read_text())["trials"])
    assert kept == 5 - at_once
    monkeypatch.setattr(search_module, "fit", quick)
    assert search(tmp_path, **options) == whole
    assert len(fits) == len(whole) + 4 + len(whole) - kept
    assert [path.name for path in tmp_path.iterdir()] == ["trials.json"]


class AtOnce(Executor):
    """Helpers whose work is done when it is given."""

    def submit(self, work, *args, **options):
        done = Future()
        done.set_result(work(*args, **options))
        return done


class FakeModel:
    """As much of a model as `fits` and the search look at."""

    class Weight:
        name = "kernel"

        def __init__(self, *shape):
            self.shape = shape

    def __init__(self, filters):
        self.weights = [self.Weight(3, 3, 1, width) for width in filters]

    def get_weights(self):
        return []

    def count_params(self):
        return 1


def test_a_killed_search_repeats_no_finished_trial_and_no_finished_epoch(tmp_path):
    """A real search, killed in its second trial after that trial's first epoch."""
    script = f"""
import os, signal, sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "tests")!r}]
from fkp.training import checkpoints
from test_tune import search
count, write = 0, checkpoints.save
def save(model, path, **options):
    global count
    write(model, path, **options)
    count += 1
    if count == 3:
        os.kill(os.getpid(), signal.SIGKILL)
checkpoints.save = save
search({str(tmp_path)!r}, trials=2)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, cwd=ROOT)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    before = json.loads((tmp_path / "trials.json").read_text())["trials"]
    (scratch,) = tmp_path.glob("trial-1-*")
    epoch = json.loads((scratch / "progress.json").read_text())[0]
    records = search(tmp_path, trials=2)
    assert len(before) == 1 and len(records) == 2
    assert records[0] == {k: v for k, v in before[0].items() if k != "values"}
    assert records[1]["history"][0] == epoch and len(records[1]["history"]) == 2
    assert not scratch.exists()
    assert 0 < trials.best(records)["validation_rmse"] < 32


def test_hyperband_gives_the_best_more_epochs(fits, monkeypatch):
    monkeypatch.setattr(search_module.models, "build", lambda **given: FakeModel(given["filters"]))
    records = search(algorithm="hyperband", space="wide", epochs=9)
    assert {r["epochs"] for r in records} == {1, 3, 9}
    first = sorted(r["validation_rmse"] for r in records[:9])
    promoted = [score(r["options"], 1) for r in records if r["epochs"] == 3][:3]
    assert sorted(promoted) == pytest.approx(first[:3])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_bayesian_search_comes_closer_than_its_random_start(fits, monkeypatch):
    monkeypatch.setattr(search_module.models, "build", lambda **given: FakeModel(given["filters"]))
    scores = [r["validation_rmse"] for r in search(algorithm="bayesian", trials=6)]
    assert min(scores[3:]) < min(scores[:3])


def test_a_network_that_does_not_fit_the_image_is_a_failed_trial(fits):
    records = search(space="paper", trials=6, seed=0)
    failed = [r for r in records if r["status"] == "failed"]
    assert 0 < len(failed) < 6 and len(fits) == 6 - len(failed)
    assert all("does not fit a map of" in r["error"] for r in failed)
    frame = trials.table(records)
    assert frame["validation_rmse"].isna().sum() == len(failed)
    assert trials.best(records)["validation_rmse"] == frame["validation_rmse"].min()


def test_the_table_sums_a_trial_up(fits):
    records = search(trials=2, space="wide")
    frame = trials.table(records)
    options = records[0]["options"]
    assert len(frame) == 2 and frame["parameters"].dtype == "Int64"
    assert frame.loc[0, "filters"] == ", ".join(map(str, options["filters"]))
    assert frame.loc[0, "depth"] == len(options["kernels"])
    assert frame.loc[0, "mean_filters"] == pytest.approx(np.mean(options["filters"]))


def test_rates_are_searched_for_a_model_that_stays_as_it_is(fits, monkeypatch):
    monkeypatch.setattr(search_module.models, "build", lambda **given: FakeModel([8]))
    records = search(space="rates", model="resnet18", trials=3)
    assert [r["options"] for r in records] == [{}, {}, {}]
    assert all(1e-6 <= r["weight_decay"] <= 1e-2 for r in records)
    assert len({r["weight_decay"] for r in records}) == 3
    assert [f["weight_decay"] for f in fits] == [r["weight_decay"] for r in records]
    assert list(trials.table(records)["weight_decay"]) == [r["weight_decay"] for r in records]


def test_proposals_stay_inside_their_space():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        hp = search_module.keras_tuner.HyperParameters()
        search_module.wide(hp)
        values = {p.name: p.random_sample(int(rng.integers(1e9))) for p in hp.space}
        hp.values = values
        found = search_module.wide(hp)
        options = found["options"]
        depth = values["depth"]
        assert 3 <= depth <= 6 and len(options["filters"]) == len(options["kernels"]) == depth
        assert all(16 <= f <= 128 for f in options["filters"])
        assert 3e-4 <= found["learning_rate"] <= 1e-2 and 0 <= options["dropout"] <= 0.5
        assert max(options["pool_after"]) <= min(depth, 5)


def test_errors(fits, tmp_path):
    search(tmp_path, trials=1)
    with pytest.raises(ValueError, match=r"another batch_size, seed"):
        search(tmp_path, trials=1, batch_size=7, seed=3)
    with pytest.raises(
        ValueError, match=r"space: expected one of paper, wide, rates, .* got 'narrow'"
    ):
        search(space="narrow")
    with pytest.raises(ValueError, match="unknown algorithm 'grid'"):
        search(algorithm="grid")
    with pytest.raises(ValueError, match="0 rows"):
        search_module.search(faces(8).take([]), faces(4))
    with pytest.raises(ValueError, match="none of 1 trials was completed: too wide"):
        trials.best([{"status": "failed", "error": "too wide"}])
