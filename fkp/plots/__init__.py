"""Charts and face panels: data and an `ax` in, the `ax` out; no files, no show."""

from fkp.plots.faces import complete_rows, face, grid, labels_per_point, point_cloud, same_faces
from fkp.plots.landmarks import matrix, within_by_size
from fkp.plots.pareto import pareto
from fkp.plots.pictures import sheet
from fkp.plots.saliency import deletion, heat
from fkp.plots.scores import (
    budgets,
    ced,
    changes,
    distributions,
    dots,
    grouped_bars,
    history,
    labelled_scatter,
    per_point,
    reference,
    reliability,
)
from fkp.plots.search import architecture, parallel_coordinates, trials
from fkp.plots.style import COLOURS, PREDICTED, STYLE, TRUE, log_ticks
