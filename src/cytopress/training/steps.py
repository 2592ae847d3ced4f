"""Steps of a training round, from the number of steps done alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch.utils.data import Sampler


class StepSampler(Sampler[int]):
    """The remaining steps of a round, from the number of steps that ``done`` returns.

    A count of rounds of its own would be lost when a training is resumed. Its length is that of
    the whole round: Lightning counts the batches of a resumed round from the round's beginning.
    """

    def __init__(self, *, steps: int, each_round: int, done: Callable[[], int]) -> None:
        self._steps, self._each_round, self._done = steps, each_round, done

    def __iter__(self) -> Iterator[int]:
        return iter(range(self._done(), self._first() + len(self)))

    def __len__(self) -> int:
        return min(self._each_round, max(1, self._steps - self._first()))

    def _first(self) -> int:
        return self._done() // self._each_round * self._each_round
