"""Reference scales of a dataset: its data range and noise model, from the training groups."""

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

# The noise fit samples patches: more pixels would cost time and memory, and change nothing.
MOST_NOISE_PIXELS = 2**26


@dataclass(frozen=True, kw_only=True)
class ReferenceScales:
    """One data range in counts and one noise model for a whole dataset, and their source."""

    data_range: float
    noise: NoiseFacts
    source: str


def reference_fields(dataset: Dataset) -> tuple[str, tuple[Field, ...]]:
    """Return the fields to measure: the training fields, or all if there are none; and a label."""
    training = dataset.part("train")
    return ("training groups", training) if training else ("all fields", dataset.fields)


def measure(dataset: Dataset, *, step: Callable[[str], None]) -> ReferenceScales:
    """Measure the reference scales of a dataset on its `reference_fields`.

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
    """Return the sha256 of the files to measure, whatever their names: the key of their scales.

    As for trials, another version of the measurement gives another digest.
    """
    _, fields = reference_fields(dataset)
    files = digest_paths([field.input for field in fields])
    return digest_text("\n".join([str(trial_spec.FORMAT), str(dataset.bits), dataset.axes, files]))
