"""Training planes of a codec, from datasets, folders and archives, in the used range."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from cytopress.errors import CytopressWarning, DatasetError, UsageError
from cytopress.image import Image
from cytopress.metrics.data_range import data_range
from cytopress.metrics.noise import NoiseModel, fit_noise
from cytopress.settings import Settings
from cytopress.training.codec.raw_planes import (
    Part,
    Raw,
    Source,
    SourceOptions,
    open_source,
    read_raw,
)

__all__ = ["Part", "Plane", "Source", "SourceOptions", "load_planes", "sources_used"]

USED_RANGE = (0.1, 99.9)  # percentiles of a plane that become 0 and 1
NOISE_PLANES = 24  # enough to fit a noise model to; more would only take longer


@dataclass(frozen=True, eq=False)
class Plane:
    """One plane, or one volume, to train on.

    ``pixels`` is (Y, X) or (Z, Y, X) float32 with the plane's own 0.1 and 99.9 percentile at 0 and
    1; values outside stay outside. ``low`` and ``high`` are those percentiles in counts,
    ``data_range`` is what PSNR refers to, in counts, and ``noise`` the noise model of the source's
    images of this ``kind`` (input, target or a channel) where it was asked for.
    """

    pixels: npt.NDArray[np.float32]
    low: float
    high: float
    data_range: float
    noise: NoiseModel | None
    name: str
    group: str
    kind: str
    source: Source


def load_planes(
    sources: Sequence[SourceOptions],
    settings: Settings,
    part: Part,
    *,
    crop: int,
    deep: int = 0,
    noise: bool = False,
) -> list[Plane]:
    """Read the planes of one part of the split from every source.

    Datasets give their training groups (the images asked for) or, for validation, the inputs of
    their validation part; stacks plane by plane, or, with ``deep``, as the volumes that they are,
    of at least so many planes. Archives are for training only, and so are
    folders, unless they say what is held out, or nothing has a validation part: then every tenth
    file of each folder is held out. Validation may have none.

    Raises
    ------
    UsageError
        There is no source, or another part is asked for.
    UnknownNameError
        There is no dataset or archive of a source's name.
    DatasetError
        A file cannot be read, holds NaN or infinity, or no plane is left to train on.
    """
    if part not in ("train", "validation"):
        raise UsageError(f"a codec is trained on train and validation, never on {part!r}.")
    if not sources:
        raise UsageError("a training needs at least one [[sources]], not none.")
    opened = [open_source(options, settings) for options in sources]
    hold_out = not any(found.part("validation") for found in opened if found is not None)
    hold_out = hold_out and not any(options.validation or options.planes for options in sources)
    planes: list[Plane] = []
    for options, found in zip(sources, opened, strict=True):
        source, raw, trained = read_raw(
            options, found, settings, part, hold_out=hold_out, volumes=deep > 0
        )
        ranges = _data_ranges(trained) if found is not None else {}
        usable = list(_normalized(raw, source, ranges, crop, deep))
        models = _noise_models(trained) if noise and usable else {}
        planes += [replace(plane, noise=models.get(plane.kind)) for plane in usable]
    if part == "train" and not planes:
        names = ", ".join(str(o.dataset or o.folder or o.archive) for o in sources)
        raise DatasetError(
            f"No image of {names} can be trained on with crops of {crop} x {crop} pixels; choose"
            " a smaller crop or other images."
        )
    return planes


def sources_used(planes: Sequence[Plane]) -> list[dict[str, object]]:
    """Return for each source its name, title, licence, attribution, weight and what was used.

    ``groups`` is a list of names; ``fields``, ``planes`` and ``pixels`` are counts.
    """
    facts = []
    for source in dict.fromkeys(plane.source for plane in planes):
        own = [plane for plane in planes if plane.source is source]
        facts.append(
            {
                "name": source.name,
                "title": source.title,
                "licence": source.licence,
                "attribution": source.attribution,
                "weight": source.weight,
                "groups": sorted({plane.group for plane in own}),
                "fields": len({plane.name.partition(" Z=")[0] for plane in own}),
                "planes": sum(len(p.pixels) if p.pixels.ndim == 3 else 1 for p in own),
                "pixels": sum(plane.pixels.size for plane in own),
            }
        )
    return facts


def _data_ranges(raw: Sequence[Raw]) -> dict[str, float]:
    kinds = dict.fromkeys(plane.kind for plane in raw)
    return {kind: data_range(p.pixels for p in raw if p.kind == kind) for kind in kinds}


def _normalized(
    raw: Sequence[Raw], source: Source, ranges: dict[str, float], crop: int, deep: int
) -> Iterator[Plane]:
    for plane in raw:
        label = f"{source.name}: the image {plane.name!r} ({plane.kind})"
        if not np.isfinite(plane.pixels).all():
            raise DatasetError(f"{label} holds NaN or infinity; replace them before training.")
        low, high = (float(v) for v in np.percentile(plane.pixels, USED_RANGE))
        fault = ""
        height, width = plane.pixels.shape[-2:]
        if min(height, width) < crop:
            fault = f"its {height} x {width} pixels are smaller than the crop of {crop} x {crop}"
        elif deep and (plane.pixels.ndim < 3 or len(plane.pixels) < deep):
            held = len(plane.pixels) if plane.pixels.ndim == 3 else 1
            fault = f"of its planes, {held}, no crop of {deep} can be cut"
        elif not high > low:
            fault = "it is constant, or nearly"
        if fault:
            warnings.warn(f"{label} is left out: {fault}.", CytopressWarning, stacklevel=2)
            continue
        pixels = (plane.pixels.astype(np.float32) - np.float32(low)) / np.float32(high - low)
        yield Plane(
            pixels,
            low,
            high,
            ranges.get(plane.kind, high - low),
            None,
            plane.name,
            plane.group,
            plane.kind,
            source,
        )


def _noise_models(raw: Sequence[Raw]) -> dict[str, NoiseModel]:
    models = {}
    for kind in dict.fromkeys(plane.kind for plane in raw):
        own = [plane.pixels for plane in raw if plane.kind == kind]
        step = -(-len(own) // NOISE_PLANES)
        models[kind] = fit_noise([Image(pixels) for pixels in own[::step]]).model
    return models
