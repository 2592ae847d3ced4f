"""Steps of a training round, from the number of steps done alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch.utils.data import Sampler


class StepSampler(Sampler[int]):
    """The steps of the next round, from the number of steps that ``done`` returns.

    A count of rounds of its own would be lost when a training is resumed.
    """

    def __init__(self, *, steps: int, each_round: int, done: Callable[[], int]) -> None:
        self._steps, self._each_round, self._done = steps, each_round, done

    def __iter__(self) -> Iterator[int]:
        first = self._done()
        return iter(range(first, min(first + self._each_round, self._steps)))

    def __len__(self) -> int:
        return min(self._each_round, max(1, self._steps - self._done()))
