"""The used range in front of every learned stream: taken whole, or refused with its fault."""

from __future__ import annotations

import struct

import pytest

from cytopress.codecs.learned.pixels.normalization import take_limits
from cytopress.errors import CorruptDataError


def test_limits_come_back_with_what_follows() -> None:
    assert take_limits("codec", struct.pack("<ff", 1.5, 9.0) + b"rest") == (1.5, 9.0, b"rest")
    assert take_limits("codec", struct.pack("<ff", 7.0, 7.0)) == (7.0, 7.0, b"")


@pytest.mark.parametrize(
    ("stream", "fault"),
    [
        (b"seven b", "ends within its limits"),
        (struct.pack("<ff", 2.0, 1.0), "no range"),
        (struct.pack("<ff", 0.0, float("nan")), "no range"),
        (struct.pack("<ff", 0.0, float("inf")), "no range"),
        (struct.pack("<ff", 7.0, 7.0) + b"x", "followed by more bytes"),
    ],
)
def test_what_is_wrong_is_told(stream: bytes, fault: str) -> None:
    with pytest.raises(CorruptDataError, match=f"^codec: .*{fault}"):
        take_limits("codec", stream)
