"""Fitness of an archive for deleting its sources: what stands against it."""

from __future__ import annotations

from collections.abc import Iterator

from cytopress.archive.certificate_content import decodes_exactly
from cytopress.archive.plan import Plan
from cytopress.archive.verify_metadata import Comparison
from cytopress.archive.verify_sources import Matched
from cytopress.figures import count_text


def is_exact(plan: Plan) -> bool:
    """Whether every processor decodes the same pixels."""
    return all(decodes_exactly(plan, coding) for coding in plan.codings)


def reasons(
    plan: Plan,
    compared: Comparison,
    matched: Matched,
    *,
    accept_inexact: bool,
    accept_lost: bool,
) -> Iterator[str]:
    """Yield what stands against deleting the sources, where all pixels are as promised."""
    if compared.different:
        name, why = next(iter(compared.different.items()))
        yield (
            "metadata differ from those of the source in"
            f" {count_text(len(compared.different), 'image group')}, such as {name}: {why}"
        )
    if compared.lost and not accept_lost:
        name, what = next(iter(compared.lost.items()))
        yield (
            "not all that the source says was carried over, for"
            f" {count_text(len(compared.lost), 'image')}, such as {name}: {what};"
            " verify with --accept-lost where that is acceptable"
        )
    if matched.left_out:
        left_out = count_text(len(matched.left_out), "image")
        yield (
            f"among the sources, but not in the archive: {left_out}, such as"
            f" {matched.left_out[0]}; move what does not belong here, and verify again"
        )
    if not is_exact(plan) and not accept_inexact:
        yield (
            "decoding is not exact on every processor; verify with --accept-inexact where a"
            " difference of a count is acceptable"
        )
