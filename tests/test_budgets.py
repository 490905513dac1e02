import numpy as np
import pandas as pd
import pytest

from fkp.papers import budgets


def run(treatment, model="manual_cnn", at=(), end=2.0, seed=0, **parameters):
    """The metrics of a training scored at marks, each (images seen, RMSE), and at its end."""

    def scores(rmse):
        return {
            name: {"value": rmse + more, "low": rmse - 0.1, "high": rmse + 0.1}
            for name, more in {"rmse": 0, "rmse_complete": 0.5}.items()
        }

    images, end = at[-1] if at else (400, end)
    history = [{"epoch": epoch} for epoch in range(images // 100)]
    for images, rmse in at:
        history[images // 100 - 1] |= {"seen": images, "scores": scores(rmse)}
    parameters = {"treatment": treatment, "seed": seed, "epoch_size": 100} | parameters
    return {
        "model": {"name": model, "parameters": 1000},
        "training": {"rows": 50, "imputed_rmse": 1.5 if treatment == "knn" else None},
        "run": {"parameters": parameters},
        "history": history,
        "scores": scores(end),
    }


def test_scores_on_the_way_are_a_row_each_and_else_those_of_the_end():
    runs = [run("knn", at=[(200, 3.0), (400, 2.0)]), run("none", hide="kaggle"), run("mask")]
    frame = budgets.on_the_way([*runs, run("augment", epoch_size=None)])
    assert frame["images"].tolist() == [200, 400, 400, 400, 200]
    assert frame["rmse"].tolist() == [3.0, 2.0, 2.0, 2.0, 2.0]
    assert frame["imputed"].tolist()[:2] == [1.5, 1.5] and frame["imputed"][2:].isna().all()
    assert (
        frame["variant"][2] == "manual_cnn, labels hidden" and frame["variant"][3] == "manual_cnn"
    )


def test_a_training_that_stops_early_has_its_end_after_its_marks():
    early = run("none", at=[(100, 3.0), (400, 2.0)])
    early["history"].pop()
    marks = budgets.at_marks([early])
    assert [one["run"]["parameters"]["images"] for one in marks] == [100, 300]
    assert [one["scores"]["rmse"]["value"] for one in marks] == [3.0, 2.0]


def test_landmark_conclusions_are_judged_at_each_budget():
    column = ["nme_ocular", "nmse", "nmse_validation", "within_3px", "within_5px"]
    frame = pd.DataFrame(
        [
            ["paper", 100, 4.0, 0.002, np.nan, 90, 99],
            ["paper", 200, 3.0, 0.001, 0.001, 96, 99],
            ["ours", 200, 9.0, 0.009, 0.009, 10, 20],
        ],
        columns=["run", "images", *column],
    )
    models = pd.Series({"paper": "resnet18", "ours": "keypoint_net"})
    table = budgets.landmark_verdicts("D", frame, models)
    said = table.groupby("the paper's conclusion")[["images", "verdict"]].agg(list).T
    assert said["NME 3.28 % or less"].tolist() == [[100, 200], ["does not hold", "holds"]]
    (validation,) = (said[name] for name in said if name.startswith("Validation"))
    assert validation.tolist() == [[200], ["holds"]]
    rivals = table["measured"].str.contains("per method")
    assert set(table["comparisons"][~rivals]) == {1} and set(table["comparisons"][rivals]) == {2}


def crossing():
    two = {"knn": [2.5, 2.4], "augment": [2.9, 2.0], "ffill": [2.6, 2.6], "knn_augment": [2.2, 1.7]}
    return budgets.on_the_way(
        [run(name, at=[(100, first), (200, last)]) for name, (first, last) in two.items()]
    )


def test_conclusions_from_hidden_labels_say_so():
    two = {"knn": 2.5, "augment": 2.0, "ffill": 2.6}
    runs = [run(name, end=rmse, hide="kaggle") for name, rmse in two.items()]
    whole = [run("none", hide="nothing"), run("augment", end=1.8, hide="nothing")]
    frame = budgets.on_the_way([*runs, *whole]).eval("rmse_complete = rmse")
    (row,) = budgets.verdicts(frame).to_dict("records")
    assert row["the paper's conclusion"].endswith("(faces of one collection, labels hidden)")
    assert (row["verdict"], row["comparisons"]) == ("holds", 1)


def test_each_budget_has_its_verdicts():
    table = budgets.verdicts(crossing())
    column = "the paper's conclusion"
    three = table[
        table[column].str.startswith("(3)") & table[column].str.contains("(all", regex=False)
    ]
    assert dict(zip(three["images"], three["verdict"], strict=True)) == {
        100: "does not hold",
        200: "holds",
    }
    assert three["median"].tolist() == pytest.approx([0.4, -0.4])
    both = table[table[column].str.startswith("(not in the paper)")]
    assert set(both["verdict"]) == {"holds"} and len(both) == 4
    ours = crossing().assign(model="tiny", variant="tiny", rmse=9.0)
    assert budgets.verdicts(pd.concat([crossing(), ours])).equals(table)
    without = crossing()
    without = without[without["treatment"] != "knn_augment"]
    assert budgets.verdicts(without)[column].str.startswith("(3)").all()


def test_doing_both_is_clear_where_the_draws_say_so():
    two = {"knn": 2.5, "augment": 2.4, "knn_augment": 1.7}
    runs = [run(name, end=rmse) for name, rmse in two.items()]
    for one, draws in zip(runs, ([2.4, 2.6], [2.3, 2.5], [1.6, 2.45]), strict=True):
        one["scores"]["rmse"]["draws"] = draws
        one["scores"]["rmse_complete"]["draws"] = [draws[0]] * 2
    table = budgets.verdicts(budgets.on_the_way(runs))
    both = table[table.iloc[:, 0].str.startswith("(not in the paper)")]
    assert both["clear"].tolist() == ["0 of 1", "1 of 1"]


def test_when_one_treatment_overtakes_another():
    frame = crossing()

    def since(*pair):
        return {
            name: row["since"] for name, row in budgets.overtaking(frame, "rmse", *pair).items()
        }

    assert since("augment", "knn") == {"manual_cnn": "from 200 images on"}
    assert since("knn", "ffill") == {"manual_cnn": "at every budget (from 100)"}
    assert since("ffill", "knn") == {"manual_cnn": "at none (to 200)"}
    assert since("pca", "knn") == {}
    apart = budgets.on_the_way([run("none", at=[(100, 2.0)]), run("augment", at=[(300, 2.0)])])
    assert budgets.overtaking(apart, "rmse", "augment", "none") == {}


def test_how_far_treatments_are_apart_in_the_end_has_an_interval():
    two = {"augment": (2.4, [2.4, 2.6]), "knn": (2.5, [2.5, 2.9])}
    runs = [run(name, at=[(100, 3.0), (200, end)]) for name, (end, _) in two.items()]
    (row,) = budgets.overtaking(budgets.on_the_way(runs), "rmse", "augment", "knn").values()
    assert row["at the end (px)"] == "-0.10"
    for one, (_, draws) in zip(runs, two.values(), strict=True):
        one["scores"]["rmse"]["draws"] = draws
    (row,) = budgets.overtaking(budgets.on_the_way(runs), "rmse", "augment", "knn").values()
    assert row["at the end (px)"] == "-0.10 [-0.38, 0.18]"
    runs[1]["scores"]["rmse"].pop("draws")
    (row,) = budgets.overtaking(budgets.on_the_way(runs), "rmse", "augment", "knn").values()
    assert row["at the end (px)"] == "-0.10"


def test_a_budget_judges_what_was_run_at_it():
    runs = [run(name, at=[(100, rmse)]) for name, rmse in (("knn", 2.0), ("augment", 2.5))]
    tuned = run("knn", "tuned_cnn", at=[(100, 2.5), (200, 1.0)]) | {"search": {"space": "paper"}}
    table = budgets.verdicts(budgets.on_the_way([*runs, tuned]))
    by_hand = table[table["the paper's conclusion"].str.startswith("(1) Manually")]
    assert by_hand["images"].tolist() == [100] and by_hand["median"].tolist() == [-0.5]
