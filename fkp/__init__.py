"""fkp: facial keypoints, from a file of faces to a model and a report that can be trusted."""

__version__ = "0.1.0"


def load(model="small", threads=None):
    """A shipped model by name, or a model file, as a `fkp.photo.finder.Finder`; see its `load`."""
    from fkp.photo.finder import load

    return load(model, threads)
