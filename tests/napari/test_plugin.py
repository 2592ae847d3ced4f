"""The plugin's manifest names what is there."""

from __future__ import annotations

import importlib
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_every_command_is_there_without_napari() -> None:
    text = (files("cytopress") / "napari.yaml").read_text(encoding="utf-8")
    names = re.findall(r"python_name: (\S+):(\S+)", text)
    assert len(names) == 4
    for module, name in names:
        assert callable(getattr(importlib.import_module(module), name))
    identities = set(re.findall(r"id: (\S+)", text))
    assert set(re.findall(r"command: (\S+)", text)) == identities


def test_the_entry_point_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["napari.manifest"] == {"cytopress": "cytopress:napari.yaml"}


def test_napari_takes_the_manifest() -> None:
    npe2 = pytest.importorskip("npe2")
    manifest = npe2.PluginManifest.from_file(str(files("cytopress") / "napari.yaml"))
    manifest.validate_imports()
    assert {one.display_name for one in manifest.contributions.widgets} == {
        "Compare with a coded copy"
    }


def test_the_sample_is_a_field_and_its_coded_copy() -> None:
    import numpy as np

    from cytopress.napari.sample import sample

    (field, _, _), (decoded, _, _), (difference, _, _) = sample()
    assert field.shape == decoded.shape == (512, 512)
    np.testing.assert_array_equal(difference, decoded.astype(float) - field)
    assert 0 < np.abs(difference).max() < field.max() / 4
