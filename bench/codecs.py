"""Speed, ratio and PSNR of every codec on unseen fields of `ecoli-phase` (`make bench`).

Times are wall time of `encode` and `decode` alone, container and checksum included, on one thread:
after a warm-up the median of five passes over the fields, in MB/s of raw bytes. PSNR is over the
dataset's span (0.01 to 99.99 percentile of its training groups). Only rows of one run compare.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import imagecodecs
import numpy as np

import cytopress
from cytopress.codecs.choice import Choice
from cytopress.codecs.registry import FAMILIES
from cytopress.codecs.spec import codec
from cytopress.errors import CytopressError, CytopressWarning
from cytopress.image import Image
from cytopress.io.datasets import dataset
from cytopress.machine import processor
from cytopress.metrics import metric
from cytopress.study.yardsticks import Yardsticks, measure

DATASET, FIELDS, PASSES = "ecoli-phase", 3, 5
# The first is what every lossy codec here reaches, the second what the comparison is about.
RATIOS = (10, 40)
LIBRARIES = (
    *("libpng", "zstd", "libjxl", "charls", "openjpeg", "openjph", "jxrlib"),
    *("libjpeg_turbo", "libavif", "lerc", "zfp", "sperr", "sz3"),
)


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


def main() -> int:
    one_core = stay_on_one_core()
    try:
        data = dataset(DATASET)
    except CytopressError as error:
        print(f"No benchmark without its images: {error}", file=sys.stderr)
        return 1
    images = [data.read_input(field) for field in data.part("test")[:FIELDS]]
    yardsticks = measure(data, step=lambda _: None)
    print_circumstances(images, yardsticks, one_core=one_core)
    print(f"{'codec and setting':26} {'encode':>13} {'decode':>13} {'ratio':>10} {'PSNR':>10}")
    for family in FAMILIES:
        for spec in settings(family.name):
            print(line(spec, images, yardsticks), flush=True)
    return 0


def settings(name: str) -> list[str]:
    """Return a codec's lossless spec and its lossy ones, as far as it has them."""
    traits = next(family.traits for family in FAMILIES if family.name == name)
    lossless = [name] if traits.can_be_lossless else []
    return lossless + ([f"{name}:ratio={ratio}" for ratio in RATIOS] if traits.knob else [])


def line(spec: str, images: list[Image], yardsticks: Yardsticks) -> str:
    choice = codec(spec)
    if choice.family.traits.shaped_by_noise:
        noise = yardsticks.noise
        choice = codec(f"{spec},a={noise.a},b={noise.b},offset={noise.offset}")
    try:
        return str(run(spec, choice, images, yardsticks.data_range))
    except CytopressError as error:
        return f"{spec:26} {error}"


def run(spec: str, choice: Choice, images: list[Image], data_range: float) -> Row:
    with warnings.catch_warnings():
        # Codecs with coarse settings overshoot a ratio; what they reached stands in the row.
        warnings.simplefilter("ignore", CytopressWarning)
        solved = [choice.solve(image).codec for image in images]
    coded = [coder.encode(image) for coder, image in zip(solved, images, strict=True)]
    pairs = list(zip(solved, coded, strict=True))
    raw = sum(image.raw_bytes for image in images)
    decoded = [coder.decode(data) for coder, data in pairs]
    values = [
        metric("psnr")(image.pixels, other.pixels, data_range)
        for image, other in zip(images, decoded, strict=True)
    ]
    return Row(
        spec=spec,
        encode=speed(
            lambda: [c.encode(image) for c, image in zip(solved, images, strict=True)], raw
        ),
        decode=speed(lambda: [c.decode(data) for c, data in pairs], raw),
        ratio=raw / sum(map(len, coded)),
        psnr=float(np.mean(values)),
    )


def speed(work: Callable[[], object], raw_bytes: int) -> float:
    """Return MB/s of raw bytes: a warm-up, then the median of the passes."""
    work()
    seconds = []
    for _ in range(PASSES):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return raw_bytes / 1e6 / statistics.median(seconds)


def stay_on_one_core() -> bool:
    """Keep this process on one core, so that no library can use more than one thread's worth."""
    if not hasattr(os, "sched_setaffinity"):
        return False
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    return True


def print_circumstances(images: list[Image], yardsticks: Yardsticks, *, one_core: bool) -> None:
    versions = imagecodecs.version(dict)
    print(f"{DATASET}: {len(images)} fields of the test group, {images[0]!r} and alike")
    print(f"PSNR over {yardsticks.data_range:g} counts ({yardsticks.source})")
    print(f"{processor()}; one thread{', pinned to one core' if one_core else ''}")
    load = f"; load average {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    print(f"{platform.system()} {platform.machine()}, Python {platform.python_version()}{load}")
    print(f"cytopress {cytopress.__version__}, numpy {np.__version__}", end=", ")
    print(f"imagecodecs {imagecodecs.__version__} with", end=" ")
    print(", ".join(f"{name} {versions[name]}" for name in LIBRARIES if name in versions))
    print()


if __name__ == "__main__":
    sys.exit(main())
