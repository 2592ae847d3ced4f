"""AV1 over z: planes as frames of a video (SVT-AV1, dav1d)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from cytopress.codecs.adapters.ffmpeg import VideoFormat
from cytopress.codecs.adapters.video import VideoCodec
from cytopress.codecs.base import QualityParameter, Traits
from cytopress.codecs.container.wire import Reader
from cytopress.codecs.options import float_option, integer_option
from cytopress.errors import CorruptDataError, UsageError

TEMPORAL_DELIMITER = 2


def temporal_units(stream: bytes) -> Iterator[bytes]:
    """Yield the temporal units of a low-overhead stream, which FFmpeg's parser does not separate.

    AV1 Bitstream and Decoding Process Specification, 5.3: each unit begins with a delimiter, and
    each OBU in it with a header and its size.

    Raises
    ------
    CorruptDataError
        An OBU ends beyond the stream, or has no size.
    """
    reader, start = Reader(stream), 0
    while reader.left:
        place, head = reader.position, reader.byte()
        if head >> 3 & 15 == TEMPORAL_DELIMITER and place > start:
            yield bytes(stream[start:place])
            start = place
        if not head & 2:
            raise CorruptDataError("The AV1 stream has an OBU without a size.")
        # An extension header is one byte; sizes are LEB128, as varints are.
        reader.skip(head >> 2 & 1)
        reader.skip(reader.varint())
    yield bytes(stream[start:])


# The encoder has no monochrome mode: constant chroma takes at most some 20 bytes a frame.
AV1 = VideoFormat("libsvtav1", "libdav1d", {8: "yuv420p", 10: "yuv420p10le"}, temporal_units)
# One thread, so that equal images give equal bytes; tuned for PSNR. Temporal filtering costs 5 to
# 15 % of the bytes at equal PSNR along z. Groups of 8 planes need half the memory of 32, and not
# more bytes.
ALWAYS = "lp=1:tune=1:keyint=-1:enable-tf=0:hierarchical-levels=3"
# Quality steps of a rate factor: the encoder ignores finer fractions.
QUARTER = 4


@dataclass(frozen=True)
class Av1(VideoCodec):
    """Code a plane or volume with AV1.

    Parameters
    ----------
    crf : float
        Rate factor, 1 to 63 in quarters. 0 is lossless.
    bits : int
        Largest coded bit depth, 8 or 10: lossless coding uses the fewest that hold the used range.
        The encoder has no 12.
    preset : int
        0 (small) to 13 (fast).
    """

    crf: float = 0.0
    bits: int = 10
    preset: int = 6

    name: ClassVar[str] = "av1"
    number: ClassVar[int] = 18
    video: ClassVar[VideoFormat] = AV1
    traits: ClassVar[Traits] = Traits(
        dims=(2, 3),
        dtypes=("uint8", "uint16"),
        bits="8 or 10 coded",
        parameter=QualityParameter("crf", "rate factor", 1, 63, finer="lower", scale="linear"),
        reads_back="the same dtype",
        can_be_lossless=True,
        # SVT-AV1's limit; from 65536 on it silently codes the remainder of a division by that.
        largest=(8704, 16384),
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
        # Else the library writes its log to stderr.
        os.environ.setdefault("SVT_LOG", "1")
        options = {"preset": str(int(self.preset)), "svtav1-params": f"{ALWAYS}:{quality}"}
        return 2**self.bits - 1, options
