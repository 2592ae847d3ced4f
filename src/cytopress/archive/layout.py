"""Layout of an archive: one OME-Zarr 0.5 image for each scene, its arrays still without chunks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import zarr
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, ZstdCodec

from cytopress.archive.plan import AXES, Coding, ImagePlan, Plan
from cytopress.archive.zarr_codec import CytopressCodec
from cytopress.errors import NotAvailableError

# Shown for channels, in their order, and then again from the first.
COLORS = ("0000FF", "00FF00", "FF0000", "00FFFF", "FF00FF", "FFFF00")
SCALES = ("local_mean", "Rounded mean of 2 x 2 pixels of the level above, as it is decoded.")


def create(out: Path, plan: Plan) -> None:
    """Create every image of a plan that is not there yet: groups and arrays, no pixels."""
    for image in plan.images:
        path = out / image.name
        if (path / "zarr.json").is_file():
            continue
        for level in range(image.levels):
            _create_level(path / str(level), plan, image, level)
        # Last, so that an interrupted creation is begun again.
        zarr.create_group(str(path), attributes=attributes(plan, image))


def attributes(plan: Plan, image: ImagePlan) -> dict[str, Any]:
    """Return the OME metadata of an image, checked against the specification's models."""
    v05 = _models()

    axes = [
        v05.TimeAxis(name="t"),
        v05.ChannelAxis(name="c"),
        *(
            v05.SpaceAxis(name=name, unit=None if step is None else "micrometer")
            for name, step in zip("zyx", image.spacing_um, strict=True)
        ),
    ]
    datasets = [
        v05.Dataset(path=str(level), coordinateTransformations=_transformations(image, level))
        for level in range(image.levels)
    ]
    kind, how = SCALES
    scales = v05.Multiscale(
        name=Path(image.name).name.removesuffix(".ome.zarr"),
        axes=axes,
        datasets=datasets,
        type=kind if image.levels > 1 else None,
        metadata={"description": how} if image.levels > 1 else None,
    )
    channels = [
        _channel(plan.codings[place], name, number)
        for number, (place, name) in enumerate(zip(image.codings, image.channels, strict=True))
    ]
    found = v05.Image(multiscales=[scales], omero=v05.Omero(channels=channels))
    return {"ome": found.model_dump(exclude_none=True, mode="json")}


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


def _transformations(image: ImagePlan, level: int) -> list[Any]:
    v05 = _models()
    steps = [1.0 if step is None else step for step in image.spacing_um]
    factor = 2**level
    scale = [1.0, 1.0, steps[0], steps[1] * factor, steps[2] * factor]
    found: list[Any] = [v05.ScaleTransformation(scale=scale)]
    if level:
        # The center of the first pixel of a level is that of the pixels it is the mean of.
        shift = (factor - 1) / 2
        found.append(
            v05.TranslationTransformation(
                translation=[0.0, 0.0, 0.0, steps[1] * shift, steps[2] * shift]
            )
        )
    return found


def _channel(coding: Coding, name: str, number: int) -> Any:
    v05 = _models()
    # Floats have no significant bits.
    most = float(2**coding.bits - 1) if coding.bits else 1.0
    low, high = coding.limits or (0.0, most)
    window = v05.OmeroWindow(min=min(0.0, low), max=max(most, high), start=low, end=high)
    return v05.OmeroChannel(
        label=name or None, color=COLORS[number % len(COLORS)], window=window, active=True
    )


def _create_level(path: Path, plan: Plan, image: ImagePlan, level: int) -> None:
    arguments: dict[str, Any] = {
        "shape": image.level_shape(level),
        "chunks": image.level_chunk(level),
        "shards": None if plan.readers == "fiji" else image.level_shard(level),
        "dtype": image.dtype,
        "fill_value": 0,
        "filters": None,
        "dimension_names": tuple(AXES.lower()),
        "overwrite": True,
    }
    if plan.readers == "cytopress":
        arguments |= {"serializer": codec_of(plan, image), "compressors": None}
    elif plan.readers == "everyone":
        arguments |= {
            "serializer": BytesCodec(),
            "compressors": (BloscCodec(cname="zstd", clevel=3, shuffle="shuffle"), Crc32cCodec()),
        }
    else:
        arguments |= {
            "serializer": BytesCodec(),
            "compressors": (ZstdCodec(level=3, checksum=True),),
        }
    zarr.create_array(str(path), **arguments)


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
