"""Grey PNG files of 8 or 16 bits, which hold pixels only: no spacing, no significant bits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from cytopress.errors import ImageError
from cytopress.formats.scene import Index, Scene
from cytopress.image import Image, Pixels

SUFFIXES = (".png",)
SIGNATURE = b"\x89PNG\r\n\x1a\n"


@contextmanager
def open_png(path: Path) -> Iterator[list[Scene]]:
    """Open a PNG file and describe its one scene.

    Its header is read here, since decoders convert palettes and 1, 2 and 4 bits to other numbers.
    """
    with path.open("rb") as stream:
        head = stream.read(26)
    if len(head) < 26 or not head.startswith(SIGNATURE) or head[12:16] != b"IHDR":
        raise ImageError(f"{path}: the file is not a PNG.")
    width, height = int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
    depth, color = head[24], head[25]
    if color != 0 or depth not in (8, 16):
        kind = {0: "grey", 2: "RGB", 3: "palette", 4: "grey with alpha", 6: "RGB with alpha"}
        raise ImageError(
            f"{path}: a PNG file must be grey with 8 or 16 bits, not"
            f" {kind.get(color, 'unknown')} with {depth}."
        )

    def load(index: Index) -> Pixels:
        import imageio.v3 as imageio

        return np.asarray(imageio.imread(path, plugin="pillow"))[index]

    yield [Scene(str(path), (height, width), "YX", np.dtype(f"uint{depth}"), load)]


def write_png(path: Path, image: Image) -> None:
    """Write a plane of integers."""
    import imageio.v3 as imageio

    imageio.imwrite(path, np.asarray(image.pixels), plugin="pillow", extension=".png")
