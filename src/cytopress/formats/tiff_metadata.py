"""What TIFF files without OME-XML say of their images: ImageJ's metadata, and plain tags."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from cytopress.formats.known_metadata import KnownMetadata
from cytopress.formats.ome_xml import SceneMetadata
from cytopress.formats.scene import SourceMetadata

if TYPE_CHECKING:
    from tifffile import TiffFile

# Programs whose own metadata are not read, by tifffile's names.
VENDORS = (
    "andor", "bif", "eer", "fei", "fluoview", "lsm", "metaseries", "micromanager", "ndpi", "nih",
    "philips", "qpi", "scanimage", "scn", "sem", "sis", "stk", "svs", "tvips",
)  # fmt: skip
# Tags that say something of the image; others describe the file.
TAGS = ("Artist", "Copyright", "DocumentName", "HostComputer", "Make", "Model", "PageName")
# Seconds of ImageJ's units of time.
SECONDS = {"": 1.0, "s": 1.0, "sec": 1.0, "ms": 1e-3, "msec": 1e-3, "min": 60.0, "h": 3600.0}
# Of ImageJ: bytes that only ImageJ reads; and what OME-XML has elements for, or describes the file.
BINARY = {"Overlays": "overlays", "ROI": "selection", "Plot": "plot"}
ELSEWHERE = {
    "ImageJ", "images", "channels", "slices", "frames", "hyperstack", "unit", "yunit", "zunit",
    "spacing", "finterval", "tunit", "Info", "Labels", "LUTs", *BINARY,
}  # fmt: skip


def vendor_of(file: TiffFile) -> str:
    """Return the program whose own metadata a file has; "" where it is none of `VENDORS`."""
    return next((name for name in VENDORS if getattr(file, f"is_{name}", False)), "")


def known_tiff_metadata(
    file: TiffFile,
    page: Any,
    axes: str,
    shape: Sequence[int],
    metadata: SceneMetadata,
    *,
    number: int,
) -> SourceMetadata | None:
    """Return what a file without OME-XML says of a scene, as OME-XML; None where it says nothing.

    Parameters
    ----------
    file : TiffFile
        The file.
    page : TiffPage
        The first page of the scene.
    axes, shape : str, sequence of int
        Of the scene.
    metadata : SceneMetadata
        Its pixel size and the names of its channels.
    number : int
        Of the series: identifiers hold it.
    """
    lengths = dict(zip(axes, shape, strict=True))
    sizes = {letter: lengths.get(letter, 1) for letter in "XYZCT"}
    found = file.imagej_metadata if file.is_imagej else None
    known, lost = _imagej(found, sizes, metadata) if found else _plain(file, page)
    if known is None and not lost:
        return None
    text = (known or KnownMetadata()).to_ome_xml(sizes, metadata.spacing_um, number=number)
    return SourceMetadata(text, 0, lost)


def _imagej(
    found: Mapping[str, Any], sizes: Mapping[str, int], metadata: SceneMetadata
) -> tuple[KnownMetadata, list[str]]:
    lost = [f"ImageJ's {what}" for key, what in BINARY.items() if found.get(key) is not None]
    colors = [_color(table) for table in found.get("LUTs") or ()]
    if colors and (None in colors or len(colors) != sizes["C"]):
        lost.append("ImageJ's lookup tables that are no ramp from black to a color")
        colors = colors if len(colors) == sizes["C"] else []
    pairs = {f"ImageJ {key}": _text(value) for key, value in found.items() if key not in ELSEWHERE}
    labels = [str(label) for label in found.get("Labels") or ()]
    if not metadata.channels:
        pairs |= {f"ImageJ label {n}": label for n, label in enumerate(labels, 1) if label}
    interval = found.get("finterval")
    seconds = SECONDS.get(str(found.get("tunit", "")).strip().lower())
    known = isinstance(interval, int | float) and seconds and math.isfinite(interval)
    if interval and not known:
        pairs["ImageJ finterval"] = f"{interval} {found.get('tunit', '')}"
    return (
        KnownMetadata(
            description=str(found.get("Info", "")),
            channels=metadata.channels,
            colors=colors,
            interval_s=interval * seconds if known and interval else None,
            pairs=pairs,
        ),
        lost,
    )


def _color(table: Any) -> tuple[int, int, int] | None:
    """Return the color of a lookup table that is a ramp from black."""
    ramp = np.asarray(table)
    if ramp.shape != (3, 256):
        return None
    last = ramp[:, -1].astype(float)
    straight = np.outer(last, np.arange(256) / 255)
    if np.abs(ramp - straight).max() > 1:
        return None
    red, green, blue = (int(value) for value in ramp[:, -1])
    return red, green, blue


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def _plain(file: TiffFile, page: Any) -> tuple[KnownMetadata | None, list[str]]:
    tags = page.tags
    pairs = {name: str(value) for name in TAGS if (value := tags.valueof(name))}
    date = _date(tags.valueof("DateTime"))
    vendor = vendor_of(file)
    text = "" if file.is_shaped else str(page.description).strip(" \0\r\n\t")
    lost = (
        [f"metadata in the form of {vendor}, but for the text of its description"] if vendor else []
    )
    if not (pairs or date or text):
        return None, lost
    software = str(tags.valueof("Software") or "")
    pairs |= {"Software": software} if software else {}
    return KnownMetadata(date=date, description=text, pairs=pairs), lost


def _date(text: object) -> str:
    try:
        return datetime.strptime(str(text).strip("\0 "), "%Y:%m:%d %H:%M:%S").isoformat()  # noqa: DTZ007 - TIFF has no time zone
    except ValueError:
        return ""
