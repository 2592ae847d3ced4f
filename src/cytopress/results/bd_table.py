"""BD-rate tables: bytes at equal quality, against JPEG 2000 and the best classic codec."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cytopress.errors import NotAvailableError
from cytopress.results.curves import Curve
from cytopress.results.dataset_summary import DatasetSummary
from cytopress.results.unfinished import in_training
from cytopress.statistics.bd_rate import BDRate, bd_rate
from cytopress.study.results import Results, ScoreFacts

REFERENCE = "jpeg2000"
PIXEL_SCORES = ("pixels/psnr", "pixels/ssim")


@dataclass(frozen=True, kw_only=True)
class BDResult:
    """A codec's BD-rate by one quality score, or the reason why there is none."""

    rate: BDRate | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class BDTable:
    """BD-rates on a dataset: a row per codec, a column per quality score.

    ``against`` names the codec that every row is compared with; ``reason`` says why there is no
    row, "" where there are some.
    """

    against: str
    scores: Sequence[ScoreFacts]
    rows: Sequence[tuple[Curve, Sequence[BDResult]]]
    reason: str


def bd_tables(results: Results, summary: DatasetSummary) -> list[BDTable]:
    """Compare lossy curves with JPEG 2000's, then with the best classic codec's if it is another.

    JPEG 2000 codes plane by plane; with a wavelet along z it counts as another codec. The quality
    scores are mean PSNR, mean SSIM and each task's main score. The best classic codec has the
    fewest bytes at equal PSNR.
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
    # Of a codec in training the curve is shown, and no verdict.
    others = [
        curve
        for curve in summary.lossy
        if curve is not reference and not in_training(results, curve)
    ]
    rows = [
        (curve, [bd_result(summary, reference, curve, score) for score in scores])
        for curve in others
    ]
    reason = "" if rows else "This study has no other lossy codec."
    return BDTable(against=against, scores=scores, rows=rows, reason=reason)


def bd_scores(results: Results, summary: DatasetSummary) -> list[ScoreFacts]:
    """Return the quality scores of the comparison: PSNR, SSIM, each task's main score."""
    pixel = [score for score in results.scores if score.column in PIXEL_SCORES]
    return [*pixel, *(score for score in summary.scores if score.main)]


def reference_curve(summary: DatasetSummary) -> Curve | None:
    """Return the curve of lossy JPEG 2000, plane by plane; None where the study has none."""
    of_planes = [curve for curve in summary.lossy if not curve.volumetric]
    return next((curve for curve in of_planes if curve.codec == REFERENCE), None)


def fewest_bytes(summary: DatasetSummary, reference: Curve, some: Sequence[Curve]) -> Curve | None:
    """Return the curve with the fewest bytes at equal PSNR, by its BD-rate against a reference.

    The reference itself has a BD-rate of zero. Of several curves, those without a BD-rate are left
    out; None where no curve is left.
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
    """Return the BD-rate of ``test``: its bytes against those of ``reference`` at equal quality."""
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
    """Return bytes and mean quality of the settings that were measured on every field."""
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
