import numpy as np
import pandas as pd
import pytest

from fkp.papers import claims

PLAIN = {"fine_tune": "", "scratch": False, "size": "", "space": "", "jitter": False}
VARIANTS = {
    "by hand": {"model": "manual_cnn"},
    "tuned": {"model": "tuned_cnn", "space": "paper"},
    "frozen": {"model": "mobilenet_v2", "fine_tune": "none"},
    "fine-tuned": {"model": "mobilenet_v2", "fine_tune": "all"},
}


def trainings(**changes):
    """Made-up RMSE of every variant; the paper's conclusions 1, 3 and 4 hold.

    Args:
        **changes: variant, "_" for " " and "-" -> RMSE after none, ffill, knn, augment.
    """
    rmse = {name: [3.0, 2.5, 2.4, 2.0] for name in VARIANTS}
    rmse["fine-tuned"] = [2.95, 2.45, 2.35, 1.95]
    rmse |= {
        {"by_hand": "by hand", "fine_tuned": "fine-tuned"}.get(n, n): v for n, v in changes.items()
    }
    rows = [
        PLAIN | VARIANTS[name] | {"variant": name, "treatment": treatment, "rmse": value}
        for name, values in rmse.items()
        for treatment, value in zip(("none", "ffill", "knn", "augment"), values, strict=True)
    ]
    every = pd.DataFrame(rows).assign(parameters=300)
    every.loc[every["model"] == "manual_cnn", "parameters"] = 235
    return every.assign(rmse_complete=every["rmse"] + 0.5)


TIMES = pd.DataFrame(
    {("keras_predict", 1): [40.0, 42.0, 60.0, 61.0], ("litert", 1): [1.0, 1.5, 4.0, 4.1]},
    index=["mobilenet_v2", "manual_cnn", "baseline_cnn", "tuned_cnn"],
)
COSTS = pd.DataFrame(
    {"parameters": [2.0, 0.2, 1.9, 0.3], "multiply_adds": [55, 70, 390, 400]}, index=TIMES.index
)


FLOOR = {"rmse": 5.0, "rmse_complete": 5.5}


def judged(every, times=TIMES, leaks=(0.4, 0.6), floor=FLOOR):
    table = claims.conclusions(every, times, COSTS, list(leaks), floor)
    number = table["the paper's conclusion"].str.extract(r"\(([\w. ]+)\)")[0]
    return table.set_index(number + table.groupby(number).cumcount().map({0: "", 1: "b"}))


def test_every_conclusion_has_its_number_and_range():
    found = judged(trainings())
    assert found["verdict"].to_dict() == {
        "1": "holds",
        "1b": "holds",
        "2": "holds",
        "3": "holds",
        "3b": "holds",
        "4": "holds",
        "5": "holds",
        "6": "not shown",
        "section 4.3": "does not hold",
        "abstract": "holds",
        "abstractb": "holds",
    }
    assert found.loc["3", "median"] == pytest.approx(-0.4) and found.loc["3", "comparisons"] == 4
    assert found.loc["2", "range"] == "0.67 to 0.95"
    assert found.loc["6", "median"] == pytest.approx(0.5)


def test_a_verdict_turns_with_the_numbers():
    worse = trainings(by_hand=[3, 2.5, 2.4, 2.9])
    assert judged(worse).loc[["1", "3"], "verdict"].tolist() == ["mixed", "mixed"]
    apart = trainings(fine_tuned=[1, 1, 1, 1])
    assert judged(apart).loc["4", "verdict"] == "does not hold"
    slow = TIMES.mul([3, 1, 1, 1], axis=0)
    assert judged(trainings(), slow).loc["2", "verdict"] == "does not hold"
    slower = TIMES.mul([30, 1, 1, 1], axis=0)
    assert judged(trainings(), slower).loc["5", "verdict"] == "does not hold"


def test_what_has_learnt_nothing_does_not_count_for_augmentation():
    found = judged(trainings(frozen=[4.9, 4.6, 4.6, 4.9]))
    assert found.loc["3", "comparisons"] == 3 and found.loc["3", "verdict"] == "holds"


