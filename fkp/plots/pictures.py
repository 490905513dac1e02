"""Pictures side by side."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure


def sheet(
    rows: dict[str, list[np.ndarray]],
    boxes: Sequence[Sequence[float]] | None = None,
    side: float = 1.9,
) -> Figure:
    """Images in rows, each row under its title.

    Args:
        rows: title -> list of images, uint8 (h, w, 3); as many in every row.
        boxes: (left, top, right, bottom) of the part that each column shows, in pixels; None: all.
        side: width of a picture in inches.
    """
    columns = len(next(iter(rows.values())))
    figure, axes = plt.subplots(
        len(rows), columns, figsize=(columns * side, len(rows) * side * 1.1), squeeze=False
    )
    for line, (title, images) in zip(axes, rows.items(), strict=True):
        line[0].set_title(title, fontsize=8, loc="left", pad=3)
        for column, (ax, image) in enumerate(zip(line, images, strict=True)):
            ax.imshow(image)
            ax.set_axis_off()
            if boxes is not None:
                left, top, right, bottom = boxes[column]
                ax.set(xlim=(left, right), ylim=(bottom, top))
    return figure
