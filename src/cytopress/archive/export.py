"""The way back: an archive as OME-TIFF files, or as OME-Zarr that any zarr reader opens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np
import zarr

from cytopress.archive import certificate
from cytopress.archive.history import EXPORTED
from cytopress.archive.plan import ImagePlan, read_plan
from cytopress.archive.planning import make_plan
from cytopress.archive.run import run
from cytopress.archive.stores import Location, Store, store_of
from cytopress.archive.verify import verify
from cytopress.archive.wanted import Wanted
from cytopress.archive.zarr_codec import NAME, CytopressCodec
from cytopress.atomic import atomic_file
from cytopress.callbacks import Progress, no_progress
from cytopress.errors import CodecError, StoreError, UsageError
from cytopress.figures import count_text
from cytopress.formats.remote import path_of
from cytopress.image import Pixels

zarr.registry.register_codec(NAME, CytopressCodec)
Form = Literal["ome-tiff", "everyone"]


def export(
    out: Location, target: Path, form: Form, *, workers: int = 1, progress: Progress = no_progress
) -> int:
    """Write the images of an archive for readers without cytopress; return their number.

    Parameters
    ----------
    out : Path, str or Store
        The archive.
    target : Path
        A folder, made if it is missing; images that are there are left as they are.
    form : {"ome-tiff", "everyone"}
        One OME-TIFF file for each image, losslessly compressed, full resolution alone; or OME-Zarr
        without codecs of ours, losslessly compressed.
    workers : int
        Processes, for OME-Zarr.
    progress : callable, optional
        Called as (done, all, what).

    Raises
    ------
    StoreError
        There is no archive, or it is damaged: a shard that is lost would be exported as black.
    UsageError
        The target lies in the archive, or holds something else.
    CodecError
        A shard could not be written.
    """
    store = store_of(out)
    plan = read_plan(store)
    if Path(str(store)).resolve() in (target.resolve(), *target.resolve().parents):
        raise UsageError(f"{target}: lies in the archive; choose another folder.")
    damaged = verify(store).failures
    if damaged:
        key, why = next(iter(damaged.items()))
        raise StoreError(
            f"{store}: damaged, such as {key}: {why}, in {count_text(len(damaged), 'place')};"
            " nothing was exported. Copy what is damaged again, or see `archive verify`."
        )
    if form == "everyone":
        make_plan([path_of(str(store))], target, Wanted(readers="everyone"))
        failed = run(target, workers=workers, progress=progress).failed
        if failed:
            key, why = next(iter(failed.items()))
            raise CodecError(f"{count_text(len(failed), 'shard')} failed, such as {key}: {why}")
        return len(plan.images)
    for number, image in enumerate(plan.images):
        path = target / f"{image.name.removesuffix('.ome.zarr')}.ome.tif"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_tiff(store, image, path)
        progress(number + 1, len(plan.images), image.name)
    return len(plan.images)


def _write_tiff(store: Store, image: ImagePlan, path: Path) -> None:
    import tifffile

    array: zarr.Array[Any] = zarr.open_array(store.zarr(f"{image.name}/0"), mode="r")
    metadata: dict[str, Any] = {"axes": "TCZYX", "Creator": "cytopress"}
    if any(image.channels):
        metadata["Channel"] = {"Name": list(image.channels)}
    for axis, step in zip("ZYX", image.spacing_um, strict=True):
        if step is not None:
            metadata[f"PhysicalSize{axis}"] = step
    name = PurePosixPath(str(store)).name
    metadata["Description"] = f"From {name}/{image.name}, {EXPORTED[_ever_lossy(store, image)]}"
    with atomic_file(path) as temporary:
        tifffile.imwrite(
            temporary,
            _planes(array),
            shape=image.shape,
            dtype=image.dtype,
            ome=True,
            bigtiff=image.raw_bytes > 2**32 - 2**26,
            photometric="minisblack",
            compression="zlib",
            predictor=2 if np.dtype(image.dtype).kind in "iu" else None,
            metadata=metadata,
        )


def _ever_lossy(store: Store, image: ImagePlan) -> bool | None:
    """Whether an image bears a loss, by the archive's certificate; None where there is none yet."""
    try:
        found = certificate.read(store)["images"][image.name]["ever_lossy"]
    except (StoreError, KeyError):
        return None
    return bool(found)


def _planes(array: zarr.Array[Any]) -> Iterator[Pixels]:
    """Yield planes in the order T, C, Z."""
    for place in np.ndindex(*array.shape[:-2]):
        yield np.asarray(array[place])
