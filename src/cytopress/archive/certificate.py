"""Certificate of loss: what coding changed, for every image and for the whole archive."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any

import zarr

from cytopress.archive import certificate_page, checksums
from cytopress.archive.certificate_content import channel_facts, image_facts, shard_key
from cytopress.archive.plan import PLAN, ImagePlan, Plan
from cytopress.archive.sources import Source
from cytopress.archive.store_keys import FOLDER, LEDGERS
from cytopress.archive.stores import Location, Store, store_of
from cytopress.batch.ledger import parsed
from cytopress.digests import digest_text
from cytopress.errors import StoreError
from cytopress.machine import processor, versions

CERTIFICATE, PAGE = f"{FOLDER}/certificate.json", f"{FOLDER}/certificate.html"
# Of the convention under which an image's attributes hold its certificate; its schema and page
# travel with the archive.
UUID = "ef5869ee-4d73-4f4f-bee5-4a093000505f"
SCHEMA, SPECIFICATION = "certificate-v1.schema.json", "certificate-v1.md"
# What is told of earlier losses.
ERRORS = ("max", "rmse")
# Held while certificate and checksums are written.
LOCK = "finish.archive.lock"
NEEDS = "pip install cytopress"
# What the certificate and verification need of a row.
MEMBERS = {
    "raw_bytes", "coded_bytes", "crc32c", "sha256", "raw_sha256", "decoded_crc32c", "chunks",
    "finer", "errors", "worst",
}  # fmt: skip


def rows_of(out: Location) -> dict[str, dict[str, Any]]:
    """Return the rows of all parts' ledgers by shard.

    Raises
    ------
    StoreError
        A ledger is damaged.
    """
    rows: dict[str, dict[str, Any]] = {}
    store = store_of(out)
    for name, _ in store.list(LEDGERS):
        for key, row in parsed(store.read(name), f"{store}/{name}").rows.items():
            if not row.get("error") and not row.keys() >= MEMBERS:
                raise StoreError(f"{store}/{name}: the row of {key} is damaged.")
            if key not in rows or rows[key].get("error"):
                rows[key] = row
    return rows


def shard_keys(image: ImagePlan) -> list[str]:
    """Return the paths of an image's shards in the archive, the full resolution first."""
    return [
        shard_key(image, level, place)
        for level in range(image.levels)
        for place in image.shards(level)
    ]


def complete(out: Location, plan: Plan) -> bool:
    """Whether every shard of a plan has been written."""
    rows = rows_of(out)
    keys = (key for image in plan.images for key in shard_keys(image))
    return all(key in rows and not rows[key].get("error") for key in keys)


def write(out: Location, plan: Plan) -> str:
    """Write the certificate of each image and of the archive, and SHA256SUMS.

    Where the archive is as it was when they were written, they are left as they are.

    Returns
    -------
    note : str
        Why there is no HTML page, or pictures are missing on it; "" where nothing is.
    """
    store = store_of(out)
    ledgers = _ledger_digest(store)
    if _is_current(store, ledgers):
        return ""
    # An interruption from here on is noticed by its absence.
    store.delete(checksums.NAME)
    rows = rows_of(store)
    images = {image.name: image_facts(plan, image, rows) for image in plan.images}
    for image in plan.images:
        group = zarr.open_group(store.zarr(image.name), mode="r+")
        conventions = group.attrs.get("zarr_conventions", ())
        group.attrs.update(attributes(plan, image, images[image.name], conventions))
    for name in (SCHEMA, SPECIFICATION):
        data = (files("cytopress.archive") / "convention" / name).read_bytes()
        store.write(f"{FOLDER}/{name}", data)
    document = _document(plan, rows, images) | {
        "plan": checksums.digest(store, PLAN),
        "ledger_sha256": ledgers,
    }
    sources = {image.name: Source.of(image) for image in plan.images}
    note = _write(store, plan, document, sources)
    checksums.write(
        store, {key: row["sha256"] for key, row in rows.items() if not row.get("error")}
    )
    return note


def attributes(
    plan: Plan, image: ImagePlan, facts: Mapping[str, Any], conventions: Any = ()
) -> dict[str, Any]:
    """Return the attributes that hold an image's certificate, beside those of other conventions.

    They hold no time of the run, so that equal runs give equal images.
    """
    up = "../" * len(PurePosixPath(image.name).parts) + FOLDER
    others = [one for one in conventions if one.get("uuid") != UUID]
    convention = {
        "uuid": UUID,
        "name": "cytopress",
        "schema_url": f"{up}/{SCHEMA}",
        "spec_url": f"{up}/{SPECIFICATION}",
        "description": "How these pixels differ from the original",
    }
    found = {"version": 1, "lossy": facts["ever_lossy"], "history": [*image.history, facts]}
    needs = {"needs": NEEDS} if plan.readers == "cytopress" else {}
    return {"zarr_conventions": [*others, convention], "cytopress": found | needs}


