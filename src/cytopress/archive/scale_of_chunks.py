"""Resolution of an archive's chunks: one for a channel, chosen where that is better on samples."""

from __future__ import annotations

import numpy as np

from cytopress.archive.plan import Coding
from cytopress.archive.sample_codings import Samples
from cytopress.codecs.adapters.zstd import Zstd
from cytopress.codecs.container.container import Form
from cytopress.codecs.targets.request import CodecRequest
from cytopress.codecs.wrappers import Scaled
from cytopress.image import Image

SCALES = ("2", "4")
# Of the error at full resolution, what the lower resolution alone may lose, so that it can pay.
MOST_LOST = 0.8
# Every so manieth chunk tells what is lost, at so many bits at most.
EVERY, MOST_BITS = 4, 16


def may_pay(scale: str, found: Coding, samples: Samples) -> bool:
    """Whether a lower resolution loses less of the sampled chunks than the codec does."""
    if samples.dtype.name not in Scaled.traits.dtypes:
        return False
    scaled = Scaled(Zstd(), levels=int(scale) // 2, bits=min(samples.bits + 4, MOST_BITS))
    lost = []
    for chunk in samples.chunks[::EVERY]:
        image = Image(chunk, bits=samples.bits)
        back = scaled.restore(scaled.compress(image), Form.of(image)).pixels
        lost.append(np.mean((back.astype(np.float64) - chunk) ** 2))
    return float(np.mean(lost)) < MOST_LOST * found.expected_rmse**2


def is_better(lower: Coding, found: Coding, asked: CodecRequest) -> bool:
    """Whether a coding has less error under a ratio, or else fewer bytes, and chunks as alike."""
    # Those coded finer, or losslessly, take bytes that the ratio does not tell.
    if lower.expected_finer > found.expected_finer + 0.01:
        return False
    if asked.asked is not None and asked.asked[0] == "ratio":
        return lower.expected_rmse < found.expected_rmse
    return lower.expected_ratio > found.expected_ratio
