from dataclasses import replace

import pytest
from toy import write_notebook, write_project, write_study

from fkp.study.freshness import Freshness
from fkp.study.plan import Data, plan
from fkp.study.studyfile import load_study, read_yaml, study_names


@pytest.fixture
def root(tmp_path):
    return write_project(tmp_path)


def labels(planned):
    return [run.label for run in planned.runs]


def keys(planned):
    return {run.label: run.key for run in planned.runs}


def test_the_grid_is_expanded_in_order_and_collecting_runs_come_last(root):
    planned = plan("toy", root=root)
    assert labels(planned) == [
        "train cnn seed 0",
        "train cnn seed 1",
        "train tree seed 0",
        "compare",
    ]
    assert planned.runs[0].folder == f"train-cnn-0-{planned.runs[0].key}"
    assert planned.profile == "quick"


@pytest.mark.parametrize(
    ("profile", "overrides", "epochs", "treatment", "seeds"),
    [
        ("quick", {}, 5, "mask", [0, 1, 0]),
        ("smoke", {}, 1, "mask", [0, 0]),
        ("smoke", {"seed": [4, 5]}, 1, "mask", [4, 5, 4, 5]),
        ("quick", {"epochs": 9, "treatment": "knn"}, 9, "knn", [0, 1, 0]),
    ],
)
def test_later_settings_win(root, profile, overrides, epochs, treatment, seeds):
    planned = plan("toy", profile=profile, overrides=overrides, root=root)
    trained = [run.parameters for run in planned.runs if not run.collect]
    assert {p["epochs"] for p in trained} == {epochs}
    assert {p["treatment"] for p in trained} == {treatment}
    assert [p["seed"] for p in trained] == seeds
    assert "out" not in trained[0]


def test_runs_of_several_splits_are_not_summed_up_as_seeds_of_one(root):
    write_notebook(root / "notebooks" / "02-split.ipynb", "split_seed = 0\nout = None")
    grid = "runs:\n - {notebook: split, grid: {split_seed: [0, 1]}}"
    write_study(root, grid)
    assert len(plan("toy", root=root).runs) == 2
    write_study(root, grid + "\n - {notebook: compare, collect: true}")
    with pytest.raises(ValueError, match="toy: compare cannot sum up runs of several split_seed"):
        plan("toy", root=root)
    assert len(plan("toy", overrides={"split_seed": 1}, root=root).runs) == 2


def test_a_profile_of_one_entry_leaves_the_others_alone(root):
    train = "{notebook: train, grid: {model: [cnn]}"
    write_study(
        root,
        f"runs:\n - {train}, profiles: {{quick: {{epochs: 7}}}}}}\n - {train}, name: b}}\n"
        "profiles: {quick: {epochs: 3}}",
    )
    assert [run.parameters["epochs"] for run in plan("toy", root=root).runs] == [7, 3]


def test_a_collecting_run_names_what_it_reads_or_reads_all(root):
    write_study(
        root,
        "runs:\n - {notebook: train, name: a}\n"
        " - {notebook: train, name: b, parameters: {seed: 1}}\n"
        " - {notebook: compare, collect: [b]}\n - {notebook: compare, name: all, collect: true}",
    )
    assert [run.reads for run in plan("toy", root=root).runs] == [(), (), ("b",), ("a", "b")]


def test_a_training_reads_a_run_above_it_and_is_no_collection(root):
    train = "{notebook: train, name: long, reads: [search]"
    search = "{notebook: train, name: search}"
    write_study(root, f"runs: [{search}, {train}}}, {{notebook: compare, collect: true}}]")
    _, second, third = plan("toy", root=root).runs
    assert (second.reads, second.collect, third.reads) == (("search",), False, ("search", "long"))
    write_study(root, f"runs: [{search[:-1]}, parameters: {{epochs: 9}}}}, {train}}}]")
    assert plan("toy", root=root).runs[1].key != second.key, "it starts from another search"
    write_study(root, f"runs: [{train}}}, {search}]")
    with pytest.raises(ValueError, match="run 1, reads: unknown 'search'"):
        plan("toy", root=root)


