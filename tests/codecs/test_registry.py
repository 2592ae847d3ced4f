"""Other people's codecs: found by entry point, named in the bytes, missed with a clear error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from cytopress.codecs import registry
from cytopress.codecs.container.container import unpack
from cytopress.codecs.registry import FAMILIES, decode, families
from cytopress.codecs.spec import codec
from cytopress.errors import CorruptDataError, CytopressWarning, UnknownNameError
from cytopress.image import Image

IMAGE = Image(np.random.default_rng(0).integers(0, 99, (6, 8), dtype=np.uint8))
MODULE = """
from dataclasses import dataclass
import numpy as np
from cytopress.codecs.base import StreamCodec, Traits

@dataclass(frozen=True)
class Inverted(StreamCodec):
    twice: int = 0
    name, number = "inverted", 0
    traits = Traits((2,), ("uint8",), "8", None, "the same", True)
    lossless = True

    def compress(self, image):
        return (255 - image.pixels).tobytes()

    def decompress(self, stream, form):
        return 255 - np.frombuffer(stream, form.dtype).reshape(form.shape)

class Numbered(Inverted):
    number = 77

class Png(Inverted):
    name = "png"
"""

Install = Callable[[str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Return what installs a distribution with the entry points given."""
    (tmp_path / "someones_codec.py").write_text(MODULE)
    info = tmp_path / "someones_codec-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: someones-codec\nVersion: 1.0\n")

    def install(entry_points: str) -> None:
        (info / "entry_points.txt").write_text(f"[cytopress.codecs]\n{entry_points}\n")
        monkeypatch.syspath_prepend(tmp_path)
        families.cache_clear()

    yield install
    families.cache_clear()
    sys.modules.pop("someones_codec", None)


def test_a_codec_of_someone_else_codes_and_decodes(install: Install) -> None:
    install("inverted = someones_codec:Inverted")
    data = codec("inverted:twice=1").encode(IMAGE)
    header, stream = unpack(data)
    assert (header.recipe.number, header.recipe.name) == (0, "inverted")
    assert dict(header.recipe.options) == {"twice": 1}
    assert stream == (255 - IMAGE.pixels).tobytes()
    assert decode(data) == IMAGE
    stack = Image(np.stack([IMAGE.pixels] * 3))
    assert decode(codec("inverted:tile=16").encode(stack)) == stack


def test_bytes_of_a_codec_that_is_not_here_name_it(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("inverted = someones_codec:Inverted")
    data = codec("inverted").encode(IMAGE)
    monkeypatch.setattr(registry, "entry_points", lambda group: [])
    families.cache_clear()
    with pytest.raises(CorruptDataError, match="codec inverted, which is not installed"):
        decode(data)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("other = someones_codec:Inverted", "named 'inverted'"),
        ("inverted = someones_codec:Numbered", "number 77"),
        ("inverted = someones_codec:MODULE", "no attribute"),
        ("inverted = someones_codec:np", "not a subclass"),
        ("inverted = nobody.here:Codec", "nobody"),
    ],
)
def test_a_broken_one_is_told_and_breaks_no_other(install: Install, entry: str, why: str) -> None:
    install(entry)
    with pytest.warns(CytopressWarning, match=why):
        assert set(families()) == {family.name for family in FAMILIES}
    with pytest.raises(UnknownNameError):
        codec("inverted")


def test_a_name_is_never_given_another_meaning(install: Install) -> None:
    install("png = someones_codec:Png")
    assert families()["png"] in FAMILIES
