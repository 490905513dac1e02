"""Processes forked from one that has imported: alike, apart, and gone with who asked for them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from toy import write_notebook, write_project, write_study

from fkp.record import forks
from fkp.study.executors import Local
from fkp.study.plan import plan
from fkp.study.records import read_metrics
from fkp.study.runner import run_study

NETWORK = """
import json
from pathlib import Path

import keras
import numpy as np

from fkp.scale import SCALE

keras.utils.set_random_seed(seed)
x = np.random.default_rng(seed).normal(size=(64, 8)).astype("float32")
model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4), keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(x, x.sum(axis=1), epochs=2, verbose=0)
drawn = float(np.random.rand())
metrics = {"weights": [w.tolist() for w in model.get_weights()], "drawn": drawn, "scale": SCALE}
_ = Path(out, "metrics.json").write_text(json.dumps(metrics))
"""
HANG = """
import os, time
from pathlib import Path

Path(out, "pid").write_text(str(os.getpid()))
time.sleep(600)
"""


@pytest.fixture
def root(tmp_path):
    project = write_project(tmp_path)
    write_notebook(project / "notebooks" / "03-network.ipynb", "seed = 0\nout = None", NETWORK)
    write_notebook(project / "notebooks" / "04-hang.ipynb", "seed = 0\nout = None", HANG)
    write_study(project, "runs: [{notebook: network}]")
    return project


def result(planned):
    return read_metrics(planned.reports / "runs" / planned.runs[0].folder)


def test_a_fork_gives_what_a_process_from_nothing_gives(root, monkeypatch):
    planned = plan("toy", root=root)
    results = []
    for libraries in (forks.LIBRARIES, ()):
        place = Local(1)
        monkeypatch.setattr(forks, "LIBRARIES", libraries)
        run_study(planned, place=place, again=["network"])
        results.append(result(planned))
    assert results[0]["weights"] == results[1]["weights"]


def test_forks_are_apart_and_see_code_as_it_is_by_then(root):
    """Two in a row from one host; between them a module of the package is edited."""
    write_study(root, "runs: [{notebook: network, name: a}, {notebook: network, name: b}]")
    planned = plan("toy", root=root)

    class Edit:
        def started(self, run, folder):
            if run.name == "b":
                (root / "fkp" / "scale.py").write_text("SCALE = 9\n")

        def ended(self, run, record):
            pass

    records = run_study(planned, workers=1, watch=Edit())
    assert [record["status"] for record in records] == ["finished"] * 2
    first, second = (read_metrics(planned.reports / "runs" / r["folder"]) for r in records)
    assert first["scale"] == 1.5 and second["scale"] == 9
    assert first["drawn"] == second["drawn"], "seeded"
    made = [m["run"]["made_by"]["code"]["fkp.scale"] for m in (first, second)]
    assert made[0] != made[1]


def test_what_is_drawn_without_a_seed_differs():
    host = forks.Host()
    try:
        several = [host.fork("numpy.random:random_sample", {}) for _ in range(2)]
        assert [fork.wait() for fork in several] == [0, 0]
        assert several[0].answer != several[1].answer
        broken = host.fork("numpy.random:no_such", {})
        assert broken.wait() == 1 and broken.answer is None
    finally:
        host.close()


def test_a_notebook_over_its_limit_is_ended_with_its_kernel(root):
    write_study(root, "runs: [{notebook: hang}]")
    planned = plan("toy", root=root)
    (record,) = run_study(planned, limit=20)
    assert record["status"] == "failed" and record["error"] == "over its limit of 20.0s"
    pid = int((planned.reports / "runs" / record["folder"] / "pid").read_text())
    assert gone(pid)


@pytest.mark.parametrize("killed", ["engine", "executor", "kernel"])
def test_nothing_outlives_what_is_killed(root, killed):
    write_study(root, "runs: [{notebook: hang}]")
    code = (
        "import sys; from fkp.study.plan import plan; from fkp.study.runner import run_study;"
        "print(run_study(plan('toy', root=sys.argv[1]))[0].get('error'))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(root)],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        text=True,
    )
    while not (found := list(root.glob("reports/toy/runs/*/pid"))) or not found[0].read_text():
        assert process.poll() is None
        time.sleep(0.1)
    kernel = int(found[0].read_text())
    host = psutil.Process(kernel).parent()
    (executor,) = (p.pid for p in host.children() if p.pid != kernel)
    os.kill({"engine": process.pid, "executor": executor, "kernel": kernel}[killed], signal.SIGKILL)
    said, _ = process.communicate(timeout=60)
    assert gone(kernel) and gone(executor) and gone(host.pid)
    if killed == "executor":
        assert "killed by signal 9, perhaps for memory" in said
    if killed == "kernel":
        assert "DeadKernelError" in said


def gone(pid):
    """Whether a process has ended, soon."""
    for _ in range(100):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.1)
    return False


def test_a_host_that_was_lost_is_started_again():
    host = forks.Host()
    try:
        assert host.fork("os:getcwd", {}).wait() == 0
        os.kill(host._process.pid, signal.SIGKILL)
        host._process.wait()
        fork = host.fork("os:getcwd", {})
        assert fork.wait() == 0 and fork.answer == str(forks.PACKAGE_ROOT)
    finally:
        host.close()
