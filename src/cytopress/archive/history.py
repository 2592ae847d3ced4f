"""History of loss: what a source bears already, such as JPEG in TIFF or an earlier certificate."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from cytopress.archive.czi_compression import compressions
from cytopress.errors import CytopressError
from cytopress.files.coding_facts import coding_facts
from cytopress.files.cyto_file import is_cyto, open_cyto
from cytopress.formats.ome_written import lossy_codings
from cytopress.formats.remote import local_file, zarr_place

# Of TIFF's compressions, those that can lose something: True where they always do.
TIFF = {
    "JPEG": True, "OJPEG": True, "JPEG_LOSSY": True, "ALT_JPEG": True, "JPEGXR": None,
    "JPEGXR_NDPI": None, "APERIO_JP2000_RGB": None, "APERIO_JP2000_YCBC": None, "JPEG2000": None,
    "JPEG_2000_LOSSY": True, "JPEGXL": None, "JPEGXL_DNG": None, "WEBP": None, "LERC": None,
    "JETRAW": True,
}  # fmt: skip
TIFF_SUFFIXES = (".tif", ".tiff", ".btf", ".tf2", ".tf8", ".svs", ".ndpi", ".qptiff", ".scn")
# Of CZI's compressions by number.
CZI = {1: ("JPEG", True), 4: ("JPEG XR", None)}
# Image files whose format as such codes with loss.
FILES = {
    ".jpg": ("JPEG file", True), ".jpeg": ("JPEG file", True), ".jp2": ("JPEG 2000 file", None),
    ".j2k": ("JPEG 2000 file", None), ".webp": ("WebP file", None), ".avif": ("AVIF file", None),
    ".jxl": ("JPEG XL file", None),
}  # fmt: skip
# Codecs and filters of zarr that lose something, by parts of their names.
ZARR = {
    "bitround": True, "quantize": True, "fixedscaleoffset": None, "zfp": None, "sperr": True,
    "sz3": None, "jpegls": None, "jpeg2k": None, "jpegxl": None, "jpegxr": None, "jpeg": True,
    "webp": None, "avif": None, "lerc": None, "pcodec": False, "astype": None,
}  # fmt: skip
BEFORE = "before"
# What the description of an exported OME-TIFF says of loss; `export` writes it.
EXPORTED = {
    True: "coded with loss; its certificate says what was lost",
    False: "coded without loss, as its certificate says",
    None: "whose certificate says what was lost",
}


def earlier_loss(path: Path) -> list[dict[str, Any]]:
    """Return what is known of a source's coding with loss, the first one first.

    ``lossy`` is None where the form of coding can be with or without loss. Files that cannot be
    read have no history; reading their pixels says why.
    """
    try:
        if path.is_dir():
            return _of_zarr(path)
        with local_file(path) as file:
            return _of_file(file)
    except (CytopressError, OSError, ValueError, KeyError, struct.error):
        return []


def _of_file(path: Path) -> list[dict[str, Any]]:
    suffix = path.suffix.lower()
    if is_cyto(path):
        return _of_cyto(path)
    if suffix in TIFF_SUFFIXES:
        return _of_tiff(path)
    if suffix == ".czi":
        return [_entry(f"{name} in CZI", lossy=lossy) for name, lossy in _of_czi(path)]
    if suffix == ".nd2":
        return _of_nd2(path)
    return [_entry(FILES[suffix][0], lossy=FILES[suffix][1])] if suffix in FILES else []


def _entry(method: str, *, lossy: bool | None) -> dict[str, Any]:
    return {"when": BEFORE, "method": method, "lossy": lossy}


def _of_zarr(path: Path) -> list[dict[str, Any]]:
    """Return the history of an earlier certificate, else the lossy codecs that arrays name."""
    import zarr

    group = zarr.open(zarr_place(path), mode="r")
    found = group.attrs.get("cytopress")
    history = found.get("history") if isinstance(found, dict) else None
    if isinstance(history, list):
        return [one for one in history if isinstance(one, dict)]
    names: dict[str, bool | None] = {}
    for document in sorted([*path.rglob(".zarray"), *path.rglob("zarr.json")]):
        for name in _codec_names(json.loads(document.read_bytes())):
            part = next((one for one in ZARR if one in name.lower()), None)
            if part is not None and ZARR[part] is not False:
                names[name] = ZARR[part]
    return [_entry(f"{name} in zarr", lossy=lossy) for name, lossy in names.items()]


def _codec_names(document: Any) -> Iterator[str]:
    """Yield the names of the codecs and filters of an array's metadata, those in shards too."""
    if not isinstance(document, dict):
        return
    codecs = document.get("codecs") or []
    filters = document.get("filters") or []
    compressor = [document["compressor"]] if document.get("compressor") else []
    for one in [*codecs, *filters, *compressor]:
        yield str(one.get("name") or one.get("id") or "")
        yield from _codec_names(one.get("configuration"))


def _of_tiff(path: Path) -> list[dict[str, Any]]:
    """Return the lossy compressions of the pages and of the resolutions below them."""
    import tifffile

    names: dict[str, bool | None] = {}
    with tifffile.TiffFile(path) as file:
        pages = [series.levels[0].keyframe for series in file.series]
        pages = pages or [file.pages.first]
        for page in pages:
            name = getattr(page.compression, "name", "")
            if name in TIFF:
                names[name] = TIFF[name]
        text = file.pages.first.description or ""
    entries = [_entry(f"{name} in TIFF", lossy=lossy) for name, lossy in names.items()]
    exported = [lossy for lossy, sentence in EXPORTED.items() if sentence in text]
    return [
        *(_entry("cytopress: exported from an archive", lossy=lossy) for lossy in exported),
        *(_entry(f"cytopress: {codec}", lossy=True) for codec in lossy_codings(text)),
        *entries,
    ]


def _of_cyto(path: Path) -> list[dict[str, Any]]:
    """Return the codecs with loss of a .cyto file, after those that its own source names."""
    with open_cyto(path) as file:
        codecs = lossy_codings(file.stored_xml())
        for header, part in zip(file.headers, file.parts, strict=True):
            facts = coding_facts([header], [part.length], file.settings)
            if facts["lossless"] != "true":
                codecs.append(facts["codec"])
    return [_entry(f"cytopress: {codec}", lossy=True) for codec in dict.fromkeys(codecs)]


def _of_czi(path: Path) -> Iterator[tuple[str, bool | None]]:
    for number in sorted(compressions(path)):
        if number in CZI:
            yield CZI[number]


def _of_nd2(path: Path) -> list[dict[str, Any]]:
    try:
        nd2 = import_module("nd2")
    except ImportError:
        return []
    with nd2.ND2File(path) as file:
        lossy = file.attributes.compressionType == "lossy"
    return [_entry("lossy compression in ND2", lossy=True)] if lossy else []
