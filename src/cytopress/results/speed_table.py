"""Speed table: megabytes of original pixels per second, on the machine of the study."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from cytopress.results.curves import bare_options
from cytopress.results.number_format import target_text
from cytopress.study.results import Results, Speed


@dataclass(frozen=True, kw_only=True)
class SpeedRow:
    """Speed of one setting, in MB (10^6 bytes of original pixels) a second; median over fields."""

    dataset: str
    codec: str
    setting: str
    ratio: float
    encode: float
    decode: float
    repeats: int
    threads: int


def speed_rows(results: Results) -> list[SpeedRow]:
    """Return the speed table, in the order of the study."""
    variants: dict[tuple[str, str], set[str]] = defaultdict(set)
    for speed in results.speeds:
        variants[speed.dataset, speed.codec].add(bare_options(speed.codec, speed.options))
    groups: dict[tuple[str, str, str], list[Speed]] = defaultdict(list)
    for speed in results.speeds:
        options = bare_options(speed.codec, speed.options)
        several = options and len(variants[speed.dataset, speed.codec]) > 1
        codec = f"{speed.codec}:{options}" if several else speed.codec
        setting = target_text(speed.target, speed.target_value)
        groups[speed.dataset, codec, setting].append(speed)
    return [_row(*key, speeds) for key, speeds in groups.items()]


def _row(dataset: str, codec: str, setting: str, speeds: Sequence[Speed]) -> SpeedRow:
    return SpeedRow(
        dataset=dataset,
        codec=codec,
        setting=setting,
        ratio=sum(s.raw_bytes for s in speeds) / sum(s.coded_bytes for s in speeds),
        encode=median(s.raw_bytes / 1e6 / max(s.encode_s, 1e-9) for s in speeds),
        decode=median(s.raw_bytes / 1e6 / max(s.decode_s, 1e-9) for s in speeds),
        repeats=min(s.repeats for s in speeds),
        threads=max(s.threads for s in speeds),
    )
