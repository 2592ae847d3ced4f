"""Rate-distortion curves of trials: one per codec, a point per setting, means over fields."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cytopress.codecs.spec import REFERENCE_OPTIONS
from cytopress.codecs.targets.spec_text import DEFAULTS
from cytopress.results.number_format import target_text
from cytopress.study.results import DatasetFacts, Results
from cytopress.study.trial import Trial

# How the names of learned codecs begin.
LEARNED = "learned/"
# Targets that are upper limits of an error: at 0 they ask for every pixel.
ERROR_TARGETS = ("max_error", "sigma")


@dataclass(frozen=True, kw_only=True, eq=False)
class Point:
    """One setting of a codec on a dataset: its trials that were encoded.

    ``fields_asked`` counts the fields that the study measured on this dataset: a point with fewer
    is incomplete, and its mean is over other images than its neighbors'.
    """

    target: str
    target_value: float | None
    trials: tuple[Trial, ...]
    fields_asked: int

    @property
    def setting(self) -> str:
        """The target as in a spec string."""
        return target_text(self.target, self.target_value)

    @property
    def fields(self) -> int:
        """How many fields are in the means."""
        return len({trial.field for trial in self.trials})

    @property
    def complete(self) -> bool:
        """Whether every field is in the means."""
        return self.fields == self.fields_asked

    @property
    def raw_bytes(self) -> int:
        """Bytes of all originals."""
        return sum(trial.raw_bytes for trial in self.trials)

    @property
    def coded_bytes(self) -> int:
        """Self-contained bytes of all fields."""
        return sum(trial.coded_bytes or 0 for trial in self.trials)

    @property
    def ratio(self) -> float:
        """How many times smaller all fields together became."""
        return self.raw_bytes / self.coded_bytes

    def bits_per_pixel(self, itemsize: int) -> float:
        """Coded bits per pixel, for originals of ``itemsize`` bytes per pixel."""
        return 8 * itemsize / self.ratio

    @property
    def promises_lossless(self) -> bool:
        """Whether the spec promises every pixel of any image.

        A lossy target does not, even where the codec met it by its lossless form.
        """
        trial = self.trials[0]
        if self.target:
            exact = self.target in ERROR_TARGETS and self.target_value == 0
        else:
            # A learned codec without a target is one of a fixed rate.
            exact = not is_learned(trial.codec)
        return exact or "guard=0" in trial.options.split(",")

    @property
    def lossless(self) -> bool:
        """Whether every pixel of every field came back."""
        errors = [trial.scores.get("pixels/max_error") for trial in self.trials]
        known = [error for error in errors if error is not None]
        return not any(known) and (self.promises_lossless or len(known) == len(errors))

    def values(self, column: str) -> list[float]:
        """Return a score of each trial that has it."""
        return [trial.scores[column] for trial in self.trials if column in trial.scores]

    def mean(self, column: str) -> float | None:
        """Mean of a score over the trials; None where no trial has it or only some are infinite."""
        values = self.values(column)
        if not values:
            return None
        mean = math.fsum(values) / len(values) if all(map(math.isfinite, values)) else math.inf
        return mean if math.isfinite(mean) or all(map(math.isinf, values)) else None


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """One codec with its options on one dataset, its points from many bytes to few.

    ``volumetric`` says whether it coded stacks whole, and not plane by plane.
    """

    dataset: str
    label: str
    codec: str
    options: str
    regime: str
    lossless: bool
    points: tuple[Point, ...]
    volumetric: bool = False

    @property
    def learned(self) -> bool:
        """Whether the codec is a learned one."""
        return is_learned(self.codec)


def is_learned(codec: str) -> bool:
    """Return whether a codec's name is that of a learned one: those are named KIND/NAME."""
    return "/" in codec


def curves(results: Results, dataset: str) -> list[Curve]:
    """Return the curves of a dataset, in the order of the study.

    Lossless settings of a codec are a curve of their own. Settings without a successful trial are
    left out: `cytopress.results.tables.error_rows` lists them.
    """
    trials = measured(results, dataset)
    asked = len({trial.field for trial in trials})
    split_apart = _ambiguous(trials)
    groups: dict[tuple[str, str, str, str], list[Trial]] = defaultdict(list)
    for trial in trials:
        options = (
            trial.options
            if trial.codec in split_apart
            else bare_options(trial.codec, trial.options)
        )
        groups[trial.codec, options, trial.regime, trial.trained_on].append(trial)
    labels = _labels(list(groups))
    found = []
    for key, members in groups.items():
        points = _points(members, asked)
        for lossless in (True, False):
            some = tuple(point for point in points if point.lossless == lossless)
            if some:
                codec, options, regime, _ = key
                found.append(
                    Curve(
                        dataset=dataset,
                        label=labels[key],
                        codec=codec,
                        options=options,
                        regime=regime,
                        lossless=lossless,
                        points=some,
                        volumetric=members[0].volumetric,
                    )
                )
    return found


