"""Colours, the common style and logarithmic ticks."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axis import Axis

# Okabe and Ito's palette: distinct also for colour-blind readers.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
TRUE, PREDICTED = "#00c853", "#ff1744"

STYLE = {
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "axes.prop_cycle": plt.cycler(color=COLOURS),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.alpha": 0.3,
    "axes.axisbelow": True,
    "axes.titlesize": "medium",
    "font.size": 10,
    "legend.frameon": False,
    "svg.hashsalt": "fkp",
    "svg.fonttype": "none",
}


def log_ticks(axis: Axis) -> None:
    """Plain numbers on a logarithmic axis: powers of ten, with steps between where they are few."""
    low, high = axis.get_view_interval()
    decades = np.log10(high / low)
    steps = (1, 1.5, 2, 3, 5, 7) if decades < 1 else (1, 2, 5) if decades < 2.6 else (1,)
    axis.set_major_locator(mpl.ticker.LogLocator(subs=steps))
    axis.set_major_formatter("{x:,g}")
    axis.set_minor_locator(mpl.ticker.NullLocator())
