"""The examples in cluster/: parsed, and SLURM's gone through with stand-ins for its commands."""

import os
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
STAND_IN = '#!/bin/bash\necho "$(basename "$0") $*" >> "$LOG"\n'
# The script asks Python whether there are workers.
WAIT = 'until grep -q "dask scheduler" "$LOG" && grep -q "dask worker" "$LOG"; do sleep 0.1; done\n'


def test_the_compose_file_has_a_cluster():
    services = yaml.safe_load((ROOT / "cluster" / "compose.yaml").read_text())["services"]
    assert set(services) == {"install", "scheduler", "worker", "study"}
    assert "dask worker tcp://scheduler:8786 --nthreads 1" in services["worker"]["command"]
    assert all(service["volumes"] for service in services.values())


def test_the_slurm_script_starts_scheduler_workers_and_study(tmp_path):
    bin_folder = tmp_path / ".venv" / "bin"
    bin_folder.mkdir(parents=True)
    for name in ("dask", "fkp", "python", "srun"):
        (bin_folder / name).write_text(STAND_IN + WAIT * (name == "python"))
        (bin_folder / name).chmod(0o755)
    env = {"LOG": str(tmp_path / "log"), "SLURM_SUBMIT_DIR": str(tmp_path)}
    env["SLURM_JOB_ID"] = "4040123"
    env["PATH"] = f"{bin_folder}{os.pathsep}{os.environ['PATH']}"
    script = str(ROOT / "cluster" / "slurm.sh")
    done = subprocess.run(["bash", script, "tour", "--profile", "quick"], env=env, timeout=60)
    said = (tmp_path / "log").read_text()
    assert "dask scheduler --port 20123" in said and "--ntasks=8 .venv/bin/dask worker" in said
    address = f"tcp://{os.uname().nodename}:20123"
    assert f"fkp run tour --profile quick --scheduler {address}" in said
    assert done.returncode == 0
