"""Which steps a round of training takes: nothing is needed but how many were done."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch.utils.data import Sampler


class StepSampler(Sampler[int]):
    """The steps of the next round, counted from how many ``done`` says there have been.

    Not from a count of rounds of its own, which a resumed training would not know.
    """

    def __init__(self, *, steps: int, each_round: int, done: Callable[[], int]) -> None:
        self._steps, self._each_round, self._done = steps, each_round, done

    def __iter__(self) -> Iterator[int]:
        first = self._done()
        return iter(range(first, min(first + self._each_round, self._steps)))

    def __len__(self) -> int:
        return min(self._each_round, max(1, self._steps - self._done()))
