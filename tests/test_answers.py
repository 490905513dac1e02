"""Every figure of an answer comes from the metrics of the runs, and changes with them."""

import json
from pathlib import Path

import numpy as np
import pytest

from fkp.data.readers import read_or_draw
from fkp.measure.landmarks import within_by_size
from fkp.papers.answers import ANSWERS, _mean_distance, answer
from fkp.papers.phrases import verdicts

PUBLISHED = Path(__file__).parents[1] / "reports" / "published"


def published(study):
    return [json.loads(file.read_text()) for file in PUBLISHED.glob(f"{study}/runs/*/metrics.json")]


def run(name, **sections):
    return {"run": {"name": name, "notebook": name, "label": name}, **sections}


def judged(*rows):
    columns = ["the paper's conclusion", "verdict", "median", "range", "comparisons"]
    return {"title": "Conclusions", "columns": columns, "rows": [list(row) for row in rows]}


@pytest.mark.parametrize("study", [path.parent.name for path in PUBLISHED.glob("*/manifest.json")])
def test_a_published_study_is_answered_by_its_own_rule(study):
    runs = published(study)
    assert ANSWERS[study](runs) == answer(study, runs)
    assert len(answer(study, runs)) < 600


def test_an_answer_follows_verdict_and_figures():
    runs = published("paper-d")
    said = answer("paper-d", runs)
    assert said.startswith("No: ") and "3.28 %" in said and "resnet18 4.21 %, one training" in said
    assert "it and its squared error can hardly be one model's" in said
    assert "ours would have 10.2 %; in % of the image's side" in said and "3.7 %." in said
    for row in verdicts(runs)["rows"]:
        row[1] = "holds"
    for one in runs:
        if one["run"]["name"] == "resnet18":
            one["scores"]["nme_ocular"]["value"] = 3.0
    said = answer("paper-d", runs)
    assert (
        said.startswith("Yes: ")
        and "resnet18 3.00 %" in said
        and "error could be one model's" in said
    )


def test_paper_d_takes_the_mean_distance_from_shares_of_points():
    faces = read_or_draw(None, None, {}, {"n": 5, "size": 96, "seed": 0})
    for apart in (0.5, 2.0, 6.0):
        within = within_by_size(faces, faces.points + np.array([apart, 0]))
        assert _mean_distance(within) == pytest.approx(apart / 96, abs=0.006)


@pytest.mark.parametrize(
    ("median", "words"), [(0.4, "0.40 px more than"), (-0.4, "0.40 px less than")]
)
def test_paper_a_says_which_way_the_difference_goes(median, words):
    claim = "(3) Augmented models have lower RMSE than imputed ones ({} test rows)"
    rows = [
        (claim.format("all"), "mixed", median, "a to b", 2),
        (claim.format("complete"), "holds", -1.0, "c to d", 2),
    ]
    score = {"rmse": {"value": 2.0, "unit": "px", "low": 1.9, "high": 2.1}}
    trained = run(
        "train",
        scores=score,
        data={"source": "drawn"},
        model={"name": "manual_cnn", "parameters": 1234},
        training={"treatment": "mask"},
    )
    trained["run"]["parameters"] = {"jitter": False}
    better = trained | {"scores": {"rmse": {"value": 1.0, "unit": "px"}}}  # but of other images
    better["run"] = trained["run"] | {"parameters": {"jitter": True}}
    said = answer("paper-a", [better, trained, run("paper-a", tables=[judged(*rows)])])
    assert said.startswith("In part: on drawn faces") and words in said
    assert (
        "Of 1 trainings without jitter manual_cnn has the lowest RMSE, 2.00 px [1.90, 2.10], after"
        in said
    )
    assert "treatment mask and with 1,234 parameters" in said
    assert "1 of 2 statements hold" in said


