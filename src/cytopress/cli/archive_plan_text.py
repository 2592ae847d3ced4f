"""Text of an archive's plan: settings by channel, and what the archive will cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cytopress.figures import count_text, shown_bytes

if TYPE_CHECKING:
    from cytopress.archive.costs import ChannelCosts, Costs
    from cytopress.archive.plan import Coding, Plan

MINUTE, HOUR = 60, 3600


def plan_lines(plan: Plan, costs: Costs | None) -> Iterator[str]:
    """Yield what a plan says, and what the archive will cost."""
    shards = sum(
        1 for image in plan.images for level in range(image.levels) for _ in image.shards(level)
    )
    yield (
        f"{count_text(len(plan.images), 'image')}, {shown_bytes(plan.raw_bytes)},"
        f" {count_text(shards, 'shard')}"
    )
    for coding in plan.codings:
        yield _coding(coding)
        if coding.analysis is not None:
            yield f"  {_analysis(coding)}"
    if costs is None:
        return
    if len(costs.channels) > 1:
        for one in costs.channels:
            yield f"{_name(one.coding)}: {_bytes(one)}, {_time(one.seconds)} of one worker"
    below = sum(one.pyramid_bytes for one in costs.channels)
    yield (
        f"Expected: {shown_bytes(costs.bytes)}, {shown_bytes(below)} of them lower resolutions;"
        f" {_time(costs.seconds)} of one worker (by timed samples);"
        f" {shown_bytes(costs.worker_bytes)} of memory a worker"
    )
    if costs.read_amplification > 1.005:
        yield (
            f"Sources are decoded {costs.read_amplification:.2g} times over, since shards cut their"
            " strips, tiles or planes; more --memory gives larger shards."
        )


def _coding(coding: Coding) -> str:
    expected = f"{coding.expected_ratio:.3g}x smaller"
    if coding.ceiling is not None:
        expected += f", RMSE {coding.expected_rmse:.3g} counts"
        expected += f", {coding.expected_finer:.0%} of chunks coded finer"
    return f"{_name(coding)}: {coding.asked} -> {coding.spec}: {expected}"


def _analysis(coding: Coding) -> str:
    found = coding.analysis
    assert found is not None
    return (
        f"{found.task} ({found.metric}) on {count_text(found.fields, 'field')} of the study, coded"
        f" as here: loses {found.harm:.3g}, at most {found.bound:.3g} ({found.confidence:.0%});"
        f" the margin is {found.margin:.3g}"
    )


def _name(coding: Coding) -> str:
    return coding.channel or "all channels"


def _bytes(one: ChannelCosts) -> str:
    return f"{shown_bytes(one.raw_bytes)} -> {shown_bytes(one.coded_bytes + one.pyramid_bytes)}"


def _time(seconds: float) -> str:
    if seconds < MINUTE:
        return f"{max(seconds, 1):.0f} s"
    return (
        f"{seconds / MINUTE:.0f} minutes" if seconds < 2 * HOUR else f"{seconds / HOUR:.3g} hours"
    )
