"""Planning of an archive: inspect the sources, sample them, and solve each channel's setting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cytopress.archive import layout
from cytopress.archive.chunk_encoding import ChunkCoding
from cytopress.archive.groups import documents_of, groups_of
from cytopress.archive.inspecting import ChannelKey, Form, Inspection
from cytopress.archive.memory import shard_bytes
from cytopress.archive.plain import plain_coding
from cytopress.archive.plan import PLAN, Coding, Plan, Shape, read_plan
from cytopress.archive.recommended import Study
from cytopress.archive.sample_codings import Samples
from cytopress.archive.sampling import sample
from cytopress.archive.solving import solve
from cytopress.archive.sources import check_unchanged, find_sources
from cytopress.archive.stores import Location, Store, store_of
from cytopress.archive.study_choice import ChosenRecommendation
from cytopress.archive.wanted import Request, Wanted
from cytopress.codecs.spec import codec
from cytopress.codecs.targets.classic_comparison import dearer_than_classic
from cytopress.codecs.targets.request import CodecRequest
from cytopress.errors import CodecError, UsageError
from cytopress.figures import count_text
from cytopress.formats.remote import path_of

# Lossless codecs, for pixels that each of them takes.
LOSSLESS = {"uint8": "jpegls", "uint16": "jpegls"}


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
    sources = [path_of(one) for one in sources]
    found, notes = find_sources(sources, str(store), wanted.layout)
    request = Request.of(sources, [one.path for one in found], wanted)
    planned = _planned(store, request)
    if planned is not None:
        return planned, [*planned.left_out, *notes]
    seen = Inspection(
        Form(
            chunk=wanted.chunk,
            axes=wanted.axes,
            is_deep=lambda names: _is_deep(wanted, names),
            shard_bytes=lambda names, chunk: _shard_bytes(wanted, names, chunk),
            named=frozenset(wanted.channels),
            hash=wanted.hash,
        )
    )
    for source in found:
        seen.add(source, skip_unreadable=wanted.skip_unreadable, several=len(found) > 1)
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
        coding, asked, dearer = _code(key, places, seen, wanted)
        codings.append(coding)
        notes += dearer
        if asked is not None:
            packages |= {package.sha256: package.name for package in asked.packages}
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
        request=request,
    )
    layout.check(plan)
    store.write(PLAN, plan.text.encode())
    again = [one for one in images if any(past.get("lossy") is not False for past in one.history)]
    if again and not all(one.ceiling is None for one in codings):
        methods = {str(past.get("method", "cytopress")) for one in again for past in one.history}
        count = count_text(len(again), "image")
        notes.append(
            f"Coded with loss before, or maybe so ({', '.join(sorted(methods))}): {count}; this"
            " loss is added to that one."
        )
    return plan, notes


def _code(
    key: ChannelKey, places: Sequence[tuple[int, int]], seen: Inspection, wanted: Wanted
) -> tuple[Coding, CodecRequest | None, list[str]]:
    """Return the coding of a channel, what was asked, and where a classic codec is better.

    Nothing is asked where it is plain.
    """
    if key.plain:
        samples, _ = sample(key.name, key.bits, places, seen.images)
        return plain_coding(key, samples.chunks), None, []
    request, study = _request(key, seen.channels, wanted)
    samples, share = sample(key.name, key.bits, places, seen.images)
    try:
        if study is None:
            coding = solve(request, samples, seen=share)
        else:
            chunk = seen.images[places[0][0]].chunk
            coding = Study(study.folder, study.recorded, chunk).solve(samples, seen=share)
    except CodecError as error:
        named = f"channel {key.name}: " if key.name else ""
        raise type(error)(f"{named}{error}") from error
    return replace(coding, labels=key.labels), request, _dearer(coding, samples)


def _dearer(coding: Coding, samples: Samples) -> list[str]:
    """Return what to take where a learned codec needs more bytes, on a chunk of the samples."""
    request = codec(coding.spec)
    if not request.packages:
        return []
    chunks = ChunkCoding(request, coding.limits, coding.bits)
    image = chunks.image(samples.chunks[len(samples.chunks) // 2])
    found = chunks.codec(image)
    named = f"channel {coding.channel}: " if coding.channel else ""
    texts = dearer_than_classic(request, found, image, len(found.encode(image)))
    return [f"{named}{text}" for text in texts]


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


def _shard_bytes(wanted: Wanted, names: Sequence[str], chunk: Shape) -> int:
    learned = any(spec.startswith("learned/") for spec in _specs(wanted, names))
    return shard_bytes(wanted.memory, chunk, learned=learned)


def _request(
    channel: ChannelKey, channels: Iterable[ChannelKey], wanted: Wanted
) -> tuple[CodecRequest, ChosenRecommendation | None]:
    """Return what is asked of a channel, and the recommendation that asks for it."""
    spec, study = wanted.channels.get(channel.name, "" if channel.labels else wanted.codec), None
    if wanted.study is not None and not channel.labels and channel.name not in wanted.channels:
        names = {one.name for one in channels if not (one.plain or one.labels)}
        study = wanted.study.of_channel(channel.name, names - wanted.channels.keys())
        spec = study.recorded.spec
    request = codec(spec or LOSSLESS.get(channel.dtype, "zstd"))
    plain = request.lossless or (request.name == "round-zstd" and request.scale == "1")
    if wanted.readers != "cytopress" and not plain:
        raise UsageError(
            f"{request.spec}: readers without cytopress take lossless coding, or rounded pixels:"
            " give round-zstd, such as round-zstd:max_error=4."
        )
    return request, study


def _check_empty(store: Store) -> None:
    """Refuse a folder of other files before anything is read."""
    if store.size(PLAN) is not None:
        return
    if Path(str(store)).is_file():
        raise UsageError(f"{store}: is a file; name a folder for the archive.")
    if next(store.list(), None) is not None:
        raise UsageError(f"{store}: the folder is not empty and holds no archive; choose another.")


def _planned(store: Store, request: Request) -> Plan | None:
    """Return the plan that is there, if it was made for this request and its sources are the same.

    Raises
    ------
    UsageError
        It was made for another request, or a source has changed since.
    """
    if store.size(PLAN) is None:
        return None
    plan = read_plan(store)
    other = "" if plan.request is None else plan.request.difference(request)
    if other or plan.request is None:
        raise UsageError(
            f"{store}: holds an archive that was planned {other or 'by an older version'}; choose"
            " another folder, or go on with that one by `archive run`."
        )
    check_unchanged(plan.images)
    return plan


def software() -> str:
    """Return the name and version of what makes archives."""
    try:
        return f"cytopress {version('cytopress')}"
    except PackageNotFoundError:
        return "cytopress (not installed)"
