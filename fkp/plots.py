"""Charts and face panels: data and an `ax` in, the `ax` out; no files, no show."""

import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

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


def grid(n, columns=8, side=1.6):
    """A figure of `n` square panels.

    Returns:
        (figure, flat array of n axes).
    """
    rows = -(-n // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(columns * side, rows * side * 1.12), squeeze=False
    )
    for ax in axes.flat:
        ax.set_axis_off()
    return figure, axes.flat[:n]


def face(ax, image, points=None, scheme=None, predicted=None, title=None):
    """An image with its true points (green), outlines if `scheme` is given, and predicted (red).

    Args:
        image: uint8 (h, w, c).
        points, predicted: (k, 2) pixels; NaN points are not drawn.
    """
    ax.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=255)
    size = 14 if len(points if points is not None else predicted) <= 20 else 3
    if points is not None and scheme is not None:
        for region, indices in scheme.regions.items():
            outline = list(indices) + [indices[0]] * (region in scheme.closed)
            ax.plot(*points[outline].T, color=TRUE, linewidth=0.6, alpha=0.7)
    for values, colour in ((points, TRUE), (predicted, PREDICTED)):
        if values is not None:
            ax.scatter(*values.T, s=size, color=colour, edgecolor="white", linewidth=0.3, zorder=3)
    ax.set(xlim=(-0.5, image.shape[1] - 0.5), ylim=(image.shape[0] - 0.5, -0.5))
    ax.set_axis_off()
    if title is not None:
        ax.set_title(title, fontsize=7, pad=2)
    return ax


def labels_per_point(ax, faces):
    """Horizontal bars: rows in which each point is labelled (paper A, figure 1)."""
    counts = faces.labelled.sum(axis=0)
    names = [label.replace("_", " ") for label in faces.scheme.labels]
    bars = ax.barh(names, counts)
    ax.bar_label(bars, padding=3, fontsize=7)
    ax.invert_yaxis()
    ax.grid(axis="x", alpha=0.3)
    ax.grid(visible=False, axis="y")
    ax.set(xlabel="rows with this point labelled", xlim=(0, len(faces) * 1.1))
    return ax


def complete_rows(ax, faces):
    """Two bars: complete and incomplete rows, with their share."""
    complete = int(faces.complete.sum())
    counts = [complete, len(faces) - complete]
    bars = ax.bar(["complete", "incomplete"], counts, color=COLOURS[:2])
    ax.bar_label(bars, [f"{c}\n{c / len(faces):.2%}" for c in counts], padding=3)
    ax.set(ylabel="rows", ylim=(0, len(faces) * 1.15))
    return ax


def history(ax, rows, label="", colour=None, train=True):
    """Validation RMSE (solid) and training RMSE (dotted) per epoch.

    Args:
        rows: list of dicts with epoch, train_rmse, validation_rmse, as `fkp.train.fit` returns.
    """
    epochs = [row["epoch"] + 1 for row in rows]
    marker = "." if len(epochs) < 3 else ""
    (line,) = ax.plot(
        epochs,
        [row["validation_rmse"] for row in rows],
        marker=marker,
        label=f"{label} validation".strip() if train else label,
        color=colour,
    )
    if train:
        ax.plot(
            epochs,
            [row["train_rmse"] for row in rows],
            ":",
            marker=marker,
            color=line.get_color(),
            label=f"{label} training".strip(),
        )
    ax.set(xlabel="epoch", ylabel="RMSE (px)", yscale="log")
    ticks = tick_values(ax.get_ylim())
    ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    return ax


def tick_values(limits):
    """Round tick values (1-1.5-2-3-5-7 steps) inside the limits of a logarithmic axis."""
    low, high = limits
    powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    values = np.sort(np.outer((1, 1.5, 2, 3, 5, 7), powers).ravel())
    return [float(f"{v:g}") for v in values if low <= v <= high]


def per_point(ax, errors):
    """RMSE per point, one marker series per model.

    Args:
        errors: name -> {label: RMSE in px}.
    """
    for name, values in errors.items():
        labels = [label.replace("_", " ") for label in values]
        style = "o" if len(labels) <= 20 else "-"
        ax.plot(list(values.values()), labels if style == "o" else range(len(labels)), style,
                label=name)  # fmt: skip
    ax.invert_yaxis()
    ax.grid(axis="x", alpha=0.3)
    ax.set(xlabel="RMSE (px)")
    ax.set_xlim(left=0)
    return ax


def ced(ax, curves, unit="inter-ocular NME (%)"):
    """Cumulative error distributions.

    Args:
        curves: name -> (x, y) as `fkp.evaluate.ced` returns.
    """
    for name, (x, y) in curves.items():
        ax.plot(x, y, label=name)
    ax.set(xlabel=unit, ylabel="share of faces", ylim=(0, 1))
    ax.set_xlim(left=0)
    return ax


