"""Pictures of an answer: original, decoded, difference and prediction at the very setting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cytopress.image import Image
from cytopress.report.pictures import (
    display_range,
    error_picture,
    error_scale,
    grey_picture,
    scale_bar,
)
from cytopress.report.sections import SectionPictures, section_pictures
from cytopress.results.recommendation.pictured import (
    FieldLoss,
    field_losses,
    pictured_fields,
    trial_of,
)
from cytopress.results.recommendation.setting import JudgedSetting
from cytopress.study.results import Results


@dataclass(frozen=True, kw_only=True)
class FieldRow:
    """Pictures of one field as data URIs by their kind; empty where none were kept.

    ``role`` says why this field is shown. ``bar`` is the length of the scale bar as a share of the
    width, ``limit`` the counts at the end of the difference's color scale.
    """

    role: str
    one: FieldLoss
    pictures: Mapping[str, str]
    bar: float = 0.0
    bar_label: str = ""
    limit: float = 0.0


def field_rows(results: Results, setting: JudgedSetting, task: str) -> list[FieldRow]:
    """Return the median and the worst field with their pictures at a setting.

    Where neither was kept, any other field with pictures of this very setting follows, so that
    something is seen; pictures of another setting never stand in.
    """
    losses = field_losses(setting)
    fields = pictured_fields(losses)
    names: tuple[str, ...] = ("Median field", "Worst field")
    if len(fields) == 1:
        names = ("The one field",) if len(losses) == 1 else ("Every field the same",)
    rows = [
        _row(results, setting, one, task, role) for one, role in zip(fields, names, strict=True)
    ]
    if any(row.pictures for row in rows):
        return rows
    others = (
        _row(results, setting, one, task, "Another field") for one in losses if one not in fields
    )
    other = next((row for row in others if row.pictures), None)
    return [*rows, other] if other else rows


def _row(
    results: Results, setting: JudgedSetting, one: FieldLoss, task: str, role: str
) -> FieldRow:
    trial = trial_of(setting, one.field)
    sections = section_pictures(results.previews(trial.key)) if trial else []
    if not sections:
        return FieldRow(role=role, one=one, pictures={})
    plane = sections[0]
    error = error_scale([(plane.original, plane.decoded)])
    length, label = scale_bar(plane.original)
    return FieldRow(
        role=role,
        one=one,
        pictures=_pictures(plane, task, error.limit),
        bar=length / plane.original.shape[-1],
        bar_label=label,
        limit=error.limit,
    )


def _pictures(plane: SectionPictures, task: str, limit: float) -> dict[str, str]:
    shown = display_range(plane.original)
    made = {
        "original": grey_picture(plane.original, shown),
        "decoded": grey_picture(plane.decoded, shown),
        "difference": error_picture(plane.original, plane.decoded, limit),
    }
    before: Image | None = plane.images.get(("prediction", task))
    after: Image | None = plane.images.get(("prediction-decoded", task))
    if before is not None and after is not None:
        span = display_range(before)
        made["prediction"] = grey_picture(after, span)
        made["predictionOriginal"] = grey_picture(before, span)
    return made
