"""Scenes of a .cyto file as those of an image file: their axes, metadata and channel names."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NoReturn

from cytopress.codecs.container import container, multi_image
from cytopress.codecs.container.container import Form, Header
from cytopress.codecs.container.multi_image import Index, Part
from cytopress.errors import CorruptDataError
from cytopress.formats.ome_written import channel_names
from cytopress.formats.scene import Index as PixelIndex
from cytopress.formats.scene import Scene, SourceMetadata


def read_header(stream: BinaryIO, part: Part) -> Header:
    """Return the header of a container, whose checksum is checked."""
    return container.unpack(multi_image.read_part(stream, part))[0]


def stored_scenes(path: Path, stream: BinaryIO, index: Index) -> list[Scene]:
    """Return the scenes of a file, in its order; their pixels are not loaded by them.

    Raises
    ------
    CorruptDataError
        A container is damaged, or the OME-XML does not describe the images that there are.
    """
    firsts: dict[int, Part] = {}
    for part in index.parts:
        firsts.setdefault(part.scene, part)
    forms = [read_header(stream, part).form for part in firsts.values()]
    names = _channel_names(index, forms)
    scenes = []
    for number, (times, channels) in enumerate(index.scenes):
        form = forms[number]
        metadata = SourceMetadata(index.ome_xml, number)
        scenes.append(
            Scene(
                str(path),
                (times, channels, *form.shape),
                f"TC{form.axes}",
                form.dtype,
                _not_loaded,
                {k: v for k, v in zip(form.axes, form.spacing_um or (), strict=False) if v},
                names[number],
                form.bits,
                metadata=functools.partial(_same, metadata) if index.ome_xml else None,
            )
        )
    return scenes


def _channel_names(index: Index, forms: Sequence[Form]) -> list[list[str]]:
    if not index.ome_xml:
        return [[] for _ in forms]
    sizes = [
        dict(zip("XYZ", (*form.shape[::-1], 1), strict=False)) | {"T": times, "C": channels}
        for form, (times, channels) in zip(forms, index.scenes, strict=True)
    ]
    try:
        return channel_names(index.ome_xml, sizes)
    except ValueError as error:
        raise CorruptDataError(
            f"The OME-XML of this cytopress file is damaged: {error}."
        ) from error


def _same(metadata: SourceMetadata) -> SourceMetadata:
    return metadata


def _not_loaded(index: PixelIndex) -> NoReturn:
    raise NotImplementedError("images of a .cyto file are decoded by CytoFile.read")