def test_the_mean_face_of_the_same_rows_decides_who_has_learnt():
    found = judged(trainings(), floor={"rmse": 5.0, "rmse_complete": 2.75})
    assert found.loc[["3", "3b"], "comparisons"].tolist() == [4, 1]  # 2.45 of the four's 2.5


def test_every_model_counts_where_the_mean_face_was_not_scored():
    assert judged(trainings(), floor=None).loc["3", "comparisons"] == 4
    assert judged(trainings(), floor={}).loc["3", "comparisons"] == 4


def drawn(every, spread=0.0, shared=0.3):
    """The same with draws: each network's RMSE, moved alike for all and a little for each."""
    alike = shared * np.linspace(-1, 1, 21)
    alone = np.random.default_rng(0).permuted(
        np.tile(spread * np.linspace(-1, 1, 21), (len(every), 1)), axis=1
    )
    both = {name: every[name].to_numpy()[:, None] + alike + alone for name in claims.ROWS}
    return every.assign(**{f"{name}_draws": [*draws.tolist()] for name, draws in both.items()})


def test_a_comparison_is_clear_where_its_interval_leaves_out_the_limit():
    assert "clear" not in judged(trainings())
    # What moves all networks alike does not blur how far they are apart.
    clear = judged(drawn(trainings(by_hand=[3, 2.5, 2.4, 2.9])))["clear"]
    assert clear[["3", "3b", "abstract"]].tolist() == ["4 of 4"] * 3
    assert clear[["1", "1b", "2", "5", "6"]].isna().tolist() == [False] + [True] * 4
    interval = judged(drawn(trainings()))["interval"]
    assert interval["3"] == "[-0.40, -0.40]" and interval[["1b", "2"]].isna().all()
    blurred = judged(drawn(trainings(by_hand=[3, 2.5, 2.4, 2.9]), spread=0.3))
    assert blurred.loc["3", "clear"] == "1 of 4" and blurred.loc["1", "clear"] == "1 of 4"
    assert blurred["verdict"].equals(judged(trainings(by_hand=[3, 2.5, 2.4, 2.9]))["verdict"])


def test_a_distance_near_nothing_has_no_narrower_interval():
    every = trainings(frozen=[2.955, 2.455, 2.355, 1.955])  # 0.005 from fine-tuned
    assert judged(drawn(every, spread=0.08, shared=0))["clear"]["4"] == "0 of 4"


def test_what_lies_at_the_limit_is_not_below_it():
    assert claims.row("", "", [[0.0], [0.0], [0.0]], 0)["clear"] == "1 of 1"
    assert claims.row("", "", [[0.1], [0.1], [-0.1]], 0)["clear"] == "0 of 1"


def test_where_one_of_two_networks_kept_no_draws_nothing_is_said():
    every = drawn(trainings())
    lacking = (every["variant"] == "tuned") & (every["treatment"] == "ffill")
    every["rmse_draws"] = every["rmse_draws"].where(~lacking)
    found = judged(every)
    assert found.loc[["1", "3", "4", "abstract"], "clear"].tolist() == [
        "3 of 3",
        "3 of 3",
        "4 of 4",
        "3 of 3",
    ]
    assert found.loc[["1", "3"], "comparisons"].tolist() == [4, 4]
    assert found.loc[["1", "4"], "interval"].isna().tolist() == [True, False]


def test_seeds_that_kept_draws_speak_for_those_that_did_not():
    first = drawn(trainings())
    second = first.assign(rmse=first["rmse"] + 1, rmse_draws=None)
    found = claims.resampled(pd.concat([first, second], ignore_index=True), "rmse")
    cell = found["by hand", "knn"]
    assert cell[0] == pytest.approx(2.9)
    assert cell[1:].tolist() == pytest.approx((2.9 + 0.3 * np.linspace(-1, 1, 21)).tolist())


def test_of_how_many_seeds_the_compared_means_are():
    every = trainings()
    twice = every[(every["variant"] == "by hand") & (every["treatment"] != "none")]
    found = judged(pd.concat([every, twice, twice[twice["treatment"] == "knn"]]))["seeds"]
    assert found.dropna().to_dict() == dict.fromkeys(["1", "3", "3b", "abstract"], "1 to 3") | {
        "4": "1"
    }


