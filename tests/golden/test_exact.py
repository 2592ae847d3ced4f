"""What format 2 wrote once is read for ever, to the last bit of every pixel."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from cytopress.codecs.registry import decode
from cytopress.kernels import paths
from cytopress.settings import Settings

pytestmark = pytest.mark.both_numpy

HERE = Path(__file__).parent
FOUND = importlib.util.spec_from_file_location("make_exact", HERE / "make_exact.py")
assert FOUND is not None
assert FOUND.loader is not None
make = importlib.util.module_from_spec(FOUND)
FOUND.loader.exec_module(make)


@pytest.mark.parametrize("path", paths.available())
@pytest.mark.parametrize("name", [*make.QUALITIES, *make.VOLUMES])
def test_golden_bytes_decode_to_golden_pixels(name: str, path: str, settings: Settings) -> None:
    place = make.FOLDER / name
    with paths.using(path):
        # By whoever has the bytes and a folder of models, and nothing else.
        with_models = settings.with_models(make.PACKAGES)
        decoded = decode(place.with_suffix(".cyto").read_bytes(), with_models)
    golden = np.load(place.with_suffix(".npy"))
    assert decoded.dtype == golden.dtype
    np.testing.assert_array_equal(decoded.pixels, golden)
