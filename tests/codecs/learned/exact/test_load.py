"""Packages of format 2 that lack, contradict or overflow something are refused in one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cytopress.codecs.learned.exact.load import open_exact
from cytopress.errors import PackageError
from cytopress.models.model_package import Package
from fakes.learned_packages import remade


def changed(package: Package, name: str, **options: Any) -> dict[str, Any]:
    """Return an array with something else in it."""
    array = package.array(name).copy()
    if "at" in options:
        array[options["at"]] = options["value"]
    return {name: array.astype(options.get("dtype", array.dtype))}


ARRAYS = {
    "r0/synthesis.0.weight": "synthesis",
    "r0/synthesis.1.weight": "synthesis",
    "r0/hs.1.weight": "hs.1",
    "r0/context.across.hidden.weight": "context.across.hidden",
    "r0/context.inward.scale.weight": "context.inward.scale",
    "r0/hyper_context.beside.mean.weight": "hyper_context",
}


def refused(package: Package, word: str) -> None:
    with pytest.raises(PackageError, match=word) as raised:
        open_exact(package)
    assert str(raised.value).startswith(str(package.path))
    assert str(raised.value).count("\n") == 0


@pytest.mark.parametrize("name", ARRAYS)
def test_sums_that_could_leave_32_bits(package: Package, tmp_path: Path, name: str) -> None:
    full = np.full(package.array(name).shape, 2**15 - 1, np.int16)
    refused(remade(package, tmp_path, arrays={name: full}), "sums up to")


@pytest.mark.parametrize("name", ARRAYS)
def test_weights_of_another_type(package: Package, tmp_path: Path, name: str) -> None:
    arrays = changed(package, name, dtype=np.int32)
    refused(remade(package, tmp_path, arrays=arrays), ARRAYS[name])


@pytest.mark.parametrize("name", ARRAYS)
def test_layers_of_another_shape(package: Package, tmp_path: Path, name: str) -> None:
    arrays = {name: package.array(name)[:, :-1]}
    refused(remade(package, tmp_path, arrays=arrays), "layers|steps|hyper context|Secondary")


@pytest.mark.parametrize("part", ["along_y", "along_x"])
def test_a_transform_that_could_leave_32_bits(package: Package, tmp_path: Path, part: str) -> None:
    name = f"r0/synthesis.{part}"
    full = np.full(package.array(name).shape, 2**14, np.int16)
    refused(remade(package, tmp_path, arrays={name: full}), "32 bits")
    refused(remade(package, tmp_path, arrays={name: full[:4]}), "belongs")
    refused(remade(package, tmp_path, arrays={name: full.astype(np.int32)}), "int16")


def test_a_transform_that_takes_a_latent_twice(package: Package, tmp_path: Path) -> None:
    arrays = changed(package, "r0/synthesis.place", at=3, value=4)
    refused(remade(package, tmp_path, arrays=arrays), "frequencies")


def test_secondary_transforms_whose_sums_overflow(package: Package, tmp_path: Path) -> None:
    name = "r0/rotations.rest.matrix"
    full = np.full(package.array(name).shape, 2**14, np.int16)
    refused(remade(package, tmp_path, arrays={name: full}), "sums up to")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"synthesis": []}, "no layers of the synthesis"),
        ({"synthesis": None}, "no layers of the synthesis"),
        ({"synthesis": [13, 13, 13, "x"]}, "integer from 0"),
        ({"synthesis": [13, 13, 13, 0]}, "shift 0"),
        ({"synthesis": [13, 13, 13, 40]}, "shift 40"),
        ({"synthesis": [13, 13]}, "synthesis"),
        ({"architecture": "mean-scale", "rotations": 0}, "format 2 is one context model"),
        ({"rates": 2, "gains": 0}, "format 2 is one context model"),
        ({"surface": {"block": 48, "step": 1 / 64}}, "powers of two"),
        ({"stride": 16}, "hyper synthesis has"),
        ({"kind": "task"}, "codecs alone"),
    ],
)
def test_manifests_that_contradict_themselves(
    package: Package, tmp_path: Path, change: dict[str, Any], word: str
) -> None:
    with pytest.raises(PackageError, match=word):
        open_exact(remade(package, tmp_path, manifest=change))


@pytest.mark.parametrize(
    "drop", ["r0/synthesis.0.bias.npy", "r0/synthesis.place.npy", "r0/inverse_gain.npy"]
)
def test_missing_arrays(package: Package, tmp_path: Path, drop: str) -> None:
    refused(remade(package, tmp_path, drop=drop), drop)


def test_gains_of_floats(package: Package, tmp_path: Path) -> None:
    arrays = changed(package, "r0/inverse_gain", dtype=np.float32)
    refused(remade(package, tmp_path, arrays=arrays), "kind 'i'")
