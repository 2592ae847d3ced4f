"""A claim of a publication, with what a study's results say on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HOLDS, FAILS, OPEN = "holds here", "does not hold here", "cannot be told"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one codec or task on one dataset says on a claim: numbers in a sentence, a verdict."""

    dataset: str
    about: str
    text: str
    verdict: str


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A claim: ``title`` in short, ``text`` as the publication makes it, and the findings."""

    title: str
    text: str
    findings: Sequence[Finding]

    @property
    def verdict(self) -> str:
        """The verdict that all findings share, "differs" where they do not."""
        found = {finding.verdict for finding in self.findings}
        return found.pop() if len(found) == 1 else "differs" if found else OPEN


def verdict_of(ends: Iterable[tuple[float | None, float | None]], *, margin: float = 0.0) -> str:
    """Return whether intervals lie all below a margin (holds) or all above it (fails)."""
    found = list(ends)
    if not found or any(low is None or high is None for low, high in found):
        return OPEN
    if all(high is not None and high <= margin for _, high in found):
        return HOLDS
    return FAILS if all(low is not None and low > margin for low, _ in found) else OPEN
