"""What the bits of a learned codec of planes are spent on, and what its tables leave to be saved.

    python bench/where_bits_go.py [NAME ...]      learned/cytopress-2d unless given

On validation fields, never on test groups, so that what is learned here may choose something. For
each quality bits a pixel and the share of each part: the surface, hyper-latents (z), then the
passes over the latents. Behind them, in percent of all bits, what an oracle would save that

- refits every table to the very symbols that it codes ("tables");
- moves all scale indices of a pass by the same number of tables ("a pass");
- or all of one channel in a pass ("a channel").

These are bounds: they know the symbols, and what they would tell the decoder costs nothing here.
With a context model the passes are the white squares of the first channels, the black ones, and all
other channels.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables
from cytopress.codecs.learned.latents.rate_distortion import bits_of
from cytopress.codecs.learned.model.codec_model import CodecModel
from cytopress.codecs.learned.model.load import open_model
from cytopress.codecs.learned.pixels.normalization import normalized, used_range
from cytopress.datasets.catalogue import dataset
from cytopress.errors import CytopressError, PackageError
from cytopress.image import Pixels
from cytopress.models.search import find_package
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

    passes: list[tuple[Array, Array, ProbabilityTables]] = field(default_factory=list)

    def encode(self, values: Array, rows: Array, tables: ProbabilityTables) -> None:
        self.passes.append((values, rows.astype(np.int64), tables))


def main() -> int:
    try:
        for name in sys.argv[1:] or ["learned/cytopress-2d"]:
            look_at(name)
    except CytopressError as error:
        sys.exit(str(error))
    return 0


def look_at(name: str) -> None:
    settings = from_environment()
    package = find_package(settings.model_folders, "codec", name)
    model = open_model(package)
    if model.coder.scales is None or model.manifest.slabs is not None:
        raise PackageError(f"{name} is no codec of planes with hyper-latents.")
    for known in DATASETS:
        whole = dataset(known, settings)
        fields = [whole.read_input(each).pixels for each in whole.part("validation")[:FIELDS]]
        print(f"\n{name} on {known}, {len(fields)} fields\n")
        passes = ["latents"] if model.coder.context is None else ["white", "black", "others"]
        heads = ["quality", "bpp", "surface", "z", *passes, "tables", "a pass", "a channel"]
        print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
        for quality in QUALITIES:
            print(f"| {quality:.2f} | {' | '.join(cells(model, fields, quality))} |", flush=True)


def cells(model: CodecModel, fields: list[Pixels], quality: float) -> list[str]:
    """Return one row of the table, but for the quality."""
    surfaces, recorders = zip(*(coded(model, each, quality) for each in fields), strict=True)
    passes = list(zip(*(each.passes for each in recorders), strict=True))
    # Hyper-latents come first, in three turns where they have a context model.
    turns = 3 if model.coder.hyper_context is not None else 1
    hyper, passes = passes[:turns], passes[turns:]
    spent = [sum(total(*each) for each in one) for one in passes]
    spent.insert(0, sum(total(*each) for one in hyper for each in one))
    bits = sum(surfaces) + sum(spent)
    by_pass = by_channel = 0.0
    for one, channels in zip(passes, channels_of(model), strict=True):
        for each in one:
            shifted = every_shift(*each, channels)
            by_pass += shifted[SHIFTS.index(0)].sum() - shifted.sum(1).min()
            by_channel += shifted[SHIFTS.index(0)].sum() - shifted.min(0).sum()
    saved = (refitted(passes), by_pass, by_channel)
    return [
        f"{bits / sum(each.size for each in fields):.4f}",
        *(f"{100 * part / bits:.1f} %" for part in (sum(surfaces), *spent)),
        *(f"{100 * part / bits:.2f} %" for part in saved),
    ]


def coded(model: CodecModel, pixels: Pixels, quality: float) -> tuple[float, Recorder]:
    """Return the bits of the surface of an image, and what its latents are coded as."""
    plane, _ = normalized(pixels, *used_range(pixels, model.manifest.percentiles))
    setting, bits = model.setting(quality), 0.0
    if setting.background is not None:
        # Not yet that which the encoder writes in the end, which costs about as much.
        grid = setting.background.mesh.fit(plane)
        bits = 8.0 * len(setting.background.pack(grid))
        setting.background.mesh.subtract(plane, grid)
    recorder: Any = Recorder()
    model.encode_latents(recorder, model.networks.analyze([plane], setting.gain), setting)
    return bits, recorder


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
            saved += total(own, np.full(len(own), row), tables) - entropy
    return saved


def every_shift(values: Array, rows: Array, tables: ProbabilityTables, channels: int) -> Array:
    """Return the bits of each channel of a pass, (shifts, channels), at each shift of its rows."""
    moved = (np.clip(rows + shift, 0, len(tables) - 1) for shift in SHIFTS)
    costs = [bits_of(values, each, tables).reshape(channels, -1) for each in moved]
    return np.array([each.sum(1, dtype=np.float64) for each in costs])


def channels_of(model: CodecModel) -> list[int]:
    """Return how many channels each pass over the latents is of, one after the other."""
    whole = model.manifest.latent_channels
    if model.coder.context is None:
        return [whole]
    first = model.coder.context.first
    return [first, first, whole - first]


def total(values: Array, rows: Array, tables: ProbabilityTables) -> float:
    return float(bits_of(values, rows, tables).sum(dtype=np.float64))


if __name__ == "__main__":
    raise SystemExit(main())
