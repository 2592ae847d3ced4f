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
from cytopress.study.camera import draw_of, redraw
from cytopress.study.cell import Cell
from cytopress.study.judging import EXPECTED, Baseline, Judged, judge
from cytopress.study.pictures import picture_of, sections
from cytopress.study.plan import asked
from cytopress.study.trial import Preview
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
    baselines: tuple[tuple[Baseline, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a cell gave. An error leaves in place what was measured before it.

    ``scores`` are of the pixels; ``arms`` holds what each arm made of them.
    """

    reached: float | None = None
    coded_bytes: int | None = None
    encode_s: float | None = None
    decode_s: float | None = None
    error: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    arms: tuple[Judged, ...] = ()
    previews: tuple[Preview, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Coded:
    """A field as a codec gave it back, or the camera would have once more."""

    image: Image
    reached: float | None = None
    coded_bytes: int | None = None
    encode_s: float | None = None
    decode_s: float | None = None


def run(cell: Cell, material: Material, settings: Settings | None = None) -> Outcome:
    """Do one cell; ``settings`` says where the packages of codecs are.

    Raises
    ------
    BrokenPromiseError
        The decoded pixels are not what the codec promised.
    """
    try:
        coded = _coded(cell, material.original, settings)
    except EXPECTED as error:
        return Outcome(error=str(error))
    # A task must not be able to tell where its input comes from.
    image = Image(
        coded.image.pixels,
        axes=coded.image.axes,
        bits=coded.image.bits,
        spacing_um=coded.image.spacing_um,
        name=material.original.name,
    )
    arms, predictions = [], []
    for baselines in material.baselines:
        judged, predicted = judge(baselines, image)
        arms.append(judged)
        predictions.append(predicted)
    return Outcome(
        reached=coded.reached,
        coded_bytes=coded.coded_bytes,
        encode_s=coded.encode_s,
        decode_s=coded.decode_s,
        scores=_pixel_scores(cell, material.original, image),
        arms=tuple(arms),
        previews=_previews(cell.preview, material, image, predictions[0] if predictions else {}),
    )


def _coded(cell: Cell, original: Image, settings: Settings | None) -> Coded:
    draw = draw_of(cell.spec)
    if draw is not None:
        random = np.random.default_rng([cell.seed, draw, int(cell.original[:16], 16)])
        return Coded(image=redraw(original, cell.noise_model, random), reached=float(draw))
    request = codec(cell.spec, settings)
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


def _pixel_scores(cell: Cell, original: Image, decoded: Image) -> dict[str, float]:
    scores = {}
    for name in cell.metrics:
        try:
            measure = metric(name, noise=cell.noise_model)
            value = measure(original.pixels, decoded.pixels, cell.data_range)
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
