"""Means over fields with intervals that do not pretend to more than the data hold.

``effects`` is the one method; docs/statistics.md says in plain words what it does, and how often it
is right.
"""

from cytopress.statistics.effect import Effect, effects
from cytopress.statistics.fixed_sequence import Claim, claim_chains
from cytopress.statistics.interval import Interval, bootstrap_mean
from cytopress.statistics.units import LEAST_GROUPS, Unit

__all__ = [
    "LEAST_GROUPS",
    "Claim",
    "Effect",
    "Interval",
    "Unit",
    "bootstrap_mean",
    "claim_chains",
    "effects",
]
