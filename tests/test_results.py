import json

import numpy as np
import pandas as pd
import pytest

from fkp.data.faces import Faces
from fkp.data.schemes import KAGGLE_15
from fkp.record import results
from fkp.record.files import write_json


def run(folder, rmse, seed, model="a", fingerprint="f", notebook="train"):
    write_json(
        folder / f"{model}-{seed}" / "metrics.json",
        {
            "data": {"fingerprint": fingerprint},
            "scores": {"rmse": {"value": rmse, "low": rmse - 0.1, "high": rmse + 0.1}},
            "run": {"notebook": notebook, "parameters": {"model": model, "seed": seed}},
        },
    )


def test_record_writes_data_sections_and_versions(tmp_path):
    points = np.zeros((2, 15, 2), np.float32)
    points[1, 0] = np.nan
    faces = Faces(np.zeros((2, 8, 8, 1), np.uint8), points, KAGGLE_15, "drawn")
    results.record(tmp_path, results.describe(faces), scores={"rmse": {"value": np.float32(2)}})
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert metrics["data"]["source"] == "drawn" and metrics["data"]["complete_rows"] == 1
    assert metrics["scores"]["rmse"]["value"] == 2 and metrics["environment"]
    assert results.record(None, {})["data"] == {}


def test_spread_over_seeds_and_interval_of_a_single_one(tmp_path):
    for seed, rmse in enumerate((2.0, 2.2, 2.4)):
        run(tmp_path, rmse, seed)
    run(tmp_path, 3.0, 0, model="b")
    run(tmp_path, 9.0, 0, model="c", notebook="explore")
    frame = results.frame(results.load(tmp_path, "train"), ["rmse", "other"], ["model", "seed"])
    assert len(frame) == 4 and frame["other"].isna().all() and frame["rmse_draws"].isna().all()
    summary = results.over_seeds(frame, "rmse", ["model"])
    assert results.as_text(summary).to_dict() == {
        "a": "2.20 ± 0.20 (3)",
        "b": "3.00 [2.90, 3.10]",
    }
    assert summary.loc["a", ["low", "high"]].tolist() == [2.0, 2.4]


def test_a_variant_says_how_a_model_came_about():
    def named(name, search=None, **options):
        metrics = {"model": {"name": name}, "run": {"parameters": {"model_options": options}}}
        return results.variant(metrics | ({"search": search} if search else {}))

    assert named("manual_cnn") == "manual_cnn"
    assert named("mobilenet_v2", fine_tune="none", weights="w.h5") == "mobilenet_v2, frozen"
    assert named("a", fine_tune="all", weights="none") == "a, fine-tuned, from scratch"
    assert named("a", fine_tune="all", weights="w.h5", size=64) == "a, fine-tuned, 64 px"
    assert named("a", fine_tune="block_3", weights="imagenet") == "a, fine-tuned from block_3"
    assert named("tuned_cnn", search={"space": "wide"}) == "tuned_cnn, wide space"
    run = {"model": {"name": "manual_cnn"}, "run": {"parameters": {"jitter": True}}}
    assert results.variant(run) == "manual_cnn, jitter"


def test_the_mean_face_stands_beside_models_where_it_was_scored(tmp_path):
    none = results.mean_face(tmp_path, ["rmse"])
    assert not len(none) and {"model", "rmse", "rmse_high"} <= set(none)
    scores = {"rmse": {"value": 5.2, "low": 5.0, "high": 5.4}}
    run = {"notebook": "explore", "parameters": {}}
    data = {"fingerprint": "a"}
    results.record(tmp_path / "explore", data, run=run, mean_face={"ffill": scores})
    found = results.mean_face(tmp_path, ["rmse"]).iloc[0]
    assert found[["model", "treatment", "rmse_high"]].tolist() == ["mean face", "ffill", 5.4]


def test_load_takes_the_named_runs_in_order(tmp_path):
    run(tmp_path, 2.0, 0)
    run(tmp_path, 3.0, 1)
    named = results.load(tmp_path, "train", ["a-1", "a-0", "gone"])
    assert [m["run"]["parameters"]["seed"] for m in named] == [1, 0]


def test_runs_on_different_data_are_not_compared(tmp_path):
    run(tmp_path, 2.0, 0)
    run(tmp_path, 2.0, 1, fingerprint="g")
    with pytest.raises(ValueError, match="different data"):
        results.load(tmp_path, "train")
    assert results.load(tmp_path, "other", needed=False) == []
    with pytest.raises(ValueError, match="no finished run of the notebook 'other'"):
        results.load(tmp_path, "other")


def test_table_keeps_the_order_and_leaves_gaps_empty():
    frame = pd.DataFrame({"x": [1.5, None]}, index=["b", "a"])
    assert results.table(frame, "t")["rows"] == [[1.5], [""]]
    ordered = results.in_order(frame, ["a", "c", "b"], ["x", "y"])
    assert ordered.index.tolist() == ["a", "b"] and ordered.columns.tolist() == ["x"]


def test_charts_are_saved_under_figures(tmp_path):
    import matplotlib.pyplot as plt

    figure, _ = plt.subplots()
    entry = results.save_chart(figure, tmp_path, "rmse", "RMSE.")
    assert (tmp_path / entry["file"]).read_text().startswith("<?xml")
    assert results.save_chart(figure, None, "rmse", "RMSE.") == entry
    plt.close(figure)


def test_load_takes_folders_too(tmp_path):
    run(tmp_path / "here", 2.0, 0)
    run(tmp_path / "there", 3.0, 1)
    found = results.load(tmp_path / "here", "train", ["a-0", tmp_path / "there" / "a-1"])
    assert [m["run"]["parameters"]["seed"] for m in found] == [0, 1]
