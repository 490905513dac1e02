"""Calls on the workers of a Dask cluster, from a notebook that runs on it."""

import os
import pickle
import tempfile
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path

from fkp.record.forks import worker_host


class Helpers:
    """Calls in processes of their own, on the workers of the cluster that runs this notebook.

    A search is then keras-tuner's chief and they are its workers: `submit` as of an `Executor`, of
    what can be pickled and returns JSON.

    Raises:
        ValueError: the notebook is not run by a cluster.
    """

    def __init__(self):
        if not (address := os.environ.get("FKP_SCHEDULER")):
            raise ValueError("trials side by side: expected fkp run --scheduler")
        from distributed import Client

        self._client = Client(address, set_as_default=False)
        self._executor = self._client.get_executor(pure=False)

    def submit(self, function: Callable, *args: object, **kwargs: object) -> Future:
        """The Future of a call."""
        call = pickle.dumps(partial(function, *args, **kwargs))
        return self._executor.submit(_help, call)


def _help(call):
    """On a worker: the call in a fork."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "call.pickle")
        path.write_bytes(call)
        log = Path(folder, "log.txt")
        fork = worker_host().fork("fkp.training.helpers:unpickled", {"path": str(path)}, log=log)
        if fork.wait():
            raise RuntimeError(f"a helper ended with status {fork.returncode}: {log.read_text()}")
        return fork.answer


def unpickled(path: str) -> object:
    """Do a pickled call."""
    return pickle.loads(Path(path).read_bytes())()
