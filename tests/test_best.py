import pytest

from fkp.papers.best import ablation


def run(name, seed, nme):
    return {
        "run": {"name": name, "parameters": {"seed": seed}},
        "validation": {"nme_ocular": {"value": nme}},
        "model": {"parameters": 10},
    }


def test_a_change_is_measured_against_the_same_seed():
    runs = [
        run("recipe", 0, 4.0),
        run("recipe", 1, 5.0),
        run("worse", 0, 4.4),
        run("worse", 1, 5.0),
    ]
    table = ablation([*runs, run("half", 1, 2.5)]).set_index("run")
    assert [*table.index] == ["half", "recipe", "worse"]
    assert table.loc["worse", ["nme", "seeds", "against", "low", "high"]].tolist() == (
        pytest.approx([4.7, 2, 5.0, 0.0, 10.0])
    )
    assert table.loc["half", "against"] == pytest.approx(-50)
    assert table.loc["recipe", "against"] == 0
