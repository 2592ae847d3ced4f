"""Verification of one shard: its bytes, its pixels, and its errors against the source."""

from __future__ import annotations

import hashlib
import itertools
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import zarr

from cytopress.archive.certificate_content import decodes_exactly
from cytopress.archive.checksums import crc32c_of_file, crc32c_of_pixels
from cytopress.archive.errors_of_pixels import Errors, errors_between
from cytopress.archive.plan import Ceiling, Plan
from cytopress.archive.shard import Region, ShardTask, source_pixels
from cytopress.archive.sources import Source
from cytopress.errors import CytopressError, CytopressWarning
from cytopress.image import Pixels

# Sums of squares add up in another order when they are computed again.
RELATIVE = 1e-6
# On another processor an inexact codec may decode a pixel that differs by a count.
INEXACT_COUNTS, INEXACT_RELATIVE = 1.0, 0.01


@dataclass(frozen=True, kw_only=True)
class ShardCheck:
    """What is to be checked of a shard; it pickles.

    Parameters
    ----------
    task : ShardTask
        The shard.
    row : dict
        Its row of the ledger.
    read, decode : bool
        Whether every byte is read, and every chunk decoded.
    source : Source, optional
        What its errors are computed from again.
    exact : bool
        Whether its codec decodes the same pixels on every processor.
    """

    task: ShardTask
    row: dict[str, Any]
    read: bool
    decode: bool
    source: Source | None
    exact: bool

    @property
    def key(self) -> str:
        """Path of the shard in the archive."""
        return self.task.key


def checks_of(
    plan: Plan,
    tasks: list[ShardTask],
    rows: dict[str, dict[str, Any]],
    sources: dict[str, Source],
    *,
    read: bool,
    decode: bool,
) -> Iterator[ShardCheck]:
    """Yield the check of each shard."""
    known = [bool(decodes_exactly(plan, coding)) for coding in plan.codings]
    for task in tasks:
        yield ShardCheck(
            task=task,
            row=rows[task.key],
            read=read,
            decode=decode,
            source=None if task.level else sources.get(task.image.name),
            exact=known[task.image.codings[task.place[1]]],
        )


def check_shard(check: ShardCheck) -> dict[str, str]:
    """Check a shard in a worker; return what is wrong (``error``) and what is worth a ``note``."""
    with warnings.catch_warnings(), zarr.config.set({"async.concurrency": 1}):
        warnings.simplefilter("ignore", CytopressWarning)
        try:
            with check.task.store.failures():
                return _check(check)
        except CytopressError as error:
            return {"error": f"its source cannot be read: {error}"}
        except OSError as error:
            return {"error": f"cannot be read ({error.strerror or error})"}
        except MemoryError:
            return {"error": "needs more memory than there is"}


class _Broken(Exception):  # noqa: N818 - a finding
    """What is wrong with a shard."""


def _check(check: ShardCheck) -> dict[str, str]:
    if check.read and crc32c_of_file(check.task.store, check.key) != check.row["crc32c"]:
        return {"error": "its bytes have changed since it was written"}
    if not check.decode and check.source is None:
        return {}
    try:
        found = _decoded(check)
    except _Broken as broken:
        return {"error": str(broken)}
    error = _wrong_pixels(check, found) or _wrong_errors(check, found.errors)
    other = found.decoded_crc32c != check.row["decoded_crc32c"]
    return {"error": error, "note": "decodes to slightly other pixels" if other else ""}


@dataclass(frozen=True)
class _Decoded:
    """Digests of a shard's pixels and its source's, and the errors of its chunks."""

    decoded_crc32c: int
    decoded_sha256: str
    source_sha256: str
    errors: list[Errors]


