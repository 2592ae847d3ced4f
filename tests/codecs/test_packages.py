"""Codecs of model packages among the others: found by name, decoded by digest."""

from __future__ import annotations

import pickle
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

from cytopress.codecs.container.container import unpack
from cytopress.codecs.registry import build, decode, decode_by, find_family, package_names
from cytopress.codecs.spec import codec
from cytopress.codecs.targets.request import CodecRequest
from cytopress.codecs.trait_table import rows
from cytopress.errors import (
    CorruptDataError,
    CytopressWarning,
    PackageError,
    UnknownNameError,
    UsageError,
)
from cytopress.image import Image
from cytopress.models.model_package import open_package, write_package
from cytopress.settings import Settings

TINY = Path(__file__).parent / "learned" / "tiny.cytomodel"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "models").mkdir()
    shutil.copy(TINY, tmp_path / "models")
    return Settings(None, (tmp_path / "models",), tmp_path / "cache", tmp_path / "user")


@pytest.fixture
def name() -> str:
    return open_package(TINY).name


def fixed_rate(folder: Path) -> str:
    """Write a copy of the package that has one gain node only; return its name."""
    from zipfile import ZipFile

    tiny = open_package(TINY)
    with ZipFile(TINY) as archive:
        graphs = {
            member.removesuffix(".onnx"): archive.read(member)
            for member in archive.namelist()
            if member.endswith(".onnx")
        }
        names = [m.removesuffix(".npy") for m in archive.namelist() if m.endswith(".npy")]
    arrays = {each: tiny.array(each) for each in names}
    for each in ("gain", "inverse_gain", "scale_bias"):
        arrays[f"r0/{each}"] = arrays[f"r0/{each}"][-1:]
    manifest = {**tiny.manifest, "gains": 0, "name": "learned/fixed"}
    write_package(folder / "fixed.cytomodel", manifest, graphs=graphs, arrays=arrays)
    return "learned/fixed"


def test_a_spec_finds_its_package_and_the_bytes_find_it_again(
    settings: Settings, name: str, micrograph: Image
) -> None:
    data = codec(f"{name}:quality=0.5", settings).encode(micrograph)
    decoded = decode(data, settings)
    assert decoded.shape == micrograph.shape
    assert codec(f"{name}:quality=0.1", settings).decode(data).pixels.tobytes() == (
        decoded.pixels.tobytes()
    )
    digest = unpack(data)[0].recipe.options["model"]
    assert digest == bytes.fromhex(open_package(TINY).sha256)[:8]


def test_a_missing_model_is_told_by_digest_and_folders(
    settings: Settings, name: str, micrograph: Image
) -> None:
    data = codec(f"{name}:quality=0.5", settings).encode(micrograph)
    (settings.models[0] / TINY.name).unlink()
    elsewhere = Settings(None, (settings.models[0] / "b",), settings.cache, settings.user_data)
    with pytest.raises(PackageError) as caught:
        decode(data, elsewhere)
    assert open_package(TINY).sha256[:16] in str(caught.value)
    assert str(settings.models[0] / "b") in str(caught.value)


def test_an_unknown_package_is_told_with_what_is_there(settings: Settings, name: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        codec("learned/nobody:ratio=9", settings)
    assert name in str(caught.value)
    assert str(settings.models[0]) in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("wrapper", ["tile=64", "guard=30"])
def test_wrappers_find_the_package_at_hand(
    settings: Settings, name: str, micrograph: Image, wrapper: str
) -> None:
    solution = codec(f"{name}:quality=0.5,{wrapper}", settings).solve(micrograph)
    there = decode(solution.data, settings)
    assert np.array_equal(there.pixels, decode_by(solution.codec, solution.data).pixels)
    if "guard" in wrapper:
        assert np.abs(there.pixels.astype(int) - micrograph.pixels).max() <= 30


def test_a_stack_goes_plane_by_plane(settings: Settings, name: str, micrograph: Image) -> None:
    stack = Image(np.stack([micrograph.pixels, micrograph.pixels[::-1]]))
    data = codec(f"{name}:quality=0.5", settings).encode(stack)
    plane = decode(codec(f"{name}:quality=0.5", settings).encode(micrograph), settings)
    assert np.array_equal(decode(data, settings).pixels[0], plane.pixels)


def test_a_codec_of_one_rate_takes_no_target(settings: Settings, micrograph: Image) -> None:
    fixed = fixed_rate(settings.models[0])
    request = codec(fixed, settings)
    assert not request.lossless
    assert decode(request.encode(micrograph), settings).shape == micrograph.shape
    with pytest.raises(UsageError, match="one rate"):
        codec(f"{fixed}:ratio=20", settings)
    assert {row["name"]: row["coding"] for row in rows(settings)}[fixed] == "lossy"


def test_lists_name_packages_behind_the_codecs_of_the_registry(
    settings: Settings, name: str
) -> None:
    assert name in package_names(settings)
    listed = [row["name"] for row in rows(settings)]
    assert listed[: len(rows())] == [row["name"] for row in rows()]
    assert name in listed[len(rows()) :]
    assert find_family(name, settings).name == name


def test_a_choice_names_the_packages_it_needs(settings: Settings, name: str) -> None:
    request: CodecRequest = codec(f"{name}:ratio=20,guard=9", settings)
    assert [package.sha256 for package in request.packages] == [open_package(TINY).sha256]
    assert codec("jpegxl:ratio=20").packages == ()


@pytest.mark.parametrize("model", [None, 3, b"short", b"012345678"])
def test_a_crafted_recipe_is_corrupt(settings: Settings, model: object) -> None:
    from cytopress.codecs.container.container import Recipe

    options = {} if model is None else {"model": model}
    with pytest.raises(CorruptDataError, match="names no model"):
        build(Recipe(32, "", options), settings)


def test_more_bytes_than_lossless_is_told(settings: Settings, name: str) -> None:
    flat = np.full((64, 64), 7, np.uint16)
    flat[::2, ::2] = 8
    with warnings.catch_warnings():
        warnings.simplefilter("error", CytopressWarning)
        with pytest.raises(CytopressWarning, match="lossless"):
            codec(f"{name}:quality=1", settings).encode(Image(flat))
