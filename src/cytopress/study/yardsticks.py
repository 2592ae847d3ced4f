"""What errors are measured against: a dataset's data range and noise, from its training groups."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytopress.image import Image, Pixels
from cytopress.io.dataset import Dataset, Field
from cytopress.metrics import fit_noise
from cytopress.study import cell
from cytopress.study.results import NoiseFacts

PERCENTILES = (0.01, 99.99)
# The fit samples patches: more pixels than these change nothing but the time and memory it takes.
MOST_NOISE_PIXELS = 2**26


@dataclass(frozen=True, kw_only=True)
class Yardsticks:
    """One data range in counts and one noise model for a whole dataset, and where they are from."""

    data_range: float
    noise: NoiseFacts
    source: str


def yardstick_fields(dataset: Dataset) -> tuple[str, tuple[Field, ...]]:
    """Return what the yardsticks come from: the training fields, or all where there are none."""
    training = dataset.part("train")
    return ("training groups", training) if training else ("all fields", dataset.fields)


def measure(dataset: Dataset, *, step: Callable[[str], None]) -> Yardsticks:
    """Read the fields that the yardsticks come from, and measure them.

    ``step`` is called with the name of each field before it is read.
    """
    source, fields = yardstick_fields(dataset)

    def images() -> Iterable[Image]:
        for field in fields:
            step(field.name)
            yield dataset.read_input(field)

    kept: list[Image] = []

    def keeping() -> Iterable[Pixels]:
        for image in images():
            if sum(other.pixels.size for other in kept) < MOST_NOISE_PIXELS:
                kept.append(image)
            yield image.pixels

    data_range = span(keeping())
    fit = fit_noise(kept)
    noise = NoiseFacts(
        a=fit.model.a,
        b=fit.model.b,
        offset=fit.model.offset,
        good=fit.good,
        reason=fit.reason,
        means=tuple(map(float, fit.means)),
        variances=tuple(map(float, fit.variances)),
    )
    return Yardsticks(data_range=data_range, noise=noise, source=source)


def span(images: Iterable[Pixels]) -> float:
    """Return the 0.01 to 99.99 percentile span, in counts, of the pixels of all images together.

    Six digits; 1 where every pixel is the same, since metrics divide by it. Integer images are
    pooled as a histogram, so that memory does not grow with their number.
    """
    counts = np.zeros(2**16, np.int64)
    floats: list[Pixels] = []
    for pixels in images:
        if pixels.dtype.kind == "f":
            floats.append(pixels.ravel())
        else:
            counts += np.bincount(pixels.ravel(), minlength=counts.size)
    if floats:
        low, high = np.percentile(np.concatenate(floats), PERCENTILES)
    else:
        low, high = _histogram_percentiles(counts)
    return float(f"{high - low:.6g}") or 1.0


def _histogram_percentiles(counts: Pixels) -> Sequence[float]:
    below = np.cumsum(counts)
    values = []
    for percentile in PERCENTILES:
        # Linear between neighbors in order, as numpy.percentile does it.
        position = percentile / 100 * (below[-1] - 1)
        first, rest = int(position), position - int(position)
        low, high = np.searchsorted(below, (first, min(first + 1, below[-1] - 1)), side="right")
        values.append(float(low + rest * (high - low)))
    return values


def digest_sources(dataset: Dataset) -> str:
    """Return the sha256 of the files that the yardsticks come from, whatever their names.

    Yardsticks that an earlier version measured in another way have another digest, as cells do.
    """
    _, fields = yardstick_fields(dataset)
    digests = sorted(_digest_file(field.input) for field in fields)
    return hashlib.sha256(
        "\n".join([str(cell.FORMAT), str(dataset.bits), dataset.axes, *digests]).encode()
    ).hexdigest()


def _digest_file(path: Path) -> str:
    if path.is_dir():
        parts = [_digest_file(part) for part in sorted(path.rglob("*")) if part.is_file()]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
