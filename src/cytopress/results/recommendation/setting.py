"""A judged setting: its loss with a bound, and whether it is inside a margin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from cytopress.results.curves import Curve, Point
from cytopress.results.recommendation.bounds import BoundedSetting
from cytopress.statistics import Effect
from cytopress.study.results import Speed

TERABYTE = 1e12

Verdict = Literal["inside", "outside", "not shown"]


@dataclass(frozen=True, kw_only=True, eq=False)
class JudgedSetting:
    """One codec setting as it was judged.

    ``effect`` is the loss in the score's unit with its interval, None where nothing was scored;
    ``bound`` is the smallest margin that it is shown to be inside, None where there is none.
    ``reason`` says why it is not shown to be inside the margin, "" where it is. ``more_fields`` is
    about how many more units would settle a setting that is not shown, None where they would not.
    ``speed`` is what the speed pass measured of its codec, None without one. ``bounded`` is what it
    was judged from, None for a lossless setting.
    """

    curve: Curve
    point: Point
    spec: str
    effect: Effect | None
    bound: float | None
    verdict: Verdict
    reason: str
    more_fields: int | None = 0
    speed: Speed | None = None
    bounded: BoundedSetting | None = None

    @property
    def safe(self) -> bool:
        """Whether it is shown to be inside the margin."""
        return self.verdict == "inside"

    @property
    def ratio(self) -> float:
        """The compression ratio."""
        return self.point.ratio

    @property
    def saved_per_terabyte(self) -> float:
        """Bytes that are saved on 10^12 bytes of originals."""
        return TERABYTE * (1 - 1 / self.ratio)

    @property
    def minutes_per_terabyte(self) -> float | None:
        """Minutes to encode 10^12 bytes once, without a search for a target; None if not timed."""
        if self.speed is None:
            return None
        return TERABYTE / self.speed.raw_bytes * self.speed.encode_s / 60


def lossless_setting(curve: Curve, point: Point) -> JudgedSetting:
    """Return a lossless setting, which needs no proof."""
    return JudgedSetting(
        curve=curve,
        point=point,
        spec=spec_of(point),
        effect=None,
        bound=0.0,
        verdict="inside",
        reason="",
    )


def with_speed(setting: JudgedSetting, speeds: Sequence[Speed]) -> JudgedSetting:
    """Return a setting with the speed of its codec."""
    return replace(setting, speed=speed_of(setting.point, speeds))


def speed_of(point: Point, speeds: Sequence[Speed]) -> Speed | None:
    """Return the speed of a setting's codec, which is timed at one rate of its curve."""
    trial = point.trials[0]
    curve = (trial.dataset, trial.codec, trial.options, trial.target)
    timed = [one for one in speeds if (one.dataset, one.codec, one.options, one.target) == curve]
    return timed[0] if timed else None


def encoding_rate(speed: Speed | None) -> float | None:
    """Return original megabytes (10^6 bytes) encoded in a second; None if not timed."""
    return None if speed is None else speed.raw_bytes / 1e6 / max(speed.encode_s, 1e-9)


def spec_of(point: Point) -> str:
    """Return the spec string of a setting, with its reference scales."""
    trial = point.trials[0]
    parts = [trial.options] if trial.options else []
    if trial.target and trial.target_value is not None:
        value = f"{trial.target_value:g}"
        exact = value if float(value) == trial.target_value else repr(trial.target_value)
        parts.insert(0, f"{trial.target}={exact}")
    return f"{trial.codec}:{','.join(parts)}" if parts else trial.codec
