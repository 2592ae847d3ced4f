"""Verification of an archive's files: metadata, and the listing against ledger and SHA256SUMS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from cytopress.archive import checksums, layout
from cytopress.archive.plan import Plan
from cytopress.archive.store_keys import FOLDER
from cytopress.archive.stores import Store
from cytopress.formats.zarr_metadata import COLLECTION
from cytopress.models.model_package import SUFFIX

Failure = tuple[str, str]
MODELS = f"{FOLDER}/models"


def changed_files(store: Store, sums: Mapping[str, str], shards: set[str]) -> Iterator[Failure]:
    """Yield files other than shards that are missing or differ from SHA256SUMS.

    They are small: plan, ledgers, certificate, metadata of zarr, models.
    """
    sizes = dict(store.list())
    for key in sums.keys() - shards:
        if key not in sizes:
            yield key, "is missing"
        elif checksums.digest(store, key) != sums[key]:
            yield key, "has changed since it was written"


def models(store: Store, plan: Plan) -> Iterator[Failure]:
    """Yield models that the archive needs and lacks, or that are not those of their name."""
    for sha256, name in plan.models.items():
        key = f"{MODELS}/{sha256}{SUFFIX}"
        if store.size(key) is None:
            yield key, f"is missing: the model {name} does not travel with the archive"
        elif checksums.digest(store, key) != sha256:
            yield key, f"is damaged: it is not the model {name}"


def listing(
    store: Store,
    plan: Plan,
    shards: Sequence[str],
    rows: Mapping[str, Mapping[str, Any]],
    sums: Mapping[str, str],
) -> Iterator[Failure]:
    """Yield shards that are missing or of another size, and files in images that are too many."""
    sizes = dict(store.list())
    for key in shards:
        row = rows.get(key)
        if row is None:
            yield key, "was never written; run `cytopress archive run` again"
        elif row.get("error"):
            yield key, f"could not be written: {row['error']}"
        elif key not in sizes:
            yield key, "is missing"
        elif sizes[key] != row["coded_bytes"]:
            yield key, f"has {sizes[key]} bytes, and {row['coded_bytes']} were written"
        elif key in sums and sums[key] != row["sha256"]:
            yield key, "has another digest in SHA256SUMS than in the ledger"
    known = {*shards, *sums, checksums.NAME}
    for key in strangers(sizes, known):
        if _is_in_image(key, plan):
            yield key, "belongs to no shard of the plan"


def strangers(sizes: Mapping[str, int], known: set[str]) -> Iterator[str]:
    """Yield files that neither the plan nor SHA256SUMS names; locks aside."""
    for key in sizes:
        if key not in known and ".lock" not in PurePosixPath(key).name:
            yield key


def _is_in_image(key: str, plan: Plan) -> bool:
    names = {image.name for image in plan.images}
    parents = {str(parent) for parent in PurePosixPath(key).parents}
    # Without SHA256SUMS it is unknown which metadata files belong to the archive.
    metadata = PurePosixPath(key).name == layout.METADATA or key.endswith(COLLECTION.as_posix())
    return bool(names & parents) and not metadata
