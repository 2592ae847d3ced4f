"""Range of margins that a reader can choose from, and one to begin with."""

from __future__ import annotations

from cytopress.results.recommendation.margin import refused_from
from cytopress.results.recommendation.margin_table import MarginTable

# Where nobody gave a margin, and the camera's noise is none.
EXAMPLE = 0.02
# The last margin of the range, as a share of the first that is refused.
BELOW = 0.999


def example_margin(table: MarginTable) -> float:
    """Return a margin to begin with: the noise margin, 2 % where percent mean something, or any."""
    if table.noise_margin is not None:
        return table.noise_margin
    if table.percent_scale is not None:
        return EXAMPLE * table.percent_scale
    bounds = sorted(one.bound for one in table.settings if one.bound)
    return bounds[len(bounds) // 2] if bounds else 1.0


def margin_range(table: MarginTable, margin: float) -> tuple[float, float]:
    """Return the ends of a logarithmic scale on which every setting changes its verdict.

    The margin itself is on it.
    """
    bounds = [one.bound for one in table.settings if one.bound is not None and one.bound > 0]
    low, high = min([margin, *bounds]) / 2, 2 * max([margin, *bounds])
    refused = refused_from(table.score, table.evidence)
    if refused is not None and refused > 0:
        high = min(high, BELOW * refused)
    return low, max(margin, high)