def _decoded(check: ShardCheck) -> _Decoded:
    array = check.task.array(check.task.level, mode="r")
    crc, decoded_digest, source_digest = 0, hashlib.sha256(), hashlib.sha256()
    errors: list[Errors] = []
    for region in _slabs(check.task):
        try:
            decoded = np.ascontiguousarray(array[region])
        # Codecs of others fail on damaged bytes in their own ways.
        except Exception as error:
            raise _Broken(f"cannot be decoded: {error}") from error
        crc = crc32c_of_pixels(decoded, crc)
        decoded_digest.update(decoded.data)
        if check.source is None:
            continue
        raw = source_pixels(check.task, check.source, region)
        if (raw.dtype, raw.shape) != (decoded.dtype, decoded.shape):
            raise _Broken("its source has pixels of another type or number")
        source_digest.update(raw.data)
        errors += _chunk_errors(check.task, raw, decoded)
    return _Decoded(crc, decoded_digest.hexdigest(), source_digest.hexdigest(), errors)


def _wrong_pixels(check: ShardCheck, found: _Decoded) -> str:
    row = check.row
    if check.source is not None and found.source_sha256 != row["raw_sha256"]:
        return "its source's pixels are not those that were archived"
    if row["errors"]["max_error"] == 0 and found.decoded_sha256 != row["raw_sha256"]:
        return "its pixels are not its source's, though it was written without loss"
    if check.exact and found.decoded_crc32c != row["decoded_crc32c"]:
        return "decodes to other pixels than when it was written"
    return ""


def _slabs(task: ShardTask) -> Iterator[Region]:
    """Yield parts of a shard in the order of its pixels, each no deeper than a chunk."""
    t, c, z, y, x = task.region
    deep = task.image.level_chunk(task.level)[2]
    for time, channel, plane in itertools.product(
        range(t.start, t.stop), range(c.start, c.stop), range(z.start, z.stop, deep)
    ):
        planes = slice(plane, min(plane + deep, z.stop))
        yield slice(time, time + 1), slice(channel, channel + 1), planes, y, x


def _chunk_errors(task: ShardTask, raw: Pixels, decoded: Pixels) -> Iterator[Errors]:
    rows, columns = task.image.level_chunk(task.level)[-2:]
    for row, column in itertools.product(
        range(0, raw.shape[-2], rows), range(0, raw.shape[-1], columns)
    ):
        part = (..., slice(row, row + rows), slice(column, column + columns))
        yield errors_between(raw[part], decoded[part], task.coding.noise_model)


def _wrong_errors(check: ShardCheck, found: list[Errors]) -> str:
    """Return what is wrong with errors computed again: not the ledger's, or beyond the promise."""
    if not found:
        return ""
    now, then = Errors.sum(found), Errors.of_row(check.row["errors"])
    counts = 0.0 if check.exact else INEXACT_COUNTS
    relative = RELATIVE if check.exact else INEXACT_RELATIVE
    same = math.isclose(now.rmse, then.rmse, rel_tol=relative)
    if abs(now.max_error - then.max_error) > counts or not same:
        return (
            f"its errors are not those of the ledger: largest {now.max_error:g} instead of"
            f" {then.max_error:g}, RMSE {now.rmse:.6g} instead of {then.rmse:.6g}"
        )
    ceiling = check.task.coding.ceiling
    if ceiling is None:
        return "" if now.max_error == 0 else "it differs from its source, and was to be lossless"
    eased = ceiling if check.exact else _eased(ceiling)
    beyond = sum(not one.within(eased, eased.chunk) for one in found)
    if beyond or (eased.shard is not None and not now.within(eased, eased.shard)):
        return f"{beyond} of its chunks have larger errors than the plan promises"
    return ""


def _eased(ceiling: Ceiling) -> Ceiling:
    if ceiling.kind == "max_error":
        return replace(ceiling, chunk=ceiling.chunk + INEXACT_COUNTS)
    factor = 1 - INEXACT_RELATIVE if ceiling.kind == "psnr" else 1 + INEXACT_RELATIVE
    shard = None if ceiling.shard is None else ceiling.shard * factor
    return replace(ceiling, chunk=ceiling.chunk * factor, shard=shard)
