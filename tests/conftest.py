import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if "PYTEST_XDIST_WORKER" in os.environ:  # one thread for each of several workers
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ.setdefault(name, "1")


def pytest_collection_modifyitems(items):
    """The longest file first, so that the others are spread over the other workers."""
    items.sort(key=lambda item: item.path.name != "test_notebooks.py")


@pytest.fixture(scope="module")
def one_host():
    """All studies of a file are run by one process that forks, which takes ten seconds to start."""
    from fkp.record import forks
    from fkp.study import executors

    host = forks.Host(forks.threads(1))

    class Kept:
        def __init__(self, env=None):
            self.fork = host.fork

        @property
        def device(self):
            return host.device

        def close(self):
            pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(executors, "Host", Kept)
        yield
    host.close()