def grouped_bars(ax, table, low=None, high=None, unit="RMSE (px)"):
    """Grouped bars with values on top.

    Args:
        table: DataFrame, one group per index entry, one bar per column.
        low, high: DataFrames of the same shape, ends of the error bars; NaN = none.
    """
    groups, series = table.shape
    width = 0.8 / series
    for j, column in enumerate(table.columns):
        x = np.arange(groups) + (j - (series - 1) / 2) * width
        values = table[column].to_numpy(float)
        error = None
        if low is not None:
            error = np.stack([values - low[column], high[column] - values]).clip(0)
        bars = ax.bar(x, values, width * 0.92, label=str(column).replace("_", " "), yerr=error,
                      error_kw={"elinewidth": 1, "capsize": 2})  # fmt: skip
        ax.bar_label(bars, [f"{v:.2f}" if np.isfinite(v) else "" for v in values], fontsize=7,
                     padding=2)  # fmt: skip
    ax.set_xticks(np.arange(groups), [str(name).replace("_", " ") for name in table.index])
    ax.set(ylabel=unit)
    return ax


def point_cloud(ax, faces):
    """Every labelled point of every face, one colour per point of the scheme, means in black."""
    h, w, _ = faces.image_shape
    alpha = float(np.clip(300 / max(len(faces), 1), 0.03, 0.5))
    for i in range(len(faces.scheme)):
        colour = COLOURS[i % (len(COLOURS) - 1)]
        ax.scatter(*faces.points[:, i].T, s=2, alpha=alpha, color=colour, linewidth=0,
                   rasterized=True)  # fmt: skip
    ax.scatter(*np.nanmean(faces.points, axis=0).T, s=9, color="black", zorder=3)
    ax.set(xlim=(-0.5, w - 0.5), ylim=(h - 0.5, -0.5), aspect="equal", xlabel="x (px)",
           ylabel="y (px)")  # fmt: skip
    return ax


def distributions(ax, values, unit, bins=60):
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


def trials(ax, frame):
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
    ticks = tick_values(ax.get_xlim())
    ax.set_xticks(ticks, [f"{tick / 1000:g}k" for tick in ticks])
    ax.minorticks_off()
    return ax


def parallel_coordinates(ax, frame, score, log=()):
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


def architecture(ax, layers):
    """Block diagram of a chain of layers, input to the left.

    Maps are drawn as blocks whose height is their side and whose thickness grows with their
    channels; vectors as bars. What changes no shape (activation, normalisation, ...) is left out.

    Args:
        layers: DataFrame with layer, kind, output (shape without the batch), parameters, as
            `fkp.models.layer_table` returns it.
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


def reference(ax, value, text):
    """A dashed line across the axes at a figure from elsewhere, named in the legend."""
    ax.axhline(value, color="black", linestyle="--", linewidth=0.9, zorder=3, label=text)
    return ax


def labelled_scatter(ax, series, xlabel, ylabel):
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
    for label, point in next(iter(series.values())).items():
        ax.annotate(
            label.replace("_", " "), point, xytext=(8, -10), textcoords="offset points", fontsize=8,
        )  # fmt: skip
    ax.margins(0.15, 0.12)
    ax.grid(axis="x", alpha=0.3)
    ax.set(xlabel=xlabel, ylabel=ylabel, xscale="log", yscale="log")
    log_ticks(ax.xaxis)
    log_ticks(ax.yaxis)
    return ax


def dots(ax, table, low=None, high=None, unit="ms"):
    """One line per row of a table and one marker per column, on a logarithmic axis.

    Args:
        table: DataFrame of positive numbers.
        low, high: DataFrames of the same shape, ends of the whiskers.
    """
    lines = np.arange(len(table))
    for column, marker in zip(table.columns, "osDv^P*", strict=False):
        values = table[column].to_numpy(float)
        error = None
        if low is not None:
            error = np.stack([values - low[column], high[column] - values]).clip(0)
        ax.errorbar(values, lines, xerr=error, fmt=marker, capsize=2, elinewidth=1,
                    label=str(column).replace("_", " "))  # fmt: skip
    ax.set_yticks(lines, [str(name).replace("_", " ") for name in table.index])
    ax.set(xlabel=unit, xscale="log", ylim=(len(table) - 0.5, -0.5))
    log_ticks(ax.xaxis)
    ax.grid(axis="x", alpha=0.3)
    return ax


def log_ticks(axis):
    """Plain numbers on a logarithmic axis: powers of ten, with steps between where they are few."""
    low, high = axis.get_view_interval()
    decades = np.log10(high / low)
    steps = (1, 2, 3, 5, 7) if decades < 1 else (1, 2, 5) if decades < 2.6 else (1,)
    axis.set_major_locator(mpl.ticker.LogLocator(subs=steps))
    axis.set_major_formatter("{x:,g}")
    axis.set_minor_locator(mpl.ticker.NullLocator())
