import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import engine
from fkp import models
from fkp.deploy import benchmark, export, timings
from fkp.deploy.candidates import stand_in
from fkp.models.files import title

KEYS = {
    "model", "runtime", "round", "turn", "batch", "first_ms", "median_ms", "p90_ms", "images_per_s",
    "calls", "warm_up_calls", "stable", "load_s", "memory_mb",
}  # fmt: skip


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (4, 32, 32, 1), dtype=np.uint8)


@pytest.fixture(scope="module")
def files(images, tmp_path_factory):
    model = stand_in(models.build("manual_cnn", (32, 32, 1), 4, seed=0), images)
    folder = tmp_path_factory.mktemp("files")
    return export.for_runtimes(model, folder, "m", ["tf_function", "litert"], images)[0]


@pytest.mark.parametrize(("platform", "unit"), [("darwin", 1), ("linux", 1024)])
def test_the_engines_memory_is_in_mb_on_every_system(monkeypatch, platform, unit):
    told = SimpleNamespace(stdout=f"words\n{200 * 1024**2 // unit}\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: told)
    monkeypatch.setattr(sys, "platform", platform)
    assert engine.peak("") == 200


def test_processes_are_interleaved_and_answer_for_every_batch_size(files, images):
    rows = benchmark.measure(
        {"m": {"litert": files["litert"]}},
        images, rounds=3, calls=3, seconds=0.01, batches=(4, 1),
    )  # fmt: skip
    assert len(rows) == 3 * 2 * 2 and all(set(row) == KEYS for row in rows)
    assert [row["batch"] for row in rows[:2]] == [1, 4]
    assert [row["runtime"] for row in rows] == ["litert"] * 6 + [benchmark.PREPROCESSING] * 6
    assert {row["turn"] for row in rows} == set(range(1, 7))
    assert all(0 < row["median_ms"] <= row["p90_ms"] and row["calls"] == 3 for row in rows)
    assert all(row["memory_mb"] >= 0 for row in rows)
    for number in {row["round"] for row in rows}:
        turns = {row["turn"]: row["runtime"] for row in rows if row["round"] == number}
        assert {*turns.values()} == {"litert", benchmark.PREPROCESSING}
        assert max(turns) - min(turns) == 1


def test_keras_runs_in_a_process_of_its_own(files, images):
    job = {"threads": 1, "calls": 3, "seconds": 0.01, "batches": [1]}
    path = files["tf_function"].parent / "images.npy"
    np.save(path, images)
    for runtime in ("keras_predict", "tf_function"):
        (row,) = benchmark._process(
            job | {"images": str(path), "runtime": runtime, "path": str(files["tf_function"])}, "m"
        )
        assert row["calls"] == 3 and row["first_ms"] > 0 and row["memory_mb"] > 50


def test_an_exported_file_runs_without_tensorflow(files):
    code = (
        "import sys, numpy as np; from fkp.deploy import benchmark, runtimes;"
        f"runtimes.load('litert', {str(files['litert'])!r})(np.zeros((1, 32, 32, 1), np.uint8));"
        "print('tensorflow' in sys.modules, 'keras' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_a_process_that_fails_says_so(files, images):
    with pytest.raises(ChildProcessError, match=r"m in litert: FileNotFoundError: none\.tflite"):
        benchmark.measure({"m": {"litert": "none.tflite"}}, images, batches=(1,), seed=1)
    with pytest.raises(ValueError, match="a batch of 100 needs as many images, got 4"):
        benchmark.measure({}, images)


def test_the_worker_reads_one_line_and_writes_json():
    done = subprocess.run(
        [sys.executable, "-m", "fkp.deploy.benchmark"], input='{"runtime": "litert"}\n',
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == {"error": "KeyError: 'images'"}


@pytest.mark.parametrize("name", ["manual_cnn", "tiny"])
def test_a_stand_in_finds_other_points_in_other_images(name):
    images = np.random.default_rng(0).integers(0, 256, (8, 96, 96, 1), dtype=np.uint8)
    model = stand_in(models.build(name, (96, 96, 1), 5, seed=0), images)
    assert 1 < model.predict(images, verbose=0).std(axis=0).mean() < 10


@pytest.fixture
def clock(monkeypatch):
    """Calls take as many seconds as their argument says, without anybody waiting."""
    now = [0.0]

    def call(_, seconds):
        now[0] += seconds
        return seconds

    monkeypatch.setattr(benchmark, "_time", call)
    monkeypatch.setattr(benchmark, "time", SimpleNamespace(perf_counter=lambda: now[0]))


def test_warming_up_ends_when_times_settle_or_time_is_up(clock):
    falling = [5, 4, 3, 2, *[1] * 50]
    assert benchmark._warm_up(None, iter(falling), 20) == (6, True)
    assert benchmark._warm_up(None, iter(falling), 1) == (6, True)  # shorter than one call
    halves = [2.0**-i for i in range(-20, 20)]
    assert benchmark._warm_up(None, iter(halves), 1) == (benchmark.MIN_CALLS, False)


def test_the_clock_stops_after_calls_or_seconds_but_not_before_the_least_number(clock):
    row = benchmark.time_calls(None, itertools.repeat(1), calls=7, seconds=100)
    assert row["calls"] == 7 and row["stable"] and row["median_ms"] == 1000
    row = benchmark.time_calls(None, itertools.repeat(1), calls=1000, seconds=20)
    assert row["calls"] == 20
    row = benchmark.time_calls(None, iter([9, 4, *range(1, 99)]), calls=1000, seconds=1)
    assert row["calls"] == benchmark.MIN_CALLS and row["first_ms"] == 9000
    assert (row["median_ms"], row["p90_ms"]) == (10000, 12400)


def test_conditions_name_machine_threads_and_versions():
    found = benchmark.conditions(1)
    assert found["threads"] == 1 and found["cores"] == os.cpu_count() and found["cpu"]
    assert set(found["versions"]) >= {"tensorflow", "onnxruntime", "ai-edge-litert"}


def test_more_threads_than_cores_are_refused(images):
    with pytest.raises(ValueError, match="threads: 9999, each on its own core"):
        benchmark.conditions(9999)
    with pytest.raises(ValueError, match="threads: 9999, each on its own core"):
        benchmark.measure({}, images, threads=9999, batches=(1,))


def made_up_rows():
    """Two models, two runtimes, three rounds; b takes twice as long under predict only."""
    values = {
        ("a", "litert"): (1.0, 1.0, 1.2), ("b", "litert"): (2.1, 2.0, 2.4),
        ("a", "keras_predict"): (50, 40, 60), ("b", "keras_predict"): (52, 39, 61),
    }  # fmt: skip
    return [
        dict.fromkeys(KEYS, 1) | {
            "model": model, "runtime": runtime, "round": i, "batch": 1, "median_ms": ms,
            "stable": i != 2,
        }
        for (model, runtime), several in values.items() for i, ms in enumerate(several)
    ]  # fmt: skip


def test_summary_takes_medians_over_rounds_and_keeps_the_range():
    summary = timings.summarise(made_up_rows())
    row = summary.loc[("a", "keras_predict", 1)]
    assert (row.median_ms, row.low_ms, row.high_ms) == (50, 40, 60)
    assert row.calls == 3 and row.rounds == 3 and not row.stable
    table = timings.unstack(summary, 1, runtimes=["litert", "keras_predict", "onnxruntime"])
    assert list(table.columns) == ["litert", "keras_predict"] and list(table.index) == ["a", "b"]


def test_a_claim_of_speed_is_judged_by_the_range_over_rounds():
    ratios = timings.speed_ratios(made_up_rows(), "a", ["b"]).set_index("runtime")
    assert ratios.loc["litert", "ratio"] == pytest.approx(2.0)
    assert ratios.loc["litert", "judgement"] == "at least twice as fast"
    assert ratios.loc["keras_predict", "judgement"] == "no clear difference"
    words = timings.in_words("a", "b", ratios.reset_index())
    assert words == (
        "a against b. Through keras_predict, batch 1: no clear difference (keras_predict 1.02x). "
        "Without its overhead, batch 1: at least twice as fast (litert 2.00x)."
    )
    once = [row for row in made_up_rows() if row["round"] == 0]
    assert "no range" in timings.in_words("a", "b", timings.speed_ratios(once, "a", ["b"]))


def test_rows_for_a_terminal_are_short():
    first = timings.short_rows(made_up_rows())[0]
    assert (first["median ms"], first["runtime"], first["batch"]) == ("1.00", "litert", 1)
    assert " In 4 of 12 measurements" in timings.unsettled(made_up_rows())
    assert timings.unsettled(made_up_rows()[:1]) == ""


def test_a_model_in_the_current_folder_is_called_by_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert title(Path("model.keras")) == tmp_path.name and title(Path("a/model.keras")) == "a"
    assert title(Path("a/best.keras")) == "best"


def test_models_are_named_or_files(files, tmp_path):
    path = files["tf_function"]
    with pytest.raises(ValueError, match="two models are called m"):
        benchmark.measure_models([path, path])
    with pytest.raises(FileNotFoundError, match=r"none\.keras: no such file"):
        benchmark.measure_models(["none.keras"])


def test_the_overhead_of_a_call_is_the_difference_of_two_runtimes():
    rows = made_up_rows()
    table = timings.overhead(timings.summarise(rows), traced="litert")
    assert table.loc["a", "overhead_ms"] == 49 and table.loc["a", "times"] == 50


def test_conditions_in_words_warn_of_a_busy_machine():
    idle = benchmark.conditions(1) | {"load_percent": 1.0}
    assert "1 thread" in timings.conditions_in_words(idle)
    assert "busy" not in timings.conditions_in_words(idle)
    assert "busy" in timings.conditions_in_words(idle | {"load_percent": 50.0})


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (2.1, 3, "at least twice as fast"),
        (1.8, 2.2, "about twice as fast"),
        (1.2, 2.2, "faster, not twice"),
        (0.9, 1.4, "no clear difference"),
        (0.5, 0.8, "slower"),
    ],
)
def test_judgements(low, high, words):
    assert timings.judge(low, high) == words