def measured(results: Results, dataset: str) -> list[Trial]:
    """Return the tested trials of a dataset that were judged by models trained on originals.

    Models of other training are in the train-test matrix.
    """
    return [trial for trial in tested(results, dataset) if trial.regime == "raw"]


def tested(results: Results, dataset: str) -> list[Trial]:
    """Return the trials of a dataset's test part, or all where it has none, by every model."""
    trials = [trial for trial in results.trials if trial.dataset == dataset]
    test = [trial for trial in trials if trial.split == "test"]
    return test or trials


def bare_options(codec: str, options: str) -> str:
    """Return options as a person writes them.

    Without the reference scales, which are the same for a whole dataset, and what learned codecs
    do unless told otherwise.
    """
    left_out = DEFAULTS if codec.startswith(LEARNED) else ()
    return ",".join(
        part
        for part in options.split(",")
        if part.partition("=")[0] not in REFERENCE_OPTIONS and part not in left_out
    )


def setting_name(point: Point) -> str:
    """Return a setting's spec string without the reference scales of its dataset."""
    return setting_text(point.trials[0])


def setting_text(trial: Trial) -> str:
    """Return the spec string of a trial's setting without the reference scales."""
    options = bare_options(trial.codec, trial.options)
    parts = [target_text(trial.target, trial.target_value)] if trial.target else []
    parts += [options] if options else []
    return f"{trial.codec}:{','.join(parts)}" if parts else trial.codec


def best_lossless(found: Iterable[Curve]) -> tuple[Curve, Point] | None:
    """Return the lossless setting with the fewest bytes that holds every field, if there is one.

    It promises every pixel of the next image too: that these came back is not enough.
    """
    whole = [
        (curve, point)
        for curve in found
        if curve.lossless
        for point in curve.points
        if point.complete and point.promises_lossless
    ]
    return max(whole, key=lambda pair: pair[1].ratio, default=None)


def bytes_per_pixel(results: Results, facts: DatasetFacts) -> int:
    """Bytes of a stored pixel: as in a preview of an original, else the fewest for its bits."""
    for trial in results.trials:
        if trial.dataset == facts.name and trial.coded_bytes:
            for preview in results.previews(trial.key):
                if preview.kind == "original":
                    return preview.image.dtype.itemsize
    return next(size for size in (1, 2, 4) if facts.bits <= 8 * size)


def _points(members: Sequence[Trial], asked: int) -> list[Point]:
    settings: dict[tuple[str, float | None], list[Trial]] = defaultdict(list)
    for trial in members:
        # Where a task failed, bytes and pixel metrics are measured all the same.
        if trial.coded_bytes:
            settings[trial.target, trial.target_value].append(trial)
    points = [
        Point(target=target, target_value=value, trials=tuple(some), fields_asked=asked)
        for (target, value), some in settings.items()
    ]
    return sorted(points, key=lambda point: point.ratio)


def _ambiguous(trials: Sequence[Trial]) -> set[str]:
    """Return the codecs of which two settings differ in nothing but their reference scales."""
    seen: dict[tuple[object, ...], str] = {}
    found = set()
    for trial in trials:
        setting = (
            *(
                trial.codec,
                bare_options(trial.codec, trial.options),
                trial.target,
                trial.target_value,
            ),
            *(trial.field, trial.regime, trial.trained_on, trial.seed),
        )
        if seen.setdefault(setting, trial.options) != trial.options:
            found.add(trial.codec)
    return found


def _labels(keys: Sequence[tuple[str, str, str, str]]) -> Mapping[tuple[str, str, str, str], str]:
    """Name each curve by its codec, and by options and regime where the codec has several."""
    labels = {}
    for codec, options, regime, trained_on in keys:
        siblings = [key for key in keys if key[0] == codec]
        label = codec
        if options and len({key[1] for key in siblings}) > 1:
            label += f":{options}"
        if regime != "raw":
            label += f" ({regime}{f', trained on {trained_on}' if trained_on else ''})"
        labels[codec, options, regime, trained_on] = label
    return labels
