"""Means over fields with intervals that do not pretend to more than the data hold.

``effects`` is the one method; docs/statistics.md says in plain words what it does, and how often it
is right.
"""

from cytopress.study.statistics.chains import Claim, claim_chains
from cytopress.study.statistics.effect import Effect, effects
from cytopress.study.statistics.interval import Interval, bootstrap_mean
from cytopress.study.statistics.units import LEAST_GROUPS, Unit

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
