"""A comparison in a thread: what it is of, how far it is, and its cancellation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cytopress.errors import CytopressError
from cytopress.napari.comparison import Comparison
from cytopress.napari.viewed import View


class _Cancelled(Exception):  # noqa: N818 - no error: nobody wants the result any more
    pass


@dataclass(eq=False)
class Job:
    """What is coded, and its state; one thread works, the other one reads and cancels.

    Parameters
    ----------
    layer : napari.layers.Image
        The layer.
    view : View
        What is seen of it.
    spec : str
        Spec string of the codec.
    bits : int
        Significant bits; 0 for the pixel type's own.
    """

    layer: Any
    view: View
    spec: str
    bits: int
    cancelled: bool = False
    stage: str = ""

    def same_as(self, other: Job) -> bool:
        """Whether the result would be the same."""
        mine, theirs = ((one.view.seen, one.spec, one.bits) for one in (self, other))
        return self.layer is other.layer and mine == theirs

    def work(self, compare: Callable[..., Comparison]) -> Comparison | str | None:
        """Return the comparison, or why there is none; None where it was cancelled."""
        try:
            return compare(self.view, self.spec, self.bits, self._listen)
        except _Cancelled:
            return None
        except (CytopressError, MemoryError, OSError) as error:
            return str(error)

    def _listen(self, _share: float, stage: str) -> None:
        self.stage = stage
        if self.cancelled:
            raise _Cancelled
