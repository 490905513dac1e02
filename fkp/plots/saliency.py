"""Saliency maps and what hiding pixels in their order does."""

import numpy as np
from matplotlib.axes import Axes


def heat(ax: Axes, saliency: np.ndarray, title: str | None = None) -> Axes:
    """One map, dark to bright, scaled to its own 99.5th percentile.

    Args:
        saliency: (h, w), not negative.
    """
    ax.imshow(saliency, cmap="inferno", vmin=0, vmax=np.quantile(saliency, 0.995) or 1)
    ax.set_axis_off()
    if title is not None:
        ax.set_title(title, fontsize=7, pad=2)
    return ax


def deletion(
    ax: Axes, fractions: np.ndarray, curves: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]
) -> Axes:
    """Error against the share of the image that is hidden, with a band round each curve.

    Args:
        fractions: (m,) in [0, 1].
        curves: name -> (mean, low, high), each (m,), RMSE in px.
    """
    for name, (mean, low, high) in curves.items():
        (line,) = ax.plot(fractions, mean, marker=".", label=name)
        ax.fill_between(fractions, low, high, color=line.get_color(), alpha=0.15, linewidth=0)
    ax.set(xlabel="share of the image hidden", ylabel="RMSE (px), mean over faces")
    return ax
