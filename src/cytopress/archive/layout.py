"""Layout of an archive: one OME-Zarr 0.5 image for each scene, its arrays still without chunks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import zarr
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, ZstdCodec

from cytopress.archive.carried import document_of
from cytopress.archive.plan import AXES, Coding, ImagePlan, Plan
from cytopress.archive.sources import Source, opened
from cytopress.archive.stores import Store
from cytopress.archive.zarr_codec import CytopressCodec
from cytopress.errors import NotAvailableError, UsageError
from cytopress.formats.remote import path_of
from cytopress.formats.zarr_metadata import COLLECTION

# Shown for channels, in their order, and then again from the first.
COLORS = ("0000FF", "00FF00", "FF0000", "00FFFF", "FF00FF", "FFFF00")
SCALES = (
    "local_mean",
    "Rounded mean of 2 x 2 pixels, or of 2 x 2 x 2, of the level above as it is decoded.",
)
NEAREST = ("nearest", "Every second pixel of the level above.")
# Of a group or array.
METADATA = "zarr.json"


def create(store: Store, plan: Plan, images: Sequence[ImagePlan]) -> None:
    """Create groups, and images of a plan, that are not there yet: no pixels."""
    for name, found in plan.groups.items():
        if store.size(f"{name}/{METADATA}") is None:
            zarr.create_group(store.zarr(name), attributes=found)
    for name, source in plan.documents.items():
        _write_document(store, name, path_of(source).read_bytes())
    for image in images:
        if store.size(f"{image.name}/{METADATA}") is not None:
            continue
        for level in range(image.levels):
            _create_level(store.zarr(f"{image.name}/{level}"), plan, image, level)
        document = source_document(image, Source.of(image))
        if document is not None:
            _write_document(store, image.name, document.encode())
        # Last, so that an interrupted creation is begun again.
        zarr.create_group(store.zarr(image.name), attributes=attributes(plan, image))


def _write_document(store: Store, name: str, document: bytes) -> None:
    """Write OME-XML into a group of its own, as bioformats2raw does."""
    folder = f"{name}/{COLLECTION.parent}"
    if store.size(f"{folder}/{METADATA}") is None:
        zarr.create_group(store.zarr(folder))
    if store.size(f"{name}/{COLLECTION.as_posix()}") is None:
        store.write(f"{name}/{COLLECTION.as_posix()}", document)


def source_document(image: ImagePlan, source: Source) -> str | None:
    """Return the OME-XML of an image's source; None where it says no more than the attributes."""
    group = source.path
    beside = group.parent if group.name.isdecimal() else group
    if group.is_dir() and not any((place / COLLECTION).is_file() for place in (group, beside)):
        return None
    with opened(source, image.axes) as scenes:
        found = document_of(scenes[image.scene])
    return None if found.bare else found.text


def check(plan: Plan) -> None:
    """Check the metadata of a plan's images and groups, before anything is written.

    Raises
    ------
    UsageError
        What a source says of a plate cannot be said in OME-Zarr 0.5.
    """
    v05 = _models()
    for image in plan.images:
        attributes(plan, image)
    for name, found in plan.groups.items():
        ome = found.get("ome", {})
        kinds = {"plate": v05.Plate, "well": v05.Well, "labels": v05.LabelsGroup}
        for key, model in kinds.items():
            if key in ome:
                try:
                    model.model_validate(ome)
                except ValueError as error:
                    raise UsageError(f"{name}: its {key} cannot be described ({error}).") from error


def attributes(plan: Plan, image: ImagePlan) -> dict[str, Any]:
    """Return the metadata of an image, those of OME-Zarr checked against the models of 0.5."""
    v05 = _models()
    interval, unit = image.carried.interval or (1.0, "")
    axes = [
        v05.TimeAxis(name="t", unit=unit or None),
        v05.ChannelAxis(name="c"),
        *(
            v05.SpaceAxis(name=name, unit=None if step is None else "micrometer")
            for name, step in zip("zyx", image.spacing_um, strict=True)
        ),
    ]
    datasets = [
        v05.Dataset(
            path=str(level),
            coordinateTransformations=_transformations(plan, image, level, interval),
        )
        for level in range(image.levels)
    ]
    kind, how = _method(plan, image)
    scales = v05.Multiscale(
        name=image.carried.title or PurePosixPath(image.name).name.removesuffix(".ome.zarr"),
        axes=axes,
        datasets=datasets,
        type=kind if image.levels > 1 else None,
        metadata={"description": how} if image.levels > 1 else None,
    )
    omero = _omero(plan, image)
    found = v05.Image(multiscales=[scales], omero=omero)
    ome = found.model_dump(exclude_none=True, mode="json")
    # As it is given: with what the models do not know.
    ome["omero"] = omero
    if _is_label_image(image):
        del ome["omero"]
        ome["image-label"] = {"source": {"image": "../../"}} | (image.carried.image_label or {})
    return {**image.carried.others, "ome": ome}


