"""Learned volumes beside AV1: bytes at its PSNR, and speed in turns (`volumes.py --targets`)."""

from __future__ import annotations

import functools
import math
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

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
# Ratios whose speed is told, and passes of each codec, in turns.
SPEED_RATIOS, PASSES = (20, 40), 3
# Decibels between the PSNRs that bytes are interpolated between, at most.
NEAR, MOST_STEPS = 0.05, 12


@dataclass(frozen=True)
class Point:
    """What a codec made of a volume."""

    spec: str
    size: int
    psnr: float


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
    images = [data.read_input(field) for part in parts for field in data.part(part)]
    if not images:
        raise SystemExit(f"{data.name} has no volume in {', '.join(parts)}.")
    print(f"\n{data.name}, {', '.join(parts)}: {', '.join(map(repr, images))}")
    print(f"Bytes at the PSNR that {RIVAL} reaches; in brackets percent of its bytes.\n")
    print("| volume | asked | av1: ratio, dB, bytes |", *(f"{name} |" for name in names))
    print("|---" * (3 + len(names)) + "|")
    changes: dict[str, dict[int, list[float]]] = {name: {} for name in names}
    for number, image in enumerate(images, 1):
        for ratio in ALLOWED:
            _print_row(number, image, ratio, changes)
    print()
    for ratio, allowed in ALLOWED.items():
        found = changes[names[0]].get(ratio)
        if found:
            mean = float(np.mean(found))
            good = verdict(len(found) == len(images) and mean <= allowed)
            print(f"  {names[0]} at {ratio}: {mean:+.1f} % of {RIVAL}'s bytes in the mean over")
            print(f"    {len(found)} of {len(images)} volumes, allowed {allowed:+g}: {good}")
    print(f"\nMB/s of raw bytes{', on one core' if one_core else ''}, processor time, in turns:\n")
    _print_speed(images[0], names)


def _print_row(
    number: int, image: Image, ratio: int, changes: dict[str, dict[int, list[float]]]
) -> None:
    span = data_range([image.pixels])
    try:
        rival = _coded(codec(f"{RIVAL}:ratio={ratio}").solve(image).data, RIVAL, image, span)
    except CytopressError as error:
        print(f"| {number} | {ratio} | {error} |", flush=True)
        return
    cells = [f"{image.raw_bytes / rival.size:.1f}, {rival.psnr:.2f}, {rival.size}"]
    for name, found in changes.items():
        size = size_at(name, image, span, rival.psnr)
        if size is None:
            cells.append("not reached")
            continue
        change = 100 * (size / rival.size - 1)
        found.setdefault(ratio, []).append(change)
        cells.append(f"{size:.0f} ({change:+.1f})")
    print(f"| {number} | {ratio} | {' | '.join(cells)} |", flush=True)


def size_at(name: str, image: Image, span: float, psnr: float) -> float | None:
    """Return the bytes of a codec at a PSNR, None where its qualities do not reach it.

    Between two of its qualities that lie near, their logarithm is interpolated.
    """
    low, high = (_at(name, image, span, quality) for quality in (0.0, 1.0))
    if not low.psnr <= psnr <= high.psnr:
        return None
    least, most = 0.0, 1.0
    for _ in range(MOST_STEPS):
        if high.psnr - low.psnr < NEAR:
            break
        middle = (least + most) / 2
        found = _at(name, image, span, middle)
        if found.psnr < psnr:
            least, low = middle, found
        else:
            most, high = middle, found
    share = (psnr - low.psnr) / max(high.psnr - low.psnr, 1e-9)
    return math.exp((1 - share) * math.log(low.size) + share * math.log(high.size))


def _at(name: str, image: Image, span: float, quality: float) -> Point:
    # The network alone: resolution is another choice, which classic codecs have too.
    spec = f"{name}:quality={quality},scale=1"
    return _coded(codec(spec).encode(image), spec, image, span)


def _coded(data: bytes, spec: str, image: Image, span: float) -> Point:
    decoded = codec(spec).decode(data).pixels
    return Point(spec, len(data), metric("psnr").function(image.pixels, decoded, span))


def _print_speed(image: Image, names: Sequence[str]) -> None:
    specs = [f"{name}:ratio={ratio}" for ratio in SPEED_RATIOS for name in (*names, RIVAL, *OTHERS)]
    print("| codec and ratio | reached | encode | decode |\n|---|---|---|---|")
    specs = [spec.replace("wavelet:", "wavelet,") for spec in specs]
    coders, times = {}, dict[str, list[tuple[float, float]]]()
    for spec in specs:
        try:
            coders[spec] = codec(spec).solve(image).codec
        except CytopressError as error:
            print(f"| {spec} | {error} |")
    sizes = {}
    for _ in range(PASSES + 1):
        for spec, coder in coders.items():
            encode, data = _seconds(functools.partial(coder.encode, image))
            decode, _ = _seconds(functools.partial(codec(spec).decode, data))
            times.setdefault(spec, []).append((encode, decode))
            sizes[spec] = len(data)
    for spec, found in times.items():
        # The first pass opens what is opened once.
        rates = image.raw_bytes / 1e6 / np.array(found[1:]).min(0)
        reached = image.raw_bytes / sizes[spec]
        print(f"| `{spec}` | {reached:.1f} | {rates[0]:.1f} | {rates[1]:.1f} |", flush=True)


def _seconds(work: Callable[[], bytes]) -> tuple[float, bytes]:
    start = time.process_time()
    found = work()
    return time.process_time() - start, found
