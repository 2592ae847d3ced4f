"""One cell: code, decode, measure, predict, score. Touches no disk."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from cytopress.codecs.registry import decode
from cytopress.codecs.spec import codec
from cytopress.codecs.targets.encodes import Solution
from cytopress.codecs.targets.request import CodecRequest
from cytopress.errors import NotAvailableError
from cytopress.image import Image
from cytopress.metrics import metric
from cytopress.settings import Settings
from cytopress.study.noise_replicates import add_noise, replicate_of
from cytopress.study.pictures import picture_of, sections
from cytopress.study.plan import asked
from cytopress.study.scoring import EXPECTED, OriginalScores, VariantScores, score_decoded
from cytopress.study.trial import Preview
from cytopress.study.trial_spec import TrialSpec
from cytopress.tasks.protocol import Prediction

# Frequencies, by the axis whose spacing turns them into cycles per micrometer.
IN_UM = {"frc_resolution": -1, "frc_resolution_z": 0}


class BrokenPromiseError(RuntimeError):
    """A codec did not keep what it declares: a bug of cytopress or of a codec, never a result."""


@dataclass(frozen=True)
class Material:
    """All that the cells of one field need; ``baselines`` are those of each arm of the cell."""

    original: Image
    truth: Image
    baselines: tuple[tuple[OriginalScores, ...], ...]


@dataclass(frozen=True, kw_only=True)
class TrialResult:
    """What a cell gave. An error leaves in place what was measured before it.

    ``scores`` are of the pixels; ``variants`` holds what each arm made of them.
    """

    reached: float | None = None
    coded_bytes: int | None = None
    encode_s: float | None = None
    decode_s: float | None = None
    error: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    variants: tuple[VariantScores, ...] = ()
    previews: tuple[Preview, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Coded:
    """A field as a codec gave it back, or the camera would have once more."""

    image: Image
    reached: float | None = None
    coded_bytes: int | None = None
    encode_s: float | None = None
    decode_s: float | None = None


def run(trial_spec: TrialSpec, material: Material, settings: Settings | None = None) -> TrialResult:
    """Do one cell; ``settings`` says where the packages of codecs are.

    Raises
    ------
    BrokenPromiseError
        The decoded pixels are not what the codec promised.
    """
    try:
        coded = _coded(trial_spec, material.original, settings)
    except EXPECTED as error:
        return TrialResult(error=str(error))
    # A task must not be able to tell where its input comes from.
    image = Image(
        coded.image.pixels,
        axes=coded.image.axes,
        bits=coded.image.bits,
        spacing_um=coded.image.spacing_um,
        name=material.original.name,
    )
    variants, predictions = [], []
    for baselines in material.baselines:
        judged, predicted = score_decoded(baselines, image)
        variants.append(judged)
        predictions.append(predicted)
    return TrialResult(
        reached=coded.reached,
        coded_bytes=coded.coded_bytes,
        encode_s=coded.encode_s,
        decode_s=coded.decode_s,
        scores=_pixel_scores(trial_spec, material.original, image),
        variants=tuple(variants),
        previews=_previews(
            trial_spec.preview, material, image, predictions[0] if predictions else {}
        ),
    )


def _coded(trial_spec: TrialSpec, original: Image, settings: Settings | None) -> Coded:
    draw = replicate_of(trial_spec.spec)
    if draw is not None:
        random = np.random.default_rng([trial_spec.seed, draw, int(trial_spec.original[:16], 16)])
        return Coded(image=add_noise(original, trial_spec.noise_model, random), reached=float(draw))
    request = codec(trial_spec.spec, settings)
    solution = request.solve(original)
    begin = time.perf_counter()
    decoded = decode(solution.data, settings)
    decode_s = time.perf_counter() - begin
    _hold_to_promise(request, solution, original, decoded)
    return Coded(
        image=decoded,
        reached=_reached(request, solution),
        coded_bytes=len(solution.data),
        encode_s=solution.encode_s,
        decode_s=decode_s,
    )


def _reached(request: CodecRequest, solution: Solution) -> float | None:
    if request.asked is not None:
        return solution.reached
    return asked(request)[1]


def _hold_to_promise(
    request: CodecRequest, solution: Solution, original: Image, decoded: Image
) -> None:
    spec = request.spec
    if (decoded.shape, decoded.dtype, decoded.bits) != (
        original.shape,
        original.dtype,
        original.bits,
    ):
        raise BrokenPromiseError(f"{spec} made {decoded!r} of {original!r}.")
    bound: float | None = 0.0 if solution.codec.lossless else request.guard
    if request.asked is not None and request.asked[0] == "max_error":
        bound = min(request.asked[1], np.inf if bound is None else bound)
    if bound is None:
        return
    error = np.abs(decoded.pixels.astype(np.float64) - original.pixels).max()
    if error > bound:
        raise BrokenPromiseError(
            f"{spec} promised at most {bound:g} counts of error on {original!r}, not {error:g}."
        )


def _pixel_scores(trial_spec: TrialSpec, original: Image, decoded: Image) -> dict[str, float]:
    scores = {}
    for name in trial_spec.metrics:
        try:
            measure = metric(name, noise=trial_spec.noise_model)
            value = measure(original.pixels, decoded.pixels, trial_spec.data_range)
        except NotAvailableError:
            # Not defined for these pixels: the score is missing, the trial is not.
            continue
        scores[f"pixels/{name}"] = value
        if name in IN_UM and original.spacing_um is not None:
            scores[f"pixels/{name}_um"] = value / original.spacing_um[IN_UM[name]]
    return scores


def _previews(
    size: int, material: Material, decoded: Image, predictions: Mapping[str, Prediction]
) -> tuple[Preview, ...]:
    if not size:
        return ()
    places = sections(material.truth, size)
    wanted: list[tuple[str, str, Prediction | None]] = [
        ("original", "", material.original),
        ("decoded", "", decoded),
    ]
    shown = material.baselines[0] if material.baselines else ()
    for base in shown:
        name = base.task.name
        wanted += [
            ("truth", name, base.reference),
            ("prediction", name, base.prediction),
            ("prediction-decoded", name, predictions.get(name)),
        ]
    if not shown:
        wanted.append(("truth", "", material.truth))
    return tuple(
        Preview(kind=kind, task=task, image=picture, section=place.section, cross=place.cross)
        for kind, task, given in wanted
        for place in places
        if (picture := picture_of(given, place)) is not None
    )
