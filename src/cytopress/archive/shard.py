"""One shard: loaded, coded, written, read back and measured; the unit of work of an archive."""

from __future__ import annotations

import errno
import hashlib
import itertools
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import google_crc32c
import numpy as np
import zarr

from cytopress.archive.checksums import crc32c_of_pixels
from cytopress.archive.chunk_decoding import decode_chunk
from cytopress.archive.chunk_form import ChunkForm
from cytopress.archive.chunk_writer import ShardChunks, writable
from cytopress.archive.errors_of_pixels import Errors, errors_between
from cytopress.archive.plan import Ceiling, Coding, ImagePlan, Shape
from cytopress.archive.pyramid import reduced
from cytopress.archive.sources import Source, load, opened
from cytopress.archive.stores import Store
from cytopress.archive.wanted import Readers
from cytopress.archive.zarr_codec import NAME, CytopressCodec
from cytopress.errors import CytopressError, CytopressWarning, StoreError
from cytopress.figures import count_text
from cytopress.image import Pixels

# zarr finds it by its entry point only where cytopress is installed.
zarr.registry.register_codec(NAME, CytopressCodec)
# Errors of a disk, or a user's share of it, that has no space left: no other shard would fit.
FULL = (errno.ENOSPC, errno.EDQUOT)
Region = tuple[slice, slice, slice, slice, slice]


@dataclass(frozen=True, kw_only=True)
class ShardTask:
    """A shard to be written; it pickles.

    Parameters
    ----------
    key : str
        Path of the shard's file in the archive, which names it in the ledger.
    store : Store
        The archive.
    image : ImagePlan
        The image it belongs to.
    coding : Coding
        How its channel is coded.
    readers : {"cytopress", "everyone", "fiji"}
        Who is to open it.
    level : int
        Its resolution.
    place : tuple of int
        Its position in the array, counted in shards.
    """

    key: str
    store: Store
    image: ImagePlan
    coding: Coding
    readers: Readers
    level: int
    place: Shape

    @property
    def raw_bytes(self) -> int:
        """Bytes of its pixels."""
        lengths = (one.stop - one.start for one in self.region)
        return int(math.prod(lengths)) * int(np.dtype(self.image.dtype).itemsize)

    @property
    def region(self) -> Region:
        """Its part of the array, cut at the array's end."""
        t, c, z, y, x = (
            slice(place * length, min((place + 1) * length, whole))
            for place, length, whole in zip(
                self.place,
                self.image.level_shard(self.level),
                self.image.level_shape(self.level),
                strict=True,
            )
        )
        return (t, c, z, y, x)

    def array(self, level: int, mode: Literal["r", "r+"] = "r+") -> zarr.Array[Any]:
        """Open the array of a resolution of its image."""
        place = self.store.zarr(f"{self.image.name}/{level}")
        found: zarr.Array[Any] = zarr.open_array(place, mode=mode)
        return found


def tasks_of(
    store: Store, image: ImagePlan, codings: tuple[Coding, ...], readers: Readers, level: int
) -> Iterator[ShardTask]:
    """Yield the task of each shard of a resolution of an image."""
    for place in image.shards(level):
        yield ShardTask(
            key="/".join([image.name, str(level), "c", *map(str, place)]),
            store=store,
            image=image,
            coding=codings[image.codings[place[1]]],
            readers="everyone" if image.plain and readers == "cytopress" else readers,
            level=level,
            place=place,
        )


def write_shard(task: ShardTask) -> dict[str, Any]:
    """Write a shard in a worker and return its row; every failure becomes a sentence in it."""
    with warnings.catch_warnings(), zarr.config.set({"async.concurrency": 1}):
        warnings.simplefilter("ignore", CytopressWarning)
        try:
            with task.store.failures():
                return _write(task)
        except CytopressError as error:
            return {"error": str(error)}
        except OSError as error:
            if error.errno in FULL:
                raise StoreError(
                    f"{task.store}: the disk is full; free some space and run the same command"
                    " again: what is written stays."
                ) from error
            return {"error": f"{task.key}: cannot be written ({error.strerror or error})."}
        except MemoryError:
            return {"error": f"{task.key}: this shard needs more memory than there is."}


