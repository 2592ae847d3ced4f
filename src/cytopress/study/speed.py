"""Speed pass: run times of each codec at a middle rate, by repeated encodes and decodes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from cytopress.codecs.registry import decode_own
from cytopress.codecs.targets.request import CodecRequest
from cytopress.image import Image
from cytopress.settings import Settings
from cytopress.study.plan import TrialPlan

REPEATS = 5
# Seconds after which an encoder or a decoder is not run again: a volume can take a minute a run.
PATIENCE = 20.0


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Medians of wall times, in seconds.

    ``threads`` is the processor time over the wall time, rounded, at least 1: the threads that were
    busy, whatever number was asked for.
    """

    coded_bytes: int
    encode_s: float
    decode_s: float
    repeats: int
    threads: int


def plans_to_time(plans: Sequence[TrialPlan], usable: Collection[str]) -> tuple[TrialPlan, ...]:
    """Choose one trial for each codec of each dataset: a middle rate on its first usable field.

    ``usable`` holds the keys of trials that gave bytes. A lossless setting with the name of a lossy
    curve has a row of its own.
    """
    curves: dict[tuple[str, str, str, str], list[TrialPlan]] = {}
    for plan in plans:
        if plan.spec.key in usable:
            curve = (plan.dataset, plan.codec, plan.options, plan.target)
            curves.setdefault(curve, []).append(plan)
    chosen = []
    for curve_plans in curves.values():
        rates = [plan for plan in curve_plans if plan.field == curve_plans[0].field]
        rates.sort(key=lambda plan: plan.target_value or 0.0)
        chosen.append(rates[len(rates) // 2])
    return tuple(chosen)


def time_codec(
    request: CodecRequest,
    image: Image,
    *,
    repeats: int = REPEATS,
    patience: float = PATIENCE,
    settings: Settings | None = None,
) -> Timing:
    """Time encode and decode of one image, at the setting that meets the target.

    The encode or search that gives the bytes to decode warms up the encoder; the decoder runs once
    before it is timed. Each runs ``repeats`` times, or as often as fits into ``patience`` seconds,
    at least once; the lower of both counts is stored.
    """
    solution = request.solve(image)
    decode_own(solution.data, image, settings)
    encode, encode_threads = _walls(lambda: solution.codec.encode(image), repeats, patience)
    decoded, decode_threads = _walls(
        lambda: decode_own(solution.data, image, settings), repeats, patience
    )
    return Timing(
        coded_bytes=len(solution.data),
        encode_s=statistics.median(encode),
        decode_s=statistics.median(decoded),
        repeats=min(len(encode), len(decoded)),
        threads=max(encode_threads, decode_threads),
    )


def _walls(work: Callable[[], object], repeats: int, patience: float) -> tuple[list[float], int]:
    """Return the wall time of each run, in seconds, and how many threads were busy."""
    walls: list[float] = []
    processor = time.process_time()
    while len(walls) < repeats and (not walls or sum(walls) < patience):
        begin = time.perf_counter()
        work()
        walls.append(time.perf_counter() - begin)
    processor = time.process_time() - processor
    return walls, max(1, round(processor / max(sum(walls), 1e-9)))
