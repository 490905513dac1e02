"""Files of points for tests."""

from pathlib import Path

import numpy as np


def write_pts(file, points):
    """Write points (68, 2), 0-based, as a .pts file (1-based, three decimals as in 300-W)."""
    lines = [f"{x + 1:.3f} {y + 1:.3f}" for x, y in np.asarray(points, dtype=float)]
    header = ["version: 1", f"n_points: {len(lines)}", "{"]
    Path(file).write_text("\n".join([*header, *lines, "}", ""]))
