"""OME-XML of a bioio plugin's scene: the plugin's own, or what bioio knows of any format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from cytopress.formats.known_metadata import KnownMetadata
from cytopress.formats.scene import SourceMetadata

# Fields of bioio's standard metadata that OME-XML has no element for.
OTHER = ("binning", "row", "column", "position_index", "total_time_duration")


def plugin_metadata(
    file: Any, number: int, spacing_um: Mapping[str, float], channels: Sequence[str]
) -> SourceMetadata:
    """Return the metadata of a scene.

    Parameters
    ----------
    file : bioio.BioImage
        The file.
    number : int
        Of the scene.
    spacing_um, channels : mapping, sequence of str
        Its pixel size and the names of its channels, for plugins that give no OME-XML.
    """

    def standard(*lost: str) -> SourceMetadata:
        known = _standard(file, number, channels)
        lengths = dict(zip(str(file.dims.order), file.shape, strict=True))
        sizes = {letter: lengths.get(letter, 1) for letter in "XYZCT"}
        unread = "its plugin gives no OME-XML, so what bioio knows of every format is kept"
        text = known.to_ome_xml(sizes, spacing_um, number=number)
        return SourceMetadata(text, 0, (unread, *lost))

    file.set_scene(number)
    try:
        text = file.ome_metadata.to_xml()
    except NotImplementedError:
        return standard()
    # Each plugin converts in its own way, and fails on a file in its own way.
    except Exception as error:  # noqa: BLE001
        return standard(f"its plugin's OME-XML ({type(error).__name__}: {error})")
    images = len(ET.fromstring(text).findall("{*}Image"))  # noqa: S314 - made just now
    if not images:
        return standard()
    # A plugin that describes one scene at a time gives one image.
    return SourceMetadata(text, number if images == len(file.scenes) else 0)


def _standard(file: Any, number: int, channels: Sequence[str]) -> KnownMetadata:
    found = getattr(file, "standard_metadata", None)

    def text(name: str) -> str:
        value = getattr(found, name, None)
        return "" if value is None else str(value)

    date = getattr(found, "imaging_datetime", None)
    interval = getattr(found, "timelapse_interval", None)
    stage = [getattr(found, f"stage_position_{letter}", None) for letter in "xy"]
    return KnownMetadata(
        name=str(file.scenes[number]) if len(file.scenes) > 1 else "",
        date="" if date is None else date.isoformat(),
        channels=channels,
        interval_s=None if interval is None else interval.total_seconds(),
        stage_um=(stage[0], stage[1]),
        objective=text("objective"),
        experimenter=text("imaged_by"),
        pairs={name: text(name) for name in OTHER if text(name)},
    )
