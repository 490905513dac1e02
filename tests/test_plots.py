import matplotlib as mpl

mpl.use("agg")

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from fkp import plots
from fkp.data.faces import Faces
from fkp.data.schemes import IBUG_68, KAGGLE_15


@pytest.fixture
def ax():
    figure, ax = plt.subplots()
    yield ax
    figure.canvas.draw()
    plt.close(figure)


@pytest.fixture
def faces():
    points = np.random.default_rng(0).uniform(0, 31, (4, 15, 2)).astype(np.float32)
    points[2:, 3:] = np.nan
    return Faces(np.zeros((4, 32, 32, 1), np.uint8), points, KAGGLE_15, "test")


def test_a_face_shows_each_known_point_where_it_is(ax, faces):
    plots.face(ax, faces.images[2], faces.points[2], predicted=faces.points[0])
    true, predicted = (np.asarray(c.get_offsets()) for c in ax.collections)
    assert np.isfinite(true).all(axis=1).sum() == 3 and len(predicted) == 15
    np.testing.assert_allclose(true[:3], faces.points[2, :3])
    assert ax.get_ylim() == (31.5, -0.5)


def test_outlines_follow_the_regions_of_the_scheme(ax):
    points = np.random.default_rng(0).uniform(0, 31, (68, 2)).astype(np.float32)
    plots.face(ax, np.zeros((32, 32, 3), np.uint8), points, scheme=IBUG_68)
    assert len(ax.lines) == len(IBUG_68.regions)
    assert [len(line.get_xdata()) for line in ax.lines if len(line.get_xdata()) == 7]


def test_bars_count_labels_and_complete_rows(ax, faces):
    plots.labels_per_point(ax, faces)
    assert [bar.get_width() for bar in ax.patches] == [4] * 3 + [2] * 12
    ax.clear()
    plots.complete_rows(ax, faces)
    assert [bar.get_height() for bar in ax.patches] == [2, 2]
    assert "50.00%" in ax.texts[0].get_text()


def test_history_has_readable_ticks(ax):
    rows = [
        {"epoch": i, "train_rmse": 3.0 / (i + 1), "validation_rmse": 4.0 / (i + 1)}
        for i in range(5)
    ]
    plots.history(ax, rows, label="mask")
    assert [line.get_label() for line in ax.lines] == ["mask validation", "mask training"]
    assert {0.7, 1.0, 1.5, 2.0, 3.0} <= {round(float(tick), 3) for tick in ax.get_yticks()}


def test_grouped_bars_stand_beside_each_other(ax):
    table = pd.DataFrame({"none": [2.0, 3.0], "mask": [1.0, np.nan]}, index=["a", "b"])
    plots.grouped_bars(ax, table, table - 0.1, table + 0.1)
    assert "range over seeds" not in ax.get_legend_handles_labels()[1]
    heights = [bar.get_height() for bar in ax.patches]
    assert heights[:3] == [2.0, 3.0, 1.0] and np.isnan(heights[3])
    centres = [bar.get_x() + bar.get_width() / 2 for bar in ax.patches]
    assert centres[0] < centres[2] and centres[0] + centres[2] == pytest.approx(0)


def test_a_range_over_seeds_and_an_interval_of_one_training_look_different(ax):
    table = pd.DataFrame({"none": [2.0, 3.0]}, index=["a", "b"])
    seeds = pd.DataFrame({"none": [1, 3]}, index=["a", "b"])
    plots.grouped_bars(ax, table, table - 0.1, table + 0.1, seeds=seeds)
    drawn = [lines for lines in ax.collections if lines.get_linewidth()[0] > 0]
    one, several = sorted(drawn, key=lambda lines: lines.get_segments()[0][0][0])
    assert one.get_linewidth()[0] > 3 * several.get_linewidth()[0]
    names = ax.get_legend_handles_labels()[1]
    assert {"range over seeds", "95 % bootstrap interval, one training"} < {*names}


def test_curves_and_clouds(ax, faces):
    plots.ced(ax, {"model": np.array([4.0, 2.0, 4.0, 9.0, np.nan])})
    assert ax.get_xlim() == (0, 8) and ax.lines[0].get_label() == "model"
    x, y = ax.lines[0].get_data()
    assert [max(y[x <= at]) for at in (2, 3.9, 4, 8)] == [0.25, 0.25, 0.75, 0.75]
    ax.clear()
    plots.point_cloud(ax, faces)
    assert len(ax.collections) == 16
    ax.clear()
    plots.per_point(ax, {"model": dict.fromkeys(KAGGLE_15.labels, 1.0)})
    assert ax.yaxis_inverted()


def test_budgets_that_lie_close_share_a_label(ax):
    table = pd.DataFrame({"a": [3.0, 2.0, 1.5, 1.4]}, index=[50_000, 100_000, 275_000, 316_000])
    plots.budgets(ax, table, table - 0.1, table + 0.1)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["50k", "100k", "275k"]
    assert ax.lines[0].get_xdata().tolist() == [*table.index]


def test_a_grid_has_as_many_panels_as_asked():
    figure, axes = plots.grid(10, columns=4)
    assert len(axes) == 10 and len(figure.axes) == 12
    plt.close(figure)


def test_models_stand_below_one_another_on_the_same_faces():
    labels = np.arange(24.0).reshape(3, 4, 2)
    examples = {
        name: {"points": labels.tolist(), "predicted": (labels + 1).tolist()} for name in "ab"
    }
    figure = plots.same_faces(examples, 32)
    assert len(figure.axes) == 6
    assert [ax.get_title("left") for ax in figure.axes] == ["a", "", "", "b", "", ""]
    true, predicted = (dots.get_offsets() for dots in figure.axes[4].collections)
    np.testing.assert_array_equal(true, labels[1])
    np.testing.assert_array_equal(predicted, labels[1] + 1)


