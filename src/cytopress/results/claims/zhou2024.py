"""Claims of Zhou, Sollmann and Chen (Biological Imaging 4:e16, 2024), one by one."""

from __future__ import annotations

from collections.abc import Sequence

from cytopress.results.bd_table import fewest_bytes
from cytopress.results.change import ends
from cytopress.results.claims.claim import FAILS, HOLDS, OPEN, Claim, Finding, verdict_of
from cytopress.results.claims.findings import finding, labelfree, loss_ends
from cytopress.results.claims.fragility import fragility
from cytopress.results.curves import Curve
from cytopress.results.dataset_summary import DatasetSummary, SettingRow
from cytopress.results.field_bd_rate import FieldBDRate, field_bd_rate
from cytopress.results.losses import noise_spread
from cytopress.results.number_format import MINUS, label_text, number_text, ratio_text
from cytopress.results.recovery import recoveries, recovery_text
from cytopress.results.train_test_matrix import matrix
from cytopress.results.unfinished import in_training
from cytopress.statistics import LEAST_UNITS
from cytopress.study.results import Results, ScoreFacts

NAME = "zhou2024"
TITLE = "The claims of Zhou, Sollmann and Chen (2024), one by one"
# Its classic codecs, and the edge of the tiles in which it coded with them.
CLASSIC, ITS_TILE = ("jpegxr", "jpeg2000", "lerc"), "tile=16"
ALWAYS = ("jpeg2000", "avif")
THEIRS, ZOO = "compressai/", "weights=zoo-"
# Image metrics of which more, or less, is plainly more alike.
ALIKE = ("psnr", "ssim", "ms_ssim", "pearson", "nrmse")
# Settings whose PSNR differs by more are no comparison of codecs.
COMPARABLE_DB = 3.0
IN_TRAINING = "its training has not ended, so only its curve is shown: see the trainings below"


def claims(results: Results, summaries: Sequence[DatasetSummary]) -> list[Claim]:
    """Return each claim of the study with what these results say on it."""
    planes = [one for one in summaries if one.facts.axes == "YX"]
    volumes = [one for one in summaries if one.facts.axes == "ZYX"]
    return [
        Claim(
            title="One setting for three classic codecs",
            text="JPEG XR, JPEG 2000 and LERC, each at level = 8 in tiles of 16 x 16, stand for the"
            " classic codecs. Sizes here are those of the bytes that decode.",
            findings=[found for one in summaries for found in _own_settings(one)],
        ),
        Claim(
            title="Fewer bytes at equal similarity",
            text="Learned codecs largely outperform the classic ones in compression ratio and image"
            " similarity.",
            findings=[found for one in summaries for found in _bytes(results, one)],
        ),
        Claim(
            title="The analysis of planes is hardly affected",
            text="Learned compression minimally affects label-free prediction in planes.",
            findings=[found for one in planes for found in _accuracy(results, one)],
        ),
        Claim(
            title="Volumes are more fragile",
            text="In volumes, learned compression harms label-free prediction more than in planes.",
            findings=fragility(planes, volumes),
        ),
        Claim(
            title="Training on decoded images helps",
            text="Models trained on decoded images predict better from decoded images.",
            findings=[found for one in summaries for found in _recovery(results, one)],
        ),
    ]


def _own_settings(summary: DatasetSummary) -> list[Finding]:
    rows = [
        row
        for row in summary.rows_of(None)
        if row.curve.codec in CLASSIC and ITS_TILE in row.curve.options.split(",")
    ]
    decibels = [value for row in rows if (value := row.point.mean("pixels/psnr")) is not None]
    if len(decibels) < 2:
        return []
    parts = [
        f"{row.curve.codec} {ratio_text(row.point.ratio)} smaller at"
        f" {number_text(row.point.mean('pixels/psnr'), significant=3)} dB"
        for row in rows
    ]
    apart = max(decibels) - min(decibels) > COMPARABLE_DB
    text = "; ".join(parts) + (
        ". The number sets another quality in each: this compares settings, not codecs"
        if apart
        else ""
    )
    return [finding(summary, "the three at its settings", text, FAILS if apart else HOLDS)]


def _bytes(results: Results, summary: DatasetSummary) -> list[Finding]:
    classic = [c for c in summary.lossy if not c.learned and not c.volumetric]
    classic = [c for c in classic if ITS_TILE not in c.options.split(",")]
    first = next((c for c in classic if c.codec == "jpeg2000"), None)
    if first is None:
        return []
    references = _references(summary, first, classic)
    scores = [s for s in results.scores if not s.task and s.name in ALIKE]
    found = []
    for curve in _theirs(summary):
        for reference, what in references.items():
            about = f"{_label(curve)} against {reference.label}{what}"
            found.append(_bytes_of(results, summary, curve, reference, scores, about))
    return found


