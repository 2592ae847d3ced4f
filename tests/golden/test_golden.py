"""What was written once is read for ever; ``make.py`` says how these files came about."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cytopress.codecs.container.container import Recipe, unpack
from cytopress.codecs.registry import FAMILIES, WRAPPERS, decode
from cytopress.kernels import paths, threads

pytestmark = pytest.mark.both_numpy

FOLDER = Path(__file__).parent
FILES = sorted(FOLDER.glob("*.cyto"))
# These decode in floating point, so another processor may round another way: by one count of the
# integers that the codec itself sees, or by some steps of float32.
INEXACT = {family.name for family in FAMILIES if not family.traits.exact}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_golden_file_decodes_to_its_pixels(file: Path) -> None:
    image, pixels = decode(file.read_bytes()), np.load(file.with_suffix(".npy"))
    assert (image.dtype, image.shape) == (pixels.dtype, pixels.shape)
    name, _, kind = file.stem.rpartition("-")
    if kind == "lossless" or name not in INEXACT | {"wrappers"}:
        np.testing.assert_array_equal(image.pixels, pixels)
    elif pixels.dtype.kind == "f":
        np.testing.assert_allclose(image.pixels, pixels, rtol=1e-5, atol=1e-6)
    else:
        np.testing.assert_allclose(image.pixels.astype(int), pixels.astype(int), rtol=0, atol=1)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("path", paths.available())
def test_structured_noise_and_resolutions_are_exact_in_threads(path: str, number: int) -> None:
    files = [file for file in FILES if file.stem.startswith(("lines-", "scaled-"))]
    assert len(files) >= 8
    with paths.using(path), threads.using(number):
        for file in files:
            found = decode(file.read_bytes()).pixels
            np.testing.assert_array_equal(found, np.load(file.with_suffix(".npy")))


def test_a_golden_file_keeps_its_meaning() -> None:
    plane = decode((FOLDER / "jpegls-lossless.cyto").read_bytes())
    assert (plane.axes, plane.bits, plane.spacing_um) == ("YX", 12, (0.108333, 0.108333))
    stack = decode((FOLDER / "wrappers-all.cyto").read_bytes())
    assert (stack.axes, stack.bits, stack.spacing_um) == ("ZYX", 12, (0.3, 0.1, 0.1))
    sigma = unpack((FOLDER / "target-sigma.cyto").read_bytes())[0].notes
    assert (sigma["target"], sigma["asked"]) == ("sigma", 0.5)
    assert (sigma["a"], sigma["b"], sigma["offset"]) == (1.5, 30, 100)
    assert unpack((FOLDER / "target-psnr.cyto").read_bytes())[0].notes["range"] > 1000


def numbers(recipe: Recipe) -> set[int]:
    inner = recipe.options.get("codec")
    return {recipe.number} | (numbers(inner) if isinstance(inner, Recipe) else set())


def test_every_codec_and_every_wrapper_has_a_golden_file() -> None:
    seen = set[int]().union(*(numbers(unpack(file.read_bytes())[0].recipe) for file in FILES))
    assert {family.number for family in (*FAMILIES, *WRAPPERS)} == seen


def test_golden_files_stay_small() -> None:
    files = [*FILES, *FOLDER.glob("*.npy")]
    assert len(files) == 2 * len(FILES)
    assert sum(file.stat().st_size for file in files) < 400_000