def record(
    out: Location, plan: Plan, verified: Mapping[str, Any], sources: Mapping[str, Source]
) -> str:
    """Write the result of a verification into the certificate; return `write`'s note.

    Digests of other files stay as they were, so that damage remains recognizable.
    """
    store = store_of(out)
    note = _write(store, plan, read(store) | {"verified": dict(verified)}, sources)
    checksums.renew(store, [key for key in (CERTIFICATE, PAGE) if store.size(key) is not None])
    return note


def _write(
    store: Store, plan: Plan, document: Mapping[str, Any], sources: Mapping[str, Source]
) -> str:
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    store.write(CERTIFICATE, text.encode())
    page, note = certificate_page.page(store, plan, document, sources)
    if page is not None:
        store.write(PAGE, page.encode())
    return note


def read(out: Location) -> dict[str, Any]:
    """Read the certificate of an archive.

    Raises
    ------
    StoreError
        There is none: the archive is not complete, or the folder holds none.
    """
    store = store_of(out)
    try:
        found: dict[str, Any] = json.loads(store.read(CERTIFICATE))
    except FileNotFoundError:
        raise StoreError(
            f"{store}: there is no certificate; run `cytopress archive run {store}` to the end."
        ) from None
    except (OSError, ValueError) as error:
        raise StoreError(f"{store}/{CERTIFICATE}: cannot be read ({error}).") from error
    return found


def _document(
    plan: Plan, rows: Mapping[str, Mapping[str, Any]], images: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    keys = [key for image in plan.images for key in shard_keys(image)]
    channels = channel_facts(plan, rows)
    return {
        "version": 1,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "software": plan.software,
        "versions": versions(),
        "processor": processor(),
        "readers": plan.readers,
        "left_out": list(plan.left_out),
        "lossy": any(one["lossy"] for one in images.values()),
        "ever_lossy": any(one["ever_lossy"] for one in images.values()),
        "second_generation": sum(one["second_generation"] for one in images.values()),
        "history": _histories(plan),
        "exact_decoding": all(one["exact_decoding"] for one in channels),
        "raw_bytes": sum(one["raw_bytes"] for one in images.values()),
        "coded_bytes": sum(one["coded_bytes"] for one in images.values()),
        "stored_bytes": sum(rows[key]["coded_bytes"] for key in keys),
        "models": [{"name": name, "sha256": sha} for sha, name in plan.models.items()],
        "checked": {"shards": len(keys), "read_back": sum(key in rows for key in keys)},
        "channels": channels,
        "verified": None,
        "images": dict(images),
    }


def _histories(plan: Plan) -> list[dict[str, Any]]:
    """Return the different losses of sources, each with the number of images that bear it.

    That of an earlier certificate has the largest errors of any image and channel.
    """
    found: dict[tuple[str, bool | None], dict[str, Any]] = {}
    for past in (past for image in plan.images for past in image.history):
        lossy = past.get("lossy") if isinstance(past.get("lossy"), bool) else None
        # An earlier certificate, perhaps another program's, names a codec for each channel.
        channels = past.get("channels")
        channels = channels if isinstance(channels, list) else []
        channels = [one for one in channels if isinstance(one, Mapping)]
        codecs = sorted({str(one.get("codec")) for one in channels})
        method = str(past.get("method") or f"cytopress: {', '.join(codecs)}")
        entry = found.setdefault((method, lossy), {"method": method, "lossy": lossy, "images": 0})
        entry["images"] += 1
        for error in (one.get("error") for one in channels):
            numbers = [error.get(key) for key in ERRORS] if isinstance(error, Mapping) else []
            if numbers and all(isinstance(one, (int, float)) for one in numbers):
                before = entry.get("error", dict.fromkeys(ERRORS, 0))
                entry["error"] = {
                    key: max(before[key], number)
                    for key, number in zip(ERRORS, numbers, strict=True)
                }
    return list(found.values())


def _ledger_digest(store: Store) -> str:
    keys = [key for key, _ in store.list(LEDGERS)]
    return digest_text("".join(f"{key} {checksums.digest(store, key)}\n" for key in keys))


def _is_current(store: Store, ledgers: str) -> bool:
    try:
        found = read(store)
        whole = checksums.read(store).get(CERTIFICATE) == checksums.digest(store, CERTIFICATE)
    except StoreError:
        return False
    return whole and (found.get("plan"), found.get("ledger_sha256")) == (
        checksums.digest(store, PLAN),
        ledgers,
    )
