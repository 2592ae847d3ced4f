"""The bytes of codec packages against JPEG 2000's on images as another experiment would give them.

    python bench/other_experiments.py [NAME or PATH ...]      learned/cytopress-2d unless given

A model that saves a quarter of the bytes on new fields of the experiments that it was trained on
may save none on those of the next microscope. There are too few experiments to hold one more back,
so this makes some: a validation field of `nuclei-brightfield`, never a test group, with less
contrast, more noise, finer or coarser detail, 512 x 512 pixels of it. BD-rates of PSNR in percent,
over ratios from 8 to 600; negative is fewer bytes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tifffile
from bd_rates import print_bd_rates
from scipy import ndimage

from cytopress.datasets.catalogue import dataset
from cytopress.datasets.dataset import open_dataset
from cytopress.datasets.folder_form import write_form
from cytopress.models.model_package import Package
from cytopress.settings import Settings
from cytopress.training.codec.evaluate import evaluate

DATASET = "nuclei-brightfield"
SIDE = 512
Floats = npt.NDArray[np.float64]


def less_contrast(field: Floats, random: np.random.Generator) -> Floats:
    return (field - field.mean()) * 0.2 + field.mean() + random.normal(0, 2.5, field.shape)


def out_of_focus(field: Floats, random: np.random.Generator) -> Floats:
    blurred: Floats = ndimage.gaussian_filter(field, 3)
    return blurred + random.normal(0, 3, field.shape)


def binned(field: Floats, _: np.random.Generator) -> Floats:
    height, width = field.shape
    return field.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))


def every_second(field: Floats, _: np.random.Generator) -> Floats:
    return field[::2, ::2]


def enlarged(field: Floats, _: np.random.Generator) -> Floats:
    larger: Floats = ndimage.zoom(field[:SIDE, :SIDE], 1.6, order=1)
    return larger


def noisy_rows(field: Floats, random: np.random.Generator) -> Floats:
    return field + random.normal(0, 2, (len(field), 1))


CHANGES: dict[str, Callable[[Floats, np.random.Generator], Floats]] = {
    "as it is": lambda field, _: field,
    "a fifth of the contrast, noise": less_contrast,
    "out of focus, noise": out_of_focus,
    "2 x 2 pixels binned": binned,
    "every second pixel": every_second,
    "1.6 times larger": enlarged,
    "noise by rows": noisy_rows,
}


def main() -> int:
    return print_bd_rates(list(CHANGES), rates_of)


def rates_of(package: Package, settings: Settings) -> list[float | None]:
    with tempfile.TemporaryDirectory() as folder:
        made = open_dataset(_write(Path(folder), changed_fields(settings)))
        rates: list[float | None] = evaluate(package, [made])[made.name]["bd_rate_fields"]
    return rates


def changed_fields(settings: Settings) -> dict[str, Floats]:
    """Return the field after each change, in counts, neither rounded nor clipped."""
    original = dataset(DATASET, settings)
    field = original.read_input(original.part("validation")[0]).pixels.astype(np.float64)
    return {
        name: change(field, np.random.default_rng(place))[:SIDE, :SIDE]
        for place, (name, change) in enumerate(CHANGES.items())
    }


def _write(folder: Path, changed: dict[str, Floats]) -> Path:
    """Write the changed fields as a dataset's test part; its training part is the field."""
    rows: list[dict[str, str]] = []
    for place, (name, counts) in enumerate(changed.items()):
        pixels = np.clip(np.rint(counts), 0, 65535).astype(np.uint16)
        for group in ("train", "made") if place == 0 else ("made",):
            row = {"field": f"{group} {name}", "group": group}
            row["input"] = row["target"] = f"{group}{place}.tif"
            tifffile.imwrite(folder / row["input"], pixels)
            rows.append(row)
    facts: dict[str, str | int] = {
        "name": "made",
        "title": f"{DATASET}, changed",
        "input": "light",
        "target": "the same",
        "axes": "YX",
        "bits": 16,
        "licence": "as the original",
        "attribution": "see the original",
    }
    write_form(folder, facts, rows)
    with (folder / "dataset.toml").open("a") as stream:
        stream.write('[split]\ntest = ["made"]\n')
    return folder


if __name__ == "__main__":
    raise SystemExit(main())
