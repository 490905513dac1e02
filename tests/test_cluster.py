"""The same study on this machine's processes and on a Dask cluster."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from toy import faces_of, write_notebook, write_project, write_study

from fkp.study import executors, shared
from fkp.study.executors import Cluster
from fkp.study.plan import plan
from fkp.study.records import finished, read_metrics
from fkp.study.runner import Interrupted, run_study

distributed = pytest.importorskip("distributed", reason="needs fkp[cluster]")

SLOW = """
import json, time
from pathlib import Path

with Path(out, "begun.txt").open("a") as file:
    file.write("x")
time.sleep(seconds)
_ = Path(out, "metrics.json").write_text(json.dumps({"scores": {"seed": seed}}))
"""


@pytest.fixture(scope="module")
def cluster():
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options, processes=True) as found:
        yield found


@pytest.fixture
def slow(tmp_path):
    """A function that plans runs of some seconds; each notes when it begins."""
    root = write_project(tmp_path)
    parameters = "seed = 0\nseconds = 1.0\nout = None"
    write_notebook(root / "notebooks" / "03-slow.ipynb", parameters, SLOW)

    def planned(seconds, *seeds):
        entry = {"notebook": "slow", "parameters": {"seconds": seconds}, "grid": {"seed": seeds}}
        write_study(root, json.dumps({"runs": [entry]}))
        return plan("toy", root=root)

    return planned


def begun(planned):
    return [file.read_text() for file in planned.reports.glob("runs/*/begun.txt")]


def test_a_study_gives_the_same_on_a_cluster(cluster, tmp_path):
    here, there = (write_project(tmp_path / name) for name in ("here", "there"))
    run_study(plan("toy", root=here))
    planned = plan("toy", root=there)
    records = run_study(planned, place=Cluster(cluster.scheduler_address, there))
    assert [record["status"] for record in records] == ["finished"] * 4
    for record in records:
        inner = Path("reports", "toy", "runs", record["folder"], "metrics.json")
        one, other = (json.loads((root / inner).read_text()) for root in (here, there))
        assert {k: one[k] for k in one if k != "run"} == {k: other[k] for k in other if k != "run"}
        same = set(one["run"]) - {"started", "seconds", "inputs", "git"}
        assert {k: one["run"][k] for k in same} == {k: other["run"][k] for k in same}
    again = run_study(planned, place=Cluster(cluster.scheduler_address, there))
    assert [record["status"] for record in again] == ["skipped"] * 4


def test_a_worker_that_dies_loses_nothing(cluster, slow):
    planned = slow(3.0, 0, 1, 2)

    def kill():
        while not begun(planned):
            time.sleep(0.1)
        nanny = next(iter(cluster.workers.values()))
        os.kill(nanny.pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    records = run_study(planned, place=Cluster(cluster.scheduler_address, planned.root))
    killer.join()
    assert [record["status"] for record in records] == ["finished"] * 3
    assert sum(map(len, begun(planned))) in (3, 4), "only what the dead one had in hand is repeated"


def test_a_scheduler_that_goes_is_said_and_the_rest_resumes(slow):
    address = "tcp://127.0.0.1:38786"
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", "38786"]
    scheduler = subprocess.Popen(
        [*command, "--no-dashboard"], stderr=subprocess.DEVNULL, start_new_session=True
    )
    worker = subprocess.Popen(
        [
            *(sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1"),
            *("--no-dashboard", "--no-nanny", "--death-timeout", "60"),
        ],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        planned = slow(2.0, 0, 1)
        for _ in range(120):
            try:
                place = Cluster(address, planned.root)
                break
            except ValueError as error:
                assert "no scheduler answers" in str(error) or "no worker" in str(error)
                time.sleep(0.5)

        def kill():
            while not any(map(finished, planned.reports.glob("runs/*"))):
                time.sleep(0.1)
            scheduler.kill()

        threading.Thread(target=kill).start()
        with pytest.raises(Interrupted, match="the cluster is gone"):
            run_study(planned, place=place)
        records = run_study(planned)
        assert sorted(record["status"] for record in records) == ["finished", "skipped"]
    finally:
        worker.kill()
        scheduler.kill()


def test_results_travel_by_url(tmp_path, monkeypatch):
    """Workers that see nothing of the project: data and results go by fsspec."""
    root = write_project(tmp_path / "project")
    monkeypatch.setattr(shared, "PACKAGE_ROOT", root)
    data = faces_of(root)
    planned = plan("toy", root=root, data=data)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
    ) as found:
        place = Cluster(found.scheduler_address, root, "memory://fkp")
        records = run_study(planned, place=place)
    assert [record["status"] for record in records] == ["finished"] * 4
    for record in records:
        folder = planned.reports / "runs" / record["folder"]
        metrics = json.loads((folder / "metrics.json").read_text())
        assert metrics["run"]["finished"] and (folder / "notebook.html").exists()
        if not record["collect"]:
            assert metrics["data_path"] == "faces" and metrics["where"] == "x"
    store = shared.Store("memory://fkp")
    assert store.get(f"data/{data.fingerprint}/faces", tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "faces"
    assert not store.get("runs/toy", tmp_path / "left"), "what was fetched is cleared away"


def test_a_job_that_failed_takes_no_result_away(tmp_path):
    store, folder = shared.Store("memory://fkp-failed"), tmp_path / "run"
    job = SimpleNamespace(
        folder=folder, plan=SimpleNamespace(study="toy"), run=SimpleNamespace(folder="run")
    )
    done = json.dumps({"run": {"finished": True}})
    for where, files in (
        (folder, {"metrics.json": done, "model.keras": "", "log.txt": "old"}),
        (tmp_path / "there", {"failed.txt": "boom", "log.txt": "new", "failed.ipynb": ""}),
    ):
        where.mkdir()
        for name, text in files.items():
            (where / name).write_text(text)
    store.put(tmp_path / "there", "runs/toy/run")
    shared.take(store, job)
    assert finished(folder) and (folder / "model.keras").exists()
    assert (folder / "failed.txt").read_text() == "boom"
    assert (folder / "log.txt").read_text() == "new" and (folder / "failed.ipynb").exists()
    (tmp_path / "there" / "metrics.json").write_text(done)
    store.put(tmp_path / "there", "runs/toy/run")
    shared.take(store, job)
    assert finished(folder) and not (folder / "model.keras").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_what_does_not_fit_is_refused_before_anything_starts(cluster, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"--scheduler tcp://127.0.0.1:9: no scheduler answers"):
        Cluster("tcp://127.0.0.1:9", tmp_path)
    for address in ("tcp://nowhere", "foo://127.0.0.1:9"):
        with pytest.raises(ValueError, match=f"expected tcp://HOST:PORT, got '{address}'"):
            Cluster(address, tmp_path)
    with pytest.raises(ValueError, match=r"worker tcp://.* does not see"):
        Cluster(cluster.scheduler_address, tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="--shared nowhere://x"):
        Cluster(cluster.scheduler_address, tmp_path, "nowhere://x")
    mine = executors.package_digests(executors.PACKAGE_ROOT / "fkp")
    other = mine | {"fkp.models.heads": "0"}
    monkeypatch.setattr(executors, "package_digests", lambda package: other)
    with pytest.raises(ValueError, match=r"worker tcp://.* has other code: .*models/heads\.py"):
        Cluster(cluster.scheduler_address, tmp_path)


def test_a_search_tries_the_same_with_helpers(cluster, tmp_path):
    """keras-tuner's oracle asks, workers train: the trials of a search on its own."""
    root = tmp_path
    (root / "notebooks" / "studies").mkdir(parents=True)
    (root / "fkp").symlink_to(executors.PACKAGE_ROOT / "fkp")
    shutil.copy(executors.PACKAGE_ROOT / "notebooks" / "07-tune.ipynb", root / "notebooks")
    study = {
        "notebook": "tune",
        "parameters": {
            **{"drawn": {"n": 60, "size": 48}, "algorithm": "random", "trials": 3, "epochs": 1},
            **{"trial_epochs": 1, "trial_epoch_size": 32, "epoch_size": 32},
        },
        "grid": {"tuners": [1, 2]},
    }
    write_study(root, json.dumps({"runs": [study]}))
    planned = plan("toy", root=root)
    records = run_study(planned, place=Cluster(cluster.scheduler_address, root))
    assert [record["status"] for record in records] == ["finished"] * 2
    alone, helped = (
        read_metrics(planned.reports / "runs" / record["folder"])["trials"] for record in records
    )
    assert len(alone) == 3
    for one, other in zip(alone, helped, strict=True):
        assert {k: one[k] for k in one if k != "seconds"} == {
            k: other[k] for k in other if k != "seconds"
        }
