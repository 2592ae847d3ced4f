"""In which order the first latents are decoded, and which of their neighbors each turn knows.

Places repeat every two rows and columns. Each turn takes one or two of the four, and goes by
neighbors that turns before it have taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Place = tuple[int, int]
BESIDE: tuple[Place, ...] = ((-1, 0), (1, 0), (0, -1), (0, 1))
DIAGONAL: tuple[Place, ...] = ((-1, -1), (-1, 1), (1, -1), (1, 1))


@dataclass(frozen=True)
class Turn:
    """Latents that are decoded together.

    Parameters
    ----------
    step : str, optional
        The name of the step of the context model that tells of them; None where nothing is known.
    places : tuple
        Row and column, 0 or 1, of each that is taken, at most one a row, in the order of rows.
    around : tuple
        Rows and columns from a latent to those that it goes by.
    """

    step: str | None
    places: tuple[Place, ...]
    around: tuple[Place, ...] = ()

    def pick(self, a: Array) -> Array:
        """Return what it takes, (C, h * places / 2, w / 2) of (C, h, w), h and w even."""
        channels, height, width = a.shape
        every = len(self.places)
        out = np.empty((channels, height // 2 * every, width // 2), a.dtype)
        for index, (row, column) in enumerate(self.places):
            out[:, index::every] = a[:, row::2, column::2]
        return out

    def put(self, a: Array, values: Array) -> None:
        """Write what `pick` returns back into (C, h, w)."""
        every = len(self.places)
        for index, (row, column) in enumerate(self.places):
            a[:, row::2, column::2] = values[:, index::every]

    def known(self, a: Array) -> Array:
        """Return the neighbors of what it takes, (around * C, ...) as `pick` has them.

        Parameters
        ----------
        a : ndarray
            (C, h + 2, w + 2): latents within a frame of zeros.
        """
        channels, height, width = a.shape
        every, height, width = len(self.places), height - 2, width - 2
        shape = len(self.around), channels, height // 2 * every, width // 2
        out = np.empty(shape, a.dtype)
        for neighbor, (down, right) in zip(out, self.around, strict=True):
            for index, (row, column) in enumerate(self.places):
                top, left = 1 + row + down, 1 + column + right
                rows, columns = slice(top, top + height, 2), slice(left, left + width, 2)
                neighbor[:, index::every] = a[:, rows, columns]
        return out.reshape(-1, *shape[2:])


# The white squares of a checkerboard, then the black ones.
CHECKERBOARD = (
    Turn(None, ((0, 0), (1, 1))),
    Turn("across", ((0, 1), (1, 0)), BESIDE),
)
# Quarters, the second of which lies between four of the first, and so on.
QUARTERS = (
    Turn(None, ((0, 0),)),
    Turn("diagonal", ((1, 1),), DIAGONAL),
    Turn("across", ((0, 1),), BESIDE),
    Turn("enclosed", ((1, 0),), BESIDE + DIAGONAL),
)
ORDERS = (CHECKERBOARD, QUARTERS)


def steps_of(order: tuple[Turn, ...]) -> tuple[str, ...]:
    """Return the names of the steps that an order needs."""
    return tuple(turn.step for turn in order if turn.step is not None)
