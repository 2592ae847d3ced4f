"""Codecs of a study of images where none are named: at the targets that suit these images."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cytopress.datasets.dataset import Dataset
from cytopress.errors import DatasetError
from cytopress.image import Image
from cytopress.quick_look.advice import advise
from cytopress.quick_look.fields import spread
from cytopress.quick_look.look import LOSSY_TYPES, SMALLEST
from cytopress.quick_look.properties import ImageProperties, image_properties

# Six stains of eight fields take minutes, not an hour.
SIGMAS = (0.25, 0.5, 1.0, 2.0)
# Bounds on the error of a pixel, as shares of the range: from well below what an eye tells apart.
SHARES = (1 / 256, 1 / 128, 1 / 64, 1 / 32)
MOST_BOUNDS = 6
OF_INTEGERS = ("jpegls", ("jpegxl", "jpeg2000", "anscombe-jpegxl"), ("jpegls", "sperr"))
OF_FLOATS = ("zstd", ("sperr", "zfp", "round-zstd"), ("sperr", "zfp"))


@dataclass(frozen=True)
class DefaultCodecs:
    """Spec strings, whose targets have several values, and a sentence that says why these."""

    specs: tuple[str, ...]
    sentence: str


def default_codecs(datasets: Sequence[Dataset]) -> DefaultCodecs:
    """Return a lossless codec, and lossy ones at the target that `advise` names first.

    Where the noise can be measured that is ``sigma``, and otherwise ``max_error``; if channels
    differ, all are coded with both. ``ratio`` is never asked for: it does not suit fields of
    uneven density, and where it would do, the others do as well.

    Parameters
    ----------
    datasets : sequence of Dataset
        Of a folder of images, one for each channel; up to twelve fields of each are read.
    """
    by_target: dict[str, list[str]] = {}
    ranges = []
    for dataset in datasets:
        target, scale = _advised(dataset)
        by_target.setdefault(target, []).append(dataset.input)
        if target == "max_error":
            ranges.append(scale)
    floats = any(
        field.metadata is not None and field.metadata.dtype.startswith("float")
        for dataset in datasets
        for field in dataset.fields
    )
    lossless, for_noise, for_bounds = OF_FLOATS if floats else OF_INTEGERS
    specs, parts = [lossless], [f"{lossless} without loss"]
    for target in sorted(by_target, reverse=True):
        names = for_noise if target == "sigma" else for_bounds
        bounds = _bounds(ranges, whole=not floats) if target == "max_error" else SIGMAS
        values = ",".join(f"{value:g}" for value in bounds)
        specs += [f"{name}:{target}={values}" for name in names]
        whose = f" for {', '.join(by_target[target])}" if len(by_target) > 1 else ""
        parts.append(f"{_listed(names)} at {target}={values}, as `try` advises{whose}")
    return DefaultCodecs(tuple(specs), f"the codecs are {'; '.join(parts)}; --codec gives others")


def _advised(dataset: Dataset) -> tuple[str, float]:
    """Return the target that suits a channel, and its range in counts."""
    measured = [found for one in _planes(dataset) if (found := _measured(one)) is not None]
    if not measured:
        return "sigma", 0.0
    middle = sorted(measured, key=lambda one: one.signal)[len(measured) // 2]
    advised = advise(middle, measured)
    # Of a blank image nothing is known.
    return (advised.targets or ("sigma",))[0], max(one.data_range for one in measured)


def _planes(dataset: Dataset) -> Iterable[Image]:
    for field in spread(dataset.fields):
        try:
            image = dataset.read_input(field)
        except DatasetError:
            # Whoever runs the study says so.
            continue
        yield image if image.axes == "YX" else Image(image.pixels[len(image.pixels) // 2])


def _measured(image: Image) -> ImageProperties | None:
    if image.dtype.name not in LOSSY_TYPES or min(image.shape) < SMALLEST:
        return None
    return image_properties(image)


def _bounds(ranges: Sequence[float], *, whole: bool) -> list[float]:
    """Return powers of two for images of all these ranges; whole ones at least 1."""
    exponents = [round(math.log2(share * scale)) for scale in ranges for share in SHARES]
    low, high = min(exponents), max(exponents)
    if whole:
        low, high = max(low, 0), max(high, len(SHARES) - 1)
    step = math.ceil((high - low + 1) / MOST_BOUNDS)
    return [2.0**exponent for exponent in range(low, high + 1, step)]


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
