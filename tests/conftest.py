import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if "PYTEST_XDIST_WORKER" in os.environ:  # one thread for each of several workers
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ.setdefault(name, "1")


def pytest_collection_modifyitems(items):
    """The longest file first, so that the others are spread over the other workers."""
    items.sort(key=lambda item: item.path.name != "test_notebooks.py")