def test_of_treatments_that_are_not_the_papers_nothing_is_concluded():
    every = trainings()
    mask = every[every["treatment"] == "none"].assign(treatment="mask", rmse=[0.5, 1, 2, 3])
    pd.testing.assert_frame_equal(judged(pd.concat([every, mask])), judged(every))


def test_the_best_form_of_mobilenet_is_set_against_the_best_other_model():
    found = judged(trainings(by_hand=[3, 2.45, 1.175, 3])).loc["abstract"]
    assert (found["verdict"], found["range"], found["comparisons"]) == ("mixed", "0.97 to 2.00", 4)


def test_frozen_is_set_against_fine_tuned_at_any_size():
    sized = trainings(frozen=[9, 9, 9, 9]).assign(size=64)
    assert judged(sized).loc["4", "verdict"] == "does not hold"


@pytest.mark.parametrize("trait", [{"scratch": True}, {"jitter": True}])
def test_only_plain_backbones_from_weights_count_for_transfer_learning(trait):
    assert judged(trainings().assign(**trait)).loc["4", "verdict"] == "not run"


def test_times_of_our_networks_conclude_nothing():
    times, costs = (
        pd.concat([table, pd.DataFrame(0.1, ["tiny"], table.columns)]) for table in (TIMES, COSTS)
    )
    found = claims.conclusions(trainings(), times, costs, [0.4])
    alone = claims.conclusions(trainings(), TIMES, COSTS, [0.4])
    pd.testing.assert_frame_equal(found, alone)


def test_equal_is_not_lower():
    equal = trainings(by_hand=[3, 2.5, 2.4, 2.4])
    assert judged(equal).loc["3", "verdict"] == "mixed"


def test_what_has_not_run_is_said():
    every = trainings()
    found = judged(every[every["variant"] == "by hand"], times=None, leaks=())
    assert found.loc[["1", "4", "6"], "verdict"].tolist() == ["not run"] * 3
    assert "2" not in found.index and found.loc["1", "comparisons"] == 0


def test_missing_comparisons_do_not_count():
    every = trainings()
    hole = (every["variant"] == "tuned") & (every["treatment"] == "knn")
    assert judged(every[~hole]).loc["1", "comparisons"] == 3


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
    incomparable = 2 * ["not comparable"]  # in pixels of images of an unknown size
    said = ["holds", "mixed", "holds", "does not hold", *incomparable]
    assert found["verdict"].tolist() == said
    rivals = np.mean([3.0 / 3.34, 3.0 / 2.85])
    assert found["median"].tolist() == pytest.approx([3.0, rivals, 0.4, 6.0, 4.0, 1.0])
    every = claims.of_landmarks("D", LANDMARKS, MODELS)
    said = ["mixed", "mixed", "mixed", "does not hold", *incomparable]
    assert every["verdict"].tolist() == said


def test_our_own_models_are_not_judged():
    ours = MODELS.to_dict() | {"cnn": "keypoint_net", "forest": "tiny"}
    chosen = MODELS.to_dict() | {"cnn": "mobilenet_v2", "forest": "tiny"}
    alone = claims.of_landmarks("D", LANDMARKS, MODELS[["resnet"]])
    for models in (ours, chosen):
        pd.testing.assert_frame_equal(claims.of_landmarks("D", LANDMARKS, pd.Series(models)), alone)


def test_models_that_did_not_run_are_not_judged():
    found = claims.of_landmarks("C", LANDMARKS, MODELS[["cnn"]])
    assert found["verdict"].tolist() == ["not run"] * 4 + ["holds", "not run", "not run"]
    assert claims.of_landmarks(None, LANDMARKS, MODELS).empty


def test_of_ours_nothing_is_concluded():
    every = trainings()
    ours = every[every["variant"] == "by hand"].assign(model="tiny", variant="tiny", rmse=9.0)
    pd.testing.assert_frame_equal(judged(pd.concat([every, ours])), judged(every))


def test_where_every_test_row_is_complete_it_is_one_conclusion():
    every = trainings()
    assert "3b" not in judged(every.assign(rmse_complete=every["rmse"])).index
