"""A judged setting: its loss with a bound, and whether it is shown to be safe."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cytopress.results.curves import Curve, Point
from cytopress.statistics import Effect

TERABYTE = 1e12


@dataclass(frozen=True, kw_only=True, eq=False)
class JudgedSetting:
    """One codec setting as it was judged.

    ``effect`` is the loss in the score's unit with its interval, None where nothing was scored;
    ``bound`` is the largest loss at the confidence that the setting's codec was tested at, which
    Holm's correction sets. ``reason`` says why it is not safe, "" where it is.
    """

    curve: Curve
    point: Point
    spec: str
    effect: Effect | None
    bound: float | None
    safe: bool
    reason: str

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
        """Minutes to encode 10^12 bytes once, as timed in the study; no search for a target."""
        timed = [trial for trial in self.point.trials if trial.encode_s is not None]
        raw = sum(trial.raw_bytes for trial in timed)
        seconds = math.fsum(trial.encode_s or 0.0 for trial in timed)
        return TERABYTE / raw * seconds / 60 if raw else None


def lossless_setting(curve: Curve, point: Point) -> JudgedSetting:
    """Return a lossless setting, which needs no proof."""
    return JudgedSetting(
        curve=curve, point=point, spec=spec_of(point), effect=None, bound=0.0, safe=True, reason=""
    )


def spec_of(point: Point) -> str:
    """Return the spec string of a setting, with its reference scales."""
    trial = point.trials[0]
    parts = [trial.options] if trial.options else []
    if trial.target and trial.target_value is not None:
        value = f"{trial.target_value:g}"
        exact = value if float(value) == trial.target_value else repr(trial.target_value)
        parts.insert(0, f"{trial.target}={exact}")
    return f"{trial.codec}:{','.join(parts)}" if parts else trial.codec
