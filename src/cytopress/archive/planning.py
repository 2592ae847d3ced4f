"""Planning of an archive: inspect the sources, sample them, and solve each channel's setting."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cytopress.archive.history import earlier_loss
from cytopress.archive.memory import shard_bytes
from cytopress.archive.plan import FOLDER, PLAN, Coding, ImagePlan, Plan, Readers, Shape, read_plan
from cytopress.archive.recommended import Study
from cytopress.archive.sampling import sample
from cytopress.archive.solving import solve
from cytopress.archive.sources import Source, checked, find_sources, opened, reason
from cytopress.archive.study_choice import ChosenRecommendation, StudyChoice
from cytopress.atomic import atomic_file
from cytopress.codecs.spec import codec
from cytopress.codecs.targets.request import CodecRequest
from cytopress.errors import CodecError, CytopressError, UsageError
from cytopress.formats.scene import Scene
from cytopress.image import DTYPES

# Edge of a chunk in pixels, and planes of a chunk of a codec of volumes.
CHUNK, DEEP = 512, 32
# Resolutions are added until an image is no longer than this.
SMALL = 1024
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
    memory : int, optional
        Bytes that a worker may use; it decides how large shards are.
    study : StudyChoice, optional
        What a study recommends, for every channel that ``channels`` does not name.
    """

    codec: str = ""
    channels: Mapping[str, str] = field(default_factory=dict)
    readers: Readers = "cytopress"
    chunk: int = CHUNK
    axes: str | None = None
    skip_unreadable: bool = False
    memory: int | None = None
    study: StudyChoice | None = None


@dataclass
class _Channel:
    """A channel of the data set: where it occurs."""

    name: str
    dtype: str
    bits: int
    places: list[tuple[int, int]] = field(default_factory=list)


def make_plan(sources: Sequence[Path], out: Path, wanted: Wanted) -> tuple[Plan, list[str]]:
    """Plan an archive, write its plan, and return it with sentences on what is left out.

    Raises
    ------
    UsageError
        There is nothing to archive, a source cannot be read, a channel is unknown, the codec
        cannot code the pixels, or the folder holds an archive of another plan.
    UnreachableTargetError
        No setting of the codec meets the target.
    """
    _check_empty(out)
    found, notes = find_sources(sources, out)
    images: list[ImagePlan] = []
    channels: dict[tuple[str, str, int], _Channel] = {}
    for source in found:
        try:
            images += _inspect(source, wanted, channels, len(images))
        except CytopressError as error:
            if not wanted.skip_unreadable:
                raise
            notes.append(f"{source.path} is left out: {reason(error, source.path)}")
    if not images:
        raise UsageError("No source can be archived.")
    unknown = wanted.channels.keys() - {one.name for one in channels.values()}
    if unknown:
        named = ", ".join(sorted({one.name for one in channels.values()})) or "none"
        raise UsageError(f"There is no channel {min(unknown)!r}; the sources have {named}.")
    codings: list[Coding] = []
    packages: dict[str, str] = {}
    for one in channels.values():
        names = {other.name for other in channels.values()} - wanted.channels.keys()
        request, study = _request(one, wanted, names)
        samples, seen = sample(one.name, one.bits, one.places, images)
        chunk = images[one.places[0][0]].chunk
        try:
            if study is None:
                codings.append(solve(request, samples, seen=seen))
            else:
                coded = Study(study.folder, study.recorded, chunk)
                codings.append(coded.solve(samples, seen=seen))
        except CodecError as error:
            named = f"channel {one.name}: " if one.name else ""
            raise type(error)(f"{named}{error}") from error
        packages |= {package.sha256: package.name for package in request.packages}
    plan = Plan(
        software=f"cytopress {_version()}",
        readers=wanted.readers,
        codings=tuple(codings),
        images=tuple(images),
        models=packages,
    )
    _write(plan, out)
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
        shard=_shard(chunk, (z, y, x), dtype.itemsize, _most_of_shard(wanted, names, chunk)),
        history=tuple(earlier_loss(source.path)),
    )


def _most_of_shard(wanted: Wanted, names: Sequence[str], chunk: Shape) -> int:
    learned = any(spec.startswith("learned/") for spec in _specs(wanted, names))
    return shard_bytes(wanted.memory, chunk, learned=learned)


def _shard(chunk: Shape, lengths: tuple[int, int, int], itemsize: int, most: int) -> Shape:
    """Return a shard of whole planes, as many as fit into so many bytes; of parts if one is more.

    It has one chunk at least.
    """
    z, y, x = lengths
    _, _, cz, cy, cx = chunk
    rows, columns = -(-y // cy), -(-x // cx)
    while rows * columns * cy * cx * cz * itemsize > most and max(rows, columns) > 1:
        rows, columns = (-(-rows // 2), columns) if rows >= columns else (rows, -(-columns // 2))
    planes = max(1, most // (rows * columns * cy * cx * cz * itemsize))
    return (1, 1, cz * min(planes, -(-z // cz)), rows * cy, columns * cx)


def _channel_names(scene: Scene) -> list[str]:
    count = scene.length("C")
    names = [name.strip() for name in scene.channels]
    return names if len(names) == count else ([""] if count == 1 else list(map(str, range(count))))


def _specs(wanted: Wanted, names: Sequence[str]) -> set[str]:
    """Return the spec strings of an image's channels."""
    if wanted.study is None:
        return {wanted.channels.get(name, wanted.codec) for name in names}
    others = [name for name in names if name not in wanted.channels]
    found = {wanted.study.of_channel(name, others).recorded.spec for name in others}
    return found | {wanted.channels[name] for name in names if name in wanted.channels}


def _is_deep(wanted: Wanted, names: Sequence[str]) -> bool:
    specs = _specs(wanted, names) - {""}
    return bool(specs) and all(2 not in codec(one).family.traits.dims for one in specs)


def _request(
    channel: _Channel, wanted: Wanted, names: Collection[str]
) -> tuple[CodecRequest, ChosenRecommendation | None]:
    """Return what is asked of a channel, and the recommendation that asks for it."""
    spec, study = wanted.channels.get(channel.name, wanted.codec), None
    if wanted.study is not None and channel.name not in wanted.channels:
        study = wanted.study.of_channel(channel.name, names)
        spec = study.recorded.spec
    request = codec(spec or LOSSLESS.get(channel.dtype, "zstd"))
    if wanted.readers != "cytopress" and not (request.lossless or request.name == "round-zstd"):
        raise UsageError(
            f"{request.spec}: readers without cytopress take lossless coding, or rounded pixels:"
            " give round-zstd, such as round-zstd:max_error=4."
        )
    return request, study


def _check_empty(out: Path) -> None:
    """Refuse a folder of other files before anything is read."""
    if not out.exists() or (out / FOLDER / PLAN).exists():
        return
    if not out.is_dir():
        raise UsageError(f"{out}: is a file; name a folder for the archive.")
    if any(out.iterdir()):
        raise UsageError(f"{out}: the folder is not empty and holds no archive; choose another.")


def _write(plan: Plan, out: Path) -> None:
    path = out / FOLDER / PLAN
    if path.exists():
        if read_plan(out).digest == plan.digest:
            return
        raise UsageError(
            f"{out}: holds an archive of another plan (other sources, options or version); choose"
            " another folder."
        )
    path.parent.mkdir(parents=True)
    with atomic_file(path) as temporary:
        temporary.write_text(plan.text, encoding="utf-8")


def _version() -> str:
    try:
        return version("cytopress")
    except PackageNotFoundError:
        return "(not installed)"
