"""Run of one trial: code, decode, measure, predict, score. Touches no disk."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from cytopress.codecs.registry import decode_own
from cytopress.codecs.targets.encodes import Solution
from cytopress.codecs.targets.request import CodecRequest
from cytopress.errors import NotAvailableError
from cytopress.image import Image
from cytopress.metrics import available, metric
from cytopress.reuse import reusing
from cytopress.settings import Settings
from cytopress.study.failures import EXPECTED, Failure, failure_of
from cytopress.study.field_inputs import FieldInputs, RecentInputs
from cytopress.study.field_job import FieldJob
from cytopress.study.noise_replicates import NoiseReplicate
from cytopress.study.pictures import previews_of
from cytopress.study.plan import TrialPlan, asked
from cytopress.study.scoring import VariantScores, score_decoded
from cytopress.study.trial import Preview
from cytopress.study.trial_spec import TrialSpec
from cytopress.tasks.protocol import Task

# Metrics in frequencies, with the axis whose spacing makes cycles per micrometer of them.
IN_UM = {"frc_resolution": -1, "frc_resolution_z": 0}


class BrokenPromiseError(RuntimeError):
    """A codec did not keep what it declares: a bug of cytopress or of a codec, never a result."""


@dataclass(frozen=True, kw_only=True)
class TrialResult:
    """Everything that a trial measured. An error keeps what was measured before it.

    ``scores`` are pixel metrics; ``variants`` holds the task scores of each model variant of the
    trial spec, in its order, or nothing where there was no decoded image. ``retry`` is whether the
    failure is about the machine, so that the next run of the study tries the trial again; ``died``
    whether the process died of it. ``again`` is the request at the setting that was found; it is
    not stored.
    """

    reached: float | None = None
    coded_bytes: int | None = None
    encode_s: float | None = None
    decode_s: float | None = None
    again: CodecRequest | None = None
    error: str = ""
    retry: bool = False
    died: bool = False
    scores: Mapping[str, float] = field(default_factory=dict)
    variants: tuple[VariantScores, ...] = ()
    previews: tuple[Preview, ...] = ()


# Keys of trials with their results, as they come.
TrialResults = Generator[tuple[str, TrialResult], None, None]


def run_job_trial(job: FieldJob, plan: TrialPlan, recent: RecentInputs) -> TrialResult:
    """Run one trial of a job; an exception gets a note that names the trial.

    What its field needs is made unless it is in ``recent`` already.
    """
    try:
        return run_trial(plan, recent.of(job), job.tasks, job.settings)
    except MemoryError as error:
        return TrialResult(**failure_of(error)._asdict())
    except Exception as error:
        error.add_note(f"in the trial of {plan.spec.codec_spec} on {plan.field} of {plan.dataset}")
        raise


def run_trial(
    plan: TrialPlan,
    inputs: FieldInputs,
    tasks: Mapping[tuple[str, str], Task],
    settings: Settings | None = None,
) -> TrialResult:
    """Run one trial.

    Parameters
    ----------
    plan : TrialPlan
        The trial.
    inputs : FieldInputs
        Of its field.
    tasks : mapping
        The tasks of its model variants, by name and weights.
    settings : Settings, optional
        Folders of model packages, for decoding.

    Raises
    ------
    BrokenPromiseError
        The decoded image breaks a bound that the codec declares.
    """
    try:
        decoded, coded = _coded(plan, inputs, settings)
    except EXPECTED as error:
        return TrialResult(**failure_of(error)._asdict())
    # A task must not be able to tell a decoded image from an original.
    image = Image(
        decoded.pixels,
        axes=decoded.axes,
        bits=decoded.bits,
        spacing_um=decoded.spacing_um,
        name=inputs.original.name,
    )
    variants, originals, predictions = [], [], []
    for variant in plan.spec.variants:
        originals.append([inputs.scores_on_original(tasks[key]) for key in variant.tasks])
        scores, predicted = score_decoded(originals[-1], image)
        variants.append(scores)
        predictions.append(predicted)
    previews: tuple[Preview, ...] = ()
    if plan.spec.preview:
        shown = (originals[0], predictions[0]) if originals else ([], {})
        previews = previews_of(inputs.original, image, inputs.truth, *shown, plan.spec.preview)
    with reusing(inputs.results):
        pixel_scores, failure = _pixel_scores(plan.spec, inputs.original, image)
    return replace(
        coded,
        error=failure.error,
        retry=failure.retry or any(variant.retry for variant in variants),
        scores=pixel_scores,
        variants=tuple(variants),
        previews=previews,
    )


def _coded(
    plan: TrialPlan, inputs: FieldInputs, settings: Settings | None
) -> tuple[Image, TrialResult]:
    """Return the decoded image, and a result with what coding alone measured."""
    spec, request, original = plan.spec, plan.request, inputs.original
    if isinstance(request, NoiseReplicate):
        image = request.of(original, spec.noise_model, seed=spec.seed, digest=spec.original)
        return image, TrialResult(reached=float(request.number))
    solution = request.solve(original, inputs.encodes)
    begin = time.perf_counter()
    decoded = decode_own(solution.data, original, settings)
    decode_s = time.perf_counter() - begin
    _check_bound(request, solution, original, decoded)
    return decoded, TrialResult(
        reached=solution.reached if request.asked is not None else asked(request)[1],
        coded_bytes=len(solution.data),
        encode_s=solution.encode_s,
        decode_s=decode_s,
        again=request.at(solution),
    )


def _check_bound(
    request: CodecRequest, solution: Solution, original: Image, decoded: Image
) -> None:
    spec = request.spec
    if (decoded.shape, decoded.dtype, decoded.bits) != (
        original.shape,
        original.dtype,
        original.bits,
    ):
        raise BrokenPromiseError(f"{spec} decoded {original!r} to {decoded!r}.")
    bound: float | None = 0.0 if solution.codec.lossless else request.guard
    if request.asked is not None and request.asked[0] == "max_error":
        bound = min(request.asked[1], np.inf if bound is None else bound)
    if bound is None:
        return
    error = np.abs(decoded.pixels.astype(np.float64) - original.pixels).max()
    if error > bound:
        raise BrokenPromiseError(
            f"{spec} promised an error of at most {bound:g} counts on {original!r}, and made one of"
            f" {error:g}."
        )


def _pixel_scores(
    spec: TrialSpec, original: Image, decoded: Image
) -> tuple[dict[str, float], Failure]:
    """Return the pixel metrics, and why one of them cannot be computed on this machine."""
    scores, failure = {}, Failure()
    for name in spec.metrics:
        try:
            measure = metric(name, noise=spec.noise_model)
            value = measure(original.pixels, decoded.pixels, spec.data_range)
        except NotAvailableError as error:
            # Not defined for these pixels: the score is missing, the trial is not. A worker may
            # lack what the machine has that planned the study.
            if not available(name):
                failure = failure_of(error)
            continue
        scores[f"pixels/{name}"] = value
        if name in IN_UM and original.full_spacing_um is not None:
            scores[f"pixels/{name}_um"] = value / original.full_spacing_um[IN_UM[name]]
    return scores, failure