def test_a_variable_of_the_environment_stands_in_for_a_default(root, monkeypatch, tmp_path):
    write_study(root, 'runs: [{notebook: train, parameters: {model: "${TOY_WEIGHTS:-download}"}}]')
    default = plan("toy", root=root).runs[0]
    assert default.parameters["model"] == "download"
    file = tmp_path / "w.h5"
    file.write_text("1")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOY_WEIGHTS", "w.h5")
    given = plan("toy", root=root).runs[0]
    assert given.parameters["model"] == str(file) and given.key != default.key
    moved = tmp_path / "elsewhere" / "w.h5"
    moved.parent.mkdir()
    moved.write_text("1")
    monkeypatch.setenv("TOY_WEIGHTS", str(moved))
    assert plan("toy", root=root).runs[0].key == given.key


def test_equal_runs_of_two_entries_are_one(root):
    write_study(root, "runs: [{notebook: train}, {notebook: train, parameters: {seed: 0}}]")
    assert labels(plan("toy", root=root)) == ["train"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("runs: [{notebook: train, grid: {modell: [cnn]}}]", "'modell'.*known: .*model"),
        ("runs: [{notebook: train, parameters: {epoch: 1}}]", "'epoch'.*epochs"),
        ("runs: [{notebook: train}]\nprofiles: {quick: {epoch: 1}}", "profile quick.*'epoch'"),
        ("runs: [{notebook: train}]\nparameters: {epoch: 1}", "parameters.*'epoch'"),
        ("runs: [{notebook: train, parameters: {out: here}}]", "'out' is set by the engine"),
        ("runs: [{notebook: train, parameters: {epochs: many}}]", "like 2, got 'many'"),
        ("runs: [{notebook: train, parameters: {epochs: 1.5}}]", "a whole number like 2, got 1.5"),
        ("runs: [{notebook: train, grid: {seed: [0, 1.5]}}]", "seed: .* like 0, got 1.5"),
        ("runs: [{notebook: train, parameters: {epochs: null}}]", "like 2, got None"),
        ("runs: [{notebook: train, parameters: {epochs: .inf}}]", "like 2, got inf"),
        ("runs: [{notebook: train, grid: {seed: [0]}, exclude: [{model: cnn}]}]", "exclude"),
        ("runs: [{notebook: compare, collect: [trian]}]", "collect: unknown 'trian'.*compare"),
        ("runs: [{notebook: compare, collect: train}]", "collect: expected true or a list, got"),
        ("runs: [{notebook: compare, collect: [train]}, train]", "run 2: expected a mapping"),
        ("runs: [{notebook: train, parameters: [epochs]}]", "parameters: expected a mapping, got"),
        ("runs: [{notebook: train, grid: {seed: [0]}, exclude: {seed: 0}}]", "expected a list"),
        ("runs: [{notebook: train}]\nparameters: 3", "parameters: expected a mapping, got 3"),
        ("runs: {notebook: train}", "runs: expected a list"),
        ("runs: [{notebook: trane}]", "no notebook 'trane'.*train"),
        (
            "runs: [{notebook: train, name: a}, {notebook: train, name: a, reads: [a]}]",
            "toy: a cannot read a, which is not run before it",
        ),
        ("runs: [{notebook: compare, collect: [compare]}]", "compare cannot read compare"),
        (
            "runs: [{notebook: compare, name: a, collect: [b]},"
            " {notebook: compare, name: b, collect: [a]}]",
            "a cannot read b, which is not run before it",
        ),
        ("runs: [{notebok: train}]", "run 1.*`notebook`"),
        ("runs: [{notebook: train, grids: {}}]", "'grids'.*grid"),
        ("titel: x\nruns: []", "'titel'.*title"),
        ("title: x", "`runs`"),
        ("runs: [", "not YAML"),
    ],
)
def test_mistakes_in_a_study_are_named(root, text, complaint):
    write_study(root, text)
    with pytest.raises(ValueError, match=complaint):
        plan("toy", root=root)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"overrides": {"epochz": 1}}, "-p: unknown 'epochz'.*epochs"),
        ({"overrides": {"data": "x"}}, "--data"),
        ({"overrides": {"epochs": [1, 2]}}, "like 2"),
        ({"overrides": {"seed": []}}, r"-p seed: expected a value or several, got \[\]"),
        ({"profile": "huge"}, "'huge'.*quick, smoke"),
        ({"data": Data(source="drawn", forced=True)}, "`source`"),
    ],
)
def test_mistakes_of_the_caller_are_named(root, arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        plan("toy", root=root, **arguments)


def test_numbers_are_finite_and_some_may_be_absent_or_of_any_kind(root):
    parameters = "zoom = 1.4\nseconds = 10\nlimit = 200"
    write_notebook(root / "notebooks" / "03-odd.ipynb", parameters)
    write_study(root, "runs: [{notebook: odd}]")
    given = {"zoom": 2, "seconds": 0.1, "limit": None}
    assert plan("toy", root=root, overrides=given).runs[0].parameters == given
    for bad in ({"zoom": float("inf")}, {"zoom": True}, {"seconds": None}, {"limit": 2.5}):
        with pytest.raises(ValueError, match=f"notebook odd: {next(iter(bad))}: expected a"):
            plan("toy", root=root, overrides=bad)


def test_unknown_studies_are_refused_with_the_known_ones(root):
    assert study_names(root) == ["toy"]
    with pytest.raises(ValueError, match=r"'tour'.*toy"):
        load_study("tour", root)


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        (("a = 1", "b = (1"), "03-odd.ipynb: .*was never closed"),
        (("a = = 1",), "03-odd.ipynb: invalid syntax"),
        (None, "03-odd.ipynb: Expecting"),
    ],
)
def test_a_notebook_that_cannot_be_read_is_named(root, cells, complaint):
    path = root / "notebooks" / "03-odd.ipynb"
    path.write_text("<<<<<<< HEAD") if cells is None else write_notebook(path, *cells)
    write_study(root, "runs: [{notebook: odd}]")
    with pytest.raises(ValueError, match=complaint):
        plan("toy", root=root)


