"""Which settings of several codecs may be claimed together, at one rate of error for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cytopress.errors import UsageError


@dataclass(frozen=True)
class Claim:
    """What is claimed of one chain.

    Parameters
    ----------
    claimed : int
        How many members, from the first on.
    alpha : float
        The level that the chain was tested at last: a bound at confidence 1 - alpha is inside the
        margin for every member that is claimed.
    """

    claimed: int
    alpha: float


def claim_chains(p_values: Sequence[Sequence[float | None]], *, alpha: float = 0.05) -> list[Claim]:
    """Test chains of hypotheses with one family-wise error over them all.

    A chain is a codec: its settings in an order fixed beforehand, from most bytes to fewest. It is
    tested up to the first member that is not shown, at one level for all its members, since each
    is tried only where those before it held. The chains share alpha equally, and one that is
    claimed to its end leaves its part to the others: a graphical procedure [1]_, which is Holm's
    where each chain has one member. With probability 1 - alpha no claim is wrong, however the
    chains depend on each other.

    Parameters
    ----------
    p_values : sequence of sequence of float or None
        Of each chain, the p of each member in order; None, where there is none, is never claimed.
    alpha : float, optional
        Between 0 and 1.

    Returns
    -------
    list of Claim
        One for each chain, in their order.

    Raises
    ------
    UsageError
        A chain is empty, or a number is out of range.

    References
    ----------
    .. [1] F. Bretz, W. Maurer, W. Brannath and M. Posch, "A graphical approach to sequentially
       rejective multiple test procedures", Statistics in Medicine 28 (2009) 586.
    """
    _check(p_values, alpha)
    finished: dict[int, Claim] = {}
    while True:
        waiting = [number for number in range(len(p_values)) if number not in finished]
        level = alpha / max(1, len(waiting))
        tested = {number: Claim(_length(p_values[number], level), level) for number in waiting}
        ended = {n: claim for n, claim in tested.items() if claim.claimed == len(p_values[n])}
        finished |= ended
        if not ended:
            claims = finished | tested
            return [claims[number] for number in range(len(p_values))]


def _length(chain: Sequence[float | None], level: float) -> int:
    """How many members are shown at a level before the first that is not."""
    for number, p in enumerate(chain):
        if p is None or p > level:
            return number
    return len(chain)


def _check(p_values: Sequence[Sequence[float | None]], alpha: float) -> None:
    if not 0 < alpha < 1:
        raise UsageError(f"alpha lies between 0 and 1, not at {alpha}.")
    if any(not chain for chain in p_values):
        raise UsageError("a chain needs at least one member; leave empty ones out.")
    wrong = [p for chain in p_values for p in chain if p is not None and not 0 <= p <= 1]
    if wrong:
        raise UsageError(f"a p-value lies between 0 and 1, not at {wrong[0]}.")
