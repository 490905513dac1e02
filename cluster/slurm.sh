#!/bin/bash
# A study on SLURM: a scheduler and eight workers on shared storage.
#   sbatch cluster/slurm.sh paper-a --data data/kaggle --profile paper
#SBATCH --job-name=fkp
#SBATCH --ntasks=9
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=3G
#SBATCH --time=12:00:00
set -euo pipefail
cd "${SLURM_SUBMIT_DIR:-.}"
port=$((20000 + ${SLURM_JOB_ID:-0} % 20000))  # two jobs on one machine have one each
address="tcp://$(hostname):$port"

.venv/bin/dask scheduler --port "$port" --no-dashboard &
srun --ntasks=8 .venv/bin/dask worker "$address" --nthreads 1 --no-dashboard &
# A study starts with the workers that are there; the rest join.
until .venv/bin/python -c "import sys; from distributed import Client
sys.exit(not Client('$address', timeout=60).nthreads())"; do sleep 5; done
.venv/bin/fkp run "$@" --scheduler "$address"
kill %2 %1 2>/dev/null || true
