"""Planning of an archive: inspect the sources, sample them, and solve each channel's setting."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from cytopress.archive import layout
from cytopress.archive.groups import documents_of, groups_of
from cytopress.archive.inspecting import ChannelKey, Form, Inspection
from cytopress.archive.plain import plain_coding
from cytopress.archive.plan import PLAN, Coding, ImagePlan, Layout, Plan, Readers, Shape, read_plan
from cytopress.archive.solving import Samples, solve
from cytopress.archive.sources import Source, find_sources, load, opened
from cytopress.archive.stores import Location, Store, store_of
from cytopress.codecs.spec import codec
from cytopress.codecs.targets.request import CodecRequest
from cytopress.errors import UsageError
from cytopress.image import Pixels

# Edge of a chunk in pixels.
CHUNK = 512
# Bytes of a shard before coding.
SHARD_BYTES = 2**27
# Fields and chunks that are sampled of a channel.
FIELDS, CHUNKS = 8, 12
# Lossless codecs, for pixels that each of them takes.
LOSSLESS = {"uint8": "jpegls", "uint16": "jpegls"}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked of an archive.

    Parameters
    ----------
    codec : str
        Spec string for every channel that ``channels`` does not name; "" for lossless coding.
    channels : mapping
        Spec strings by channel name.
    readers : {"cytopress", "everyone", "fiji"}
        Who is to open it.
    chunk : int
        Edge of a chunk in pixels.
    axes : str, optional
        Axes of sources that do not say theirs.
    layout : {"images", "plate"}
        An image for each scene, or plates, where the names of files hold wells.
    skip_unreadable : bool
        Whether sources that cannot be read are left out.
    hash : bool
        Whether the SHA-256 of every source goes into the plan and the certificate.
    """

    codec: str = ""
    channels: Mapping[str, str] = field(default_factory=dict)
    readers: Readers = "cytopress"
    chunk: int = CHUNK
    axes: str | None = None
    layout: Layout = "images"
    skip_unreadable: bool = False
    hash: bool = False


def make_plan(sources: Sequence[Path], out: Location, wanted: Wanted) -> tuple[Plan, list[str]]:
    """Plan an archive, write its plan, and return it with sentences on what is left out.

    Raises
    ------
    UsageError
        There is nothing to archive, a source cannot be read, a channel is unknown, the codec
        cannot code the pixels, or the folder holds an archive of another plan.
    UnreachableTargetError
        No setting of the codec meets the target.
    """
    store = store_of(out)
    _check_empty(store)
    found, notes = find_sources(sources, Path(str(store)), wanted.layout)
    seen = Inspection(
        Form(
            chunk=wanted.chunk,
            axes=wanted.axes,
            is_deep=lambda names: _is_deep(wanted, names),
            shard_bytes=lambda _names, _chunk: SHARD_BYTES,
            named=frozenset(wanted.channels),
            hash=wanted.hash,
        )
    )
    for source in found:
        seen.add(source, skip_unreadable=wanted.skip_unreadable)
    notes += seen.notes
    images = seen.images
    if not images:
        raise UsageError("No source can be archived.")
    unknown = wanted.channels.keys() - {one.name for one in seen.channels}
    if unknown:
        named = ", ".join(sorted({one.name for one in seen.channels} - {""})) or "none"
        raise UsageError(f"There is no channel {min(unknown)!r}; the sources have {named}.")
    codings: list[Coding] = []
    packages: dict[str, str] = {}
    for key, places in seen.channels.items():
        if key.plain:
            codings.append(plain_coding(key, _samples(key, places, images).chunks))
            continue
        request = _request(key, wanted)
        coding = solve(request, _samples(key, places, images, request))
        codings.append(replace(coding, labels=key.labels))
        packages |= {package.sha256: package.name for package in request.packages}
    plan = Plan(
        software=software(),
        readers=wanted.readers,
        codings=tuple(codings),
        images=tuple(images),
        models=packages,
        left_out=tuple(seen.left_out),
        layout=wanted.layout,
        groups=groups_of(images),
        documents=documents_of(images),
    )
    layout.check(plan)
    _write(plan, store)
    again = [one for one in images if any(past.get("lossy") is not False for past in one.history)]
    if again and not all(one.ceiling is None for one in codings):
        methods = {str(past.get("method", "cytopress")) for one in again for past in one.history}
        notes.append(
            f"{len(again)} images were coded with loss before, or may have been"
            f" ({', '.join(sorted(methods))}): this loss is added to that one."
        )
    return plan, notes


