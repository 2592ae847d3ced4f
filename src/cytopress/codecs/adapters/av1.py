"""AV1 over z: planes as frames of a video (SVT-AV1, dav1d)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from cytopress.codecs.adapters.video import Video, VideoCodec
from cytopress.codecs.base import QualityParameter, Traits
from cytopress.codecs.container.wire import Reader
from cytopress.codecs.options import float_option, integer_option
from cytopress.errors import CorruptDataError, UsageError

TEMPORAL_DELIMITER = 2


def temporal_units(stream: bytes) -> Iterator[bytes]:
    """Yield the temporal units of a low-overhead stream; FFmpeg's parser takes them for one.

    AV1 Bitstream and Decoding Process Specification, 5.3: each unit begins with a delimiter, and
    each part of it with its type and its length.

    Raises
    ------
    CorruptDataError
        A part ends beyond the stream, or does not tell its length.
    """
    reader, start = Reader(stream), 0
    while reader.left:
        place, head = reader.position, reader.byte()
        if head >> 3 & 15 == TEMPORAL_DELIMITER and place > start:
            yield bytes(stream[start:place])
            start = place
        if not head & 2:
            raise CorruptDataError("The AV1 stream has a part that does not tell its length.")
        # An extension is one byte more; lengths are written as varints are.
        reader.skip(head >> 2 & 1)
        reader.skip(reader.varint())
    yield bytes(stream[start:])


# The encoder knows no gray: color of one value is in the bytes, some 20 of them a frame at most.
AV1 = Video("libsvtav1", "libdav1d", {8: "yuv420p", 10: "yuv420p10le"}, temporal_units)
# One thread, so that equal images give equal bytes; tuned for PSNR. Planes are no scene that moves:
# filtering them along z costs 5 to 15 % of the bytes at equal PSNR. Groups of 8 planes, not of 32,
# need half the memory and no more bytes.
ALWAYS = "lp=1:tune=1:keyint=-1:enable-tf=0:hierarchical-levels=3"
# The quantizer's own step: finer fractions change nothing.
QUARTER = 4


@dataclass(frozen=True)
class Av1(VideoCodec):
    """Code a plane or volume with AV1.

    Parameters
    ----------
    crf : float
        Rate factor, 1 to 63 in quarters. 0 is lossless.
    bits : int
        8 or 10, coded at most: lossless coding takes as few of them as hold the used range. The
        encoder knows no 12.
    preset : int
        0 (small) to 13 (fast).
    """

    crf: float = 0.0
    bits: int = 10
    preset: int = 6

    name: ClassVar[str] = "av1"
    number: ClassVar[int] = 18
    video: ClassVar[Video] = AV1
    traits: ClassVar[Traits] = Traits(
        dims=(2, 3),
        dtypes=("uint8", "uint16"),
        bits="8 or 10 coded",
        parameter=QualityParameter("crf", "rate factor", 1, 63, finer="lower", scale="linear"),
        reads_back="the same dtype",
        can_be_lossless=True,
    )

    def __post_init__(self) -> None:
        float_option(self, "crf", 1, 63, lossless=0)
        integer_option(self, "preset", 0, 13)
        if self.bits not in AV1.formats:
            raise UsageError(f"av1: bits is 8 or 10, not {self.bits}.")

    @property
    def lossless(self) -> bool:
        """Whether the rate factor is zero."""
        return self.crf == 0

    def _setting(self) -> tuple[int, dict[str, str]]:
        quality = "lossless=1" if self.lossless else f"crf={round(self.crf * QUARTER) / QUARTER}"
        # The library would write what it does to stderr.
        os.environ.setdefault("SVT_LOG", "1")
        options = {"preset": str(int(self.preset)), "svtav1-params": f"{ALWAYS}:{quality}"}
        return 2**self.bits - 1, options
