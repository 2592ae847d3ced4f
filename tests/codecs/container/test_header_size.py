"""A header takes at most 80 bytes, whatever a spec string can ask for."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from cytopress.codecs.base import StreamCodec
from cytopress.codecs.container.container import Form, pack, unpack
from cytopress.codecs.registry import FAMILIES
from cytopress.codecs.wrappers import Guarded, PerPlane, Rescaled, Tiled

MOST = 80
# Estimated yardsticks have six digits; a spacing computed from others has up to 17.
NOISE = {"a": 0.105173, "b": 109587.0, "offset": 100.547}
FORM = Form(
    "ZYX",
    (300, 20000, 20000),
    np.dtype(np.uint16),
    16,
    (0.29123, 0.10833333333333334, 0.10833333333333334),
)
TARGETS = {
    "psnr": {"range": 26889.3},
    "sigma": NOISE,
    "ratio": {},
    "max_error": {},
}
STREAM = bytes(3_000_000)


def everything(family: type[StreamCodec]) -> StreamCodec:
    """Return the codec with no option at its default, in every wrapper that a spec can add."""
    options: dict[str, float] = {}
    for option in fields(family):
        if option.name in NOISE:
            options[option.name] = NOISE[option.name]
        elif family.traits.parameter is not None and option.name == family.traits.parameter.name:
            parameter = family.traits.parameter
            options[option.name] = 97 if parameter.integer else min(parameter.most * 0.9, 0.01234)
            options[option.name] = max(options[option.name], parameter.least * 1.234)
        elif isinstance(option.default, int):
            other_bits = {"avif": 12, "hevc": 10, "av1": 8}
            other = other_bits.get(family.name) if option.name == "bits" else option.default - 1
            options[option.name] = other or 1
    codec: StreamCodec = PerPlane(Tiled(family.from_options(options), tile=1024))
    if family.traits.stretch:
        codec = Rescaled(codec, bits=family.traits.stretch - 1)
    return Guarded(codec, max_error=100)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_largest_header(family: type[StreamCodec], target: str) -> None:
    notes = {"target": target, "asked": 33.25, **TARGETS[target]}
    if target != "ratio":
        notes["reached"] = 33.26
    if family.traits.shaped_by_noise:
        # The codec's own options say them.
        notes = {key: value for key, value in notes.items() if key not in NOISE}
    data = pack(everything(family).recipe(), FORM, STREAM, notes)
    header, stream = unpack(data)
    assert (header.form, dict(header.notes), stream) == (FORM, notes, STREAM)
    assert header.header_bytes <= MOST
