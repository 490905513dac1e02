"""Dense landmarks: outlines on a face, regions, pixels of other image sizes, sets against sets."""

from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from fkp.data.schemes import Scheme
from fkp.plots.style import PREDICTED, TRUE


def overlay(
    ax: Axes,
    image: np.ndarray,
    points: np.ndarray,
    predicted: np.ndarray,
    scheme: Scheme,
    title: str | None = None,
) -> Axes:
    """The outlines of the true (green) and the predicted (red) points on an image.

    Args:
        image: uint8 (h, w, c).
        points, predicted: (k, 2) pixels.
        scheme: Scheme of the points; one-point regions are dots.
    """
    ax.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=255)
    for values, colour in ((points, TRUE), (predicted, PREDICTED)):
        for region, indices in scheme.regions.items():
            outline = list(indices) + [indices[0]] * (region in scheme.closed)
            ax.plot(*values[outline].T, color=colour, linewidth=0.9, marker="o", markersize=1.6)
    ax.set(xlim=(-0.5, image.shape[1] - 0.5), ylim=(image.shape[0] - 0.5, -0.5))
    ax.set_axis_off()
    if title is not None:
        ax.set_title(title, fontsize=8, pad=3)
    return ax


def regions(ax: Axes, table: pd.DataFrame, unit: str = "inter-ocular NME (%)") -> Axes:
    """One line per region and one marker per model, from zero.

    Args:
        table: DataFrame, index: regions, columns: models.
    """
    lines = np.arange(len(table))
    for column, marker in zip(table.columns, cycle("osDv^P*X"), strict=False):
        ax.plot(table[column].to_numpy(float), lines, marker, label=str(column))
    ax.set_yticks(lines, [str(name).replace("_", " ") for name in table.index])
    ax.set(xlabel=unit, ylim=(len(table) - 0.5, -0.5))
    ax.set_xlim(left=0)
    ax.grid(axis="x", alpha=0.3)
    return ax


def within_by_size(ax: Axes, curves: dict[str, dict], size: int | None = None) -> Axes:
    """Share of points within 3 px (solid) and 5 px (dashed) if images were rescaled to other sizes.

    Args:
        curves: name -> {"size", "within_3px", "within_5px"}, as
            `fkp.measure.landmarks.within_by_size` returns.
        size: side of the images at hand, px, marked by a dotted line; None = not marked.
    """
    for name, curve in curves.items():
        (line,) = ax.plot(curve["size"], curve["within_3px"], label=f"{name}, 3 px")
        ax.plot(curve["size"], curve["within_5px"], "--", color=line.get_color(),
                label=f"{name}, 5 px")  # fmt: skip
    if size is not None:
        ax.axvline(
            size, color="black", linestyle=":", linewidth=0.9, label=f"{size} px, as trained"
        )
    ax.set(xlabel="side of the image (px)", ylabel="points within (%)", ylim=(0, 101))
    return ax


def matrix(
    ax: Axes, table: pd.DataFrame, xlabel: str, ylabel: str, unit: str = "inter-ocular NME (%)"
) -> Axes:
    """A table of numbers as shaded cells, each with its value; dark = high, blank = NaN.

    Args:
        table: DataFrame; its columns run along x, its index along y.
    """
    values = table.to_numpy(float)
    image = ax.imshow(values, cmap="Blues", vmin=0, aspect="auto")
    middle = np.nanmax(values) / 2
    for y, x in np.argwhere(np.isfinite(values)):
        ax.text(x, y, f"{values[y, x]:.2f}", ha="center", va="center",
                color="white" if values[y, x] > middle else "black")  # fmt: skip
    ax.set_xticks(range(table.shape[1]), [str(name) for name in table.columns])
    ax.set_yticks(range(table.shape[0]), [str(name) for name in table.index])
    ax.grid(visible=False)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.figure.colorbar(image, ax=ax, label=unit)
    return ax
