"""Axial error: what codecs do to a volume along z, beside what they do in the plane."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cytopress.figures import count_text
from cytopress.results.dataset_summary import DatasetSummary, SettingRow
from cytopress.results.number_format import number_text
from cytopress.results.tables import codec_verdicts, sizes
from cytopress.study.results import Results

FRC = ("pixels/frc_resolution", "pixels/frc_resolution_z")
VARIATION = ("pixels/variation_xy", "pixels/variation_z")
# Ratios nearer to 1 than this count as equal.
EVEN = 1.05
PLOTS = (
    (FRC[0], "Detail kept in the plane"),
    (FRC[1], "Detail kept along z"),
    (VARIATION[0], "Change between neighboring pixels of the plane, over the original’s"),
    (VARIATION[1], "Change from plane to plane, over the original’s"),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class CodecAxialError:
    """One codec at one compression ratio, means over fields; None where nothing was measured.

    ``frc`` and ``frc_um`` are resolutions by Fourier ring correlation, in cycles per voxel and per
    micrometer; ``variation`` is the difference of neighbors as a share of the original's. Each is a
    pair: in the plane, and along z.
    """

    row: SettingRow
    frc: tuple[float | None, float | None]
    frc_um: tuple[float | None, float | None]
    variation: tuple[float | None, float | None]

    @property
    def in_um(self) -> bool:
        """Whether both resolutions are known per micrometer."""
        return None not in self.frc_um

    @property
    def resolutions(self) -> list[tuple[float | None, float | None]]:
        """Resolution in the plane and along z: per voxel, and per micrometer where known."""
        return list(zip(self.frc, self.frc_um, strict=True))

    @property
    def flicker(self) -> float | None:
        """Variation along z over variation in the plane; 1 in the original."""
        in_plane, axial_errors = self.variation
        return axial_errors / in_plane if in_plane and axial_errors is not None else None


@dataclass(frozen=True, kw_only=True, eq=False)
class AxialError:
    """Codecs of a dataset of volumes at about one ratio (``size``), those of volumes first."""

    summary: DatasetSummary
    size: float
    lines: Sequence[CodecAxialError]
    text: str
    plots: Sequence[tuple[str, str]]


def axial_errors(results: Results, summaries: Sequence[DatasetSummary]) -> list[AxialError]:
    """Return the axial error on every dataset of volumes that was measured along z."""
    measured = {score.column for score in results.scores}
    if not measured & {FRC[1], VARIATION[1]}:
        return []
    plots = [(column, what) for column, what in PLOTS if column in measured]
    some = [
        _axial_error(each, plots) for each in summaries if each.facts.axes == "ZYX" and each.lossy
    ]
    return [one for one in some if one is not None]


def _axial_error(summary: DatasetSummary, plots: Sequence[tuple[str, str]]) -> AxialError | None:
    """Compare at the ratio that most codecs were tested at; of several, at the largest."""
    columns = sizes(summary)
    verdicts = codec_verdicts(summary.rows_of(None), columns)
    tested = [sum(one.near[place] is not None for one in verdicts) for place in range(len(columns))]
    if not any(tested):
        return None
    place = max(range(len(columns)), key=lambda index: (tested[index], columns[index]))
    rows = [row for one in verdicts if (row := one.near[place]) is not None]
    lines = [
        _codec_axial_error(row) for row in sorted(rows, key=lambda row: not row.curve.volumetric)
    ]
    return AxialError(
        summary=summary, size=columns[place], lines=lines, text=_text(lines), plots=plots
    )


def _codec_axial_error(row: SettingRow) -> CodecAxialError:
    def pair(columns: tuple[str, str], suffix: str = "") -> tuple[float | None, float | None]:
        in_plane, along = (row.point.mean(f"{column}{suffix}") for column in columns)
        return in_plane, along

    return CodecAxialError(
        row=row, frc=pair(FRC), frc_um=pair(FRC, "_um"), variation=pair(VARIATION)
    )


def _text(lines: Sequence[CodecAxialError]) -> str:
    """Describe how codecs of volumes and of planes differ in geometric means; "" without any.

    Only the difference between the two kinds is interpreted: where a codec drops noise, the rest
    can vary more or less along z than the original did, without any flicker.
    """
    means = {}
    for name, whole in (("of whole volumes", True), ("of single planes", False)):
        some = [x.flicker for x in lines if x.row.curve.volumetric is whole and x.flicker]
        if some:
            means[name] = math.exp(math.fsum(map(math.log, some)) / len(some)), len(some)
    if not means:
        return ""
    listed = "; ".join(
        f"{count_text(count, 'codec')} {name}: {number_text(mean, significant=3)}"
        for name, (mean, count) in means.items()
    )
    text = (
        "Change from plane to plane over change within the plane, as shares of the original’s,"
        f" geometric mean over codecs: {listed}."
    )
    if len(means) < 2:
        return text
    (volumes, _), (planes, _) = means.values()
    return f"{text} {_comparison_text(planes / volumes)}"


def _comparison_text(factor: float) -> str:
    if abs(math.log(factor)) < math.log(EVEN):
        return "Neither kind flickers more than the other."
    kinds = ("single planes", "whole volumes")
    more, less = kinds if factor > 1 else kinds[::-1]
    much = number_text(max(factor, 1 / factor), significant=3)
    return f"Codecs of {more} flicker more, {much} times as much as codecs of {less}."
