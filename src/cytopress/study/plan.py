"""The plan: every trial of a study, in order, from what is known before any codec runs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cytopress.codecs.targets.request import CodecRequest
from cytopress.codecs.targets.target import TARGET_KINDS
from cytopress.errors import UsageError
from cytopress.metrics import METRICS
from cytopress.settings import Settings
from cytopress.study.noise_replicates import CAMERA
from cytopress.study.results import DatasetFacts
from cytopress.study.spec import Study
from cytopress.study.trial_spec import ModelVariant, TrialSpec


@dataclass(frozen=True, kw_only=True)
class InspectedField:
    """One field of a dataset as a study uses it: names for people, digests for identity."""

    name: str
    group: str
    split: str
    original: str
    target: str
    bits: int
    raw_bytes: int
    preview: bool
    labels: str = ""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A dataset as a study uses it: what is known of it, its fields, what predicts from them.

    An arm that was trained on one codec is given as ``matched``: the plan says where it is and
    where it is ``cross``.
    """

    facts: DatasetFacts
    specimens: tuple[InspectedField, ...]
    variants: tuple[ModelVariant, ...] = (ModelVariant(),)


@dataclass(frozen=True, kw_only=True)
class TrialPlan:
    """A cell with the names that its row of the table bears."""

    trial_spec: TrialSpec
    study: str
    dataset: str
    field: str
    group: str
    split: str
    codec: str
    options: str
    bits: int
    target: str
    target_value: float | None
    raw_bytes: int
    volumetric: bool = False


def plan(
    study: Study, subjects: Sequence[Subject], settings: Settings | None = None
) -> tuple[TrialPlan, ...]:
    """Return what a study has to do, field by field so that what a field needs is made once.

    ``settings`` says where the packages of codecs are.

    Raises
    ------
    UsageError
        Two datasets bear one name.
    """
    names = [subject.facts.name for subject in subjects]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"The dataset {name!r} stands in the study twice.")
    return tuple(
        planned for subject in subjects for planned in _of_subject(study, subject, settings)
    )


@dataclass(frozen=True, kw_only=True)
class Coding:
    """What is done to every field of a dataset, and what predicts from what comes back."""

    spec: str
    variants: tuple[ModelVariant, ...]
    codec: str
    options: str = ""
    target: str
    target_value: float | None
    volumetric: bool = False
    packages: tuple[tuple[str, str], ...] = ()


def _of_subject(study: Study, subject: Subject, settings: Settings | None) -> Iterator[TrialPlan]:
    codings = [*_codecs(study, subject, settings), *_draws(study, subject)]
    for specimen in subject.specimens:
        for coding in codings:
            yield _planned(study, subject, specimen, coding)


def _codecs(study: Study, subject: Subject, settings: Settings | None) -> Iterator[Coding]:
    """Yield each codec, with the dataset's yardsticks."""
    facts = subject.facts
    for entry in study.codecs:
        for bare in entry.requests(settings):
            request = bare.with_reference_scales(facts.data_range, facts.noise.model)
            target, value = asked(request)
            yield Coding(
                spec=request.spec,
                variants=variants_for(study, subject.variants, bare.spec),
                codec=request.name,
                options=options_of(request),
                target=target,
                target_value=value,
                volumetric=facts.axes == "ZYX" and takes_volumes(request),
                packages=tuple((package.name, package.sha256) for package in request.packages),
            )


def _draws(study: Study, subject: Subject) -> Iterator[Coding]:
    """Yield the draws of the camera's noise; without a task they would tell nothing."""
    raw = tuple(variant for variant in subject.variants if variant.regime == "raw")
    if not any(variant.tasks for variant in raw):
        return
    for draw in range(1, study.noise_draws + 1):
        yield Coding(
            spec=f"{CAMERA}:draw={draw}",
            variants=raw,
            codec=CAMERA,
            target="draw",
            target_value=float(draw),
        )


def variants_for(
    study: Study, variants: Sequence[ModelVariant], spec: str
) -> tuple[ModelVariant, ...]:
    """Return the arms that a codec is judged by, each with its regime seen from this codec."""
    seen = (
        replace(variant, regime="cross")
        if variant.regime == "matched" and variant.trained_on != spec
        else variant
        for variant in variants
    )
    return tuple(variant for variant in seen if variant.regime in study.regimes)


def _planned(study: Study, subject: Subject, specimen: InspectedField, coding: Coding) -> TrialPlan:
    noise = subject.facts.noise
    shown = specimen.preview and coding.codec != CAMERA
    trial_spec = TrialSpec(
        original=specimen.original,
        target=specimen.target,
        labels=specimen.labels,
        spec=coding.spec,
        data_range=subject.facts.data_range,
        noise=(noise.a, noise.b, noise.offset),
        metrics=defined_for(study.metrics, subject.facts.axes),
        variants=coding.variants,
        seed=study.seed,
        preview=study.preview_size if shown else 0,
        packages=coding.packages,
    )
    return TrialPlan(
        trial_spec=trial_spec,
        study=study.name,
        dataset=subject.facts.name,
        field=specimen.name,
        group=specimen.group,
        split=specimen.split,
        codec=coding.codec,
        options=coding.options,
        bits=specimen.bits,
        target=coding.target,
        target_value=coding.target_value,
        raw_bytes=specimen.raw_bytes,
        volumetric=coding.volumetric,
    )


def defined_for(metrics: Sequence[str], axes: str) -> tuple[str, ...]:
    """Return the metrics that images with these axes have: a plane has none along z."""
    return tuple(name for name in metrics if len(axes) in METRICS[name].dims)


def takes_volumes(request: CodecRequest) -> bool:
    """Say whether a codec is handed a stack whole, and not plane by plane."""
    return 3 in request.family.traits.dims or "z=wavelet" in options_of(request).split(",")


def asked(request: CodecRequest) -> tuple[str, float | None]:
    """Return the target or native setting of a choice, "" and None for lossless."""
    if request.asked is not None:
        kind, value = request.asked
        return kind, float(value)
    parameter = request.family.traits.parameter
    if request.native is not None and parameter is not None:
        return parameter.name, float(request.native)
    return "", None


def options_of(request: CodecRequest) -> str:
    """Return a choice's options as in its spec string, less the target: what names a curve."""
    parameter = request.family.traits.parameter
    targets = (*TARGET_KINDS, parameter.name if parameter is not None else "")
    _, _, text = request.spec.partition(":")
    pairs = text.split(",") if text else []
    return ",".join(pair for pair in pairs if pair.partition("=")[0] not in targets)
