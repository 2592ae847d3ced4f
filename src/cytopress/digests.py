"""SHA-256 digests, hexadecimal, of all that is known by its content.

They are formats: stores, packages and model names hold them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.image import Image


def digest_bytes(data: bytes | memoryview) -> str:
    """Return the digest of bytes."""
    return hashlib.sha256(data).hexdigest()


def digest_text(text: str) -> str:
    """Return the digest of text as UTF-8."""
    return digest_bytes(text.encode())


def digest_json(value: object) -> str:
    """Return the digest of a value as canonical JSON: sorted keys, no spaces, ASCII."""
    return digest_text(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True))


def digest_file(path: Path) -> str:
    """Return the digest of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_path(path: Path) -> str:
    """Return the digest of a file, or of a folder's files in the order of their names."""
    if not path.is_dir():
        return digest_file(path)
    files = sorted(part for part in path.rglob("*") if part.is_file())
    return digest_text("\n".join(map(digest_file, files)))


def digest_paths(paths: Iterable[Path]) -> str:
    """Return one digest of files and folders, whatever their names and order."""
    return digest_text("\n".join(sorted(map(digest_path, paths))))


def digest_labels(labels: npt.NDArray[Any]) -> str:
    """Return the digest of a label image: which pixel has which number, whatever its dtype."""
    digest = hashlib.sha256(json.dumps(list(labels.shape)).encode())
    digest.update(np.ascontiguousarray(labels, "<i8").data)
    return digest.hexdigest()


def digest_image(image: Image) -> str:
    """Return the digest of an image: its pixels and their meaning, not its name.

    A spacing that is known along some axes only enters no score, and not the digest.
    """
    spacing = None if image.full_spacing_um is None else list(image.full_spacing_um)
    form = [image.axes, list(image.shape), image.dtype.str.lstrip("<>|="), image.bits, spacing]
    digest = hashlib.sha256(json.dumps(form).encode())
    digest.update(_little_endian(image.pixels).data)
    return digest.hexdigest()


def digest_pixels(pixels: npt.NDArray[Any]) -> str:
    """Return the digest of pixels alone, little-endian and in C order."""
    return digest_bytes(_little_endian(pixels).tobytes())


def _little_endian(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the pixels in little-endian byte order; a copy only where they are not."""
    return pixels.astype(pixels.dtype.newbyteorder("<"), copy=False)
