"""What a learned codec wrote once is read for ever: its latents exactly, its pixels nearly."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path

import numpy as np
import pytest

from cytopress.codecs.registry import decode
from cytopress.errors import CytopressWarning
from cytopress.models.model_package import Package
from cytopress.settings import Settings

pytestmark = pytest.mark.both_numpy

HERE = Path(__file__).parent
FOUND = importlib.util.spec_from_file_location("make_learned", HERE / "make_learned.py")
assert FOUND is not None
assert FOUND.loader is not None
make = importlib.util.module_from_spec(FOUND)
FOUND.loader.exec_module(make)


@pytest.mark.parametrize("package", make.packages(), ids=lambda package: package.path.stem)
def test_golden_bytes_decode_to_their_latents_and_pixels(
    package: Package, settings: Settings
) -> None:
    place = HERE / "learned" / package.path.stem
    data, codec = place.with_suffix(".cyto").read_bytes(), make.codec_of(package)
    with np.load(place.with_suffix(".npz")) as golden:
        latents, pixels = golden["latents"], golden["pixels"]
    np.testing.assert_array_equal(make.latents(codec, data), latents)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", CytopressWarning)
        # By whoever has the bytes and a folder of models, and nothing else.
        decoded = decode(data, settings.with_models(make.PACKAGES)).pixels
    assert decoded.dtype == pixels.dtype
    # Another processor may round another way; then it must say so, and by a count at most.
    np.testing.assert_allclose(decoded.astype(int), pixels.astype(int), rtol=0, atol=1)
    assert bool(told) == (not np.array_equal(decoded, pixels))
