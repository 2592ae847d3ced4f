"""Target intensities of a dataset, by which a standardized prediction becomes counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cytopress.datasets.dataset import Dataset, Field
from cytopress.metrics.data_range import PERCENTILES


@dataclass(frozen=True)
class TargetFacts:
    """The target's intensities over the training groups, in counts.

    ``mean`` and ``std`` are means over fields; ``data_range`` is the span from the 0.01 to the
    99.99 percentile of all pixels.
    """

    mean: float
    std: float
    data_range: float


def measure_targets(dataset: Dataset, fields: Sequence[Field]) -> TargetFacts:
    """Measure the targets of the training fields."""
    targets = [dataset.read_target(field).pixels for field in fields]
    low, high = np.percentile(np.concatenate([t.ravel() for t in targets]), PERCENTILES)
    return TargetFacts(
        mean=float(np.mean([t.mean(dtype=np.float64) for t in targets])),
        std=float(np.mean([t.std(dtype=np.float64) for t in targets])),
        data_range=float(high - low),
    )
