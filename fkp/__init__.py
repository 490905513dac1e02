"""fkp: facial keypoints, from a file of faces to a model and a report that can be trusted."""

__version__ = "0.1.0"
