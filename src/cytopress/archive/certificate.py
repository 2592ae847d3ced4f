"""Certificate of loss: what coding changed, for every image and for the whole archive."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import zarr

from cytopress.archive import checksums, layout
from cytopress.archive.errors_of_pixels import Errors
from cytopress.archive.plan import FOLDER, Coding, ImagePlan, Plan
from cytopress.atomic import atomic_file
from cytopress.batch.ledger import read_rows
from cytopress.errors import StoreError

CERTIFICATE = "certificate.json"
# Of the convention under which an image's attributes hold its certificate.
CONVENTION = {
    "uuid": "ef5869ee-4d73-4f4f-bee5-4a093000505f",
    "name": "cytopress",
    "description": "How these pixels differ from the original",
}
NEEDS = "pip install cytopress"


def rows_of(out: Path) -> dict[str, dict[str, Any]]:
    """Return the rows of all parts' ledgers by shard."""
    rows: dict[str, dict[str, Any]] = {}
    for path in sorted((out / FOLDER / "ledger").glob("*.jsonl")):
        for key, row in read_rows(path).items():
            if key not in rows or rows[key].get("error"):
                rows[key] = row
    return rows


def shard_keys(image: ImagePlan) -> list[str]:
    """Return the paths of an image's shards in the archive, the full resolution first."""
    return [
        "/".join([image.name, str(level), "c", *map(str, place)])
        for level in range(image.levels)
        for place in image.shards(level)
    ]


def complete(out: Path, plan: Plan) -> bool:
    """Whether every shard of a plan has been written."""
    rows = rows_of(out)
    keys = (key for image in plan.images for key in shard_keys(image))
    return all(key in rows and not rows[key].get("error") for key in keys)


def write(out: Path, plan: Plan) -> None:
    """Write the certificate of each image and of the archive, and SHA256SUMS."""
    rows, when = rows_of(out), datetime.now(UTC).isoformat(timespec="seconds")
    images = {}
    for image in plan.images:
        found = of_image(plan, image, rows, when)
        images[image.name] = found
        group = zarr.open_group(str(out / image.name), mode="r+")
        attributes = layout.attributes(plan, image)
        # The time stands in the certificate alone, so that equal runs give equal images.
        timeless = {key: value for key, value in found.items() if key not in ("when", "before")}
        group.attrs.put(
            attributes
            | {
                "zarr_conventions": [CONVENTION],
                "cytopress": {
                    "version": 1,
                    "lossy": found["ever_lossy"],
                    "history": [*image.history, timeless],
                }
                | ({"needs": NEEDS} if plan.readers == "cytopress" else {}),
            }
        )
    document = {
        "version": 1,
        "when": when,
        "software": plan.software,
        "plan": plan.digest,
        "lossy": any(one["lossy"] for one in images.values()),
        "raw_bytes": sum(one["raw_bytes"] for one in images.values()),
        "coded_bytes": sum(one["coded_bytes"] for one in images.values()),
        "images": images,
    }
    with atomic_file(out / FOLDER / CERTIFICATE) as temporary:
        temporary.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    checksums.write(out)


def of_image(
    plan: Plan, image: ImagePlan, rows: dict[str, dict[str, Any]], when: str
) -> dict[str, Any]:
    """Return the certificate of one image, of its full resolution."""
    by_channel: dict[int, list[dict[str, Any]]] = {}
    for place in image.shards(0):
        key = "/".join([image.name, "0", "c", *map(str, place)])
        by_channel.setdefault(place[1], []).append(rows[key])
    channels = [
        _channel(plan.codings[image.codings[at]], image.channels[at], found)
        for at, found in sorted(by_channel.items())
    ]
    size, changed = image.identity
    lossy = any(one["error"]["max"] > 0 for one in channels)
    return {
        "when": when,
        "software": plan.software,
        "source": {
            "name": Path(image.source).name,
            "scene": image.scene,
            "bytes": size,
            "changed_ns": changed,
        },
        "lossy": lossy,
        "ever_lossy": lossy or any(past.get("lossy") is not False for past in image.history),
        "before": list(image.history),
        "raw_bytes": sum(one["raw_bytes"] for one in channels),
        "coded_bytes": sum(one["coded_bytes"] for one in channels),
        "models": [{"name": name, "sha256": sha} for sha, name in plan.models.items()],
        "channels": channels,
    }


def _channel(coding: Coding, name: str, rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    found = list(rows)
    errors = Errors.sum(Errors.of_row(row["errors"]) for row in found)
    worst = max((row["worst"] for row in found), key=lambda one: one["squares"] / one["pixels"])
    raw, coded = (sum(row[key] for row in found) for key in ("raw_bytes", "coded_bytes"))
    ceiling = coding.ceiling
    error: dict[str, Any] = {
        "max": errors.max_error,
        "rmse": errors.rmse,
        "bias": errors.bias,
        "worst_chunk_rmse": (worst["squares"] / worst["pixels"]) ** 0.5,
    }
    if coding.noise is not None:
        error["noise_sigma"] = errors.sigma
    if ceiling is not None and ceiling.data_range is not None and errors.squares:
        error |= {"psnr": errors.psnr(ceiling.data_range), "data_range": ceiling.data_range}
    return {
        "label": name,
        "codec": coding.spec,
        "asked": coding.asked,
        "limits": coding.limits,
        "raw_bytes": raw,
        "coded_bytes": coded,
        "ratio": raw / coded,
        "error": error,
        "chunks": sum(row["chunks"] for row in found),
        "finer_chunks": sum(row["finer"] for row in found),
    } | _analysis(coding, found)


def _analysis(coding: Coding, rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return what a study says of a channel; chunks that were coded finer are unlike its own."""
    if coding.analysis is None:
        return {}
    unlike = sum(row["finer"] for row in rows)
    return {"analysis": asdict(coding.analysis), "chunks_unlike_the_study": unlike}


def read(out: Path) -> dict[str, Any]:
    """Read the certificate of an archive.

    Raises
    ------
    StoreError
        There is none: the archive is not complete, or the folder holds none.
    """
    path = out / FOLDER / CERTIFICATE
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise StoreError(
            f"{out}: there is no certificate; run `cytopress archive run {out}` to the end."
        ) from None
    except (OSError, ValueError) as error:
        raise StoreError(f"{path}: cannot be read ({error}).") from error
    return found


def summary(certificate: dict[str, Any]) -> list[str]:
    """Return lines that say what coding changed, the worst of each channel over all images."""
    images = certificate["images"]
    raw, coded = certificate["raw_bytes"], certificate["coded_bytes"]
    loss = "with loss" if certificate["lossy"] else "without loss"
    lines = [f"{len(images)} images, {raw / coded:.3g}x smaller, {loss}, {certificate['software']}"]
    by_label: dict[str, list[dict[str, Any]]] = {}
    for image in images.values():
        for channel in image["channels"]:
            by_label.setdefault(channel["label"], []).append(channel)
    for label, found in by_label.items():
        size = sum(one["raw_bytes"] for one in found) / sum(one["coded_bytes"] for one in found)
        line = f"{label or 'all channels'}: {found[0]['codec']}, {size:.3g}x smaller"
        largest = max(one["error"]["max"] for one in found)
        if largest:
            rmse = max(one["error"]["rmse"] for one in found)
            line += f", errors at most {largest:g} counts, RMSE at most {rmse:.3g} in an image"
        finer = sum(one["finer_chunks"] for one in found)
        if finer:
            line += f", {finer} of {sum(one['chunks'] for one in found)} chunks coded finer"
        lines.append(line)
    return lines
