"""The BD-rate table: bytes at equal quality, against JPEG 2000."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cytopress.errors import NotAvailableError
from cytopress.report.curves import Curve
from cytopress.report.findings import Findings
from cytopress.study.bd_rate import BDRate, bd_rate
from cytopress.study.results import Results, ScoreFacts

REFERENCE = "jpeg2000"
PIXEL_SCORES = ("pixels/psnr", "pixels/ssim")


@dataclass(frozen=True, kw_only=True)
class BDCell:
    """A codec's BD-rate on one quality, or why there is none."""

    rate: BDRate | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class BDTable:
    """BD-rates of a dataset: one row a codec, one column a quality; or the ``reason`` for none."""

    scores: Sequence[ScoreFacts]
    rows: Sequence[tuple[Curve, Sequence[BDCell]]]
    reason: str


def bd_table(results: Results, found: Findings) -> BDTable:
    """Compare lossy curves with JPEG 2000's on mean PSNR, mean SSIM and each task's main score."""
    pixel = [score for score in results.scores if score.column in PIXEL_SCORES]
    scores = [*pixel, *(score for score in found.scores if score.main)]
    reference = next((curve for curve in found.lossy if curve.codec == REFERENCE), None)
    if reference is None:
        return BDTable(
            scores=scores, rows=(), reason="This study has no lossy JPEG 2000 to compare with."
        )
    others = [curve for curve in found.lossy if curve is not reference]
    rows = [
        (curve, [_cell(found, reference, curve, score) for score in scores]) for curve in others
    ]
    reason = "" if rows else "This study has no other lossy codec."
    return BDTable(scores=scores, rows=rows, reason=reason)


def _cell(found: Findings, reference: Curve, test: Curve, score: ScoreFacts) -> BDCell:
    sign = -1.0 if score.better == "lower" else 1.0
    rates, qualities = zip(
        *(_curve(found, curve, score, sign) for curve in (reference, test)), strict=True
    )
    try:
        rate = bd_rate(rates[0], qualities[0], rates[1], qualities[1], monotone=bool(score.task))
    except NotAvailableError as error:
        return BDCell(rate=None, reason=str(error))
    if sign < 0:
        rate = BDRate(percent=rate.percent, low=-rate.high, high=-rate.low)
    return BDCell(rate=rate, reason="")


def _curve(
    found: Findings, curve: Curve, score: ScoreFacts, sign: float
) -> tuple[list[float], list[float]]:
    """Return bytes and mean quality of the settings that hold every field."""
    rates, qualities = [], []
    for row in found.rows_of(score if score.task else None):
        if row.curve is not curve or not row.point.complete:
            continue
        if score.task:
            whole = row.change is not None and row.change.fields == row.point.fields_asked
            quality = row.change.harm if row.change and whole else None
        else:
            quality = row.point.mean(score.column)
        if quality is not None:
            rates.append(float(row.point.coded_bytes))
            qualities.append(sign * quality)
    return rates, qualities
