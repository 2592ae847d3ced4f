"""Codecs made up for tests: simple enough to know what they do, wrong where a test needs it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from cytopress.codecs.base import QualityParameter, StreamCodec, Traits
from cytopress.codecs.container.container import Form
from cytopress.image import Image, Pixels


@dataclass(frozen=True)
class Rounding(StreamCodec):
    """Round to multiples of ``step``, then deflate; ``shift`` is added to what comes back."""

    step: float = 0
    shift: int = 0

    name: ClassVar[str] = "rounding"
    number: ClassVar[int] = 0
    traits: ClassVar[Traits] = Traits(
        dims=(2,),
        dtypes=("uint8", "uint16", "float32"),
        bits="any",
        parameter=QualityParameter("step", "counts", 0.01, 5000, finer="lower"),
        reads_back="multiples of step",
        can_be_lossless=True,
    )

    @property
    def lossless(self) -> bool:
        return self.step == 0 and self.shift == 0

    def compress(self, image: Image) -> bytes:
        if self.step == 0:
            return zlib.compress(image.pixels.tobytes())
        return zlib.compress(np.rint(image.pixels / self.step).astype(np.int64).tobytes())

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        raw = zlib.decompress(stream)
        if self.step == 0:
            values = np.frombuffer(raw, form.dtype).astype(np.float64)
        else:
            values = np.frombuffer(raw, np.int64) * self.step
        values = values.reshape(form.shape) + self.shift
        if form.dtype.kind == "u":
            values = np.clip(np.rint(values), 0, 2**form.bits - 1)
        return values.astype(form.dtype)


@pytest.fixture(scope="session")
def rounding() -> type[Rounding]:
    """Return the made-up codec."""
    return Rounding
