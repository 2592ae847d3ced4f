"""OME-XML of a bioio plugin's scene: the plugin's own, or what bioio knows of any format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from cytopress.formats.known_metadata import KnownMetadata
from cytopress.formats.scene import SourceMetadata

# Fields of bioio's standard metadata that OME-XML has no element for.
OTHER = ("binning", "row", "column", "position_index", "total_time_duration")


class PluginMetadata:
    """The OME-XML of a file's scenes; a plugin that describes all of them is asked once.

    Parameters
    ----------
    file : bioio.BioImage
        The file.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self._whole = ""

    def bits(self, number: int) -> int:
        """Return the significant bits of a scene; 0 where its plugin does not say them."""
        found = self.of(number, {}, ())
        images = ET.fromstring(found.text).findall("{*}Image")  # noqa: S314 - just made
        pixels = images[found.image].find("{*}Pixels")
        said = "" if pixels is None else pixels.get("SignificantBits", "")
        return int(said) if said.isdecimal() else 0

    def of(
        self, number: int, spacing_um: Mapping[str, float], channels: Sequence[str]
    ) -> SourceMetadata:
        """Return the metadata of a scene.

        Parameters
        ----------
        number : int
            Of the scene.
        spacing_um, channels : mapping, sequence of str
            Its pixel size and the names of its channels, for plugins that give no OME-XML.
        """
        if self._whole:
            return SourceMetadata(self._whole, number)
        self._file.set_scene(number)
        reason = "gives no OME-XML"
        try:
            text = str(self._file.ome_metadata.to_xml())
            images = len(ET.fromstring(text).findall("{*}Image"))  # noqa: S314 - just made
            if images == len(self._file.scenes):
                self._whole = text
                return SourceMetadata(text, number)
            if images == 1:
                return SourceMetadata(text)
        except NotImplementedError:
            pass
        # Each plugin converts in its own way, and fails on a file in its own way.
        except Exception as error:  # noqa: BLE001
            # Of several lines the first one says what is wrong, the others what is allowed.
            why = str(error).strip().partition("\n")[0].rstrip(".")
            reason = f"fails to give OME-XML ({type(error).__name__}: {why})"
        lost = f"its plugin {reason}, so only what bioio knows of every format is kept"
        lengths = dict(zip(str(self._file.dims.order), self._file.shape, strict=True))
        sizes = {letter: lengths.get(letter, 1) for letter in "XYZCT"}
        known = _standard(self._file, number, channels)
        return SourceMetadata(known.to_ome_xml(sizes, spacing_um, number=number), 0, (lost,))


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
