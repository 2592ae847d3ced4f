"""Evaluation of a codec package on held-out fields, in true bytes; once on test fields."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from cytopress.codecs.base import StreamCodec
from cytopress.codecs.registry import decode_by
from cytopress.codecs.spec import codec
from cytopress.codecs.targets.encodes import Encodes
from cytopress.datasets.dataset import Dataset
from cytopress.datasets.splits import Part
from cytopress.errors import NotAvailableError, UnreachableTargetError
from cytopress.metrics import metric
from cytopress.metrics.data_range import data_range
from cytopress.models.model_package import Package
from cytopress.statistics.bd_rate import bd_rate
from cytopress.training.codec.validate import codecs_of

Announce = Callable[[str], None]
# Qualities that are evaluated on each field, and ratios of JPEG 2000, whose own parameter, in
# decibels, spans other rates on every field.
QUALITIES = tuple(step / 16 for step in range(17))
OPPONENT_RATIOS = (10, 14, 20, 28, 40, 57, 80, 113, 160, 226, 320, 400, 500)
# A step of quality that changes the rate by more than this factor is halved, up to so many times:
# on noisy images a curve has a knee, and interpolating across it would misstate the codec.
WIDEST = 1.4
HALVINGS = 4
# Ratios over which a model from ratio 10 to 500 is judged.
RATIOS = (8.0, 600.0)
OPPONENT = "jpeg2000"


@dataclass(frozen=True)
class Point:
    """One setting on one field: bits a pixel, raw bytes over coded bytes, PSNR in dB."""

    bpp: float
    ratio: float
    psnr: float


def evaluate(
    package: Package,
    datasets: Sequence[Dataset],
    progress: Announce | None = None,
    *,
    part: Part = "test",
    most: int | None = None,
) -> dict[str, Any]:
    """Return, for each dataset, curves of the package and of JPEG 2000 over its test inputs.

    PSNR is over the data range of the training groups. ``bd_rate_fields`` is the BD-rate of each
    field, None where it has none, and ``bd_rate`` the mean of those that there are; without any,
    both are missing. It is taken over more settings than the curve has, wherever those lie far
    apart on a field.

    Parameters
    ----------
    package : Package
        Package of ours or of a CompressAI model.
    datasets : sequence of Dataset
        Of what the package takes, planes or volumes; those without such fields are left out.
    progress : callable, optional
        Called with the name of each field.
    part : {"test", "validation"}, optional
        The part to score; any choice by a score is made on the latter.
    most : int, optional
        Fields of each dataset; all unless given.
    """
    results = {}
    for dataset in datasets:
        fields = dataset.part(part)[:most]
        if not fields:
            continue
        span = data_range(dataset.read_input(field).pixels for field in dataset.part("train"))
        codecs = codecs_of(package, QUALITIES)
        parameter = codecs[0].traits.parameter
        continuous = parameter is not None and not parameter.integer
        own, between, other = [], [], []
        for field in fields:
            if progress:
                progress(f"{dataset.name} {field.name}")
            image = dataset.read_input(field)
            encodes = Encodes(image)
            own.append(_curve(encodes, codecs, span))
            between.append(_between(encodes, package, own[-1], span) if continuous else [])
            other.append(_curve(encodes, opponents(encodes), span))
        results[dataset.name] = _summary(own, between, other) | {
            "fields": [field.name for field in fields],
            "groups": sorted({field.group for field in fields}),
            "data_range": span,
        }
    return results


def opponents(encodes: Encodes) -> list[StreamCodec]:
    """Return JPEG 2000 at the setting that reaches each ratio; without those that none reaches."""
    found = []
    for ratio in OPPONENT_RATIOS:
        with contextlib.suppress(UnreachableTargetError):
            found.append(codec(f"{OPPONENT}:ratio={ratio}").solve(encodes.image, encodes).codec)
    return found


def _curve(encodes: Encodes, codecs: Sequence[StreamCodec], span: float) -> list[Point]:
    psnr, image = metric("psnr").function, encodes.image
    points = []
    for each in codecs:
        data = encodes.encode(each)
        ratio = image.raw_bytes / len(data)
        bpp = 8 * len(data) / image.pixels.size
        points.append(Point(bpp, ratio, psnr(image.pixels, decode_by(each, data).pixels, span)))
    return points


def _between(encodes: Encodes, package: Package, curve: list[Point], span: float) -> list[Point]:
    """Return points between those of ``QUALITIES``, where they lie far apart."""
    found = []
    pending = list(zip(pairwise(QUALITIES), pairwise(curve), strict=True))
    while pending:
        (low, high), (coarse, fine) = pending.pop()
        judged = coarse.ratio >= RATIOS[0] and fine.ratio <= RATIOS[1]
        near = fine.bpp <= WIDEST * coarse.bpp or high - low <= QUALITIES[1] / 2**HALVINGS
        if near or not judged:
            continue
        middle = (low + high) / 2
        (point,) = _curve(encodes, codecs_of(package, [middle]), span)
        found.append(point)
        pending += [((low, middle), (coarse, point)), ((middle, high), (point, fine))]
    return found


def _summary(
    own: list[list[Point]], between: list[list[Point]], other: list[list[Point]]
) -> dict[str, Any]:
    rates: list[float | None] = []
    for curve, more, opponent in zip(own, between, other, strict=True):
        mine, theirs = _within([*curve, *more]), _within(opponent)
        try:
            rate = bd_rate(
                [p.bpp for p in theirs],
                [p.psnr for p in theirs],
                [p.bpp for p in mine],
                [p.psnr for p in mine],
            )
        except NotAvailableError:
            rates.append(None)
        else:
            rates.append(round(rate.percent, 1))
    summary: dict[str, Any] = {"curve": _means(own), OPPONENT: _means(other)}
    known = [rate for rate in rates if rate is not None]
    if known:
        summary["bd_rate"] = round(float(np.mean(known)), 1)
        summary["bd_rate_fields"] = rates
    return summary


def _within(points: Sequence[Point]) -> list[Point]:
    return [p for p in points if RATIOS[0] <= p.ratio <= RATIOS[1]]


def _means(curves: list[list[Point]]) -> list[dict[str, float]]:
    return [
        {
            "bpp": round(float(np.mean([p.bpp for p in points])), 4),
            "ratio": round(1 / float(np.mean([1 / p.ratio for p in points])), 2),
            "psnr": round(float(np.mean([p.psnr for p in points])), 2),
        }
        # A setting that some field cannot reach has no mean.
        for points in zip(*curves, strict=False)
    ]
