"""Score a codec package on held-out fields: true bytes. On test fields once, at the end."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cytopress.codecs.codec import StreamCodec
from cytopress.codecs.spec import codec
from cytopress.errors import NotAvailableError, UnreachableTargetError
from cytopress.image import Image
from cytopress.io.dataset import Dataset
from cytopress.io.splits import Part
from cytopress.metrics import metric
from cytopress.metrics.bd_rate import bd_rate
from cytopress.metrics.data_range import data_range
from cytopress.package import Package
from cytopress.training.codec.validate import codecs_of

Progress = Callable[[str], None]
# Settings of a continuous quality that are tried on each field, and ratios of JPEG 2000: its own
# parameter, in decibels, spans other rates on every field.
QUALITIES = tuple(step / 16 for step in range(17))
OPPONENT_RATIOS = (10, 20, 40, 80, 160, 320, 500)
# What a model from ratio 10 to 500 is judged over.
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
    progress: Progress | None = None,
    *,
    part: Part = "test",
    most: int | None = None,
) -> dict[str, Any]:
    """Return, for each dataset, curves of the package and of JPEG 2000 over its test inputs.

    PSNR is over the data range of the training groups. ``bd_rate_fields`` is the BD-rate of each
    field, None where it has none, and ``bd_rate`` the mean of those that there are; without any,
    both are missing.

    Parameters
    ----------
    package : Package
        Of ours or of a CompressAI model.
    datasets : sequence of Dataset
        Of what the package takes, planes or volumes; those without such fields are left out.
    progress : callable, optional
        Gets the name of each field when its turn comes.
    part : {"test", "validation"}, optional
        What is scored; whatever is chosen by a score, choose it by the latter.
    most : int, optional
        Fields of each dataset; all unless given.
    """
    results = {}
    for dataset in datasets:
        fields = dataset.part(part)[:most]
        if not fields:
            continue
        span = data_range(dataset.read_input(field).pixels for field in dataset.part("train"))
        own, other = [], []
        for field in fields:
            if progress:
                progress(f"{dataset.name} {field.name}")
            image = dataset.read_input(field)
            own.append(_curve(image, codecs_of(package, QUALITIES), span))
            other.append(_curve(image, opponents(image), span))
        results[dataset.name] = _summary(own, other) | {
            "fields": [field.name for field in fields],
            "groups": sorted({field.group for field in fields}),
            "data_range": span,
        }
    return results


def opponents(image: Image) -> list[StreamCodec]:
    """Return JPEG 2000 at the setting that reaches each ratio; without those that none reaches."""
    found = []
    for ratio in OPPONENT_RATIOS:
        with contextlib.suppress(UnreachableTargetError):
            found.append(codec(f"{OPPONENT}:ratio={ratio}").solve(image).codec)
    return found


def _curve(image: Image, codecs: Sequence[StreamCodec], span: float) -> list[Point]:
    psnr = metric("psnr").function
    points = []
    for each in codecs:
        data = each.encode(image)
        ratio = image.raw_bytes / len(data)
        bpp = 8 * len(data) / image.pixels.size
        points.append(Point(bpp, ratio, psnr(image.pixels, each.decode(data).pixels, span)))
    return points


def _summary(own: list[list[Point]], other: list[list[Point]]) -> dict[str, Any]:
    rates: list[float | None] = []
    for mine, theirs in zip(map(_within, own), map(_within, other), strict=True):
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