def test_magic_of_ipython_is_passed_over(root):
    write_notebook(root / "notebooks" / "03-odd.ipynb", "a = 1", "%time\nx = !ls\n  !ls\ny = 2")
    write_study(root, "runs: [{notebook: odd}]")
    planned = plan("toy", root=root)
    assert Freshness(planned).made_by(planned.runs[0])["code"].keys() == {"notebook"}


@pytest.mark.parametrize("cells", [("a = 1", "b"), ("a = f(1)",), ("a = 1\nprint(a)",)])
def test_a_parameters_cell_holds_literals_only(root, cells):
    path = root / "notebooks" / "03-odd.ipynb"
    write_notebook(path, *cells)
    write_study(root, "runs: [{notebook: odd}]")
    if cells[0] == "a = 1":
        assert plan("toy", root=root).runs[0].parameters == {"a": 1}
        return
    with pytest.raises(ValueError, match=r"03-odd.ipynb.*literal"):
        plan("toy", root=root)


def test_numbers_are_read_as_in_python():
    assert read_yaml("[1e-3, 2.5E+2, 7, none, 0.5]", "x") == [1e-3, 250.0, 7, "none", 0.5]


def test_a_key_depends_on_parameters_and_data(root):
    before = keys(plan("toy", root=root))
    assert keys(plan("toy", root=root)) == before
    other_data = Data(root, "kaggle", "faces", "fingerprint")
    for changed in (
        plan("toy", profile="smoke", root=root),
        plan("toy", data=other_data, root=root),
    ):
        assert keys(changed)["train cnn seed 0"] != before["train cnn seed 0"]
        assert keys(changed)["compare"] != before["compare"], "it reads other runs"
    renamed = replace(other_data, path=root / "elsewhere", name="copy")
    assert keys(plan("toy", data=renamed, root=root)) == keys(
        plan("toy", data=other_data, root=root)
    )


def test_a_key_depends_on_what_a_file_holds_not_on_its_path(root):
    def key(path):
        return plan("toy", overrides={"treatment": str(path)}, root=root).runs[0].key

    first, copy = root / "weights.h5", root / "data" / "weights.h5"
    first.write_text("one")
    copy.write_text("one")
    assert key(first) == key(copy)
    copy.write_text("two")
    assert key(first) != key(copy)
