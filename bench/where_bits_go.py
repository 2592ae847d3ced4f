"""What the bits of a learned codec of planes are spent on, and what its tables leave to be saved.

    python bench/where_bits_go.py [NAME ...]      learned/cytopress-2d unless given

On validation fields, never on test groups, so that what is learned here may choose something. For
each quality bits a pixel and the share of each part: the surface, hyper-latents (z), then the
passes over the latents. Behind them, in percent of all bits, what an oracle would save that

- refits every table to the very symbols that it codes ("tables");
- moves all scale indices of a pass by the same number of tables ("a pass");
- or all of one channel in a pass ("a channel").

These are bounds: they know the symbols, and what they would tell the decoder costs nothing here.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.finding import learned_packages
from cytopress.codecs.learned.model import Model
from cytopress.codecs.learned.opening import open_model
from cytopress.codecs.learned.plane import normalized, used_range
from cytopress.codecs.learned.tables import Tables
from cytopress.image import Pixels
from cytopress.io.datasets import dataset
from cytopress.settings import from_environment

DATASETS = ("ecoli-phase", "nuclei-brightfield")
QUALITIES = (0.2, 0.35, 0.5, 0.65, 0.8)
FIELDS = 4
# Tables with fewer symbols would be refitted to chance.
LEAST_SYMBOLS = 1000
SHIFTS = range(-5, 6)
Array = npt.NDArray[Any]


@dataclass
class Recorder:
    """Takes what an encoder is given, and keeps it: values, rows and tables of each pass."""

    passes: list[tuple[Array, Array, Tables]] = field(default_factory=list)

    def put(self, values: Array, rows: Array, tables: Tables) -> None:
        self.passes.append((values, rows.astype(np.int64), tables))


def main() -> int:
    settings = from_environment()
    packages = {each.name: each for each in learned_packages(settings)}
    for name in sys.argv[1:] or ["learned/cytopress-2d"]:
        model = open_model(packages[name])
        for known in DATASETS:
            whole = dataset(known, settings)
            fields = [whole.read_input(each).pixels for each in whole.part("validation")[:FIELDS]]
            print(f"\n{name} on {known}, {len(fields)} fields\n")
            report(model, fields)
    return 0


def report(model: Model, fields: list[Pixels]) -> None:
    pixels = sum(each.size for each in fields)
    for number, quality in enumerate(QUALITIES):
        surfaces, recorders = zip(*(coded(model, each, quality) for each in fields), strict=True)
        passes = list(zip(*(each.passes for each in recorders), strict=True))
        spent = [sum(float(cost(*each).sum()) for each in one) for one in passes]
        bits = sum(surfaces) + sum(spent)
        if not number:
            parts = ["surface", "z", *(f"pass {index}" for index in range(1, len(passes)))]
            heads = ["quality", "bpp", *parts, "tables", "a pass", "a channel"]
            print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
        latents = passes[1:]
        saved = [
            refitted(latents),
            sum(moved(*each, rows_of=1) for one in latents for each in one),
            sum(
                moved(*each, rows_of=channels(model, index))
                for index, one in enumerate(latents)
                for each in one
            ),
        ]
        shares = [f"{100 * part / bits:.1f} %" for part in (sum(surfaces), *spent)]
        bounds = [f"{100 * part / bits:.2f} %" for part in saved]
        cells = [f"{quality:.2f}", f"{bits / pixels:.4f}", *shares, *bounds]
        print(f"| {' | '.join(cells)} |")


def coded(model: Model, pixels: Pixels, quality: float) -> tuple[float, Recorder]:
    """Return the bits of the surface of an image, and what its latents are coded as."""
    plane, _ = normalized(pixels, *used_range(pixels, model.card.percentiles))
    bits = 0.0
    if model.surface is not None:
        grid = model.surface.mesh.fit(plane)
        bits = 8.0 * len(model.surface.pack(grid))
        model.surface.mesh.subtract(plane, grid)
    recorder: Any = Recorder()
    setting = model.setting(quality)
    model.put(recorder, model.analyse([plane], setting), setting)
    return bits, recorder


def cost(values: Array, rows: Array, tables: Tables) -> Array:
    """Return the bits of each value; of an escaped one, those of the escape alone."""
    last = tables.size[rows] - 1
    symbols = values - tables.offset[rows]
    escaped = (symbols < 0) | (symbols >= last)
    bits: Array = tables.bits[rows, np.where(escaped, last, symbols)].astype(np.float64)
    return bits


def refitted(passes: list[Any]) -> float:
    """Return the bits that tables of these very symbols would save."""
    values, rows = (
        np.concatenate([each[part] for one in passes for each in one]) for part in (0, 1)
    )
    tables, saved = passes[0][0][2], 0.0
    for row in np.unique(rows):
        own = values[rows == row]
        if len(own) >= LEAST_SYMBOLS:
            _, counts = np.unique(own, return_counts=True)
            entropy = -float((counts * np.log2(counts / len(own))).sum())
            saved += float(cost(own, np.full(len(own), row), tables).sum()) - entropy
    return saved


def moved(values: Array, rows: Array, tables: Tables, *, rows_of: int = 1) -> float:
    """Return the bits that the best shifts of scale indices save, of ``rows_of`` equal parts."""
    every = [
        cost(values, np.clip(rows + shift, 0, len(tables) - 1), tables).reshape(rows_of, -1).sum(1)
        for shift in SHIFTS
    ]
    return float((every[SHIFTS.index(0)] - np.min(every, axis=0)).sum())


def channels(model: Model, index: int) -> int:
    """Return how many channels a pass over the latents is of, one after the other."""
    first = 0 if model.context is None else model.context.first
    whole = model.card.latent_channels
    return {0: whole}.get(first, first if index < 2 else whole - first)


if __name__ == "__main__":
    raise SystemExit(main())
