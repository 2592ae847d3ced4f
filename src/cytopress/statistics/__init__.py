"""Confidence intervals, non-inferiority tests, fixed-sequence testing and BD-rate.

This package works on plain numbers and knows no image. ``effects`` is the one method for intervals
and tests; docs/statistics.md explains it and tells how often it is right.
"""

from cytopress.statistics.effect import Effect, effects, interval_method
from cytopress.statistics.fixed_sequence import (
    SequenceResult,
    fixed_sequence_tests,
    smallest_margins,
)
from cytopress.statistics.interval import Interval, bootstrap_mean
from cytopress.statistics.units import LEAST_UNITS, ResamplingUnit

__all__ = [
    "LEAST_UNITS",
    "Effect",
    "Interval",
    "ResamplingUnit",
    "SequenceResult",
    "bootstrap_mean",
    "effects",
    "fixed_sequence_tests",
    "interval_method",
    "smallest_margins",
]
