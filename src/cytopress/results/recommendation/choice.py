"""Choice among settings that are inside: the fewest bytes, and of nearly equal ones the fastest."""

from __future__ import annotations

from collections.abc import Iterable

from cytopress.results.recommendation.setting import JudgedSetting, encoding_rate

# Bytes that differ by a smaller share count as equal.
TIE = 0.03


def choose(settings: Iterable[JudgedSetting]) -> JudgedSetting | None:
    """Return the setting to use; None of none.

    Of settings whose bytes are within 3 % of the fewest, it is the one of the codec that encodes
    fastest. Where the codec with the fewest bytes was not timed, its setting stays.
    """
    some = sorted(settings, key=lambda setting: -setting.ratio)
    if not some or encoding_rate(some[0].speed) is None:
        return some[0] if some else None
    tied = [one for one in some if one.ratio * (1 + TIE) >= some[0].ratio]
    return max(tied, key=lambda one: encoding_rate(one.speed) or 0.0)
