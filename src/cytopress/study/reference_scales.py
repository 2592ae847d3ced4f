"""Reference scales of a dataset: its data range and noise model, from the training groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cytopress.datasets.dataset import Dataset, Field
from cytopress.digests import digest_json, digest_path, digest_text
from cytopress.image import Image, Pixels
from cytopress.metrics import fit_noise
from cytopress.metrics.data_range import data_range
from cytopress.study import trial_spec
from cytopress.study.read_fields import read_fields
from cytopress.study.results import NoiseFacts

# The noise fit samples patches: more pixels would cost time and memory, and change nothing.
MOST_NOISE_PIXELS = 2**26
ALL = "all fields"


@dataclass(frozen=True, kw_only=True)
class ReferenceScales:
    """One data range in counts and one noise model for a whole dataset, and their source.

    ``images`` are the digests of what they were measured on, as in `Sources`.
    """

    data_range: float
    noise: NoiseFacts
    source: str
    images: tuple[str, ...] = ()


def reference_fields(dataset: Dataset) -> tuple[str, tuple[Field, ...]]:
    """Return the fields to measure: the training fields, or all if there are none; and a label."""
    training = dataset.part("train")
    return ("training groups", training) if training else (ALL, dataset.fields)


def measure(dataset: Dataset, sources: Sources, *, step: Callable[[str], None]) -> ReferenceScales:
    """Measure the reference scales of a dataset on its `reference_fields`.

    ``step`` is called with the name of each field before it is read.

    Raises
    ------
    DatasetError
        Fields cannot be read; the message has a line for each.
    """
    source, fields = reference_fields(dataset)

    def images() -> Iterable[Image]:
        for _, image in read_fields(dataset, fields, step=step):
            yield image

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
    return ReferenceScales(
        data_range=found_range, noise=noise, source=source, images=sources.images
    )


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What reference scales are measured on, by content: the digest of all, and of each image.

    As for trials, another version of the measurement gives other digests. ``images`` is empty for
    training groups, which decide alone.
    """

    key: str
    images: tuple[str, ...]


def sources_of(dataset: Dataset, digests: dict[Path, str]) -> Sources:
    """Return the digests of the files to measure, whatever their names.

    ``digests`` holds those of files that other datasets have, and gets those of this one.
    """
    source, fields = reference_fields(dataset)
    for field in fields:
        if field.input not in digests:
            digests[field.input] = digest_path(field.input)
    form = [str(trial_spec.FORMAT), str(dataset.bits), dataset.axes]
    files = [digests[field.input] for field in fields]
    images = [
        digest_json([*form[:1], file, field.input_select, *_form(dataset, field)])
        for file, field in zip(files, fields, strict=True)
    ]
    # Files that hold one image are the older form of the key.
    whole = not any(field.input_select or field.metadata for field in fields)
    text = digest_text("\n".join(sorted(files))) if whole else "\n".join(sorted(images))
    key = digest_text("\n".join([*form, text] if whole else [*form[:1], text]))
    return Sources(key=key, images=tuple(images) if source == ALL else ())


def _form(dataset: Dataset, field: Field) -> tuple[object, ...]:
    """Return what is stated of an image beside its file."""
    own = field.metadata
    if own is None:
        return dataset.bits, dataset.axes, dataset.pixel_size_um
    bits = dataset.bits if own.bits is None else own.bits
    return bits, dataset.axes, own.spacing_um, own.axes


def earlier_scales(
    sources: Sources, known: Mapping[str, ReferenceScales]
) -> ReferenceScales | None:
    """Return the known scales of these images, or of the most of them; None without any.

    A dataset that has grown keeps its scales: trials depend on them, and all would run again.
    """
    if sources.key in known:
        return known[sources.key]
    here = set(sources.images)
    earlier = [one for one in known.values() if one.images and here.issuperset(one.images)]
    if not earlier:
        return None
    found = max(earlier, key=lambda one: len(one.images))
    return replace(found, source=f"the first {len(found.images)} fields")
