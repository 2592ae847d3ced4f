"""A symbol coder that takes part in no coding: it keeps the means and tables of every pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables
from cytopress.codecs.learned.latents.secondary_transforms import (
    ChosenTransforms,
    SecondaryTransforms,
)

Array = npt.NDArray[Any]


@dataclass
class Recorder:
    """Gives the symbols of each pass by its number, and the transforms of each by theirs.

    Parameters
    ----------
    symbols : callable
        Maps a pass's number and what selects its latents to symbols of any shape, or (given the
        means as well) to what they should be.
    transforms : callable, optional
        Maps a number and classes of activity, (places,), to transforms.
    """

    symbols: Callable[[int, Callable[[Array], Array], Array | None], Array]
    transforms: Callable[[int, Array], Array] | None = None
    means: list[Array | None] = field(default_factory=list)
    rows: list[Array] = field(default_factory=list)
    tables: list[ProbabilityTables] = field(default_factory=list)
    classes: list[Array] = field(default_factory=list)

    def code(
        self,
        select: Callable[[Array], Array],
        mean: Array | None,
        rows: Array,
        tables: ProbabilityTables,
        chosen: ChosenTransforms | None = None,
    ) -> Array:
        """Keep means and tables, return the symbols."""
        assert (chosen is None) == (self.transforms is None)
        found = self.symbols(len(self.rows), select, mean)
        self.means.append(None if mean is None else mean.copy())
        self.rows.append(rows)
        self.tables.append(tables)
        return np.asarray(found).astype(np.int32).reshape(-1)

    def choose(
        self,
        select: Callable[[Array], Array],
        mean: Array,
        index: Array,
        transforms: SecondaryTransforms,
        scales: ProbabilityTables,
    ) -> Array:
        """Keep the classes of activity, return the transforms."""
        assert self.transforms is not None
        assert select is not None
        assert len(scales)
        assert mean.size == index.size
        self.classes.append(transforms.activity(index))
        return self.transforms(len(self.classes) - 1, self.classes[-1])
