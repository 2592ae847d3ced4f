"""Learned volumes beside AV1: bytes at its PSNR, and speed in turns (`volumes.py --targets`)."""

from __future__ import annotations

import functools
import math
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from fresh import verdict
from timing import stay_on_one_core

from cytopress.codecs.spec import codec
from cytopress.datasets.catalogue import Dataset
from cytopress.errors import CytopressError, CytopressWarning
from cytopress.image import Image
from cytopress.metrics import metric
from cytopress.metrics.data_range import data_range

RIVAL, OTHERS = "av1", ("jpeg2000:z=wavelet", "jpeg2000")
# Of each ratio: the percent of bytes above the rival's that are allowed at its PSNR.
ALLOWED = {10: 3.0, 20: 3.0, 40: 0.0, 80: 0.0, 160: 0.0}
# Ratios whose speed is told, and passes of each codec, in turns, behind one that opens it.
SPEED_RATIOS, PASSES = (20, 40), 2
# Decibels between the PSNRs that bytes are interpolated between, at most.
NEAR, MOST_STEPS = 0.1, 10
Changes = dict[str, dict[int, list[float]]]
Result = TypeVar("Result")


@dataclass
class Volume:
    """A volume, and what codecs made of it at settings that were tried."""

    image: Image
    found: dict[str, tuple[int, float]] = field(default_factory=dict)

    @functools.cached_property
    def span(self) -> float:
        return data_range([self.image.pixels])

    def at(self, spec: str) -> tuple[int, float]:
        """Return the bytes and the PSNR of a native setting."""
        if spec not in self.found:
            self.found[spec] = self.scored(codec(spec).encode(self.image), spec)
        return self.found[spec]

    def scored(self, data: bytes, spec: str) -> tuple[int, float]:
        decoded = codec(spec).decode(data).pixels
        return len(data), metric("psnr").function(self.image.pixels, decoded, self.span)

    def size_at(self, name: str, psnr: float) -> float | None:
        """Return the bytes of a learned codec at a PSNR; None where no quality reaches it.

        Between two qualities that lie near, their logarithm is interpolated.
        """
        # The network alone: resolution is another choice, which classic codecs have too.
        ends = [(quality, *self.at(f"{name}:quality={quality},scale=1")) for quality in (0.0, 1.0)]
        low, high = ends
        if not low[2] <= psnr <= high[2]:
            return None
        for _ in range(MOST_STEPS):
            if high[2] - low[2] < NEAR:
                break
            quality = (low[0] + high[0]) / 2
            middle = quality, *self.at(f"{name}:quality={quality},scale=1")
            low, high = (middle, high) if middle[2] < psnr else (low, middle)
        share = (psnr - low[2]) / max(high[2] - low[2], 1e-9)
        return math.exp((1 - share) * math.log(low[1]) + share * math.log(high[1]))


def print_targets(data: Dataset, names: Sequence[str], parts: Sequence[str]) -> None:
    """Print a table of bytes, a verdict for each ratio, and a table of speed.

    Parameters
    ----------
    data : Dataset
        Its volumes are coded one by one.
    names : sequence of str
        Learned codecs; the verdict is on the first.
    parts : sequence of str
        Parts of the dataset.
    """
    warnings.simplefilter("ignore", CytopressWarning)
    one_core = stay_on_one_core()
    images = [data.read_input(each) for part in parts for each in data.part(part)]
    if not images:
        raise SystemExit(f"{data.name} has no volume in {', '.join(parts)}.")
    print(f"\n{data.name}, {', '.join(parts)}: {', '.join(map(repr, images))}")
    print(f"MB/s of raw bytes{', on one core' if one_core else ''}, processor time, in turns:\n")
    _print_speed(images[0], names)
    print(f"\nBytes at the PSNR that {RIVAL} reaches; in brackets percent of its bytes.\n")
    print(f"| volume | asked | {RIVAL}: ratio, dB, bytes | {' | '.join(names)} |")
    print("|---" * (3 + len(names)) + "|", flush=True)
    changes: Changes = {name: {} for name in names}
    for number, image in enumerate(images, 1):
        volume = Volume(image)
        for ratio in ALLOWED:
            print(f"| {number} | {ratio} | {_row(volume, ratio, changes)} |", flush=True)
    print()
    for ratio, allowed in ALLOWED.items():
        found = changes[names[0]].get(ratio, [])
        mean = float(np.mean(found)) if found else math.nan
        good = verdict(len(found) == len(images) and mean <= allowed)
        print(
            f"  {names[0]} at {ratio}: {mean:+.1f} % of {RIVAL}'s bytes in the mean over", end=" "
        )
        print(f"{len(found)} of {len(images)} volumes, allowed {allowed:+g}: {good}")


def _row(volume: Volume, ratio: int, changes: Changes) -> str:
    """Return the cells of a ratio, and note the percents."""
    spec = f"{RIVAL}:ratio={ratio}"
    try:
        rival, psnr = volume.scored(codec(spec).solve(volume.image).data, RIVAL)
    except CytopressError as error:
        return str(error)
    cells = [f"{volume.image.raw_bytes / rival:.1f}, {psnr:.2f}, {rival}"]
    for name, found in changes.items():
        size = volume.size_at(name, psnr)
        if size is None:
            cells.append("not reached")
            continue
        found.setdefault(ratio, []).append(100 * (size / rival - 1))
        cells.append(f"{size:.0f} ({found[ratio][-1]:+.1f})")
    return " | ".join(cells)


def _print_speed(image: Image, names: Sequence[str]) -> None:
    coders, times, sizes = {}, dict[str, list[tuple[float, float]]](), dict[str, int]()
    for ratio in SPEED_RATIOS:
        for name in (*names, RIVAL, *OTHERS):
            spec = f"{name}{',' if ':' in name else ':'}ratio={ratio}"
            try:
                coders[spec] = codec(spec).solve(image).codec
            except CytopressError as error:
                print(f"{spec}: {error}")
    for _ in range(PASSES + 1):
        for spec, coder in coders.items():
            encode, data = _timed(functools.partial(coder.encode, image))
            decode, _ = _timed(functools.partial(codec(spec).decode, data))
            times.setdefault(spec, []).append((encode, decode))
            sizes[spec] = len(data)
    print("| codec | times smaller | encode | decode |\n|---|---|---|---|")
    for spec, found in times.items():
        encode, decode = image.raw_bytes / 1e6 / np.array(found[1:]).min(0)
        reached = image.raw_bytes / sizes[spec]
        print(f"| `{spec}` | {reached:.1f} | {encode:.1f} | {decode:.1f} |", flush=True)


def _timed(work: Callable[[], Result]) -> tuple[float, Result]:
    start = time.process_time()
    found = work()
    return time.process_time() - start, found