def _references(
    summary: DatasetSummary, jpeg2000: Curve, classic: Sequence[Curve]
) -> dict[Curve, str]:
    """Return the codecs to compare with: JPEG 2000, AVIF, and the best classic ones."""
    found = {curve: "" for curve in classic if curve.codec in ALWAYS}
    best = {
        "the study's classic codecs": [c for c in classic if c.codec in CLASSIC],
        "the classic codecs here": classic,
    }
    for what, some in best.items():
        curve = fewest_bytes(summary, jpeg2000, some)
        if curve is not None:
            found[curve] = f", the best of {what}"
    return found


def _bytes_of(
    results: Results,
    summary: DatasetSummary,
    curve: Curve,
    reference: Curve,
    scores: Sequence[ScoreFacts],
    about: str,
) -> Finding:
    if in_training(results, curve):
        return finding(summary, about, IN_TRAINING, OPEN)
    rates = [(s, rate) for s in scores if (rate := field_bd_rate(reference, curve, s)) is not None]
    if not rates:
        return finding(summary, about, "the curves share too little quality", OPEN)
    text = "bytes at equal " + ", ".join(_rate_text(score, rate) for score, rate in rates)
    verdict = verdict_of((rate.low, rate.high) for _, rate in rates)
    return finding(summary, about, text, verdict)


def _rate_text(score: ScoreFacts, rate: FieldBDRate) -> str:
    name, some = label_text(score.name), ""
    if rate.fields < rate.of:
        some = f", on {rate.fields} of {rate.of} fields"
    if rate.low is None or rate.high is None:
        return f"{name} {rate.percent:+.0f} % (too few fields for an interval{some})".replace(
            "-", MINUS
        )
    span = f"{rate.low:+.0f} to {rate.high:+.0f}"
    return f"{name} {rate.percent:+.0f} % ({span}{some})".replace("-", MINUS)


def _accuracy(results: Results, summary: DatasetSummary) -> list[Finding]:
    found = []
    for score in labelfree(summary):
        margin = noise_spread(results, summary.facts.name, score)
        for curve in _theirs(summary):
            rows = [r for r in summary.rows_of(score) if r.curve is curve and r.change is not None]
            about = f"{_label(curve)}, {score.task}"
            if not rows:
                continue
            if in_training(results, curve):
                found.append(finding(summary, about, IN_TRAINING, OPEN))
                continue
            text = "; ".join(_change_text(row, score) for row in rows)
            verdict = OPEN
            if margin is not None:
                text += f"; one more draw of the camera's noise moves it by {number_text(margin)}"
                losses = [loss_ends(row.change, score) for row in rows if row.change is not None]
                verdict = _any_fails(losses, margin)
            found.append(finding(summary, about, text, verdict))
    return found


def _any_fails(losses: Sequence[tuple[float | None, float | None]], margin: float) -> str:
    """Return the verdict on "at no rate more than the margin": one rate refutes it."""
    each = [verdict_of([loss], margin=margin) for loss in losses]
    return FAILS if FAILS in each else verdict_of(losses, margin=margin)


def _recovery(results: Results, summary: DatasetSummary) -> list[Finding]:
    found = []
    for score in labelfree(summary):
        table = matrix(results, summary.facts.name, score)
        regained = recoveries(table) if table is not None else []
        if table is None or not regained:
            continue
        some = [(one.gain.low, one.gain.high) for one in regained]
        few = any(one.gain.n < LEAST_UNITS for one in regained)
        # A gain above zero is a loss below it.
        flipped = [(_minus(high), _minus(low)) for low, high in some]
        verdict = OPEN if few else verdict_of(flipped)
        found.append(
            finding(summary, score.task, recovery_text(regained, table).rstrip("."), verdict)
        )
    return found


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


def _theirs(summary: DatasetSummary) -> list[Curve]:
    return [curve for curve in summary.lossy if curve.codec.startswith(THEIRS)]


def _label(curve: Curve) -> str:
    how = "as provided" if ZOO in curve.options else "as trained here"
    return f"{curve.codec.removeprefix(THEIRS)} {how}"


def _change_text(row: SettingRow, score: ScoreFacts) -> str:
    change = row.change
    assert change is not None
    span = ends(change.interval)
    text = (
        f"{ratio_text(row.point.ratio)} smaller: {label_text(score.name)} {change.difference:+.4f}"
    )
    if span is not None:
        text += f" ({span[0]:+.4f} to {span[1]:+.4f})"
    return text.replace("-", MINUS)
