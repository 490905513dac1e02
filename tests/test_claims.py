import numpy as np
import pandas as pd
import pytest

from fkp.papers import claims


def scores(**changes):
    """Made-up RMSE of every variant; the paper's conclusions 1, 3 and 4 hold."""
    rmse = pd.DataFrame(
        {"none": 3.0, "ffill": 2.5, "knn": 2.4, "augment": 2.0},
        index=["manual_cnn", "tuned_cnn, paper space", "mobilenet_v2, frozen"],
    )
    rmse.loc["mobilenet_v2, fine-tuned"] = rmse.loc["mobilenet_v2, frozen"] - 0.05
    for variant, values in changes.items():
        rmse.loc[variant.replace("__", ", ")] = values
    return pd.concat({"rmse": rmse, "rmse_complete": rmse + 0.5}, axis=1)


TIMES = pd.DataFrame(
    {("keras_predict", 1): [40.0, 42.0, 60.0], ("litert", 1): [1.0, 1.5, 4.0]},
    index=["mobilenet_v2", "manual_cnn", "baseline_cnn"],
)
COSTS = pd.DataFrame(
    {"parameters": [2.0, 0.2, 1.9], "multiply_adds": [55, 70, 390]}, index=TIMES.index
)


def judged(scores, times=TIMES, leaks=(0.4, 0.6), floor=5.0):
    sizes = pd.DataFrame(300, index=scores.index, columns=scores["rmse"].columns)
    sizes.loc["manual_cnn"] = 235
    table = claims.conclusions(scores, sizes, times, COSTS, list(leaks), floor)
    return table.set_index(table["the paper's conclusion"].str[1] + table.groupby(
        table["the paper's conclusion"].str[1]).cumcount().map({0: "", 1: "b"}))  # fmt: skip


def test_every_conclusion_has_its_number_and_range():
    found = judged(scores())
    assert found["verdict"].to_dict() == {
        "1": "holds",
        "1b": "holds",
        "2": "holds",
        "3": "holds",
        "3b": "holds",
        "4": "holds",
        "5": "holds",
        "6": "not shown",
    }
    assert found.loc["3", "median"] == pytest.approx(-0.4) and found.loc["3", "comparisons"] == 4
    assert found.loc["2", "range"] == "0.67 to 0.95"
    assert found.loc["6", "median"] == pytest.approx(0.5)


def test_a_verdict_turns_with_the_numbers():
    worse = scores(manual_cnn=[3, 2.5, 2.4, 2.9])
    assert judged(worse).loc[["1", "3"], "verdict"].tolist() == ["mixed", "mixed"]
    apart = scores(mobilenet_v2__fine_tuned=[1, 1, 1, 1])
    apart = apart.rename(index={"mobilenet_v2, fine_tuned": "mobilenet_v2, fine-tuned"})
    apart = apart[~apart.index.duplicated(keep="last")]
    assert judged(apart).loc["4", "verdict"] == "does not hold"
    slow = TIMES.mul([3, 1, 1], axis=0)
    assert judged(scores(), slow).loc["2", "verdict"] == "does not hold"
    assert judged(scores(), TIMES.mul([30, 1, 1], axis=0)).loc["5", "verdict"] == "does not hold"


def test_what_has_learnt_nothing_does_not_count_for_augmentation():
    found = judged(scores(mobilenet_v2__frozen=[4.9, 4.6, 4.6, 4.9]))
    assert found.loc["3", "comparisons"] == 3 and found.loc["3", "verdict"] == "holds"


def test_every_model_counts_where_the_mean_face_was_not_scored():
    assert judged(scores(), floor=np.nan).loc["3", "comparisons"] == 4


def test_networks_from_scratch_do_not_count_for_transfer_learning():
    scratch = scores().rename(index=lambda name: f"{name}, from scratch")
    assert judged(scratch).loc["4", "verdict"] == "not run"


def test_equal_is_not_superior():
    equal = scores(manual_cnn=[3, 2.5, 2.4, 2.35])
    assert judged(equal).loc["3", "verdict"] == "mixed"


def test_what_has_not_run_is_said():
    found = judged(scores().loc[["manual_cnn"]], times=None, leaks=())
    assert found.loc[["1", "4", "6"], "verdict"].tolist() == ["not run"] * 3
    assert "2" not in found.index and found.loc["1", "comparisons"] == 0


def test_missing_comparisons_do_not_count():
    holes = scores()
    holes.loc["tuned_cnn, paper space", ("rmse", "knn")] = np.nan
    assert judged(holes).loc["1", "comparisons"] == 3


LANDMARKS = pd.DataFrame(
    {
        "mse_256px": [100.0, 50.0, 10.0],
        "mse_256px_validation": [110.0, 40.0, 50.0],
        "nme_ocular": [9.0, 6.0, 3.0],
        "within_3px": [50.0, 70.0, 96.0],
        "within_5px": [60.0, 80.0, 99.0],
        "nmse": [1.6e-3, 8e-4, 3e-4],
        "nmse_validation": [1.7e-3, 7e-4, 4e-4],
    },
    index=["cnn", "forest", "resnet"],
)
MODELS = pd.Series({"cnn": "paper_c_cnn", "forest": "forest", "resnet": "resnet18"})


def test_paper_c_is_judged_by_ratios_between_its_models():
    found = claims.of_landmarks("C", LANDMARKS, MODELS)
    assert found["median"].tolist() == pytest.approx(
        [0.1, 0.2, 0.5, 0.8, 100 / 132.62, 50 / 81.67, 10 / 20.40]
    )
    assert (found["verdict"] == "holds").all()
    worse = claims.of_landmarks("C", LANDMARKS.assign(mse_256px=[5.0, 50.0, 10.0]), MODELS)
    assert worse["verdict"].tolist()[:3] == ["does not hold", "holds", "does not hold"]


def test_paper_d_is_judged_by_its_own_figures_and_by_whether_they_fit():
    found = claims.of_landmarks("D", LANDMARKS, MODELS[["resnet"]])
    assert found["verdict"].tolist() == ["holds", "holds", "does not hold", "holds", "holds"]
    assert found["median"].tolist() == pytest.approx([3.0, 0.4, 6.0, 4.0, 1.0])
    every = claims.of_landmarks("D", LANDMARKS, MODELS)
    assert every["verdict"].tolist() == ["mixed", "mixed", "does not hold", "mixed", "mixed"]


def test_models_that_did_not_run_are_not_judged():
    found = claims.of_landmarks("C", LANDMARKS, MODELS[["cnn"]])
    assert found["verdict"].tolist() == ["not run"] * 4 + ["holds", "not run", "not run"]
    assert claims.of_landmarks(None, LANDMARKS, MODELS).empty
