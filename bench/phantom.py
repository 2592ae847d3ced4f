"""What phantom-3d asks of a codec and of a label-free model: neither nothing nor the impossible.

Prints the lossless ratio of JPEG-LS, plane by plane, and how well fluorescence is predicted from
bright-field by the brightness alone and by a linear model of classic filters of each plane.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cytopress.codecs.adapters.jpegls import JpegLS
from cytopress.codecs.wrappers.per_plane import PerPlane
from cytopress.datasets.catalogue import dataset
from cytopress.datasets.dataset import Dataset, Field
from cytopress.datasets.splits import PARTS
from cytopress.tasks.builtin.labelfree import standardize
from cytopress.training.baseline import fit_filter_bank
from cytopress.training.pairs import Pair

EVERY = 4  # planes of a volume; neighbors are alike


def planes_of(found: Dataset, field: Field) -> list[Pair]:
    """Return some planes of a volume, each standardized by the whole volume."""
    source, target = (
        standardize(image.pixels) for image in (found.read_input(field), found.read_target(field))
    )
    return [
        Pair(field.name, field.group, source[z], target[z]) for z in range(2, len(source), EVERY)
    ]


def pearson(predicted: Sequence[np.ndarray], target: Sequence[np.ndarray]) -> float:
    """Return the correlation over all pixels of a volume."""
    return float(np.corrcoef(np.ravel(predicted), np.ravel(target))[0, 1])


def main() -> None:
    found = dataset("phantom-3d")
    codec = PerPlane(JpegLS())
    for part in PARTS:
        images = [found.read_input(field) for field in found.part(part)]
        raw = sum(image.raw_bytes for image in images)
        coded = sum(len(codec.encode(image)) for image in images)
        print(f"{part}: {len(images)} volumes, lossless jpegls {raw / coded:.2f}", flush=True)
    # Two volumes of each slide: a linear model learns no more from five.
    training = [f for f in found.part("train") if f.name.endswith(("-1", "-2"))]
    bank = fit_filter_bank([pair for field in training for pair in planes_of(found, field)])
    alone, filters = [], []
    for field in found.part("test"):
        pairs = planes_of(found, field)
        target = [pair.target for pair in pairs]
        alone.append(abs(pearson([pair.input for pair in pairs], target)))
        filters.append(pearson([bank.predict(pair.input) for pair in pairs], target))
        print(f"{field.name}: brightness alone {alone[-1]:.3f}, filters {filters[-1]:.3f}")
    print(f"mean r: brightness alone {np.mean(alone):.3f}, filters {np.mean(filters):.3f}")


if __name__ == "__main__":
    main()
