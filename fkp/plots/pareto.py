"""Error against cost: which models nothing beats in both."""

import pandas as pd
from matplotlib.axes import Axes

from fkp.plots.style import COLOURS, log_ticks


def pareto(ax: Axes, table: pd.DataFrame, cost: str, error: str, xlabel: str, ylabel: str) -> Axes:
    """Models as named points, cost on a logarithmic axis; a line joins those that nothing beats.

    Args:
        table: DataFrame with columns name, ours (bool), `cost` and `error`; rows without either
            are left out.
    """
    rows = table.dropna(subset=[cost, error]).sort_values([cost, error])
    front = rows[rows[error] < rows[error].cummin().shift(fill_value=float("inf"))]
    ax.step(front[cost], front[error], where="post", color="gray", linewidth=0.9, zorder=1)
    for ours, group in rows.groupby("ours"):
        colour, label = (COLOURS[1], "fkp") if ours else (COLOURS[0], "others")
        ax.scatter(group[cost], group[error], color=colour, label=label, zorder=2)
        for _, row in group.iterrows():
            last = row[cost] == rows[cost].max()  # no room at its right
            ax.annotate(
                row["name"], (row[cost], row[error]), (-5, -4) if last else (5, 4),
                textcoords="offset points", ha="right" if last else "left",
                va="top" if last else "bottom", fontsize=8, weight="bold" if ours else "normal",
            )  # fmt: skip
    ax.set(xlabel=xlabel, ylabel=ylabel, xscale="log")
    ax.margins(0.2, 0.12)
    log_ticks(ax.xaxis)
    ax.grid(axis="x", alpha=0.3)
    return ax
