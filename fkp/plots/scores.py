"""Scores: training curves, errors per point and per face, comparisons."""

from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from fkp.plots.style import COLOURS, log_ticks


def history(ax: Axes, rows: list[dict], label: str = "", colour: str | None = None) -> Axes:
    """Validation RMSE (solid) and training RMSE (dotted) per epoch.

    Args:
        rows: list of dicts with epoch, train_rmse, validation_rmse, as `training.fit` returns.
    """
    epochs = [row["epoch"] + 1 for row in rows]
    marker = "." if len(epochs) < 3 else ""
    for score, part, line in (
        ("validation_rmse", "validation", "-"),
        ("train_rmse", "training", ":"),
    ):
        shown = {"label": f"{label} {part}".strip(), "color": colour, "marker": marker}
        (drawn,) = ax.plot(epochs, [row[score] for row in rows], line, **shown)
        colour = drawn.get_color()
    ax.set(xlabel="epoch", ylabel="RMSE (px)", yscale="log")
    log_ticks(ax.yaxis)
    return ax


def budgets(ax: Axes, table: pd.DataFrame, low: pd.DataFrame, high: pd.DataFrame) -> Axes:
    """A score against the images seen, one line per column; bands from `low` to `high`.

    Args:
        table, low, high: DataFrames indexed by number of images, px.
    """
    for column in table:
        known = table[column].dropna()
        (line,) = ax.plot(known.index, known, "o-", label=str(column).replace("_", ", then "))
        ends = (frame.loc[known.index, column] for frame in (low, high))
        ax.fill_between(known.index, *ends, color=line.get_color(), alpha=0.12, linewidth=0)
    ax.set(xscale="log", xlabel="images seen", ylabel="RMSE (px)")
    ticks = []  # with room for their labels
    for images in sorted(table.index):
        ticks += [images] if not ticks or images > 1.3 * ticks[-1] else []
    ax.set_xticks(ticks, [f"{images / 1000:.3g}k" for images in ticks])
    ax.minorticks_off()
    ax.grid(alpha=0.3)
    return ax


def per_point(ax: Axes, errors: dict[str, dict[str, float]]) -> Axes:
    """RMSE per point, one marker series per model.

    Args:
        errors: name -> {label: RMSE in px}.
    """
    for name, values in errors.items():
        labels = [label.replace("_", " ") for label in values]
        style = "o" if len(labels) <= 30 else "-"
        ax.plot(list(values.values()), labels if style == "o" else range(len(labels)), style,
                label=name)  # fmt: skip
    ax.invert_yaxis()
    ax.grid(axis="x", alpha=0.3)
    ax.set(xlabel="RMSE (px)")
    ax.set_xlim(left=0)
    return ax


def ced(ax: Axes, nmes: dict[str, np.ndarray], limit: float = 8.0) -> Axes:
    """Cumulative error distributions.

    Args:
        nmes: name -> (n,), inter-ocular NME of each face, %; NaN is left out.
        limit: end of the axis.
    """
    for name, nme in nmes.items():
        ax.ecdf(nme[~np.isnan(nme)], label=name)
    ax.set(xlabel="inter-ocular NME (%)", ylabel="share of faces", xlim=(0, limit), ylim=(0, 1))
    return ax


def distributions(ax: Axes, values: dict[str, np.ndarray], unit: str, bins: int = 60) -> Axes:
    """Outlined histograms on common bins, each as a share of its own values.

    Args:
        values: name -> (n,) numbers; NaN is left out.
        unit: what the numbers are, for the axis.
    """
    values = {name: v[~np.isnan(v)] for name, v in values.items()}
    edges = np.histogram_bin_edges(np.concatenate(list(values.values())), bins)
    for name, v in values.items():
        share = np.histogram(v, edges)[0] / max(len(v), 1)
        ax.stairs(share, edges, label=name, linewidth=1.4)
    ax.set(xlabel=unit, ylabel="share of faces")
    return ax


# Ends of two kinds, which never look alike.
_RANGE = {"ecolor": "black", "elinewidth": 1, "capsize": 3}
_INTERVAL = {"ecolor": "#0006", "elinewidth": 5}


def grouped_bars(
    ax: Axes,
    table: pd.DataFrame,
    low: pd.DataFrame | None = None,
    high: pd.DataFrame | None = None,
    unit: str = "RMSE (px)",
    seeds: pd.DataFrame | None = None,
) -> Axes:
    """Grouped bars with values on top.

    Args:
        table: DataFrame, one group per index entry, one bar per column.
        low, high: DataFrames of the same shape, ends of the error bars; NaN = none.
        seeds: DataFrame of the same shape, number of trainings: of one the ends are an interval
            over test faces, of several a range, and the two look different and have names. None:
            all ends are of one kind, which the caption names.
    """
    groups, series = table.shape
    width = 0.8 / series
    for j, column in enumerate(table.columns):
        x = np.arange(groups) + (j - (series - 1) / 2) * width
        values = table[column].to_numpy(float)
        ends = None
        if low is not None:
            ends = np.stack([values - low[column], high[column] - values]).clip(0)
        bars = ax.bar(x, values, width * 0.92, label=str(column).replace("_", " "), yerr=ends,
                      error_kw={"elinewidth": 0})  # fmt: skip
        if low is not None:
            one = np.zeros(groups, bool) if seeds is None else seeds[column].to_numpy() == 1
            for kind, style in ((~one, _RANGE), (one, _INTERVAL)):
                ax.errorbar(x[kind], values[kind], ends[:, kind], fmt="none", **style)
        digits = np.digitize(np.abs(values), [99.5, 9.95])  # three figures, at most two decimals
        texts = [
            f"{v:.{d}f}" if np.isfinite(v) else "" for v, d in zip(values, digits, strict=True)
        ]
        ax.bar_label(bars, texts, fontsize=7, padding=2)
    if seeds is not None:
        words = ("range over seeds", _RANGE), ("95 % bootstrap interval, one training", _INTERVAL)
        for name, style in words:
            ax.plot([], [], color=style["ecolor"], linewidth=style["elinewidth"], label=name)
    ax.set_xticks(np.arange(groups), [str(name).replace("_", " ") for name in table.index])
    ax.set(ylabel=unit)
    return ax


