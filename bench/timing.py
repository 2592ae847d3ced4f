"""What the benchmarks share: one thread, one way to time a codec, the circumstances to print."""

from __future__ import annotations

import os
import platform
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import imagecodecs
import numpy as np

import cytopress
from cytopress.codecs.base import StreamCodec
from cytopress.codecs.registry import decode_by
from cytopress.codecs.targets.request import CodecRequest
from cytopress.errors import CytopressWarning
from cytopress.image import Image
from cytopress.machine import processor
from cytopress.metrics import metric

PASSES = 5
LIBRARIES = (
    *("libpng", "zstd", "libjxl", "charls", "openjpeg", "openjph", "jxrlib"),
    *("libjpeg_turbo", "libavif", "lerc", "zfp", "sperr", "sz3"),
)
HEADING = f"{'codec and setting':26} {'encode':>13} {'decode':>13} {'ratio':>10} {'PSNR':>10}"
Clock = Callable[[], float]


@dataclass(frozen=True)
class Row:
    """What one codec did at one setting, over all fields."""

    spec: str
    encode: float
    decode: float
    ratio: float
    psnr: float

    def __str__(self) -> str:
        psnr = "lossless" if np.isinf(self.psnr) else f"{self.psnr:.2f} dB"
        rates = f"{self.encode:8.1f} MB/s {self.decode:8.1f} MB/s"
        return f"{self.spec:26} {rates} {self.ratio:8.2f} x {psnr:>10}"


def solved(request: CodecRequest, images: Sequence[Image]) -> list[StreamCodec]:
    """Return the codec that meets what was chosen, for each image."""
    with warnings.catch_warnings():
        # Codecs with coarse settings overshoot a ratio; what they reached stands in the row.
        warnings.simplefilter("ignore", CytopressWarning)
        return [request.solve(image).codec for image in images]


def timed(
    spec: str,
    coders: Sequence[StreamCodec],
    images: Sequence[Image],
    data_range: float,
    clock: Clock = time.perf_counter,
    passes: int = PASSES,
) -> Row:
    """Return what codecs did, each with its image, all together."""
    encodes = [partial(coder.encode, image) for coder, image in zip(coders, images, strict=True)]
    coded = [encode() for encode in encodes]
    decodes = [partial(decode_by, coder, data) for coder, data in zip(coders, coded, strict=True)]
    raw = sum(image.raw_bytes for image in images)
    values = [
        metric("psnr")(image.pixels, decode().pixels, data_range)
        for image, decode in zip(images, decodes, strict=True)
    ]
    encode, decode = (raw / 1e6 / seconds(work, clock, passes) for work in (encodes, decodes))
    return Row(spec, encode, decode, raw / sum(map(len, coded)), float(np.mean(values)))


def seconds(work: Sequence[Callable[[], object]], clock: Clock, passes: int) -> float:
    """Return what it takes to do all the work: the median of passes after it has been done once."""
    found = []
    for _ in range(passes):
        start = clock()
        for part in work:
            part()
        found.append(clock() - start)
    return statistics.median(found)


def stay_on_one_core() -> bool:
    """Keep this process on one core, so that no library can use more than one thread's worth."""
    if not hasattr(os, "sched_setaffinity"):
        return False
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return True


def print_machine(*, one_core: bool) -> None:
    """Print what a reader needs to know of machine and versions."""
    versions = imagecodecs.version(dict)
    print(f"{processor()}; one thread{', pinned to one core' if one_core else ''}")
    load = f"; load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"{platform.system()} {platform.machine()}, Python {platform.python_version()}{load}")
    print(f"cytopress {cytopress.__version__}, numpy {np.__version__}", end=", ")
    print(f"imagecodecs {imagecodecs.__version__} with", end=" ")
    print(", ".join(f"{name} {versions[name]}" for name in LIBRARIES if name in versions))
