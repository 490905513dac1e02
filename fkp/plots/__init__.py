"""Charts and face panels: data and an `ax` in, the `ax` out; no files, no show."""

from fkp.plots.faces import complete_rows, face, grid, labels_per_point, point_cloud
from fkp.plots.landmarks import matrix, overlay, regions, within_by_size
from fkp.plots.pictures import sheet
from fkp.plots.saliency import deletion, heat
from fkp.plots.scores import (
    ced,
    distributions,
    dots,
    grouped_bars,
    history,
    labelled_scatter,
    per_point,
    reference,
)
from fkp.plots.search import architecture, parallel_coordinates, trials
from fkp.plots.style import COLOURS, PREDICTED, STYLE, TRUE, log_ticks, tick_values

__all__ = [
    "COLOURS",
    "PREDICTED",
    "STYLE",
    "TRUE",
    "architecture",
    "ced",
    "complete_rows",
    "deletion",
    "distributions",
    "dots",
    "face",
    "grid",
    "grouped_bars",
    "heat",
    "history",
    "labelled_scatter",
    "labels_per_point",
    "log_ticks",
    "matrix",
    "overlay",
    "parallel_coordinates",
    "per_point",
    "point_cloud",
    "reference",
    "regions",
    "sheet",
    "tick_values",
    "trials",
    "within_by_size",
]
