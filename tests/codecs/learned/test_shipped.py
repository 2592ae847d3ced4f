"""The packages that ship: what their cards say is what they do, on fields never trained on."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cytopress
from cytopress.codecs.learned.codec import Learned
from cytopress.codecs.learned.model.packages import learned_packages
from cytopress.codecs.registry import decode_by
from cytopress.datasets.catalogue import dataset
from cytopress.datasets.dataset import Dataset, Field
from cytopress.errors import NotAvailableError
from cytopress.models.model_package import Package
from cytopress.settings import Settings

MODELS = Path(cytopress.__file__).parent / "models" / "shipped"
CARDS = Path(__file__).parents[3] / "docs" / "models"
SHIPPED = list(learned_packages(Settings(None, (MODELS,), MODELS / "none", MODELS / "none")))
EACH = pytest.mark.parametrize("package", SHIPPED, ids=lambda package: package.name)
# What cards promise of the networks' cost, by the axes that they code.
MOST_MULTIPLY_ADDS = {
    # Of the encoder's budget of 5,000 the networks keep; three rotations are 160 more where every
    # block is tried in every way.
    "YX": {"encoder": 5160, "decoder": 2500},
    "ZYX": {"encoder": 5000, "decoder": 4000},
}
# Simulating these takes minutes: they are tested by test_shipped_volumes.py.
SIMULATED = ("phantom-3d",)
MOST_BYTES = 8e6


def scored(package: Package) -> dict[str, dict[str, Any]]:
    """Return the results that have a BD-rate: it needs curves that overlap."""
    results = package.manifest["results"]
    return {name: result for name, result in results.items() if "bd_rate" in result}


def here(package: Package) -> list[Dataset]:
    """Return the datasets a package was scored on; the core has not those that packages carry."""
    found = []
    for name in package.manifest["results"]:
        if name not in SIMULATED:
            with contextlib.suppress(NotAvailableError):
                found.append(dataset(name))
    if not found:
        pytest.skip(f"the data that {package.name} was scored on are not here")
    return found


def test_four_ship() -> None:
    assert {package.name for package in SHIPPED} == {
        "learned/cytopress-2d",
        "learned/cytopress-3d",
        "learned/ecoli-phase",
        "learned/nuclei-brightfield",
    }


@EACH
def test_a_package_keeps_to_its_budget_and_has_its_card(package: Package) -> None:
    assert package.path.stat().st_size < MOST_BYTES
    for part, most in MOST_MULTIPLY_ADDS[package.manifest["axes"]].items():
        assert package.manifest["multiply_adds"][part] <= most
    card = (CARDS / f"{package.name.replace('/', '-')}.md").read_text(encoding="utf-8")
    assert package.sha256 in card
    for result in scored(package).values():
        assert f"**{result['bd_rate']:+.1f} %**" in card


@EACH
def test_no_test_group_was_trained_on(package: Package) -> None:
    tested = {
        group for result in package.manifest["results"].values() for group in result["groups"]
    }
    trained = {group for source in package.manifest["trained_on"] for group in source["groups"]}
    assert tested
    assert not tested & trained


@pytest.mark.data
@pytest.mark.long
@EACH
def test_a_test_field_decodes_to_what_the_encoder_saw(package: Package) -> None:
    for whole in here(package):
        _check_decodes(package, whole, whole.part("test")[:1])


@pytest.mark.data
@pytest.mark.slow
@EACH
def test_every_test_field_decodes_to_what_the_encoder_saw(package: Package) -> None:
    for whole in here(package):
        _check_decodes(package, whole, whole.part("test"))


def _check_decodes(package: Package, whole: Dataset, fields: Iterable[Field]) -> None:
    for field in fields:
        image = whole.read_input(field)
        codec = Learned(package, 0.55)
        with warnings.catch_warnings():
            # A reconstruction that differs from the encoder's is told by a warning.
            warnings.simplefilter("error")
            decoded = decode_by(codec, codec.encode(image))
        assert decoded.shape == image.shape
        assert abs(float(np.mean(decoded.pixels, dtype=float) - image.pixels.mean())) < 0.01 * (
            float(np.ptp(image.pixels))
        )


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.learn
@pytest.mark.parametrize(
    "package",
    [each for each in SHIPPED if scored(each) and each.manifest["axes"] == "YX"],
    ids=lambda package: package.name,
)
def test_the_bd_rate_of_a_card_comes_out_again(package: Package) -> None:
    from dataclasses import replace

    from cytopress.training.codec.evaluate import evaluate

    name = package.name.partition("/")[2]
    name = name if name in scored(package) else "ecoli-phase"
    told = package.manifest["results"][name]
    whole = dataset(name)
    tested = whole.part("test")[:2]
    fields = (*whole.part("train"), *tested)
    found = evaluate(package, [replace(whole, fields=fields)])[name]
    assert found["fields"] == told["fields"][:2]
    assert found["data_range"] == told["data_range"]
    assert found["bd_rate_fields"] == pytest.approx(told["bd_rate_fields"][:2], abs=0.5)