def _is_deep(wanted: Wanted, names: Sequence[str]) -> bool:
    specs = {wanted.channels.get(name, wanted.codec) for name in names} - {""}
    return bool(specs) and all(2 not in codec(one).family.traits.dims for one in specs)


def _request(channel: ChannelKey, wanted: Wanted) -> CodecRequest:
    spec = wanted.channels.get(channel.name, "" if channel.labels else wanted.codec)
    request = codec(spec or LOSSLESS.get(channel.dtype, "zstd"))
    if wanted.readers != "cytopress" and not (request.lossless or request.name == "round-zstd"):
        raise UsageError(
            f"{request.spec}: readers without cytopress take lossless coding, or rounded pixels:"
            " give round-zstd, such as round-zstd:max_error=4."
        )
    return request


def _samples(
    channel: ChannelKey,
    at_places: Sequence[tuple[int, int]],
    images: Sequence[ImagePlan],
    request: CodecRequest | None = None,
) -> Samples:
    """Return samples of a channel: planes evenly spaced among its images, times and depths."""
    every = [
        (at, c, t, z)
        for at, c in at_places
        for t in range(images[at].shape[0])
        for z in range(0, images[at].shape[2], images[at].chunk[2])
    ]
    chosen = [every[i] for i in np.linspace(0, len(every) - 1, min(FIELDS, len(every)), dtype=int)]
    planes: list[Pixels] = []
    chunks: list[Pixels] = []
    for at, c, t, z in chosen:
        image = images[at]
        with opened(Source.of(image), image.axes) as scenes:
            depth = range(z, min(z + image.chunk[2], image.shape[2]))
            stack = load(scenes[image.scene], t, c, depth)
        planes.append(stack[0])
        chunks += _cut(stack, image.chunk, math.ceil(CHUNKS / len(chosen)))
    shape = max((one.shape for one in chunks), key=math.prod)
    whole = [one for one in chunks if one.shape == shape]
    if request is None or 3 not in request.family.traits.dims or len(depth) == 1:
        whole = [one[0] for one in whole]
    bits = channel.bits or np.dtype(channel.dtype).itemsize * 8
    return Samples(channel.name, planes, whole, bits)


def _cut(stack: Pixels, chunk: Shape, most: int) -> list[Pixels]:
    """Return some chunks of a stack, evenly spaced; whole ones where there are any."""
    _, _, _, cy, cx = chunk
    corners = [
        (y, x)
        for y in range(0, max(stack.shape[1] - cy, 0) + 1, cy)
        for x in range(0, max(stack.shape[2] - cx, 0) + 1, cx)
    ]
    chosen = np.linspace(0, len(corners) - 1, min(most, len(corners)), dtype=int)
    return [stack[:, y : y + cy, x : x + cx] for y, x in (corners[i] for i in chosen)]


def _check_empty(store: Store) -> None:
    """Refuse a folder of other files before anything is read."""
    if store.size(PLAN) is not None:
        return
    if Path(str(store)).is_file():
        raise UsageError(f"{store}: is a file; name a folder for the archive.")
    if next(store.list(), None) is not None:
        raise UsageError(f"{store}: the folder is not empty and holds no archive; choose another.")


def _write(plan: Plan, store: Store) -> None:
    if store.size(PLAN) is None:
        store.write(PLAN, plan.text.encode())
    elif read_plan(store).digest != plan.digest:
        raise UsageError(
            f"{store}: holds an archive of another plan (other sources, options or version); choose"
            " another folder."
        )


def software() -> str:
    """Return the name and version of what makes archives."""
    try:
        return f"cytopress {version('cytopress')}"
    except PackageNotFoundError:
        return "cytopress (not installed)"