@pytest.mark.parametrize(
    ("verdicts", "word"),
    [
        (("mixed", "mixed", "holds", "holds"), "No: "),
        (("mixed", "mixed", "mixed", "holds"), "In part: "),
        (("mixed", "holds", "mixed", "holds"), "Yes: "),
        # One model of two trained for longer than the other decides nothing about both.
        (("mixed", "mixed", "holds", "mixed", "mixed", "holds"), "No: "),
    ],
)
def test_the_budgets_say_whether_the_verdicts_turn(verdicts, word):
    claim = "(3) Augmented models have lower RMSE than imputed ones ({} test rows)"
    budgets = ((30000, 0.5, 2), (100000, 0.3, 2), (300000, -0.2, 1))[: len(verdicts) // 2]
    table = judged(
        *(
            (claim.format(rows), verdict, median, "a to b", count, images)
            for rows, (verdict, (images, median, count)) in zip(
                [*["all"] * len(budgets), *["complete"] * len(budgets)],
                zip(verdicts, budgets * 2, strict=True),
                strict=True,
            )
        )
    )
    table["columns"].append("images")
    said = answer("budget", [run("treatments", tables=[table])])
    assert said.startswith(word)
    assert "on all test rows +0.50, +0.30" in said and "px after 30,000, 100,000" in said
    assert "on complete ones alone +0.50, +0.30" in said
    compared = "2, 2, 1" if len(budgets) > 2 else "2, 2"
    assert said.count(f"(median of {compared} networks)") == 2
    assert ("-0.20 px after 30,000, 100,000, 300,000 images" in said) == (len(budgets) > 2)


def test_hidden_labels_say_what_they_cost_and_what_wins_it_back():
    trained = []
    for hide, treatment, rmse in (
        ("nothing", "none", 2.0),
        ("kaggle", "none", 3.0),
        ("kaggle", "knn", 2.5),
        ("kaggle", "mask", 2.2),
        ("kaggle", "mask", 2.4),
        ("kaggle", "augment", 2.1),
        ("kaggle", "knn", 1.0),  # ours
    ):
        one = run("train", scores={"rmse": {"value": rmse, "unit": "px"}})
        one["run"]["parameters"] = {"hide": hide, "treatment": treatment}
        trained.append(one)
    one["run"]["parameters"]["model"] = "tiny"
    claim = "(3) Augmented models have lower RMSE than imputed ones (all test rows)"
    said = answer("hidden", [*trained, run("all", tables=[judged((claim, "holds", -0.4, "", 1))])])
    assert "costs 1.00 px of RMSE (3.00 against 2.00 px" in said
    assert "mask wins back most, 70 % (mask 2.30 ± 0.14 px over 2 seeds)" in said
    assert "holds (0.40 px less)" in said
    assert said.endswith("best first: augment, mask, knn, none.")
    trained[2]["scores"]["rmse"]["value"] = 2.35  # within the two of mask
    said = answer("hidden", [*trained, run("all", tables=[judged((claim, "holds", -0.4, "", 1))])])
    assert "mask and knn win back most, 65 to 70 % (mask 2.30" in said


def test_without_its_runs_a_rule_gives_way_to_the_lowest_error_and_that_to_silence():
    scored = [
        run(name, scores={"rmse": {"value": value, "unit": "px"}})
        for name, value in zip("ab", (2, 1), strict=True)
    ]
    for study in ("paper-a", "mine"):
        assert answer(study, scored) == "The lowest rmse of 2 runs: 1.00 px (b)."
        assert answer(study, []) == answer(study, [run("a")]) == ""


def test_a_study_without_a_rule_counts_its_verdicts():
    table = judged(("a", "holds", 1.0, "", 1), ("b", "mixed", 1.0, "", 1), ("c", "holds", 1, "", 1))
    assert answer("mine", [run("all", tables=[table])]) == "Of 3 statements: 2 holds, 1 mixed."


def test_a_bare_number_is_no_score():
    assert answer("mine", [run("a", scores={"rmse": 1.0})]) == ""


def test_claims_that_were_not_run_are_not_judged():
    rows = [("ResNet is ahead of the CNN", "not run", None, "", 0)]
    assert answer("paper-c", [run("compared", tables=[judged(*rows)])]) == ""


def test_the_ablation_says_how_many_seeds_a_change_has():
    columns = ["run", "against", "low", "high", "seeds"]
    rows = [["recipe", 0.0, 0.0, 0.0, 2], ["worse", 9.0, 8.0, 10.0, 2], ["better", -2.0, -2, -2, 1]]
    table = {"title": "One choice changed: tiny", "columns": columns, "rows": rows}
    said = answer("ablation", [{"tables": [table]}])
    assert "worse (+9.0 %, +8.0 to +10.0 over seeds)" in said and "better (-2.0 %)" in said
    assert said.endswith("1 of them do harm with every seed (1 to 2 seeds each).")


def test_a_training_that_stalls_says_how_long_it_took():
    def score(value):
        return {"nme_ocular": {"value": value, "unit": "%"}}

    errors = enumerate((3.0, 2.0, 2.5))
    history = [{"epoch": epoch, "validation_rmse": error} for epoch, error in errors]
    history[0] |= {"seen": 100, "scores": score(5.0)}
    trained = run("resnet18", scores=score(4.0), history=history)
    said = ((100, "holds"), (300, "does not hold"))
    table = judged(*(("NME 3.28 %", verdict, 4.0, "", 1, images) for images, verdict in said))
    table["columns"].append("images")
    said = answer("stall", [trained, run("landmarks-compared", tables=[table])])
    assert said.startswith("No: the paper states an NME of 3.28 %; ours: ")
    assert "resnet18 4.00 % after 3 epochs (5.00 % after 1; lowest" in said
    assert "error in epoch 2)" in said
