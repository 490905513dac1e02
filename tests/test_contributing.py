"""CONTRIBUTING.md as a newcomer follows it: its code blocks, in a copy of the project."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"^## An? ([\w ]+)\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S))
FOLLOWED = ("model", "treatment", "study")


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The project's package and notebooks with three recipes followed."""
    root = tmp_path_factory.mktemp("project")
    for name in ("fkp", "notebooks"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FOLLOWED:
        for place, code in re.findall(r"^```\w+\n# (.*?)\n(.*?)^```", RECIPES[name], re.M | re.S):
            follow(root, place, code)
    return root


def follow(root, place, code):
    """Write a new file, or put lines `: before TABLE` or into `: TABLE` of one that is there."""
    name, _, table = place.partition(": ")
    path = root / name
    if not table:
        assert not path.exists(), f"{name} is there already"
        path.write_text(code)
        return
    text = path.read_text()
    start = re.search(rf"^{table.removeprefix('before ')}\b.*\{{\n", text, re.M)
    assert start, f"{name} has no table {table}"
    if table.startswith("before "):
        path.write_text(f"{text[: start.start()]}{code}\n\n{text[start.start() :]}")
    else:
        path.write_text(text[: start.end()] + code + text[start.end() :])


def fkp(root, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "fkp", *arguments], cwd=root, capture_output=True, text=True
    )


def test_every_addition_has_its_list_of_at_most_ten_lines():
    expected = {
        "model",
        "head",
        "loss",
        "treatment",
        "metric",
        "format",
        "scheme",
        "study",
        "chart",
    }
    assert RECIPES.keys() == expected
    for name, recipe in RECIPES.items():
        lines = [x for x in recipe.splitlines() if x and not x.startswith(("```", "# "))]
        assert len(lines) <= 10 and "- [ ]" in recipe, name


def test_paths_and_tables_of_the_lists_are_there():
    tables = re.findall(r"^# ([\w/.]+): (?:before )?([A-Z]+)$", TEXT, re.M)
    paths = re.findall(r"`((?:fkp|tests|notebooks)/[\w/.-]+)`", TEXT)
    assert len(tables) >= 7 and len(paths) >= 15
    for file, table in tables:
        assert re.search(rf"^{table}\b", (ROOT / file).read_text(), re.M), f"{table} in {file}"
    for name in paths:
        assert (ROOT / name).exists() or "mine" in name, name


def test_a_new_model_is_listed(copy):
    done = fkp(copy, "models", "--json")
    assert done.returncode == 0, done.stderr
    assert "one_layer" in {row["name"] for row in json.loads(done.stdout)}


def test_a_new_treatment_is_among_the_known_ones_and_treats(copy):
    done = fkp(copy, "run", "tour", "-p", "treatment=nope")
    assert done.returncode == 2 and "half" in done.stderr.split("known: ")[1]
    code = "from fkp.data import readers; from fkp.prepare.treatments import treat;"
    code += "print(len(treat(readers.read(n=8, seed=0), 'half')))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=copy, capture_output=True, text=True, check=True
    )
    assert done.stdout == "4\n"


def test_a_new_study_is_listed_and_planned(copy):
    assert "sizes" in {row["study"] for row in json.loads(fkp(copy, "studies", "--json").stdout)}
    done = fkp(copy, "status", "sizes", "--profile", "smoke", "--json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) == 7
