"""Loss that a source bears already: compressed TIFF, an earlier certificate; one entry for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# Of TIFF's compressions, those that can lose something: True where they always do.
LOSSY = {
    "JPEG": True, "OJPEG": True, "JPEG_LOSSY": True, "ALT_JPEG": True, "JPEGXR": None,
    "JPEGXR_NDPI": None, "APERIO_JP2000_RGB": None, "APERIO_JP2000_YCBC": None, "JPEG2000": None,
    "JPEG_2000_LOSSY": True, "JPEGXL": None, "JPEGXL_DNG": None, "WEBP": None, "LERC": None,
}  # fmt: skip


def earlier_loss(path: Path) -> list[dict[str, Any]]:
    """Return what is known of a source's coding with loss, the first one first.

    ``lossy`` is None where the form of coding can be with or without loss.
    """
    if path.is_dir():
        return _of_zarr(path)
    if path.suffix.lower() in (".tif", ".tiff", ".btf", ".tf2", ".tf8"):
        return _of_tiff(path)
    return []


def _of_zarr(path: Path) -> list[dict[str, Any]]:
    import zarr

    found = zarr.open(str(path), mode="r").attrs.get("cytopress")
    history = found.get("history") if isinstance(found, dict) else None
    return [one for one in history if isinstance(one, dict)] if isinstance(history, list) else []


def _of_tiff(path: Path) -> list[dict[str, Any]]:
    import tifffile

    with tifffile.TiffFile(path) as file:
        name = getattr(file.pages.first.compression, "name", "")
    if name not in LOSSY:
        return []
    return [{"when": "before", "method": f"{name} in TIFF", "lossy": LOSSY[name]}]
