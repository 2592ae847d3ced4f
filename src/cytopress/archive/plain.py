"""Plain coding: lossless, with the codecs that any zarr reader has; of labels, and rare types."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numcodecs import Blosc

from cytopress.archive.inspecting import ChannelKey
from cytopress.archive.plan import Coding
from cytopress.image import Pixels

SPEC = "zstd"
# As the arrays of such images are coded.
BLOSC = Blosc(cname="zstd", clevel=3, shuffle=Blosc.SHUFFLE)


def plain_coding(channel: ChannelKey, chunks: Sequence[Pixels]) -> Coding:
    """Return the coding of a channel, with the ratio of sampled chunks."""
    raw = sum(chunk.nbytes for chunk in chunks)
    coded = sum(len(BLOSC.encode(np.ascontiguousarray(chunk))) for chunk in chunks)
    return Coding(
        channel=channel.name,
        dtype=channel.dtype,
        bits=channel.bits or np.dtype(channel.dtype).itemsize * 8,
        asked=SPEC,
        spec=SPEC,
        expected_ratio=raw / coded,
        labels=channel.labels,
    )
