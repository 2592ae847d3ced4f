"""Page of a certificate: the worst chunk of each channel, before and after, for the report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from cytopress.archive.plan import ImagePlan, Plan
from cytopress.archive.shard import Region, ShardTask, source_pixels
from cytopress.archive.sources import Source
from cytopress.archive.stores import Store
from cytopress.errors import CytopressError, NotAvailableError
from cytopress.image import Image, Pixels
from cytopress.report.certificate import WorstChunk, certificate_page

# Channels that are shown, and the edge of a picture in pixels.
MOST, EDGE = 12, 256


def page(
    store: Store, plan: Plan, document: Mapping[str, Any], sources: Mapping[str, Source]
) -> tuple[str | None, str]:
    """Return the page of a certificate, and why there is none or a picture is missing.

    Parameters
    ----------
    store : Store
        The archive.
    plan : Plan
        Its plan.
    document : mapping
        Its certificate.
    sources : mapping
        The source of each image.
    """
    chunks: list[WorstChunk] = []
    note = ""
    for number, one in enumerate(document["channels"][:MOST]):
        worst = one["worst_chunk"]
        image = next(image for image in plan.images if image.name == worst["image"])
        try:
            chunk = _worst_chunk(store, plan, image, worst["at"], sources[image.name])
        except (CytopressError, OSError, KeyError) as error:
            note = f"The page of the certificate lacks pictures: {error}"
            continue
        chunks.append(WorstChunk(number, *chunk))
    try:
        return certificate_page(document, name=Path(str(store)).name, chunks=chunks), note
    except NotAvailableError as error:
        return None, f"The certificate is written as JSON alone. {error}"


def _worst_chunk(
    store: Store, plan: Plan, image: ImagePlan, at: list[int], source: Source
) -> tuple[Image, Image]:
    """Return the plane of the largest error of a chunk, cropped around it: original, decoded."""
    t, c, z, y, x = (
        slice(begin, min(begin + length, whole))
        for begin, length, whole in zip(at, image.level_chunk(0), image.shape, strict=True)
    )
    region: Region = (t, c, z, y, x)
    places = [begin // length for begin, length in zip(at, image.level_shard(0), strict=True)]
    task = ShardTask(
        key="",
        store=store,
        image=image,
        coding=plan.codings[image.codings[at[1]]],
        readers=plan.readers,
        level=0,
        place=(places[0], places[1], places[2], places[3], places[4]),
    )
    original = source_pixels(task, source, region)[0, 0]
    with zarr.config.set({"async.concurrency": 1}):
        decoded = np.asarray(task.array(0, mode="r")[region])[0, 0]
    squares = (decoded.astype(np.float64) - original) ** 2
    plane = int(squares.sum((1, 2)).argmax())
    rows, columns = _crop(squares[plane])
    high, wide = image.spacing_um[1:]
    spacing = None if high is None or wide is None else (high, wide)
    before, after = (
        Image(np.ascontiguousarray(one[plane, rows, columns]), spacing_um=spacing)
        for one in (original, decoded)
    )
    return before, after


def _crop(squares: Pixels) -> tuple[slice, slice]:
    """Return the part of a plane with the largest error, in steps of half a picture."""
    half = EDGE // 2
    corners = [
        (row, column)
        for row in range(0, max(squares.shape[0] - half, 1), half)
        for column in range(0, max(squares.shape[1] - half, 1), half)
    ]
    row, column = max(corners, key=lambda at: squares[at[0] :, at[1] :][:EDGE, :EDGE].sum())
    return slice(row, row + EDGE), slice(column, column + EDGE)
