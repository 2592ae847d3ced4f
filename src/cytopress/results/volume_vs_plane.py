"""3D against 2D: codecs of whole volumes compared with codecs of single planes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cytopress.results.bd_table import (
    BDResult,
    bd_result,
    bd_scores,
    fewest_bytes,
    reference_curve,
)
from cytopress.results.curves import Curve
from cytopress.results.dataset_summary import DatasetSummary, SettingRow
from cytopress.results.tables import codec_verdicts, sizes
from cytopress.study.results import Results, ScoreFacts

VIDEO = ("hevc", "av1")


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """BD-rates of ``test`` against ``reference``, one for each quality score."""

    what: str
    test: Curve
    reference: Curve
    results: Sequence[BDResult]


@dataclass(frozen=True, kw_only=True, eq=False)
class VolumeVsPlane:
    """Comparisons on a dataset of volumes, and their codecs side by side at equal ``sizes``.

    ``lines`` holds, for each main score (None without a task), the codecs with a row per size: None
    where no tested setting is near. ``reason`` says why there is no comparison, else it is "".
    """

    scores: Sequence[ScoreFacts]
    comparisons: Sequence[Comparison]
    sizes: Sequence[float]
    lines: Sequence[tuple[ScoreFacts | None, Sequence[tuple[Curve, Sequence[SettingRow | None]]]]]
    reason: str

    @property
    def rows(self) -> list[tuple[str, Sequence[BDResult]]]:
        """The comparisons as rows of a table of BD-rates."""
        return [(comparison.what, comparison.results) for comparison in self.comparisons]


def volume_vs_plane(results: Results, summary: DatasetSummary) -> VolumeVsPlane | None:
    """Compare the best codecs of volumes and of planes; None for a dataset of planes.

    The best codec of a kind has the fewest bytes at equal PSNR, by its BD-rate against JPEG 2000 of
    planes, or against the study's first lossy codec where that is missing. The best learned codec
    of volumes is also compared with the video codecs.
    """
    if summary.facts.axes != "ZYX":
        return None
    scores = bd_scores(results, summary)
    comparisons = [
        Comparison(
            what=what,
            test=test,
            reference=reference,
            results=[bd_result(summary, reference, test, score) for score in scores],
        )
        for what, test, reference in _pairs(summary)
    ]
    codecs = dict.fromkeys(
        curve for comparison in comparisons for curve in (comparison.test, comparison.reference)
    )
    # Sizes at which none of them was tested are left out.
    near = [
        one.near
        for one in codec_verdicts(summary.rows_of(None), sizes(summary))
        if one.curve in codecs
    ]
    columns = [
        size for place, size in enumerate(sizes(summary)) if any(rows[place] for rows in near)
    ]
    return VolumeVsPlane(
        scores=scores,
        comparisons=comparisons,
        sizes=columns,
        lines=[(s, _lines(summary, s, list(codecs), columns)) for s in summary.main_scores],
        reason="" if comparisons else "this study has no pair of a codec in 3D and one in 2D.",
    )


def _pairs(summary: DatasetSummary) -> list[tuple[str, Curve, Curve]]:
    """Return the name of each comparison, its test curve and its reference curve."""
    reference = reference_curve(summary) or next(iter(summary.lossy), None)
    if reference is None:
        return []
    best = {
        (learned, volumetric): fewest_bytes(
            summary,
            reference,
            [c for c in summary.lossy if (c.learned, c.volumetric) == (learned, volumetric)],
        )
        for learned in (False, True)
        for volumetric in (False, True)
    }
    learned_3d = best[True, True]
    video = [curve for curve in summary.lossy if curve.codec in VIDEO and curve.volumetric]
    wanted = [
        ("classic: 3D to 2D", best[False, True], best[False, False]),
        ("learned: 3D to 2D", learned_3d, best[True, False]),
        ("3D: learned to classic", learned_3d, best[False, True]),
        *(
            (f"3D: learned to {curve.label}", learned_3d, curve)
            for curve in video
            if curve is not best[False, True]
        ),
    ]
    return [
        (what, test, reference)
        for what, test, reference in wanted
        if test is not None and reference is not None
    ]


def _lines(
    summary: DatasetSummary,
    score: ScoreFacts | None,
    some: Sequence[Curve],
    columns: Sequence[float],
) -> list[tuple[Curve, Sequence[SettingRow | None]]]:
    near = {one.curve: one.near for one in codec_verdicts(summary.rows_of(score), columns)}
    return [(curve, near[curve]) for curve in some if curve in near]
