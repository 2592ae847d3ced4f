"""Steps of a training round, from the number of steps done alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch.utils.data import Sampler


class StepSampler(Sampler[int]):
    """The remaining steps of a round, from the number of steps that ``done`` returns.

    A count of rounds of its own would be lost when a training is resumed. It has no length:
    Lightning would take that of the first round for all, and not validate after a shorter last one.
    """

    def __init__(self, *, steps: int, each_round: int, done: Callable[[], int]) -> None:
        self._steps, self._each_round, self._done = steps, each_round, done

    def __iter__(self) -> Iterator[int]:
        done = self._done()
        end = (done // self._each_round + 1) * self._each_round
        return iter(range(done, min(end, self._steps)))
