"""LIF files in the form of Leica LAS X: a header of XML, then a block of memory for each image."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import numpy.typing as npt

# Numbers of the axes in the header; the first two are X and Y.
DIMENSIONS = {"X": 1, "Y": 2, "Z": 3, "T": 4}


def write_lif(
    path: Path,
    images: Mapping[str, npt.NDArray[np.uint16]],
    *,
    channels: Sequence[str],
    bits: int,
    step_um: float,
) -> None:
    """Write images (T, Z, C, Y, X) of uint16 under their names, as LAS X lays them out.

    ``step_um`` is between samples along X, Y and Z; frames are a second apart.
    """
    elements = [
        _element(name, f"MemBlock_{number}", pixels, channels, bits, step_um)
        for number, (name, pixels) in enumerate(images.items())
    ]
    text = (
        '<LMSDataContainerHeader Version="2"><Element Name="project" UniqueID="0">'
        f"<Children>{''.join(elements)}</Children></Element></LMSDataContainerHeader>"
    ).encode("utf-16-le")
    with path.open("wb") as file:
        file.write(struct.pack("<IIBI", 0x70, len(text) + 5, 0x2A, len(text) // 2) + text)
        for number, pixels in enumerate(images.values()):
            name, data = f"MemBlock_{number}", pixels.astype("<u2").tobytes()
            head = struct.pack("<BQBI", 0x2A, len(data), 0x2A, len(name))
            rest = head + name.encode("utf-16-le")
            file.write(struct.pack("<II", 0x70, len(rest)) + rest + data)


def _element(
    name: str,
    block: str,
    pixels: npt.NDArray[np.uint16],
    channels: Sequence[str],
    bits: int,
    step_um: float,
) -> str:
    strides = dict(zip("TZCYX", pixels.strides, strict=True))
    lengths = dict(zip("TZCYX", pixels.shape, strict=True))
    described = "".join(
        f'<ChannelDescription DataType="0" ChannelTag="0" Resolution="{bits}"'
        f' NameOfMeasuredQuantity="" Min="0" Max="1" Unit="" LUTName={quoteattr(channel)}'
        f' IsLUTInverted="0" BytesInc="{at * strides["C"]}" BitInc="0"/>'
        for at, channel in enumerate(channels)
    )
    # Its length is from the first sample to the last.
    axes = "".join(
        f'<DimensionDescription DimID="{number}" NumberOfElements="{lengths[axis]}" Origin="0"'
        f' Length="{(lengths[axis] - 1) * (1 if axis == "T" else step_um * 1e-6)}"'
        f' Unit="{"s" if axis == "T" else "m"}" BytesInc="{strides[axis]}" BitInc="0"/>'
        for axis, number in DIMENSIONS.items()
        if lengths[axis] > 1
    )
    return (
        f'<Element Name={quoteattr(name)} UniqueID="{block}"><Data><Image><ImageDescription>'
        f"<Channels>{described}</Channels><Dimensions>{axes}</Dimensions></ImageDescription>"
        f'</Image></Data><Memory Size="{pixels.nbytes}" MemoryBlockID="{block}"/></Element>'
    )
