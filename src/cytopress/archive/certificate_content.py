"""Content of a certificate: what was asked of each channel, and which errors were reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cytopress.archive.errors_of_pixels import Errors
from cytopress.archive.plan import Coding, ImagePlan, Plan, Shape
from cytopress.codecs.spec import codec
from cytopress.errors import CytopressError

Row = Mapping[str, Any]
# A row of the ledger, the name of its image, and where its shard begins in that image.
Found = tuple[Row, str, Sequence[int]]


def shard_key(image: ImagePlan, level: int, place: Shape) -> str:
    """Return the path of a shard in the archive."""
    return "/".join([image.name, str(level), "c", *map(str, place)])


def image_facts(plan: Plan, image: ImagePlan, rows: Mapping[str, Row]) -> dict[str, Any]:
    """Return the certificate of one image, of its full resolution; it holds no time of coding."""
    by_channel: dict[int, list[Found]] = {}
    for row, channel, found in _rows(image, rows):
        by_channel.setdefault(channel, []).append((row, image.name, found))
    channels = [
        _channel(plan, plan.codings[image.codings[at]], image.channels[at], found)
        for at, found in sorted(by_channel.items())
    ]
    lossy = any(one["error"]["max"] > 0 for one in channels)
    lost_before = any(past.get("lossy") is not False for past in image.history)
    levels = range(image.levels)
    shards = [shard_key(image, level, at) for level in levels for at in image.shards(level)]
    return {
        "software": plan.software,
        "source": _source(image),
        "lossy": lossy,
        "ever_lossy": lossy or lost_before,
        "second_generation": lossy and lost_before,
        "raw_bytes": sum(one["raw_bytes"] for one in channels),
        "coded_bytes": sum(one["coded_bytes"] for one in channels),
        "models": [{"name": name, "sha256": sha} for sha, name in plan.models.items()],
        "channels": channels,
        "checked": {"shards": len(shards), "read_back": sum(key in rows for key in shards)},
    }


def channel_facts(plan: Plan, rows: Mapping[str, Row]) -> list[dict[str, Any]]:
    """Return what was reached with each coding, over all images that have it."""
    by_coding: dict[int, list[Found]] = {}
    images: dict[int, set[str]] = {}
    for image in plan.images:
        for row, channel, at in _rows(image, rows):
            by_coding.setdefault(image.codings[channel], []).append((row, image.name, at))
            images.setdefault(image.codings[channel], set()).add(image.name)
    return [
        _channel(plan, plan.codings[at], plan.codings[at].channel, found)
        | {"images": len(images[at])}
        for at, found in sorted(by_coding.items())
    ]


def decodes_exactly(plan: Plan, coding: Coding) -> bool | None:
    """Whether every processor decodes the same pixels; None where the codec is not known here."""
    if plan.readers != "cytopress":
        return True
    try:
        request = codec(coding.spec)
    except CytopressError:
        return None
    return request.lossless or request.family.traits.exact


def _rows(image: ImagePlan, rows: Mapping[str, Row]) -> Iterable[tuple[Row, int, list[int]]]:
    """Yield the rows of the full resolution, with the channel and where the shard begins."""
    for place in image.shards(0):
        corner = [at * length for at, length in zip(place, image.level_shard(0), strict=True)]
        yield rows[shard_key(image, 0, place)], place[1], corner


def _source(image: ImagePlan) -> dict[str, Any]:
    size, changed = image.identity
    moment = datetime.fromtimestamp(changed / 1e9, UTC).isoformat(timespec="seconds")
    facts = {
        "name": Path(image.source).name,
        "scene": image.scene,
        "bytes": size,
        "changed": moment,
        "changed_ns": changed,
    }
    return facts if image.sha256 is None else facts | {"sha256": image.sha256}


def _channel(plan: Plan, coding: Coding, name: str, found: Sequence[Found]) -> dict[str, Any]:
    rows = [row for row, _, _ in found]
    raw, coded = (sum(row[key] for row in rows) for key in ("raw_bytes", "coded_bytes"))
    facts: dict[str, Any] = {
        "label": name,
        "codec": coding.spec,
        "asked": coding.asked,
        "promise": None if coding.ceiling is None else asdict(coding.ceiling),
        "limits": coding.limits,
        "raw_bytes": raw,
        "coded_bytes": coded,
        "ratio": raw / coded,
        "error": _reached(coding, rows),
        "worst_chunk": _worst(coding, found),
        "chunks": sum(row["chunks"] for row in rows),
        "finer_chunks": sum(row["finer"] for row in rows),
        "exact_decoding": decodes_exactly(plan, coding),
    }
    if coding.analysis is not None:
        # Chunks that were coded finer have larger errors than the study saw, before that.
        facts |= {
            "analysis": asdict(coding.analysis),
            "chunks_unlike_the_study": facts["finer_chunks"],
        }
    return facts


def _reached(coding: Coding, rows: Sequence[Row]) -> dict[str, Any]:
    errors = Errors.sum(Errors.of_row(row["errors"]) for row in rows)
    return _as_numbers(coding, errors) | {"max": errors.max_error, "bias": errors.bias}


def _worst(coding: Coding, found: Sequence[Found]) -> dict[str, Any]:
    """Return the chunk of the largest error (RMSE): its image, its place in it, its errors."""
    row, image, corner = max(found, key=lambda one: _mean_square(one[0]["worst"]))
    worst = dict(row["worst"])
    at = [begin + inside for begin, inside in zip(corner, worst.pop("at"), strict=True)]
    errors = Errors.of_row(worst)
    return {"image": image, "at": at, "max": errors.max_error} | _as_numbers(coding, errors)


def _mean_square(worst: Row) -> float:
    return float(worst["squares"] / worst["pixels"])


def _as_numbers(coding: Coding, errors: Errors) -> dict[str, Any]:
    """Return RMSE, and what the channel allows: units of the noise, and PSNR.

    PSNR refers to the range that was asked for, else to the limits of the field.
    """
    numbers: dict[str, Any] = {"rmse": errors.rmse}
    if coding.noise is not None:
        numbers["noise_sigma"] = errors.sigma
    data_range = None if coding.ceiling is None else coding.ceiling.data_range
    if data_range is None and coding.limits is not None:
        data_range = coding.limits[1] - coding.limits[0]
    if data_range and errors.squares:
        numbers |= {"psnr": errors.psnr(data_range), "data_range": data_range}
    return numbers
