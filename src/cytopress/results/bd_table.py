"""The BD-rate tables: bytes at equal quality, against JPEG 2000 and the best classic codec."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cytopress.errors import NotAvailableError
from cytopress.results.curves import Curve
from cytopress.results.dataset_summary import DatasetSummary
from cytopress.statistics.bd_rate import BDRate, bd_rate
from cytopress.study.results import Results, ScoreFacts

REFERENCE = "jpeg2000"
PIXEL_SCORES = ("pixels/psnr", "pixels/ssim")


@dataclass(frozen=True, kw_only=True)
class BDResult:
    """A codec's BD-rate on one quality, or why there is none."""

    rate: BDRate | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class BDTable:
    """BD-rates of a dataset: one row a codec, one column a quality; or the ``reason`` for none.

    ``against`` names the codec that every row is compared with.
    """

    against: str
    scores: Sequence[ScoreFacts]
    rows: Sequence[tuple[Curve, Sequence[BDResult]]]
    reason: str


def bd_tables(results: Results, summary: DatasetSummary) -> list[BDTable]:
    """Compare lossy curves with JPEG 2000's, then with the best classic codec's if it is another.

    JPEG 2000 is that of planes: with a wavelet along z it is another codec.

    The qualities are mean PSNR, mean SSIM and each task's main score. The best classic codec is the
    one with the fewest bytes at equal PSNR.
    """
    reference = reference_curve(summary)
    if reference is None:
        reason = "This study has no lossy JPEG 2000 to compare with."
        return [
            BDTable(against="JPEG 2000", scores=bd_scores(results, summary), rows=(), reason=reason)
        ]
    first = _table(results, summary, reference, "JPEG 2000")
    best = fewest_bytes(summary, reference, [curve for curve in summary.lossy if not curve.learned])
    if best is None or best is reference:
        return [first]
    name = f"{best.label}, the classic codec with the fewest bytes at equal PSNR"
    return [first, _table(results, summary, best, name)]


def _table(results: Results, summary: DatasetSummary, reference: Curve, against: str) -> BDTable:
    scores = bd_scores(results, summary)
    others = [curve for curve in summary.lossy if curve is not reference]
    rows = [
        (curve, [bd_result(summary, reference, curve, score) for score in scores])
        for curve in others
    ]
    reason = "" if rows else "This study has no other lossy codec."
    return BDTable(against=against, scores=scores, rows=rows, reason=reason)


def bd_scores(results: Results, summary: DatasetSummary) -> list[ScoreFacts]:
    """Return the qualities that codecs are compared at: PSNR, SSIM, each task's main score."""
    pixel = [score for score in results.scores if score.column in PIXEL_SCORES]
    return [*pixel, *(score for score in summary.scores if score.main)]


def reference_curve(summary: DatasetSummary) -> Curve | None:
    """Return lossy JPEG 2000 of planes, None where the study has none."""
    of_planes = [curve for curve in summary.lossy if not curve.volumetric]
    return next((curve for curve in of_planes if curve.codec == REFERENCE), None)


def fewest_bytes(summary: DatasetSummary, reference: Curve, some: Sequence[Curve]) -> Curve | None:
    """Return the curve that saves most against a reference at equal PSNR.

    The reference counts as saving nothing, if it is among them; of several, curves that cannot be
    held against it are out. None where nothing is left.
    """
    if len(some) == 1:
        return some[0]
    saved: list[tuple[float, Curve]] = []
    psnr = ScoreFacts(
        column=PIXEL_SCORES[0], name="psnr", unit="dB", better="higher", task="", main=False
    )
    for curve in some:
        rate = None if curve is reference else bd_result(summary, reference, curve, psnr).rate
        if curve is reference or rate is not None:
            saved.append((rate.percent if rate else 0.0, curve))
    return min(saved, key=lambda pair: pair[0], default=(0.0, None))[1]


def bd_result(
    summary: DatasetSummary, reference: Curve, test: Curve, score: ScoreFacts
) -> BDResult:
    """Return how many more bytes ``test`` needs than ``reference`` at equal quality."""
    sign = -1.0 if score.better == "lower" else 1.0
    rates, qualities = zip(
        *(_curve(summary, curve, score, sign) for curve in (reference, test)), strict=True
    )
    try:
        rate = bd_rate(rates[0], qualities[0], rates[1], qualities[1], monotone=bool(score.task))
    except NotAvailableError as error:
        return BDResult(rate=None, reason=str(error))
    if sign < 0:
        rate = BDRate(percent=rate.percent, low=-rate.high, high=-rate.low)
    return BDResult(rate=rate, reason="")


def _curve(
    summary: DatasetSummary, curve: Curve, score: ScoreFacts, sign: float
) -> tuple[list[float], list[float]]:
    """Return bytes and mean quality of the settings that hold every field."""
    rates, qualities = [], []
    for row in summary.rows_of(score if score.task else None):
        if row.curve is not curve or not row.point.complete:
            continue
        if score.task:
            whole = row.change is not None and row.change.fields == row.point.fields_asked
            quality = row.change.decoded if row.change and whole else None
        else:
            quality = row.point.mean(score.column)
        if quality is not None:
            rates.append(float(row.point.coded_bytes))
            qualities.append(sign * quality)
    return rates, qualities
