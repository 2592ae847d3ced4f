"""The gallery: the pictures that the page holds, each stored once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cytopress.digests import digest_bytes, digest_text
from cytopress.image import Image
from cytopress.report.data_uri import data_uri, png
from cytopress.report.pictures import (
    DisplayRange,
    ErrorScale,
    display_range,
    diverging,
    error_picture,
    error_scale,
    grey_picture,
    scale_bar,
)
from cytopress.report.sections import SectionPictures, layout, section_pictures
from cytopress.results.curves import Curve, Point
from cytopress.results.number_format import number_text, ratio_text
from cytopress.study.results import Results
from cytopress.study.trial import Trial

# Room for pictures in a page that must stay under 25 MB with its drawing library.
BUDGET = 16_000_000


@dataclass
class Album:
    """Pictures by a short name, each once, as data URIs; ``size`` is their total length."""

    pictures: dict[str, str] = field(default_factory=dict)
    size: int = 0
    _seen: dict[tuple[str, DisplayRange], str] = field(default_factory=dict)

    def grey(self, image: Image, shown: DisplayRange) -> str:
        """Add an image as a grey picture and return its name; a repeated one costs nothing."""
        seen = digest_bytes(image.pixels.tobytes()), shown
        if seen not in self._seen:
            self._seen[seen] = self.add(grey_picture(image, shown))
        return self._seen[seen]

    def add(self, picture: str) -> str:
        """Add a picture and return its name."""
        name = digest_text(picture)[:12]
        if name not in self.pictures:
            self.pictures[name] = picture
            self.size += len(picture)
        return name


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """Entries that a reader can choose from; ``shown`` of the ``kept`` trials have one."""

    entries: Sequence[Mapping[str, Any]]
    pictures: Mapping[str, str]
    shown: int
    kept: int

    @property
    def complete(self) -> bool:
        """Whether every trial that has pictures is in the page."""
        return self.shown == self.kept


def gallery(results: Results, found: Sequence[Curve], *, budget: int = BUDGET) -> Gallery:
    """Collect pictures in their order until the budget is spent, in characters of the page."""
    album, entries, kept = Album(), [], 0
    titles = {facts.name: facts.title for facts in results.datasets}
    for label, point, trial in gallery_order(found):
        sections = section_pictures(results.previews(trial.key))
        if not sections:
            continue
        kept += 1
        if album.size < budget:
            entries += _entries(label, point, trial, titles[trial.dataset], sections, album)
    if entries:
        album.pictures["colors"] = data_uri(png(np.arange(255, dtype=np.uint8)[None], diverging()))
    shown = len({entry["trial"] for entry in entries})
    order = {(c.dataset, c.label): i for i, c in reversed(list(enumerate(found)))}
    entries.sort(key=lambda entry: (order[entry["dataset"], entry["codec"]], entry["rank"]))
    return Gallery(entries=entries, pictures=album.pictures, shown=shown, kept=kept)


def gallery_order(found: Sequence[Curve]) -> list[tuple[str, Point, Trial]]:
    """Return lossy trials with the label of their curve, those first whose pictures matter most.

    Datasets take turns, then fields; of each codec the settings far apart come first, so that a cut
    leaves every codec with some. Model variants of one trial share its pictures: one of them stands
    for all.
    """
    shown: dict[str, tuple[tuple[int, int], str, Point, Trial]] = {}
    turns: dict[tuple[str, str], int] = {}
    for curve in found:
        if curve.lossless:
            continue
        for step, point in enumerate(curve.points):
            for trial in point.trials:
                before = sum(dataset == curve.dataset for dataset, _ in turns)
                turn = turns.setdefault((curve.dataset, trial.field), before)
                rank = (turn, _spread(step, len(curve.points)))
                shown.setdefault(trial.key, (rank, curve.label, point, trial))
    ordered = sorted(shown.values(), key=lambda entry: entry[0])
    return [(label, point, trial) for _, label, point, trial in ordered]


def _spread(step: int, steps: int) -> int:
    """Rank a step so that the first few lie far apart: middle, last, first, then the rest."""
    first = list(dict.fromkeys([steps // 2, steps - 1, 0]))
    return first.index(step) if step in first else len(first) + step


def _entries(
    label: str,
    point: Point,
    trial: Trial,
    title: str,
    sections: Sequence[SectionPictures],
    album: Album,
) -> list[dict[str, Any]]:
    """Return one entry per task that predicted from this trial; one without task if none did.

    The other sections of a volume share the display ranges of the first.
    """
    plane = sections[0]
    original = plane.original
    error = error_scale([(one.original, one.decoded) for one in sections])
    bar, bar_label = scale_bar(original)
    unit_um = None if original.spacing_um is None else original.spacing_um[-1]
    common: dict[str, Any] = {
        "trial": trial.key,
        "dataset": trial.dataset,
        "title": title,
        "field": trial.field,
        "codec": label,
        "setting": point.setting,
        "rank": point.ratio,
        "smaller": ratio_text(trial.raw_bytes / trial.coded_bytes if trial.coded_bytes else None),
        "psnr": number_text(trial.scores.get("pixels/psnr"), significant=3),
        "bar": bar,
        "barLabel": bar_label,
        "limit": f"{error.limit:g}",
        "beyond": f"{100 * error.beyond:.2g}",
    }
    tasks = list(dict.fromkeys(task for kind, task in plane.images if kind == "prediction"))
    entries = []
    for task in tasks or [""]:
        ranges = _display_ranges(plane, task)
        first, *others = (
            layout(one, unit_um) | _pictures(one, task, ranges, error, album) for one in sections
        )
        texts = {f"{kind}Range": _range_text(shown) for kind, shown in ranges.items()}
        entries.append(common | {"task": task, "sections": others} | texts | first)
    return entries


def _display_ranges(plane: SectionPictures, task: str) -> dict[str, DisplayRange]:
    """Return the display range of the images, the predictions and the truth."""
    found = {"image": display_range(plane.original)}
    if ("prediction", task) in plane.images:
        found["prediction"] = display_range(plane.images["prediction", task])
    truth = _truth(plane, task)
    if truth is not None:
        found["truth"] = display_range(truth)
    return found


def _truth(one: SectionPictures, task: str) -> Image | None:
    return one.images.get(("truth", task), one.images.get(("truth", "")))


def _pictures(
    one: SectionPictures,
    task: str,
    ranges: Mapping[str, DisplayRange],
    error: ErrorScale,
    album: Album,
) -> dict[str, str]:
    """Return the names of a section's pictures by their kind on the page."""
    wanted: list[tuple[str, Image | None, str]] = [
        ("original", one.original, "image"),
        ("decoded", one.decoded, "image"),
        ("prediction", one.images.get(("prediction", task)), "prediction"),
        ("predictionDecoded", one.images.get(("prediction-decoded", task)), "prediction"),
        ("truth", _truth(one, task), "truth"),
    ]
    if not task:
        wanted = wanted[:2]
    found = {
        kind: album.grey(image, ranges[name]) for kind, image, name in wanted if image is not None
    }
    return found | {"error": album.add(error_picture(one.original, one.decoded, error.limit))}


def _range_text(shown: DisplayRange) -> str:
    low, high = (number_text(value, significant=3) for value in (shown.low, shown.high))
    return f"{low} to {high}"
