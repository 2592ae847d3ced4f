import json

import numpy as np
import pytest

from cytopress.archive.chunk_decoding import decode_chunk
from cytopress.archive.chunk_form import ChunkForm
from cytopress.archive.codec_configuration import chunk_coding, configuration, models_of
from cytopress.codecs.registry import FAMILIES, find_family
from cytopress.metrics.noise import NoiseModel

SPECS = [family.name for family in FAMILIES] + ["learned/cytopress-2d"]


def middle_spec(name: str) -> str:
    parameter = find_family(name).traits.parameter
    return name if parameter is None else f"{name}:{parameter.name}={parameter.value_at(0.5):g}"


@pytest.mark.parametrize("rest", [(1, 1), (1, 40), (30, 1), (3, 2), (9, 48)], ids=str)
@pytest.mark.parametrize("name", SPECS)
def test_narrow_rests_at_the_edges_are_coded_by_every_codec(
    name: str, rest: tuple[int, int]
) -> None:
    random = np.random.default_rng(0)
    chunk = np.full((1, 40, 48), 9, np.uint16)
    chunk[0, : rest[0], : rest[1]] = random.integers(100, 1000, rest)
    noise = NoiseModel(0.5, 9.0, 90.0)
    given = configuration(middle_spec(name), limits=(90, 1000), noise=noise, bits=10)
    form = ChunkForm(chunk.shape, chunk.dtype, 9)
    coding = chunk_coding(json.dumps({"configuration": given}))
    data = coding.encode(chunk, form)
    back = decode_chunk(data, form, models_of(given))
    assert back.shape == chunk.shape
    assert back.dtype == chunk.dtype
    outside = np.ones(chunk.shape, bool)
    outside[0, : rest[0], : rest[1]] = False
    np.testing.assert_array_equal(back[outside], 9)
    if coding.request.lossless:
        np.testing.assert_array_equal(back, chunk)


def test_a_chunk_too_narrow_for_the_codec_is_coded_losslessly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from cytopress.codecs.adapters.jpegxl import JpegXL
    from cytopress.errors import UnsupportedImageError

    def check(self: JpegXL, image: object) -> None:
        if min(image.shape) < 8:
            raise UnsupportedImageError("too narrow")

    monkeypatch.setattr(JpegXL, "check", check)
    given = configuration("jpegxl:distance=3", limits=(0, 1000))
    coding = chunk_coding(json.dumps({"configuration": given}))
    chunk = np.zeros((20, 20), np.uint16)
    chunk[:5] = 700
    form = ChunkForm(chunk.shape, chunk.dtype, 0)
    np.testing.assert_array_equal(decode_chunk(coding.encode(chunk, form), form, []), chunk)
    # A whole chunk that is too narrow is an error of whoever chose the chunks.
    narrow = ChunkForm((4, 20), chunk.dtype, 0)
    with pytest.raises(UnsupportedImageError):
        coding.encode(chunk[:4], narrow)
