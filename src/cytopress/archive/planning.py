"""Planning of an archive: inspect the sources, sample them, and solve each channel's setting."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from cytopress.archive.history import earlier_loss
from cytopress.archive.plan import PLAN, Coding, ImagePlan, Plan, Readers, Shape, read_plan
from cytopress.archive.solving import Samples, solve
from cytopress.archive.sources import Source, checked, find_sources, load, opened, reason
from cytopress.archive.stores import Location, Store, store_of
from cytopress.codecs.spec import codec
from cytopress.codecs.targets.request import CodecRequest
from cytopress.digests import digest_path
from cytopress.errors import CytopressError, UsageError
from cytopress.formats.scene import Scene
from cytopress.image import DTYPES, Pixels

# Edge of a chunk in pixels, and planes of a chunk of a codec of volumes.
CHUNK, DEEP = 512, 32
# Resolutions are added until an image is no longer than this.
SMALL = 1024
# Bytes of a shard before coding, and fields and chunks that are sampled of a channel.
SHARD_BYTES = 2**27
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
    skip_unreadable: bool = False
    hash: bool = False


@dataclass
class _Channel:
    """A channel of the data set: where it occurs."""

    name: str
    dtype: str
    bits: int
    places: list[tuple[int, int]] = field(default_factory=list)


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
    found, notes = find_sources(sources, Path(str(store)))
    images: list[ImagePlan] = []
    left_out: list[str] = []
    channels: dict[tuple[str, str, int], _Channel] = {}
    for source in found:
        try:
            images += _inspect(source, wanted, channels, len(images))
        except CytopressError as error:
            if not wanted.skip_unreadable:
                raise
            left_out.append(f"{source.path} is left out: {reason(error, source.path)}")
    notes += left_out
    if not images:
        raise UsageError("No source can be archived.")
    unknown = wanted.channels.keys() - {one.name for one in channels.values()}
    if unknown:
        named = ", ".join(sorted({one.name for one in channels.values()})) or "none"
        raise UsageError(f"There is no channel {min(unknown)!r}; the sources have {named}.")
    codings: list[Coding] = []
    packages: dict[str, str] = {}
    for one in channels.values():
        request = _request(one, wanted)
        codings.append(solve(request, _samples(one, images, request)))
        packages |= {package.sha256: package.name for package in request.packages}
    plan = Plan(
        software=software(),
        readers=wanted.readers,
        codings=tuple(codings),
        images=tuple(images),
        models=packages,
        left_out=tuple(left_out),
    )
    _write(plan, store)
    again = [one for one in images if any(past.get("lossy") is not False for past in one.history)]
    if again and not all(one.ceiling is None for one in codings):
        methods = {str(past.get("method", "cytopress")) for one in again for past in one.history}
        notes.append(
            f"{len(again)} images were coded with loss before, or may have been"
            f" ({', '.join(sorted(methods))}): this loss is added to that one."
        )
    return plan, notes


def _inspect(
    source: Source, wanted: Wanted, channels: dict[tuple[str, str, int], _Channel], first: int
) -> list[ImagePlan]:
    """Plan the images of a source, and note its channels."""
    images: list[ImagePlan] = []
    with opened(source.path, wanted.axes) as scenes:
        for place, scene in enumerate(map(checked, scenes)):
            name = source.name if len(scenes) == 1 else f"{source.name}_{place}"
            names = _channel_names(scene)
            codings = []
            for at, label in enumerate(names):
                key = (label, scene.dtype.newbyteorder("=").name, scene.bits)
                one = channels.setdefault(key, _Channel(*key))
                one.places.append((first + len(images), at))
                codings.append(list(channels).index(key))
            images.append(_image(source, scene, place, name, tuple(names), tuple(codings), wanted))
    return images


def _image(
    source: Source,
    scene: Scene,
    place: int,
    name: str,
    names: tuple[str, ...],
    codings: tuple[int, ...],
    wanted: Wanted,
) -> ImagePlan:
    dtype = scene.dtype.newbyteorder("=")
    if dtype not in DTYPES:
        raise UsageError(f"{source.path}: pixels of {dtype.name} cannot be archived.")
    t, c, z, y, x = (scene.length(letter) for letter in "TCZYX")
    deep = min(z, DEEP) if _is_deep(wanted, names) else 1
    chunk: Shape = (1, 1, deep, min(wanted.chunk, y), min(wanted.chunk, x))
    spacing = (scene.spacing_um.get("Z"), scene.spacing_um.get("Y"), scene.spacing_um.get("X"))
    return ImagePlan(
        name=f"{name}.ome.zarr",
        source=str(source.path.resolve()),
        axes=wanted.axes,
        scene=place,
        identity=source.identity,
        shape=(t, c, z, y, x),
        spacing_um=spacing,
        channels=names,
        codings=codings,
        dtype=dtype.name,
        levels=1 + max(0, math.ceil(math.log2(max(y, x) / SMALL))),
        chunk=chunk,
        shard=_shard(chunk, (z, y, x), dtype.itemsize),
        history=tuple(earlier_loss(source.path)),
        sha256=digest_path(source.path) if wanted.hash else None,
    )


def _shard(chunk: Shape, lengths: tuple[int, int, int], itemsize: int) -> Shape:
    """Return a shard of whole planes, as many as a shard's bytes allow; of parts if one is more."""
    z, y, x = lengths
    _, _, cz, cy, cx = chunk
    rows, columns = -(-y // cy), -(-x // cx)
    while rows * columns * cy * cx * cz * itemsize > SHARD_BYTES and max(rows, columns) > 1:
        rows, columns = (-(-rows // 2), columns) if rows >= columns else (rows, -(-columns // 2))
    planes = max(1, SHARD_BYTES // (rows * columns * cy * cx * cz * itemsize))
    return (1, 1, cz * min(planes, -(-z // cz)), rows * cy, columns * cx)


def _channel_names(scene: Scene) -> list[str]:
    count = scene.length("C")
    names = [name.strip() for name in scene.channels]
    return names if len(names) == count else ([""] if count == 1 else list(map(str, range(count))))


def _is_deep(wanted: Wanted, names: Sequence[str]) -> bool:
    specs = {wanted.channels.get(name, wanted.codec) for name in names} - {""}
    return bool(specs) and all(2 not in codec(one).family.traits.dims for one in specs)


def _request(channel: _Channel, wanted: Wanted) -> CodecRequest:
    spec = wanted.channels.get(channel.name, wanted.codec)
    request = codec(spec or LOSSLESS.get(channel.dtype, "zstd"))
    if wanted.readers != "cytopress" and not (request.lossless or request.name == "round-zstd"):
        raise UsageError(
            f"{request.spec}: readers without cytopress take lossless coding, or rounded pixels:"
            " give round-zstd, such as round-zstd:max_error=4."
        )
    return request


def _samples(channel: _Channel, images: Sequence[ImagePlan], request: CodecRequest) -> Samples:
    """Return samples of a channel: planes evenly spaced among its images, times and depths."""
    every = [
        (at, c, t, z)
        for at, c in channel.places
        for t in range(images[at].shape[0])
        for z in range(0, images[at].shape[2], images[at].chunk[2])
    ]
    chosen = [every[i] for i in np.linspace(0, len(every) - 1, min(FIELDS, len(every)), dtype=int)]
    planes: list[Pixels] = []
    chunks: list[Pixels] = []
    for at, c, t, z in chosen:
        image = images[at]
        with opened(Path(image.source), image.axes) as scenes:
            depth = range(z, min(z + image.chunk[2], image.shape[2]))
            stack = load(scenes[image.scene], t, c, depth)
        planes.append(stack[0])
        chunks += _cut(stack, image.chunk, math.ceil(CHUNKS / len(chosen)))
    shape = max(one.shape for one in chunks)
    whole = [one for one in chunks if one.shape == shape]
    if 3 not in request.family.traits.dims or len(depth) == 1:
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
