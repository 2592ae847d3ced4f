"""Grey PNG files of 8 or 16 bits, also stored as color; they hold pixels only, no spacing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np

from cytopress.errors import ImageError
from cytopress.formats.known_metadata import KnownMetadata
from cytopress.formats.scene import Index, Scene, SourceMetadata
from cytopress.image import Image, Pixels

SUFFIXES = (".png",)
SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, PALETTE = 0, 3
# Samples of a decoded pixel by color type: grey, RGB, palette, grey with alpha, RGB with alpha.
SAMPLES = {GREY: 1, 2: 3, PALETTE: 3, 4: 2, 6: 4}


@contextmanager
def open_png(path: Path) -> Iterator[list[Scene]]:
    """Open a PNG file and describe its one scene.

    Its header is read here, since decoders convert palettes and 1, 2 and 4 bits to other numbers.
    """
    with path.open("rb") as stream:
        head = stream.read(26)
        if len(head) < 26 or not head.startswith(SIGNATURE) or head[12:16] != b"IHDR":
            raise ImageError(f"{path}: the file is not a PNG.")
        depth, color = head[24], head[25]
        samples = SAMPLES.get(color, 0) + (color == PALETTE and _has_transparency(stream))
    shape = int.from_bytes(head[20:24]), int.from_bytes(head[16:20])
    if not samples or (color != PALETTE and depth not in (8, 16)):
        kind = "grey" if color == GREY else f"color type {color}"
        raise ImageError(
            f"{path}: a PNG file must be grey with 8 or 16 bits, not {kind} with {depth}."
        )

    def load(index: Index) -> Pixels:
        if color == GREY:
            import imageio.v3 as imageio

            return np.asarray(imageio.imread(path, plugin="pillow"))[index]
        # Pillow would reduce 16 bits of color to 8.
        import imagecodecs

        pixels = np.asarray(imagecodecs.png_decode(path.read_bytes()))
        return pixels.reshape(*shape, samples)[index]

    dtype = np.dtype("uint8" if color == PALETTE else f"uint{depth}")

    def describe() -> SourceMetadata | None:
        return _texts(path, shape)

    if color == GREY:
        yield [Scene(str(path), shape, "YX", dtype, load, metadata=describe)]
    else:
        yield [Scene(str(path), (*shape, samples), "YXS", dtype, load, metadata=describe)]


def _texts(path: Path, shape: tuple[int, int]) -> SourceMetadata | None:
    """Return the texts of a PNG file as OME-XML; None where it has none about its image."""
    import PIL.Image

    with PIL.Image.open(path) as file:
        texts = {str(key): text for key, text in file.info.items() if isinstance(text, str)}
    if not set(texts) - {"Software"}:
        return None
    sizes = {"X": shape[1], "Y": shape[0], "Z": 1, "C": 1, "T": 1}
    description = texts.pop("Description", "")
    known = KnownMetadata(description=description, pairs=texts)
    return SourceMetadata(known.to_ome_xml(sizes, {}))


def _has_transparency(stream: BinaryIO) -> bool:
    """Return whether a palette has an alpha, by the chunks before the pixels."""
    stream.seek(len(SIGNATURE))
    while len(start := stream.read(8)) == 8 and start[4:] not in (b"IDAT", b"IEND"):
        if start[4:] == b"tRNS":
            return True
        # Past the chunk's data and its checksum.
        stream.seek(int.from_bytes(start[:4]) + 4, os.SEEK_CUR)
    return False


def write_png(path: Path, image: Image) -> None:
    """Write a plane of integers."""
    import imageio.v3 as imageio

    imageio.imwrite(path, np.asarray(image.pixels), plugin="pillow", extension=".png")
