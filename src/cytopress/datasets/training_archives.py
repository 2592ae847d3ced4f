"""Training images in archives on PyPI, which are read and never installed.

An archive is searched for in the folder ``archives`` of ``CYTOPRESS_DATA``, then of the cache, and
its digest is checked.
"""

from __future__ import annotations

import fnmatch
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from cytopress.datasets.training_archive_table import ARCHIVES, Archive, Members
from cytopress.digests import digest_file
from cytopress.errors import CytopressError, DatasetError, UnknownNameError
from cytopress.formats.images import read
from cytopress.image import Image
from cytopress.settings import Settings, from_environment


def archive(name: str) -> Archive:
    """Return the record of an archive.

    Raises
    ------
    UnknownNameError
        No archive has this name.
    """
    if name not in ARCHIVES:
        raise UnknownNameError("archive", name, sorted(ARCHIVES))
    return ARCHIVES[name]


def archive_images(name: str, settings: Settings | None = None) -> list[Image]:
    """Read the images of an archive, sorted by channel, then file, then frame.

    Parameters
    ----------
    name : str
        A key of ``ARCHIVES``.
    settings : Settings, optional
        Folders of this machine; read from the environment unless given.

    Returns
    -------
    list of Image
        Planes, each named ``CHANNEL:FILE`` or ``CHANNEL:FILE T=3``.

    Raises
    ------
    UnknownNameError
        No archive has this name.
    DatasetError
        The archive is not on this machine (the message says how to get it), has another digest, or
        lacks an image.
    """
    known = archive(name)
    path = _find(known, settings or from_environment())
    _check_digest(known, path)
    images: list[Image] = []
    with _opened(path) as (names, extract):
        for members in known.members:
            found = sorted(fnmatch.filter(names, members.pattern))
            if not found:
                raise DatasetError(
                    f"{path}: the archive holds no {members.pattern}; fetch it again."
                )
            for inner in found:
                images += _read(members, inner, extract(inner))
    return images


def _find(known: Archive, settings: Settings) -> Path:
    bases = (settings.data, settings.cache)
    folders = [base / "archives" for base in bases if base is not None]
    for folder in folders:
        if (folder / known.file).is_file():
            return folder / known.file
    where = " or ".join(str(folder) for folder in folders)
    raise DatasetError(
        f"The archive {known.file} of {known.name} is not in {where}; run"
        f" `{known.command} -d {folders[-1]}`."
    )


def _check_digest(known: Archive, path: Path) -> None:
    if (found := digest_file(path)) != known.sha256:
        raise DatasetError(
            f"{path}: its SHA-256 must be {known.sha256}, not {found}; remove it and run"
            f" `{known.command} -d {path.parent}`."
        )


@contextmanager
def _opened(path: Path) -> Iterator[tuple[list[str], Callable[[str], bytes]]]:
    """Open a wheel or source archive; give the names of its files and a function to read one."""
    try:
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel:
                yield wheel.namelist(), wheel.read
            return
        with tarfile.open(path) as source:

            def extract(name: str) -> bytes:
                stream = source.extractfile(name)
                return b"" if stream is None else stream.read()

            yield [member.name for member in source.getmembers() if member.isfile()], extract
    except (zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise DatasetError(f"{path}: cannot be unpacked ({error}); fetch it again.") from error


def _read(members: Members, inner: str, data: bytes) -> list[Image]:
    stem = Path(inner).stem
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / Path(inner).name
        path.write_bytes(data)
        try:
            images = read(path, axes=members.axes)
        except CytopressError as error:
            raise DatasetError(f"{inner}: {error}") from error
    several = len(images) > 1
    return [
        Image(
            _subtract(image, members.subtract, inner),
            name=f"{members.channel}:{stem}" + (f" {image.name}" if several else ""),
        )
        for image in images
    ]


def _subtract(image: Image, added: int, inner: str) -> np.ndarray:  # type: ignore[type-arg]
    if not added:
        return image.pixels
    if int(image.pixels.min()) < added:
        raise DatasetError(
            f"{inner}: every pixel must be at least {added}, not {image.pixels.min()}."
        )
    return np.asarray(image.pixels - image.pixels.dtype.type(added))
