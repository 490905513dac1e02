"""Faces and what is labelled on them."""

from itertools import product

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fkp.data.faces import Faces
from fkp.data.schemes import Scheme
from fkp.plots.style import COLOURS, PREDICTED, TRUE


def grid(n: int, columns: int = 8, side: float = 1.6) -> tuple[Figure, np.ndarray]:
    """A figure of `n` square panels."""
    rows = -(-n // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(columns * side, rows * side * 1.12), squeeze=False
    )
    for ax in axes.flat:
        ax.set_axis_off()
    return figure, axes.flat[:n]


def face(
    ax: Axes,
    image: np.ndarray,
    points: np.ndarray | None = None,
    scheme: Scheme | None = None,
    predicted: np.ndarray | None = None,
    title: str = "",
) -> Axes:
    """An image with true (green) and predicted points (red), outlined if `scheme` is given.

    Args:
        image: uint8 (h, w, c).
        points, predicted: (k, 2) pixels; NaN points are not drawn.
    """
    ax.imshow(image.squeeze(), cmap="gray", vmin=0, vmax=255)
    size = 14 if len(points if points is not None else predicted) <= 20 else 3
    for values, colour in ((points, TRUE), (predicted, PREDICTED)):
        if values is None:
            continue
        for region, indices in scheme.regions.items() if scheme else ():
            outline = list(indices) + [indices[0]] * (region in scheme.closed)
            ax.plot(*values[outline].T, color=colour, linewidth=0.6, alpha=0.7)
        ax.scatter(*values.T, s=size, color=colour, edgecolor="white", linewidth=0.3, zorder=3)
    ax.set(xlim=(-0.5, image.shape[1] - 0.5), ylim=(image.shape[0] - 0.5, -0.5))
    ax.set_axis_off()
    ax.set_title(title, fontsize=7, pad=2)
    return ax


def same_faces(examples: dict[str, dict], side: int) -> Figure:
    """Labels (green) and predictions (red) of several models, without the photographs.

    Args:
        examples: model -> points and predicted, (n, k, 2) px, of the same faces: a row of panels.
        side: of the images, px.
    """
    columns = len(next(iter(examples.values()))["points"])
    figure, axes = grid(len(examples) * columns, columns, side=1.15)
    blank = np.full((side, side), 255, np.uint8)
    for ax, (model, i) in zip(axes, product(examples, range(columns)), strict=True):
        given = {of: np.array(examples[model][of][i]) for of in ("points", "predicted")}
        face(ax, blank, **given)
        if i == 0:
            ax.set_title(model, fontsize=7, pad=2, loc="left")
    return figure


def point_cloud(ax: Axes, faces: Faces) -> Axes:
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


def labels_per_point(ax: Axes, faces: Faces) -> Axes:
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


def complete_rows(ax: Axes, faces: Faces) -> Axes:
    """Two bars: complete and incomplete rows, with their share."""
    complete = int(faces.complete.sum())
    counts = [complete, len(faces) - complete]
    bars = ax.bar(["complete", "incomplete"], counts, color=COLOURS[:2])
    ax.bar_label(bars, [f"{c}\n{c / len(faces):.2%}" for c in counts], padding=3)
    ax.set(ylabel="rows", ylim=(0, len(faces) * 1.15))
    return ax
