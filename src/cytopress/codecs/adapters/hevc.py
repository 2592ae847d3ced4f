"""HEVC (H.265) over z: planes as frames of a video (x265, FFmpeg's decoder).

x265 is under the GPL; it comes with PyAV's wheels, in the extra ``video``, not with the core.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from cytopress.codecs.adapters.ffmpeg import VideoFormat
from cytopress.codecs.adapters.video import VideoCodec
from cytopress.codecs.base import QualityParameter, Traits
from cytopress.codecs.options import float_option
from cytopress.errors import UsageError

HEVC = VideoFormat("libx265", "hevc", {8: "gray", 10: "gray10le", 12: "gray12le"})
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower")
# One thread and no text of the encoder's in the bytes, so that equal images give equal bytes; one
# key frame; no option that trades PSNR for visual quality. Lookahead takes the memory: its default
# of 20 frames needs 1.2 GB at 2048 x 2048.
ALWAYS = (
    "pools=none:frame-threads=1:wpp=0:info=0:hash=0:log-level=none:repeat-headers=1"
    ":keyint=-1:open-gop=0:aq-mode=0:cutree=0:psy-rd=0:psy-rdoq=0:rc-lookahead=5"
)


@dataclass(frozen=True)
class Hevc(VideoCodec):
    """Code a plane or volume with HEVC, monochrome (4:0:0).

    The encoder takes whole quantizers. For one between two of them the used range is stretched a
    little less and coded with the finer one, which has the same effect.

    Parameters
    ----------
    qp : float
        Quantizer, 1 to 51 of HEVC's scale at 8 bits: 6 more double the step. 0 is lossless.
    bits : int
        Largest coded bit depth, 8, 10 or 12: lossless coding uses the fewest that hold the used
        range.
    preset : str
        Effort, from ultrafast to slower.
    """

    qp: float = 0.0
    bits: int = 12
    preset: str = "medium"

    name: ClassVar[str] = "hevc"
    number: ClassVar[int] = 17
    video: ClassVar[VideoFormat] = HEVC
    traits: ClassVar[Traits] = Traits(
        dims=(2, 3),
        dtypes=("uint8", "uint16"),
        bits="8, 10 or 12 coded",
        parameter=QualityParameter("qp", "quantizer", 1, 51, finer="lower", scale="linear"),
        reads_back="the same dtype",
        can_be_lossless=True,
    )

    def __post_init__(self) -> None:
        float_option(self, "qp", 1, 51, lossless=0)
        if self.bits not in HEVC.formats:
            raise UsageError(f"hevc: bits is 8, 10 or 12, not {self.bits}.")
        if self.preset not in PRESETS:
            raise UsageError(f"hevc: preset is one of {', '.join(PRESETS)}, not {self.preset}.")

    @property
    def lossless(self) -> bool:
        """Whether the quantizer is zero."""
        return self.qp == 0

    def _setting(self) -> tuple[int, dict[str, str]]:
        finer = math.floor(self.qp)
        quality = "lossless=1" if self.lossless else f"qp={finer}"
        options = {"preset": self.preset, "x265-params": f"{ALWAYS}:{quality}"}
        return round((2**self.bits - 1) * 2 ** ((finer - self.qp) / 6)), options