def _write(task: ShardTask) -> dict[str, Any]:
    raw = _load(task)
    # Other readers decode exactly what is stored, so for them pixels are rounded beforehand.
    chunks, own = ShardChunks(task.coding), task.readers == "cytopress"
    array = writable(task.array(task.level), chunks if own else None)
    chunk, lossless = task.image.level_chunk(task.level), task.coding.ceiling is None
    regions = list(_chunk_regions(raw.shape, chunk))
    found: list[Errors] = []
    while True:
        # Else zarr reads what is there, which may be damaged, to keep the part beyond the array.
        task.store.delete(task.key)
        plain = own or lossless
        array[task.region] = raw if plain else _rounded(raw, regions, chunk, chunks)
        decoded = np.asarray(task.array(task.level)[task.region])
        found = [_errors(raw[one], decoded[one], task.coding) for one in regions]
        beyond = _beyond(found, task.coding.ceiling)
        padded = [_padded(raw[regions[at]], chunk) for at in beyond]
        if not [one for one in padded if chunks.take_finer(one)]:
            break
    if beyond:
        raise StoreError(
            f"{task.key}: beyond the largest error that the plan allows, and cannot be coded finer:"
            f" {count_text(len(beyond), 'chunk')}."
        )
    # Its row, which says that it is done, is kept for good as well.
    task.store.keep(task.key)
    data = task.store.read(task.key)
    worst = max(range(len(found)), key=lambda at: found[at].rmse)
    return {
        "raw_bytes": raw.nbytes,
        "coded_bytes": len(data),
        "crc32c": google_crc32c.value(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "raw_sha256": hashlib.sha256(np.ascontiguousarray(raw).data).hexdigest(),
        "decoded_crc32c": crc32c_of_pixels(decoded),
        "chunks": len(found),
        "finer": len(chunks.finer),
        "errors": Errors.sum(found).as_row(),
        "worst": {"at": [one.start for one in regions[worst]], **found[worst].as_row()},
    }


def _load(task: ShardTask) -> Pixels:
    """Return the pixels of a shard: of the source, or means of the resolution above as decoded."""
    if not task.level:
        return source_pixels(task, Source.of(task.image))
    image, above = task.image, task.array(task.level - 1)
    return reduced(
        lambda region: np.asarray(above[region]),
        above.shape,
        task.region,
        deep=image.level_factors(task.level)[0] > image.level_factors(task.level - 1)[0],
        labels=task.coding.labels,
        planes=image.level_chunk(task.level)[2],
    )


def source_pixels(task: ShardTask, source: Source, region: Region | None = None) -> Pixels:
    """Return the source's pixels of a shard of the full resolution, or a region; C-contiguous."""
    t, c, z, y, x = region = region or task.region
    found = np.empty(tuple(one.stop - one.start for one in region), task.image.dtype)
    times, channels = range(t.start, t.stop), range(c.start, c.stop)
    with opened(source, task.image.axes) as scenes:
        scene = scenes[task.image.scene]
        for time, channel in itertools.product(times, channels):
            stack = load(scene, time, channel, range(z.start, z.stop), y, x)
            found[time - t.start, channel - c.start] = stack
    return found


def _rounded(raw: Pixels, regions: list[Region], chunk: Shape, chunks: ShardChunks) -> Pixels:
    """Return what every reader decodes: pixels as the lossy codec of the plan leaves them."""
    found = np.empty_like(raw)
    form = ChunkForm(chunk, raw.dtype, raw.dtype.type(0))
    for region in regions:
        padded = _padded(raw[region], chunk)
        data = chunks.encode(padded, form)
        assert data is not None
        ends = tuple(slice(length) for length in raw[region].shape)
        found[region] = decode_chunk(data, form, [])[ends]
    return found


def _errors(original: Pixels, decoded: Pixels, coding: Coding) -> Errors:
    return errors_between(original, decoded, coding.noise_model)


def _beyond(found: list[Errors], ceiling: Ceiling | None) -> list[int]:
    """Return the chunks that have to be coded finer; without a ceiling, those with any error."""
    if ceiling is None:
        return [at for at, one in enumerate(found) if one.max_error]
    beyond = [at for at, one in enumerate(found) if not one.within(ceiling, ceiling.chunk)]
    whole = Errors.sum(found)
    if not beyond and ceiling.shard is not None and not whole.within(ceiling, ceiling.shard):
        # The worst chunk of the shard, one after the other.
        beyond = [max(range(len(found)), key=lambda at: found[at].squares / found[at].pixels)]
    return beyond


def _chunk_regions(shape: tuple[int, ...], chunk: Shape) -> Iterator[Region]:
    starts = (range(0, length, step) for length, step in zip(shape, chunk, strict=True))
    for corner in itertools.product(*starts):
        t, c, z, y, x = (
            slice(start, min(start + step, length))
            for start, step, length in zip(corner, chunk, shape, strict=True)
        )
        yield (t, c, z, y, x)


def _padded(pixels: Pixels, chunk: Shape) -> Pixels:
    """Return a chunk as the codec is given it: with the fill value beyond the array's end."""
    edges = [(0, length - have) for length, have in zip(chunk, pixels.shape, strict=True)]
    return np.pad(pixels, edges)
