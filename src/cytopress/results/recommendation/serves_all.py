"""One codec for all: the setting that is inside the margin for every channel and dataset."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cytopress.results.curves import setting_name
from cytopress.results.recommendation.choice import TIE
from cytopress.results.recommendation.recommend import Recommendation
from cytopress.results.recommendation.setting import JudgedSetting, encoding_rate


@dataclass(frozen=True, kw_only=True, eq=False)
class ServesAll:
    """A setting that is inside the margin in several recommendations.

    Parameters
    ----------
    name : str
        Its spec string without reference scales, which differ between datasets.
    settings : tuple of JudgedSetting
        The setting in each recommendation, in their order.
    ratio : float
        How many times smaller it makes the images of all of them together.
    """

    name: str
    settings: tuple[JudgedSetting, ...]
    ratio: float


def serves_all(recommendations: Sequence[Recommendation]) -> ServesAll | None:
    """Return the setting with the fewest bytes that is inside the margin everywhere.

    Of settings whose bytes are within 3 % of the fewest, it is the one that encodes fastest, as in
    a single recommendation. It has fewer bytes than the best lossless codec of each. The claims are
    those of the recommendations: each holds at its own confidence.

    Parameters
    ----------
    recommendations : sequence of Recommendation
        At least two, such as of all channels of a study.

    Returns
    -------
    ServesAll or None
        None where no setting was tested and is inside in all of them.
    """
    if len(recommendations) < 2:
        return None
    inside = [_smaller_than_lossless(found) for found in recommendations]
    names = [name for name in inside[0] if all(name in others for others in inside)]
    whole = [_together(name, [others[name] for others in inside]) for name in names]
    if not whole:
        return None
    fewest = max(whole, key=lambda one: one.ratio)
    if _seconds(fewest) == math.inf:
        return fewest
    tied = [one for one in whole if one.ratio * (1 + TIE) >= fewest.ratio]
    return min(tied, key=lambda one: (_seconds(one), -one.ratio))


def _smaller_than_lossless(found: Recommendation) -> dict[str, JudgedSetting]:
    """Return the settings that are inside and have fewer bytes than the best lossless one."""
    least = found.lossless.ratio if found.lossless else 1.0
    return {
        setting_name(setting.point): setting
        for setting in found.settings
        if setting.verdict == "inside" and setting.ratio > least
    }


def _together(name: str, settings: Sequence[JudgedSetting]) -> ServesAll:
    raw = sum(setting.point.raw_bytes for setting in settings)
    coded = sum(setting.point.coded_bytes for setting in settings)
    return ServesAll(name=name, settings=tuple(settings), ratio=raw / coded)


def _seconds(one: ServesAll) -> float:
    """Return the time to encode all images; infinite where any was not timed."""
    rates = [(encoding_rate(s.speed), s.point.raw_bytes / 1e6) for s in one.settings]
    return sum(megabytes / rate if rate else math.inf for rate, megabytes in rates)
