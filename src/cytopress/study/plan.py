"""Plan of a study: every trial in order, from what is known before any codec runs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cytopress.codecs.targets.request import CodecRequest
from cytopress.codecs.targets.target import TARGET_KINDS
from cytopress.errors import UnknownNameError, UsageError
from cytopress.metrics import METRICS
from cytopress.study.inspect_datasets import InspectedDataset, InspectedField
from cytopress.study.noise_replicates import CAMERA, NoiseReplicate
from cytopress.study.spec import Study
from cytopress.study.trial_spec import ModelVariant, TrialSpec

# What a field is coded with, and the model variants that predict from the decoded image.
Coding = tuple[CodecRequest | NoiseReplicate, tuple[ModelVariant, ...]]


@dataclass(frozen=True, kw_only=True)
class TrialPlan:
    """One coding of one field: its identity, its codec, and the names in its rows of the table.

    ``request`` is the codec of ``spec.codec_spec``, already parsed, or a noise replicate.
    """

    spec: TrialSpec
    request: CodecRequest | NoiseReplicate
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

    def solved(self, found: Mapping[str, CodecRequest]) -> TrialPlan:
        """Return the plan without a target, if the setting that meets it is ``found`` by its key.

        Whoever runs a trial again, for times or pictures, need not search again.
        """
        if self.spec.key not in found or isinstance(self.request, NoiseReplicate):
            return self
        return replace(self, request=found[self.spec.key])


def plan(study: Study, datasets: Sequence[InspectedDataset]) -> tuple[TrialPlan, ...]:
    """Return all trials of a study, field by field.

    Raises
    ------
    UsageError
        Two datasets have one name.
    UnknownNameError
        A codec is for a dataset that the study has not.
    """
    names = [found.facts.name for found in datasets]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"dataset {name!r} is given twice in the study.")
    for name in {name for entry in study.codecs for name in entry.datasets or ()}:
        if name not in names:
            raise UnknownNameError("dataset of the study for a codec", name, names)
    plans = []
    for found in datasets:
        codings = [*_codecs(study, found), *_noise_replicates(study, found)]
        plans += [_trial_plan(study, found, one, each) for one in found.fields for each in codings]
    return tuple(plans)


def _codecs(study: Study, found: InspectedDataset) -> Iterator[Coding]:
    """Yield each codec, with the dataset's reference scales."""
    for bare in study.requests_for(found.facts.name):
        request = bare.with_reference_scales(found.facts.data_range, found.facts.noise.model)
        yield request, variants_for(study, found.variants, bare.spec)


def _noise_replicates(study: Study, found: InspectedDataset) -> Iterator[Coding]:
    """Yield the noise replicates, for models of regime raw; none without a task to score them."""
    raw = tuple(variant for variant in found.variants if variant.regime == "raw")
    if any(variant.tasks for variant in raw):
        for number in range(1, study.noise_draws + 1):
            yield NoiseReplicate(number), raw


def variants_for(
    study: Study, variants: Sequence[ModelVariant], codec_spec: str
) -> tuple[ModelVariant, ...]:
    """Return the model variants that a codec is scored by.

    ``variants`` holds models of one codec as ``matched``; for any other codec they are ``cross``.
    """
    seen = (
        replace(variant, regime="cross")
        if variant.regime == "matched" and variant.trained_on != codec_spec
        else variant
        for variant in variants
    )
    return tuple(variant for variant in seen if variant.regime in study.regimes)


def _trial_plan(
    study: Study, found: InspectedDataset, field: InspectedField, coding: Coding
) -> TrialPlan:
    facts, (request, variants) = found.facts, coding
    codec, options, volumetric = CAMERA, "", False
    target: tuple[str, float | None]
    packages: tuple[tuple[str, str], ...] = ()
    if isinstance(request, NoiseReplicate):
        target = ("draw", float(request.number))
    else:
        codec, options, target = request.name, options_of(request), asked(request)
        volumetric = facts.axes == "ZYX" and takes_volumes(request)
        packages = tuple((package.name, package.sha256) for package in request.packages)
    shown = field.preview and not isinstance(request, NoiseReplicate)
    spec = TrialSpec(
        original=field.original,
        target=field.target,
        labels=field.labels,
        codec_spec=request.spec,
        data_range=facts.data_range,
        noise=(facts.noise.a, facts.noise.b, facts.noise.offset),
        metrics=defined_for(study.metrics, facts.axes),
        variants=variants,
        seed=study.seed,
        preview=study.preview_size if shown else 0,
        packages=packages,
    )
    return TrialPlan(
        spec=spec,
        request=request,
        study=study.name,
        dataset=facts.name,
        field=field.field.name,
        group=field.field.group,
        split=field.field.part,
        codec=codec,
        options=options,
        bits=field.bits,
        target=target[0],
        target_value=target[1],
        raw_bytes=field.raw_bytes,
        volumetric=volumetric,
    )


def defined_for(metrics: Sequence[str], axes: str) -> tuple[str, ...]:
    """Return the metrics that are defined for images with these axes: a plane has none along z."""
    return tuple(name for name in metrics if len(axes) in METRICS[name].dims)


def takes_volumes(request: CodecRequest) -> bool:
    """Return whether a codec codes a volume as a whole, not plane by plane."""
    return 3 in request.family.traits.dims or "z=wavelet" in options_of(request).split(",")


def asked(request: CodecRequest) -> tuple[str, float | None]:
    """Return the target or quality parameter of a request and its value; "", None if lossless."""
    if request.asked is not None:
        kind, value = request.asked
        return kind, float(value)
    parameter = request.family.traits.parameter
    if request.native is not None and parameter is not None:
        return parameter.name, float(request.native)
    return "", None


def options_of(request: CodecRequest) -> str:
    """Return a request's options as in its spec string, without target: the name of its curve."""
    parameter = request.family.traits.parameter
    targets = (*TARGET_KINDS, parameter.name if parameter is not None else "")
    _, _, text = request.spec.partition(":")
    pairs = text.split(",") if text else []
    return ",".join(pair for pair in pairs if pair.partition("=")[0] not in targets)
