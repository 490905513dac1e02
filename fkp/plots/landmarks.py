"""Dense landmarks: pixels of other image sizes, sets against sets."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes


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
