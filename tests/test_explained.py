"""Paper B's error and maps, on numbers worked out by hand."""

import numpy as np
import pytest

from fkp.data import readers
from fkp.papers import explained
from fkp.prepare.augment import Jitter


def test_copies_are_changed_and_as_many_as_the_faces():
    faces = readers.read(n=5, seed=1)
    found = explained.copies(faces, Jitter(faces.scheme, flip=0, sigma=0), seed=3)
    assert len(found) == 5 and found.groups.tolist() == faces.groups.tolist()
    apart = np.nanmax(np.abs(found.points - faces.points), axis=(1, 2))
    assert (apart > 0.5).all() and (found.images != faces.images).any(axis=(1, 2, 3)).all()


def test_the_way_from_the_average_face_to_the_labels():
    mean = np.zeros((2, 2))
    points = np.array([[[4.0, 0], [0, 2]], [[4.0, 0], [np.nan, np.nan]]])
    answers = np.stack([mean, 0.5 * np.array([[4.0, 0], [9, 0]])])
    assert explained.of_the_way(points, answers, mean).tolist() == [0, 50]
    assert explained.of_the_way(points, np.nan_to_num(points), mean).tolist() == [100, 100]


def test_thirds_are_ranked_by_the_error():
    error = np.array([5.0, 1, 3, 2, 6, 4])
    ranked = explained.thirds(error)
    assert {name: rows.tolist() for name, rows in ranked.items()} == {
        "best": [1, 3],
        "middle": [2, 5],
        "worst": [0, 4],
    }
    table = explained.by_thirds(error, {"error": error, "one": np.ones(6)}, np.arange(6))
    assert table["error"].str.split().str[0].tolist() == ["1.5", "3.5", "5.5"]
    assert table["one"].tolist() == ["1 [1, 1]"] * 3


def test_how_much_is_gained_late():
    def history(*mse):
        return [{"validation_rmse": value**0.5} for value in mse]

    assert explained.slow_part(history(10, 4, 5, 3, 2)) == pytest.approx(1)  # a fifth: one epoch
    assert explained.slow_part(history(10, 4, 5, 3, 3, 3, 3, 3, 2, 2)) == pytest.approx(2 / 8)
    assert np.isnan(explained.slow_part(history(10)))


def scored(test, validation, training_copies, validation_copies):
    parts = {"": test, "_validation": validation, "_training_copies": training_copies}
    parts["_validation_copies"] = validation_copies
    return {
        f"mse_256px{part}": {"value": mse, "low": mse - 1, "high": mse + 1, "n": 9}
        for part, mse in parts.items()
    }


def test_the_paper_s_errors_stand_below_ours():
    scores = scored(18, 19.5, 14.5, 23)
    table = explained.comparison(scores, ["training_copies", "validation", "test"])
    assert table["faces"].tolist() == [
        "ours, training copies", "ours, validation", "ours, test",
        "paper B, validation", "paper B, test",
    ]  # fmt: skip
    assert table["MSE at 256 px (px²)"].tolist() == [14.5, 19.5, 18, 8.0, 27.84]
    assert table["95 % interval"][2] == "17.00 to 19.00"


def judged(scores, mse=(9.0, 300.0), rmse=(5, 3, 2, 2, 1), way=(20, 80, 30), half=0.5, harm=1.0):
    history = [{"validation_rmse": value} for value in rmse]
    maps = [(half, 0.4), (half, 0.4)]
    table = explained.conclusions(
        scores, np.array(mse), history, np.array(way), maps, np.full((3, 2), harm)
    )
    return table["verdict"].tolist()


def test_verdicts_turn_with_the_numbers():
    as_in_the_paper = scored(27, 8, 20, 21)
    assert judged(as_in_the_paper, rmse=(5, 2, 2, 2, 1), way=(1, 2, 3), half=0.3) == [
        "holds", "holds", "holds", "does not hold", "holds", "holds", "holds", "holds", "holds",
        "holds",
    ]  # fmt: skip
    ours = scored(30, 29, 14, 23)
    assert judged(ours, mse=(9, 8), rmse=(5, 3, 1, 2, 2), harm=-1) == [
        "does not hold", "does not hold", "does not hold", "does not hold", "does not hold",
        "does not hold", "mixed", "does not hold", "does not hold", "does not hold",
    ]  # fmt: skip
    assert judged(ours, rmse=(3,))[3] == "not run"
