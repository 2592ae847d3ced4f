"""Context step: what decoded latents add to the means and scale indices of others.

Neighborhoods, three layers and two sums, of a few places at a time, so that what is between them
stays in the cache.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.kernels import extension, paths
from cytopress.kernels.convolution import Convolution
from cytopress.kernels.known_answer import made_layer, scattered
from cytopress.kernels.places import ITSELF, Places, add, gathered, neighborhoods
from cytopress.kernels.threads import in_spans, using

Array = npt.NDArray[Any]
# Latents that the numpy path computes at once, about.
STRIP = 2**13


@dataclass(frozen=True, eq=False)
class ContextStep:
    """Layers of the neighborhoods of places.

    Parameters
    ----------
    hidden : Convolution
        From logarithms, plus features, to hidden channels, int16.
    mean : Convolution
        Of one place: from narrow numbers to means, int32.
    index : Convolution
        Of one place: from hidden channels to scale indices, int32.
    shift : int
        Bits that are rounded off narrow numbers: see `places.neighborhoods`.
    """

    hidden: Convolution
    mean: Convolution
    index: Convolution
    shift: int

    def __call__(
        self,
        known: Array,
        features: Array,
        mean: Array,
        index: Array,
        places: Places = None,
        offsets: Array = ITSELF,
    ) -> None:
        """Add to means and scale indices, (h, w, C) int32, in place.

        Parameters
        ----------
        known : ndarray
            (h, w, C') int32; zeros outside. No place that another one depends on may be written to.
        features : ndarray
            (h, w, width) int32, or (1, 1, width): those of every place.
        mean, index : ndarray
            What is added to.
        places : ndarray, optional
            (n,) int32 places that are added to, by layers of one place; all unless given.
        offsets : ndarray, optional
            (k, 2) int32 rows and columns of the neighbors of listed places; their k * C' channels
            are the layers' inputs.

        Raises
        ------
        ValueError
            An array has another type or shape.
        """
        count = len(known) if places is None else len(places)
        if not known.size or not count:
            return
        path = paths.current(_known_answer)
        if path == paths.NUMPY:
            of = known, features, mean, index
            if places is None:
                in_spans(functools.partial(self._rows, *of), count)
            else:
                in_spans(functools.partial(self._places, *of, places, offsets), count)
            return
        call, layers = extension.loaded().context_step, (self.hidden, self.mean, self.index)
        given = (paths.NUMBERS[path], known, places, features, mean, index, offsets, self.shift)
        packed = [layer.described for layer in layers]

        def span(first: int, end: int) -> None:
            call(*given, *packed, (first, end))

        in_spans(span, count)

    def _rows(
        self,
        known: Array,
        features: Array,
        mean: Array,
        index: Array,
        first: int,
        end: int,
    ) -> None:
        """Add to rows from ``first`` to ``end``."""
        reach, rows = self.hidden.margin, max(8, STRIP // known.shape[1])
        features = np.broadcast_to(features, (*known.shape[:2], features.shape[2]))
        for top in range(first, end, rows):
            band = slice(top, min(top + rows, end))
            seen = slice(max(0, top - reach), band.stop + reach)
            inner, shape = slice(top - seen.start, band.stop - seen.start), known[seen].shape
            with using(1):
                logs, narrow = (a.reshape(shape) for a in neighborhoods(known[seen], self.shift))
                add(mean[band], self.mean(narrow[inner]))
                add(index[band], self.index(self.hidden(logs, features[seen])[inner]))

    def _places(
        self,
        known: Array,
        features: Array,
        mean: Array,
        index: Array,
        places: Array,
        offsets: Array,
        first: int,
        end: int,
    ) -> None:
        """Add to listed places from number ``first`` to ``end``."""
        for start in range(first, end, STRIP):
            part = places[start : min(start + STRIP, end)]
            own = gathered(features, part) if features.size > features.shape[2] else features[0]
            shape = 1, len(part), -1
            with using(1):
                near = neighborhoods(known, self.shift, part, offsets)
                logs, narrow = (each.reshape(shape) for each in near)
                added = np.broadcast_to(own, (len(part), own.shape[1])).reshape(shape)
                add(mean, self.mean(narrow), part)
                add(index, self.index(self.hidden(logs, added)), part)


def _known_answer(path: str) -> bool:
    """Return whether a path computes what numpy does of a few places."""
    numbers = scattered(14 * 28 * 9)
    wide = functools.partial(made_layer, shift=9, low=-(2**28), high=2**28)
    narrow = functools.partial(made_layer, shift=9, low=0, high=2**14)
    around = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)], np.int32)
    cases = (
        (ContextStep(narrow(5, 7, 3), wide(18, 7, 1), wide(18, 5, 1), 4), None, ITSELF, (5, 6)),
        (
            ContextStep(narrow(5, 28, 1), wide(18, 28, 1), wide(18, 5, 1), 4),
            np.array([3, 28, 17, 9], np.int32),
            around,
            (1, 1),
        ),
    )
    found = []
    for each in (path, paths.NUMPY):
        with paths.using(each):
            for step, places, offsets, own in cases:
                known = (numbers[:210] >> 12).astype(np.int32).reshape(5, 6, 7)
                features = (numbers[: 2 * own[0] * own[1] * 5] >> 14).astype(np.int32)
                some = features.reshape(*own, 10)[..., 3:8]
                mean, index = (np.arange(540, dtype=np.int32).reshape(5, 6, 18) for _ in range(2))
                step(known, some, mean, index, places, offsets)
                found += [mean, index]
    half = len(found) // 2
    return all(map(np.array_equal, found[:half], found[half:]))
