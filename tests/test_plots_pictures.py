import matplotlib.pyplot as plt
import numpy as np
import pytest

from fkp import plots


def images(n, value=0):
    return [np.full((8, 12, 3), value, np.uint8) for _ in range(n)]


def test_a_sheet_has_a_row_per_title_and_a_column_per_image():
    figure = plots.sheet({"before": images(3), "after": images(3, 255)}, side=1)
    assert len(figure.axes) == 6
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["before", "", "", "after", "", ""]
    assert figure.axes[4].images[0].get_array().min() == 255
    assert figure.get_size_inches()[0] == 3
    plt.close(figure)


def test_a_sheet_shows_the_boxes_of_its_columns():
    figure = plots.sheet({"a": images(2), "b": images(2)}, boxes=[(1, 2, 5, 6), (0, 0, 11, 7)])
    for ax, limits in zip(figure.axes, [(1, 5, 6, 2), (0, 11, 7, 0)] * 2, strict=True):
        assert (*ax.get_xlim(), *ax.get_ylim()) == limits
    plt.close(figure)


def test_rows_of_a_sheet_are_equally_long():
    with pytest.raises(ValueError, match="zip"):
        plots.sheet({"a": images(2), "b": images(3)})
    plt.close("all")
