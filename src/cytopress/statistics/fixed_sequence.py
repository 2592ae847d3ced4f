"""Fixed-sequence testing of several codecs' settings at one family-wise error rate."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from cytopress.errors import UsageError


@dataclass(frozen=True)
class SequenceResult:
    """The result of one sequence of hypotheses.

    Parameters
    ----------
    rejected : int
        Number of null hypotheses rejected, from the first on.
    alpha : float
        The level at which the sequence was tested last. A bound at confidence 1 - alpha is inside
        the margin for every rejected hypothesis.
    """

    rejected: int
    alpha: float


def fixed_sequence_tests(
    p_values: Sequence[Sequence[float | None]], *, alpha: float = 0.05
) -> list[SequenceResult]:
    """Test several sequences of null hypotheses with one family-wise error rate over them all.

    Each codec has a sequence: its settings in an order fixed beforehand, from most bytes to fewest;
    the null hypothesis is that the setting loses the margin or more. A sequence is tested up to the
    first hypothesis that is not rejected, at one level for all its members, since each is tried
    only after all before it were rejected. The sequences share alpha equally, and one that is
    rejected to its end passes its share on to the others: a graphical procedure [1]_, which is
    Holm's where each sequence has one member. With probability 1 - alpha no rejection is wrong,
    however the sequences depend on each other.

    Parameters
    ----------
    p_values : sequence of sequence of float or None
        The p-values of each sequence in order; None, where there is none, is never rejected.
    alpha : float, optional
        Between 0 and 1.

    Returns
    -------
    list of SequenceResult
        One for each sequence, in their order.

    Raises
    ------
    UsageError
        A sequence is empty, or a number is out of range.

    References
    ----------
    .. [1] F. Bretz, W. Maurer, W. Brannath and M. Posch, "A graphical approach to sequentially
       rejective multiple test procedures", Statistics in Medicine 28 (2009) 586.
    """
    _check(p_values, alpha)
    finished: dict[int, SequenceResult] = {}
    while True:
        open_ones = [number for number in range(len(p_values)) if number not in finished]
        level = alpha / max(1, len(open_ones))
        tested = {n: SequenceResult(_rejected(p_values[n], level), level) for n in open_ones}
        ended = {n: one for n, one in tested.items() if one.rejected == len(p_values[n])}
        finished |= ended
        if not ended:
            results = finished | tested
            return [results[number] for number in range(len(p_values))]


def smallest_margins(bounds: Sequence[Sequence[Sequence[float]]]) -> list[list[float]]:
    """Return, of each setting, the smallest margin that `fixed_sequence_tests` shows it inside.

    The bounds say the same as p-values at every margin: the loss is shown to be inside a margin at
    a level where the upper end of the interval of that level is at most the margin.

    Parameters
    ----------
    bounds : sequence of sequence of sequence of float
        ``bounds[sequence][setting][k]`` is the upper end at level alpha / (k + 1), for as many k as
        there are sequences; infinite where nothing bounds the loss. It rises with k.

    Returns
    -------
    list of list of float
        The margins in the order of ``bounds``, infinite where none will do. They do not fall along
        a sequence, since no member is tested before those ahead of it are rejected.
    """
    number = len(bounds)
    # At level alpha / k, the margin from which on all settings up to each one are inside.
    walks = [
        [list(itertools.accumulate((setting[k] for setting in one), max)) for one in bounds]
        for k in range(number)
    ]
    margins = [[math.inf] * len(one) for one in bounds]
    # The margin from which on at most k sequences are open, so that alpha is shared by k.
    reached = -math.inf
    for k in range(number, 0, -1):
        for sequence, walk in enumerate(walks[k - 1]):
            for setting, margin in enumerate(walk):
                margins[sequence][setting] = min(margins[sequence][setting], max(margin, reached))
        ends = sorted(walk[-1] for walk in walks[k - 1])
        reached = max(reached, ends[number - k])
    return margins


def _rejected(sequence: Sequence[float | None], level: float) -> int:
    """Count the hypotheses rejected at a level before the first that is not."""
    for number, p in enumerate(sequence):
        if p is None or p > level:
            return number
    return len(sequence)


def _check(p_values: Sequence[Sequence[float | None]], alpha: float) -> None:
    if not 0 < alpha < 1:
        raise UsageError(f"alpha must be between 0 and 1, not {alpha}.")
    if any(not sequence for sequence in p_values):
        raise UsageError("a sequence needs at least one member; leave empty ones out.")
    wrong = [p for sequence in p_values for p in sequence if p is not None and not 0 <= p <= 1]
    if wrong:
        raise UsageError(f"a p-value must be between 0 and 1, not {wrong[0]}.")
