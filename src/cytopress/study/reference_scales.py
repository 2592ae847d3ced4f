"""What errors are measured against: a dataset's data range and noise, from its training groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cytopress.datasets.dataset import Dataset, Field
from cytopress.digests import digest_paths, digest_text
from cytopress.image import Image, Pixels
from cytopress.metrics import fit_noise
from cytopress.metrics.data_range import data_range
from cytopress.study import trial_spec
from cytopress.study.results import NoiseFacts

# The fit samples patches: more pixels than these change nothing but the time and memory it takes.
MOST_NOISE_PIXELS = 2**26


@dataclass(frozen=True, kw_only=True)
class ReferenceScales:
    """One data range in counts and one noise model for a whole dataset, and where they are from."""

    data_range: float
    noise: NoiseFacts
    source: str


def reference_fields(dataset: Dataset) -> tuple[str, tuple[Field, ...]]:
    """Return what the yardsticks come from: the training fields, or all where there are none."""
    training = dataset.part("train")
    return ("training groups", training) if training else ("all fields", dataset.fields)


def measure(dataset: Dataset, *, step: Callable[[str], None]) -> ReferenceScales:
    """Read the fields that the yardsticks come from, and measure them.

    ``step`` is called with the name of each field before it is read.
    """
    source, fields = reference_fields(dataset)

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

    found_range = data_range(keeping())
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
    return ReferenceScales(data_range=found_range, noise=noise, source=source)


def digest_sources(dataset: Dataset) -> str:
    """Return the sha256 of the files that the yardsticks come from, whatever their names.

    Yardsticks that an earlier version measured in another way have another digest, as cells do.
    """
    _, fields = reference_fields(dataset)
    files = digest_paths([field.input for field in fields])
    return digest_text("\n".join([str(trial_spec.FORMAT), str(dataset.bits), dataset.axes, files]))