def test_trials_and_parallel_coordinates_leave_out_what_failed_or_never_varies(ax):
    frame = pd.DataFrame(
        {
            "dense": [32, 64, 64],
            "depth": [3, 3, 3],
            "learning_rate": [1e-3, 1e-2, 1e-3],
            "parameters": pd.array([60_000, 1_200_000, None], "Int64"),
            "validation_rmse": [2.5, 3.5, np.nan],
        }
    )
    plots.trials(ax, frame)
    assert len(ax.collections[0].get_offsets()) == 2
    np.testing.assert_allclose(ax.collections[1].get_offsets(), [[60_000, 2.5]])
    plots.trials(plt.figure().subplots(), frame.head(1)).figure.canvas.draw()
    ax.clear()
    plots.parallel_coordinates(ax, frame.dropna(), "validation_rmse", log=["learning_rate"])
    names = [label.get_text() for label in ax.get_xticklabels()]
    assert names == ["dense", "learning\nrate", "parameters", "validation\nrmse"]
    worst, best = (line.get_ydata() for line in ax.lines)
    np.testing.assert_allclose([worst, best], [[1, 1, 1, 1], [0, 0, 0, 0]])
    ax.clear()
    plots.parallel_coordinates(ax, frame.head(1), "validation_rmse", log=["learning_rate"])
    assert len(ax.lines) == 1 and len(ax.get_xticks()) == 5


def test_an_architecture_shows_each_layer_that_changes_the_shape(ax):
    rows = [
        ("pixels", "InputLayer", (32, 32, 1), 0),
        ("conv1_3x3", "Conv2D", (32, 32, 8), 80),
        ("relu1", "ReLU", (32, 32, 8), 0),
        ("pool1", "MaxPooling2D", (16, 16, 8), 0),
        ("flatten", "Flatten", (2048,), 0),
        ("dense", "Dense", (30,), 61_470),
    ]
    layers = pd.DataFrame(rows, columns=["layer", "kind", "output", "parameters"])
    plots.architecture(ax, layers)
    assert [patch.get_height() for patch in ax.patches[:3]] == [1, 1, 0.5]
    texts = [text.get_text() for text in ax.texts]
    assert texts[::2] == ["pixels", "conv1 3×3", "pool1", "flatten", "dense"]
    assert texts[3] == "32×32×8\n80"


def test_distributions_are_shares_of_their_own_values(ax):
    values = {"a": np.array([0.0, 1, 1, np.nan]), "b": np.arange(2000.0) / 1000}
    plots.distributions(ax, values, "px", bins=4)
    shares = [patch.get_data().values for patch in ax.patches]
    assert [share.sum() for share in shares] == pytest.approx([1, 1])
    assert ax.get_legend_handles_labels()[1] == ["a", "b"]


def test_a_reference_is_a_line_at_its_value(ax):
    plots.reference(ax, 1.06, "theirs")
    assert ax.lines[0].get_ydata() == [1.06, 1.06] and ax.lines[0].get_label() == "theirs"


def test_scatter_names_the_first_series_and_dots_follow_the_rows_of_the_table(ax):
    plots.labelled_scatter(
        ax,
        {"ours": {"a_b": (1, 2), "c": (30, 4), "e": (3, 4.1)}, "theirs": {"d": (5, 6)}},
        "x",
        "y",
    )
    ax.figure.draw_without_rendering()
    assert {text.get_text() for text in ax.texts} == {"a b", "c", "e"}
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not any(a.overlaps(b) for a, b in combinations(boxes, 2))
    ax.clear()
    table = pd.DataFrame({"slow": [20.0, 40.0], "fast": [1.0, 2.0]}, index=["m_1", "m_2"])
    plots.dots(ax, table, table * 0.9, table * 1.2)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["m 1", "m 2"]
    assert ax.get_xscale() == "log" and len(ax.containers) == 2


def test_an_ablation_shows_each_change_and_its_range(ax):
    table = pd.DataFrame(
        {"run": ["recipe", "no-warp"], "against": [0.0, 12.0], "low": [0, 10], "high": [0, 15]}
    )
    plots.changes(ax, table)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["recipe", "no warp"]
    (bars,) = ax.containers
    assert [*bars[0].get_xdata()] == [0, 12]
    np.testing.assert_allclose(bars[2][0].get_segments()[1][:, 0], [10, 15])


def test_reliability_has_the_line_of_the_right(ax):
    plots.reliability(ax, {"a": {"expected": [1.0, 2.0], "measured": [1.5, 4.0]}})
    curve, line = ax.lines
    assert [*curve.get_ydata()] == [1.5, 4.0] and [*line.get_xdata()] == [*line.get_ydata()] == [
        0,
        4,
    ]


def test_the_front_joins_what_nothing_beats(ax):
    table = pd.DataFrame(
        {
            "name": ["small", "fat", "tiny", "untimed"],
            "ours": [True, False, True, False],
            "mb": [1.0, 2.0, 0.3, np.nan],
            "nme": [3.0, 3.5, 3.6, 1.0],
        }
    )
    plots.pareto(ax, table, "mb", "nme", "MB", "%")
    (front,) = ax.lines
    assert [*front.get_xdata()] == [0.3, 1.0]
    assert {t.get_text() for t in ax.texts} == {"small", "fat", "tiny"}
