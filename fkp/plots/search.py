"""Hyperparameter searches and architectures."""

import re
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from fkp.plots.style import COLOURS, log_ticks


def trials(ax: Axes, frame: pd.DataFrame) -> Axes:
    """Validation RMSE of each trial against its parameters; colour: learning rate, ring: the best.

    Args:
        frame: trials with parameters, validation_rmse (px; NaN = failed, not drawn), learning_rate.
    """
    frame = frame.dropna(subset=["validation_rmse"])
    parameters, rmse = frame["parameters"].to_numpy(float), frame["validation_rmse"].to_numpy()
    marks = ax.scatter(parameters, rmse, s=36, c=frame["learning_rate"], norm="log",
                       cmap="viridis", edgecolor="white", linewidth=0.5)  # fmt: skip
    ax.scatter(parameters[rmse.argmin()], rmse.min(), s=130, facecolor="none", edgecolor=COLOURS[1])
    rates = frame["learning_rate"]
    bar = ax.figure.colorbar(marks, ax=ax)
    bar.ax.set_title("learning rate", fontsize=9)
    ends = sorted({rates.min(), rates.max()})
    bar.set_ticks(ends, labels=[f"{rate:.1e}" for rate in ends])
    bar.ax.minorticks_off()
    ax.set(xscale="log", xlabel="parameters", ylabel="validation RMSE (px)")
    ax.set_xlim(parameters.min() / 1.5, parameters.max() * 1.5)
    log_ticks(ax.xaxis)
    return ax


def parallel_coordinates(
    ax: Axes, frame: pd.DataFrame, score: str, log: Sequence[str] = ()
) -> Axes:
    """One line per row across the numeric columns, each scaled to its own range.

    Args:
        frame: numbers alone; columns that never vary are left out (unless none does).
        score: column that colours the lines, best (lowest) darkest and on top.
        log: columns on a logarithmic scale.
    """
    rank = frame[score].astype(float).rank(method="first") - 1
    varies = frame.nunique() > 1
    frame = frame.loc[:, varies if varies.any() else varies.index].astype(float)
    low, high = frame.min(), frame.max()
    scaled = frame.copy()
    for name in frame:
        scale = np.log if name in log else np.asarray
        start, end = scale(low[name]), scale(high[name])
        scaled[name] = (scale(frame[name]) - start) / ((end - start) or 1)
    for i in rank.sort_values(ascending=False).index:
        colour = plt.get_cmap("viridis")(rank[i] / len(rank))
        best = rank[i] == 0
        ax.plot(range(scaled.shape[1]), scaled.loc[i], color=colour, alpha=1 if best else 0.7,
                linewidth=2.4 if best else 1, marker="o", markersize=5 if best else 3)  # fmt: skip
    for x, name in enumerate(frame):
        for y, value, side in ((0, low[name], "top"), (1, high[name], "bottom")):
            text = f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
            ax.annotate(text, (x, y), (0, 7 * (2 * y - 1)), va=side, ha="center",
                        textcoords="offset points", fontsize=8)  # fmt: skip
        ax.vlines(x, 0, 1, color="black", linewidth=0.6, zorder=0)
    ax.set_xticks(range(scaled.shape[1]), [name.replace("_", "\n") for name in frame])
    ax.tick_params(axis="x", length=0, pad=14)
    ax.set(yticks=[], ylim=(-0.09, 1.09))
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.grid(visible=False)
    return ax


def architecture(ax: Axes, layers: pd.DataFrame) -> Axes:
    """Block diagram of a chain of layers, input to the left.

    Maps are drawn as blocks whose height is their side and whose thickness grows with their
    channels; vectors as bars. What changes no shape (activation, normalisation, ...) is left out.

    Args:
        layers: DataFrame with layer, kind, output (shape without the batch), parameters, as
            `fkp.models.describe.layer_table` returns it.
    """
    colours = {"InputLayer": "#9e9e9e", "Conv2D": COLOURS[0], "MaxPooling2D": COLOURS[5]}
    colours |= {"Dense": COLOURS[2], "Flatten": COLOURS[4]}
    chain = layers[layers["kind"].isin(colours)].to_dict("records")
    side = max(chain[0]["output"][:2])
    x = 0.0
    for row in chain:
        shape = row["output"]
        tall = shape[0] / side if len(shape) == 3 else 0.3 + 0.05 * np.log2(shape[0])
        thick = 0.05 + 0.06 * np.log2(1 + shape[-1]) if len(shape) == 3 else 0.09
        ax.add_patch(plt.Rectangle((x, -tall / 2), thick, tall, color=colours[row["kind"]],
                                   alpha=0.85, linewidth=0))  # fmt: skip
        middle = x + thick / 2
        name = re.sub(r"(?<=\d)x(?=\d)", "×", row["layer"].replace("_", " "))
        ax.text(middle, tall / 2 + 0.03, name, rotation=90, ha="center", va="bottom", fontsize=8)
        text = "×".join(map(str, shape))
        text += f"\n{row['parameters']:,}" if row["parameters"] else ""
        ax.text(middle, -tall / 2 - 0.03, text, rotation=90, ha="center", va="top", fontsize=7,
                color="#555555", linespacing=1.1)  # fmt: skip
        x += thick + 0.22
    ax.set(xlim=(-0.15, x), ylim=(-0.95, 0.95))
    ax.set_axis_off()
    return ax