def _models() -> Any:
    """Return the models of OME-Zarr 0.5.

    Raises
    ------
    NotAvailableError
        The extra is not installed.
    """
    try:
        from yaozarrs import v05
    except ImportError:
        raise NotAvailableError(
            "Writing archives needs the extra archive: pip install 'cytopress[archive]'."
        ) from None
    return v05


def _transformations(plan: Plan, image: ImagePlan, level: int, interval: float) -> list[Any]:
    v05 = _models()
    steps = [1.0 if step is None else step for step in image.spacing_um]
    factors = image.level_factors(level)
    scale = [step * factor for step, factor in zip(steps, factors, strict=True)]
    found: list[Any] = [v05.ScaleTransformation(scale=[interval, 1.0, *scale])]
    # The center of the first pixel of a level is that of the pixels it is the mean of; of labels,
    # it is the first one.
    shifts = [0.0 if _is_labels(plan, image) else (factor - 1) / 2 for factor in factors]
    origin = image.carried.origin_um or (0.0, 0.0, 0.0)
    place = [start + step * shift for start, step, shift in zip(origin, steps, shifts, strict=True)]
    if any(place):
        found.append(v05.TranslationTransformation(translation=[0.0, 0.0, *place]))
    return found


def _is_labels(plan: Plan, image: ImagePlan) -> bool:
    return all(plan.codings[place].labels for place in image.codings)


def _is_label_image(image: ImagePlan) -> bool:
    return image.carried.image_label is not None or "/labels/" in image.name


def _method(plan: Plan, image: ImagePlan) -> tuple[str, str]:
    """Return how resolutions are made, in a word and in a sentence."""
    if _is_labels(plan, image):
        return NEAREST
    kind, how = SCALES
    some = any(plan.codings[place].labels for place in image.codings)
    return kind, how + (" Of channels of labels, every second pixel." if some else "")


def _omero(plan: Plan, image: ImagePlan) -> dict[str, Any]:
    """Return how an image is shown: as its source was, completed where that says nothing."""
    v05 = _models()
    known = image.carried.omero
    told = known.get("channels") or []
    told = told if len(told) == len(image.channels) else [{}] * len(image.channels)
    channels = []
    for number, (place, name) in enumerate(zip(image.codings, image.channels, strict=True)):
        default = _channel(plan.codings[place], name, number)
        channel = default | {key: one for key, one in told[number].items() if one is not None}
        try:
            v05.OmeroChannel.model_validate(channel)
        except ValueError:
            channel = default | ({"label": channel["label"]} if "label" in channel else {})
        channels.append(channel)
    return {key: one for key, one in known.items() if key != "version"} | {"channels": channels}


def _channel(coding: Coding, name: str, number: int) -> dict[str, Any]:
    most = 1.0 if np.dtype(coding.dtype).kind == "f" else float(2**coding.bits - 1)
    low, high = coding.limits or (0.0, most)
    return {
        "active": True,
        "color": COLORS[number % len(COLORS)],
        **({"label": name} if name else {}),
        "window": {"min": min(0.0, low), "max": max(most, high), "start": low, "end": high},
    }


def _create_level(path: Any, plan: Plan, image: ImagePlan, level: int) -> None:
    readers = "everyone" if image.plain and plan.readers == "cytopress" else plan.readers
    arguments: dict[str, Any] = {
        "shape": image.level_shape(level),
        "chunks": image.level_chunk(level),
        "shards": None if readers == "fiji" else image.level_shard(level),
        "dtype": image.dtype,
        "fill_value": 0,
        "filters": None,
        "dimension_names": tuple(AXES.lower()),
        "overwrite": True,
    }
    if readers == "cytopress":
        arguments |= {"serializer": codec_of(plan, image), "compressors": None}
    elif readers == "everyone":
        arguments |= {
            "serializer": BytesCodec(),
            "compressors": (BloscCodec(cname="zstd", clevel=3, shuffle="shuffle"), Crc32cCodec()),
        }
    else:
        arguments |= {
            "serializer": BytesCodec(),
            "compressors": (ZstdCodec(level=3, checksum=True),),
        }
    zarr.create_array(path, **arguments)


def codec_of(plan: Plan, image: ImagePlan) -> CytopressCodec:
    """Return the codec that an image's arrays name: that of its channels, or one of several."""
    used = [plan.codings[place] for place in dict.fromkeys(image.codings)]
    codecs = [
        CytopressCodec.from_spec(
            coding.spec,
            limits=coding.limits,
            noise=coding.noise_model,
            bits=coding.bits,
            models="carried",
        )
        for coding in used
    ]
    return codecs[0] if len(codecs) == 1 else CytopressCodec.per_chunk(codecs)
