"""The steps of an archive as functions: plan, run, status, verify, certificate, export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cytopress.archive import certificate
from cytopress.archive.export import Form, export
from cytopress.archive.plan import Plan, read_plan
from cytopress.archive.planning import make_plan
from cytopress.archive.run import Part, RunResult, run
from cytopress.archive.verify import Depth, Verification, verify
from cytopress.archive.wanted import Wanted
from cytopress.callbacks import Progress, no_progress
from cytopress.formats.remote import path_of

Name = str | Path


@dataclass(frozen=True, kw_only=True)
class ArchiveStatus:
    """How much of an archive is written.

    Parameters
    ----------
    images, shards, written : int
        Images, shards of all of their resolutions, and shards that are written.
    failures : mapping
        Why shards could not be written, by their path in the archive.
    coded_bytes : int
        Size of what is written.
    chunks, finer_chunks : int
        Chunks that are written, and those that were coded finer than planned.
    """

    images: int
    shards: int
    written: int
    failures: Mapping[str, str]
    coded_bytes: int
    chunks: int
    finer_chunks: int


def plan_archive(
    sources: Sequence[Name], out: Name, wanted: Wanted | None = None
) -> tuple[Plan, list[str]]:
    """Inspect sources, solve the codec's setting on samples, and write the plan.

    Parameters
    ----------
    sources : sequence of str or Path
        Image files, and folders of them.
    out : str or Path
        Folder of the archive to make, or an ``s3://`` URL.
    wanted : Wanted, optional
        Codec and options; lossless unless given.

    Returns
    -------
    plan : Plan
        What will be coded, and how; its ``codings`` say which ratio and error to expect.
    notes : list of str
        Sentences on what cannot be carried over.

    Raises
    ------
    UsageError
        There is nothing to archive, a source cannot be read, or ``out`` holds another archive.
    UnreachableTargetError
        No setting of the codec meets the target.
    """
    return make_plan([path_of(one) for one in sources], out, wanted or Wanted())


def run_archive(
    out: Name,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    part: tuple[int, int] | None = None,
    progress: Progress = no_progress,
) -> RunResult:
    """Write the shards of an archive that are missing; the same call resumes.

    Parameters
    ----------
    out : str or Path
        The archive, planned.
    workers : int
        Processes. A script that asks for several needs ``if __name__ == "__main__":``.
    scheduler : str, optional
        Address of a dask scheduler, whose workers do the work.
    part : (int, int), optional
        The ``I``-th of ``N`` parts, from 1, where other machines write the others.
    progress : callable, optional
        Called as (bytes done, all, name of a shard).

    Returns
    -------
    RunResult
        Shards that ``failed``, and whether the archive is ``complete``.

    Raises
    ------
    StoreError
        There is no plan, or another run is writing.
    UsageError
        A source has changed since the plan was made.
    """
    chosen = None if part is None else Part(*part)
    return run(out, workers=workers, scheduler=scheduler, part=chosen, progress=progress)


def archive_status(out: Name) -> ArchiveStatus:
    """Tell how much of an archive is written, from its ledger.

    Raises
    ------
    StoreError
        There is no archive.
    """
    plan, rows = read_plan(out), certificate.rows_of(out)
    keys = [key for image in plan.images for key in certificate.shard_keys(image)]
    done = [rows[key] for key in keys if key in rows and not rows[key].get("error")]
    return ArchiveStatus(
        images=len(plan.images),
        shards=len(keys),
        written=len(done),
        failures={key: rows[key]["error"] for key in keys if rows.get(key, {}).get("error")},
        coded_bytes=sum(row["coded_bytes"] for row in done),
        chunks=sum(row["chunks"] for row in done),
        finer_chunks=sum(row["finer"] for row in done),
    )


def verify_archive(
    out: Name,
    *,
    depth: Depth = "default",
    against: Name | Sequence[Name] | None = None,
    share: float = 1.0,
    workers: int = 1,
    accept_inexact: bool = False,
    accept_lost: bool = False,
    progress: Progress = no_progress,
) -> Verification:
    """Check an archive's files, its bytes, and on demand its chunks and its sources.

    Parameters
    ----------
    out : str or Path
        The archive.
    depth : {"quick", "default", "full"}
        Compare the listing with the ledger; read every byte; decode every chunk.
    against : str, Path or sequence of them, optional
        The sources: the errors are computed again.
    share : float
        Share of the shards that are read or decoded.
    workers : int
        Processes. A script that asks for several needs ``if __name__ == "__main__":``.
    accept_inexact : bool
        Whether an archive whose decoding may differ by a count on another processor can be fit for
        deleting its sources.
    accept_lost : bool
        Whether one that lacks metadata of its sources can be.
    progress : callable, optional
        Called as (shards done, all, name of a shard).

    Returns
    -------
    Verification
        Whether it ``passed``, the ``failures`` by name, and whether it is ``fit`` for deleting its
        sources.

    Raises
    ------
    StoreError
        There is no archive.
    UsageError
        The sources are not there.
    """
    given = [against] if isinstance(against, str | Path) else against or ()
    return verify(
        out,
        depth=depth,
        against=[path_of(one) for one in given],
        share=share,
        workers=workers,
        accept_inexact=accept_inexact,
        accept_lost=accept_lost,
        progress=progress,
    )


def archive_certificate(out: Name) -> dict[str, Any]:
    """Return the certificate of loss: what coding changed, by image and channel.

    Raises
    ------
    StoreError
        There is none: the archive is not complete, or the folder holds none.
    """
    return certificate.read(out)


def export_archive(
    out: Name,
    target: Name,
    form: Form = "ome-tiff",
    *,
    workers: int = 1,
    progress: Progress = no_progress,
) -> int:
    """Write the images of an archive for readers without cytopress; return their number.

    Parameters
    ----------
    out, target : str or Path
        The archive, and the folder to write into.
    form : {"ome-tiff", "everyone"}
        A file for each image, or OME-Zarr that any reader opens.
    workers : int
        Processes, for OME-Zarr.
    progress : callable, optional
        Called as (done, all, name).

    Raises
    ------
    StoreError, UsageError, CodecError
        There is no archive, the target cannot be written into, or a shard cannot be decoded.
    """
    return export(out, Path(target), form, workers=workers, progress=progress)
