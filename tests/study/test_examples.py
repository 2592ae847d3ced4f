"""Every example is a study, and the demo is the one that comes inside the package."""

from importlib.resources import files
from pathlib import Path

import pytest

from cytopress.io.datasets import KNOWN_DATASETS
from cytopress.study.spec import load_study

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("name", ["demo", "ecoli", "nuclei", "zhou2024"])
def test_an_example_is_a_study_of_known_datasets(name: str) -> None:
    study = load_study(EXAMPLES / f"{name}.toml")
    assert study.name == name
    for entry in study.datasets:
        assert entry.name in KNOWN_DATASETS
        assert entry.tasks == (f"labelfree/{entry.name}",)
    for entry in study.codecs:
        assert len(entry.values) >= 5 or not entry.target


def test_every_example_is_tried() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.toml")} == {
        "demo",
        "ecoli",
        "learned",
        "nuclei",
        "zhou2024",
    }


def test_the_demo_is_the_one_inside_the_package() -> None:
    inside = (files("cytopress.study") / "demo.toml").read_text(encoding="utf-8")
    assert inside == (EXAMPLES / "demo.toml").read_text(encoding="utf-8")


def test_the_demo_has_enough_codecs_at_enough_rates() -> None:
    study = load_study(EXAMPLES / "demo.toml")
    lossy = {entry.spec for entry in study.codecs if len(entry.values) >= 5}
    assert len(lossy) >= 8