def reference(ax: Axes, value: float, text: str, ends: tuple[float, float] | None = None) -> Axes:
    """A dashed line at a figure from elsewhere, named in the legend.

    Args:
        ends: x of both ends; None = across the axes.
    """
    style = {"color": "black", "linestyle": "--", "linewidth": 0.9, "zorder": 3, "label": text}
    if ends is None:
        ax.axhline(value, **style)
    else:
        ax.plot(ends, (value, value), **style)
    return ax


def labelled_scatter(
    ax: Axes, series: dict[str, dict[str, tuple[float, float]]], xlabel: str, ylabel: str
) -> Axes:
    """Points with their names on logarithmic axes (paper A, figure 8).

    Args:
        series: name -> {label: (x, y)}; the points of the first series are filled and labelled,
            those of the others hollow.
    """
    for number, (name, points) in enumerate(series.items()):
        style = {"facecolor": COLOURS[number] if number == 0 else "none", "s": 36 + 50 * number}
        ax.scatter(
            *zip(*points.values(), strict=True), label=name, edgecolor=COLOURS[number], **style
        )
    ax.margins(0.15, 0.12)
    ax.grid(axis="x", alpha=0.3)
    ax.set(xlabel=xlabel, ylabel=ylabel, xscale="log", yscale="log")
    log_ticks(ax.xaxis)
    log_ticks(ax.yaxis)
    points = next(iter(series.values()))
    heights = ax.transData.transform([*points.values()])[:, 1] * 72 / ax.figure.dpi
    below = np.inf  # labels from the top down, each at least a line below the last
    for height, (label, point) in sorted(zip(heights, points.items(), strict=True), reverse=True):
        below = min(height - 8, below - 10)
        ax.annotate(
            label.replace("_", " "), point, xytext=(8, below - height), textcoords="offset points",
            fontsize=8,
        )  # fmt: skip
    return ax


def dots(
    ax: Axes,
    table: pd.DataFrame,
    low: pd.DataFrame | None = None,
    high: pd.DataFrame | None = None,
    unit: str = "ms",
    log: bool = True,
) -> Axes:
    """One line per row of a table and one marker per column.

    Args:
        table: DataFrame of positive numbers.
        low, high: DataFrames of the same shape, ends of the whiskers.
        log: on a logarithmic axis; else from zero.
    """
    lines = np.arange(len(table))
    for column, marker in zip(table.columns, cycle("osDv^P*X"), strict=False):
        values = table[column].to_numpy(float)
        error = None
        if low is not None:
            error = np.stack([values - low[column], high[column] - values]).clip(0)
        ax.errorbar(values, lines, xerr=error, fmt=marker, capsize=2, elinewidth=1,
                    label=str(column).replace("_", " "))  # fmt: skip
    ax.set_yticks(lines, [str(name).replace("_", " ") for name in table.index])
    ax.set(xlabel=unit, ylim=(len(table) - 0.5, -0.5))
    if log:
        ax.set_xscale("log")
        log_ticks(ax.xaxis)
    else:
        ax.set_xlim(left=0)
    ax.grid(axis="x", alpha=0.3)
    return ax


def changes(ax: Axes, table: pd.DataFrame) -> Axes:
    """One line per change, its effect in % and the range over seeds (an ablation).

    Args:
        table: DataFrame with run, against, low and high, as `fkp.papers.best.ablation` returns it.
    """
    lines = np.arange(len(table))
    spread = np.stack([table["against"] - table["low"], table["high"] - table["against"]])
    ax.errorbar(table["against"], lines, xerr=spread.clip(0), fmt="o", capsize=2, elinewidth=1)
    ax.axvline(0, color="black", linewidth=0.9)
    ax.set_yticks(lines, [str(name).replace("-", " ") for name in table["run"]])
    ax.set(xlabel="change of the error (%); whiskers: range over seeds")
    ax.set(ylim=(len(table) - 0.5, -0.5))
    ax.grid(axis="x", alpha=0.3)
    return ax


def reliability(ax: Axes, parts: dict[str, dict[str, list[float]]]) -> Axes:
    """Measured against expected errors, with the line on which they are equal.

    Args:
        parts: name -> {"expected", "measured"}, px, as `fkp.measure.calibration.deciles` gives.
    """
    for name, one in parts.items():
        ax.plot(one["expected"], one["measured"], "o-", label=name)
    end = max(max(one["expected"] + one["measured"]) for one in parts.values())
    ax.plot((0, end), (0, end), color="black", linestyle=":", linewidth=0.9, label="as expected")
    ax.set(xlabel="expected error (px of the crop)", ylabel="measured error (px)")
    return ax
