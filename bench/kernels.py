"""Speed of the kernels by path, as ratios to numpy (`make bench`).

    python bench/kernels.py [PATH ...]      every path of this machine unless some are named

A field of 1024 x 1024 pixels: 128 x 128 places of 64 latents. Processor time of this thread, the
best of several passes; paths take turns, so that what else runs here meets all of them. A second
table has wall time by number of threads.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cytopress.kernels import paths, threads
from cytopress.kernels.block_matrices import BlockMatrices
from cytopress.kernels.context_step import ContextStep
from cytopress.kernels.convolution import Convolution
from cytopress.kernels.forward_transforms import ForwardTransforms
from cytopress.kernels.fractions import fractions
from cytopress.kernels.lapped_transform import LappedAnalysis, LappedSynthesis
from cytopress.kernels.pixel_rows import Counts, counts
from cytopress.kernels.pixel_shuffle import ShuffledConvolutions
from cytopress.kernels.places import activity, dequantized, table_rows
from cytopress.kernels.rans import LanesDecoder, encode
from cytopress.kernels.rans_tables import RansTables
from cytopress.kernels.rate_distortion import CostTable
from cytopress.kernels.stack_matrix import StackMatrix
from cytopress.machine import processor

PASSES = 7
PLACES, LATENTS = 128, 64
PIXELS = (8 * PLACES) ** 2
RANDOM = np.random.default_rng(0)


@dataclass(frozen=True)
class Case:
    """One kernel: what it does, and how much that is."""

    name: str
    run: Callable[[], Any]
    amount: float
    unit: str


def main() -> int:
    held = tuple(sys.argv[1:]) or paths.available()
    print(f"{processor()}; {paths.described()}")
    cases = [*convolutions(), *networks(), *transforms(), *coders()]
    print(f"\n{'one thread':26} {'':12}" + "".join(f"{path:>18}" for path in held))
    for case in cases:
        best = times(case, held)
        shown = "".join(
            f"{case.amount / best[path]:9.1f} {best[paths.NUMPY] / best[path]:6.1f} x"
            for path in held
        )
        print(f"{case.name:26} {case.unit:12}{shown}")
    print(f"\n{'wall time, ms':39}" + "".join(f"{n:>10}" for n in (1, 2)) + "  threads")
    for case in cases:
        walls = [min(wall(case, number) for _ in range(PASSES)) for number in (1, 2)]
        print(f"{case.name:39}" + "".join(f"{1000 * each:10.2f}" for each in walls))
    return 0


def times(case: Case, held: tuple[str, ...]) -> dict[str, float]:
    """Return the shortest time of each path and of numpy, in seconds."""
    best = dict.fromkeys((*held, paths.NUMPY), np.inf)
    for _ in range(PASSES):
        for path in best:
            with paths.using(path):
                began = time.thread_time()
                case.run()
                best[path] = min(best[path], time.thread_time() - began)
    return best


def wall(case: Case, number: int) -> float:
    with threads.using(number):
        began = time.perf_counter()
        case.run()
        return time.perf_counter() - began


def convolutions() -> list[Case]:
    found = []
    for inputs, outputs, side in ((64, 64, 3), (64, 64, 1), (32, 96, 3)):
        weight = RANDOM.integers(-500, 500, (outputs, inputs, side, side)).astype(np.int16)
        layer = Convolution(weight, np.zeros(outputs, np.int32), 12, 0, 2**15 - 1, most=2**12)
        x = RANDOM.integers(0, 2**12, (PLACES, PLACES, inputs)).astype(np.int16)
        work = weight.size * PLACES**2 / 1e9
        name = f"{side} x {side}, {inputs} to {outputs}"
        found.append(Case(name, lambda f=layer, x=x: f(x), work, "GMAC/s"))
    return found


def networks() -> list[Case]:
    """Layers as the shipped general model's: between hyper-latents and entropy coder."""

    def layer(outputs: int, inputs: int, side: int, low: int, high: int) -> Convolution:
        weight = RANDOM.integers(-500, 500, (outputs, inputs, side, side)).astype(np.int16)
        return Convolution(weight, np.zeros(outputs, np.int32), 12, low, high, most=2**14)

    far = -(2**28), 2**28
    hidden = (layer(96, 12, 3, 0, 2**14), 2), (layer(96, 24, 3, 0, 2**14), 2)
    hyper = ShuffledConvolutions(hidden, (layer(64, 24, 1, *far), layer(96, 24, 1, *far)), 2**14)
    step = ContextStep(
        layer(16, 16, 3, 0, 2**14), layer(48, 16, 1, *far), layer(48, 16, 1, *far), 2
    )
    z = RANDOM.integers(-999, 999, (PLACES // 4, PLACES // 4, 12)).astype(np.int32)
    known, features, mean, index = (
        RANDOM.integers(-999, 999, (PLACES, PLACES, count)).astype(np.int32)
        for count in (16, 16, 48, 48)
    )
    runs: dict[str, Callable[[], Any]] = {
        "hyper synthesis": lambda: hyper(z),
        "context step": lambda: step(known, features, mean, index),
    }
    return [Case(name, run, 2 * PIXELS / 1e6, "MB/s, 16 bit") for name, run in runs.items()]


def transforms() -> list[Case]:
    along_y, along_x = RANDOM.integers(-2000, 2000, (2, 8, 16)).astype(np.int16)
    order, counted = RANDOM.permutation(LATENTS), 2 * PIXELS / 1e6
    synthesis = LappedSynthesis(along_y, along_x, 14, 14, order)
    analysis = LappedAnalysis(along_y, along_x, 14, 14, order)
    latents = RANDOM.integers(-(2**18), 2**18, (PLACES, PLACES, LATENTS)).astype(np.int32)
    pixels = synthesis(np.pad(latents, ((1, 0), (1, 0), (0, 0))))
    matrices = BlockMatrices(RANDOM.integers(-900, 900, (3, 48, 48)).astype(np.int16), 14, 8)
    symbols = RANDOM.integers(-9, 9, (PLACES**2, 48)).astype(np.int32)
    which = RANDOM.integers(0, 4, PLACES**2).astype(np.int8)
    factors = RANDOM.integers(0, 2**31, LATENTS)
    out = np.empty((8 * PLACES, 8 * PLACES), np.uint16)
    rounding, bias = Counts(900, 400, 15, 65535), np.zeros((1, LATENTS), np.int32)
    kernels = np.linalg.qr(RANDOM.normal(size=(3, 48, 48)))[0]
    forward = ForwardTransforms(np.rint(kernels * 2**14).astype(np.int16), np.zeros((3, 48), int))
    table = CostTable(np.minimum(RANDOM.exponential(1, (56, 256)).cumsum(1), 99), 10.0)
    residual = RANDOM.integers(-900, 900, (PLACES**2, 48)).astype(np.int32)
    index = RANDOM.integers(0, 20 * 256, residual.shape).astype(np.int32)
    classes, choice = np.zeros(PLACES**2, np.int8), np.zeros((1, 4), np.int32)
    rows = RANDOM.integers(0, 56, residual.size).astype(np.uint8)
    # Of volumes: 4 planes of a slab from 3 slabs, and from 8 planes.
    slabs, planes = (
        list(RANDOM.integers(-(2**18), 2**18, shape).astype(np.int32))
        for shape in ((3, PLACES**2 // 4, 4 * LATENTS), (8, PLACES**2 // 4, LATENTS))
    )
    matrix = RANDOM.integers(-3000, 3000, (4, 12)).astype(np.int16)
    along_z = StackMatrix(matrix, 14, 4 * LATENTS, RANDOM.permutation(4 * LATENTS).reshape(4, -1))
    mixed = StackMatrix(matrix[:, :8].copy(), 14, LATENTS)
    runs: dict[str, Callable[[], Any]] = {
        "lapped synthesis": lambda: synthesis(latents),
        "lapped analysis": lambda: analysis(pixels),
        "secondary transforms": lambda: matrices(symbols, which),
        "activity": lambda: activity(latents, bias[0], (2304, 9, 9)),
        "rows of tables": lambda: table_rows(latents, bias, 8, 56),
        "dequantized": lambda: dequantized(latents, factors, 30, 3),
        "cheapest of 4 transforms": lambda: forward.cheapest(
            residual, index, classes, choice, table
        ),
        "quantized": lambda: table.quantized(residual.reshape(-1), rows),
        "pixels to fractions": lambda: fractions(out, 400, 900, 15, 2**25),
        "along z, 12 latents to 4": lambda: along_z(slabs),
        "along z, 8 planes to 4": lambda: mixed(planes),
        "counts": lambda: counts(pixels[: 8 * PLACES].copy(), rounding, out),
    }
    return [Case(name, run, counted, "MB/s, 16 bit") for name, run in runs.items()]


def coders() -> list[Case]:
    """Latents of 56 normal distributions, most of them narrow, in 8 lanes."""
    from scipy.stats import norm

    deviations = 2.0 ** np.linspace(-4, 8, 56)
    reach = np.maximum(2, np.ceil(4.5 * deviations)).astype(int)
    cdf = np.full((56, 2 * reach.max() + 3), 2**24, np.uint32)
    for row, size, deviation in zip(cdf, reach, deviations, strict=True):
        shares = norm.cdf(np.arange(-size, size + 1) + 0.5, scale=deviation)
        row[1 : 2 * size + 2] = (
            np.floor(shares * (2**24 - 2 * size - 2)) + np.arange(2 * size + 1) + 1
        )
        row[0] = 0
    tables = RansTables(cdf, (2 * reach + 2).astype(np.int32), -reach.astype(np.int32))
    rows = np.minimum(RANDOM.exponential(9, PIXELS), 55).astype(np.uint8)
    slots = RANDOM.integers(0, 2**24, PIXELS)
    symbols = np.empty(PIXELS, np.uint16)
    for number, row in enumerate(cdf):
        symbols[rows == number] = np.searchsorted(row, slots[rows == number], side="right") - 1
    words = encode([(symbols, rows, tables)], 8)
    bits = 32 * sum(map(len, words)) / PIXELS
    name = f"rANS, {bits:.2f} bits a symbol"

    def encoded() -> Any:
        return encode([(symbols, rows, tables)], 8)

    def decoded() -> Any:
        return LanesDecoder(words).decode(rows, tables)

    both = (("in", encoded), ("out", decoded))
    return [Case(f"{name}: {way}", run, PIXELS / 1e6, "M symbols/s") for way, run in both]


if __name__ == "__main__":
    sys.exit(main())
