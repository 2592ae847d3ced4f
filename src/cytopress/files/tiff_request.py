"""Codec requests for TIFF files that other programs open: which codecs, and how targets are met."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from cytopress.codecs.adapters.jpeg2000 import Jpeg2000
from cytopress.codecs.adapters.round_zstd import RoundZstd
from cytopress.codecs.adapters.zstd import Zstd
from cytopress.codecs.base import StreamCodec
from cytopress.codecs.container import container
from cytopress.codecs.spec import codec as parse
from cytopress.codecs.targets import resolve, search
from cytopress.codecs.targets.encodes import Encodes, Solution
from cytopress.codecs.targets.request import CodecRequest
from cytopress.codecs.targets.target import Target
from cytopress.errors import UnsupportedImageError, UsageError
from cytopress.files.channel_codecs import ChannelCodecs, parsed_codecs
from cytopress.files.tiff_tiles import UNIT, Predicted, TiffTiles, tiles_of
from cytopress.image import Image
from cytopress.settings import Settings

Readers = Literal["everyone", "tifffile"]
# Names of Deflate, which is no codec of its own, and the codecs that are parsed instead.
DEFLATE: Mapping[str, str] = {"deflate": "zstd", "round-deflate": "round-zstd"}
DEFLATE_LEVEL, MOST_DEFLATE = 6, 9
EVERYONE = ("deflate", "zstd", "round-deflate", "round-zstd", "jpeg2000", "jpeg")
# TIFF's numbers of compressions. Of JPEG 2000 the one that Bio-Formats, tifffile and GDAL share.
COMPRESSIONS = {
    "deflate": 8,
    "zstd": 50000,
    "jpeg": 7,
    "jpeg2000": 34712,
    "jpegxl": 50002,
    "lerc": 34887,
}
TIFFFILE_ONLY = ("jpegxl", "lerc")


@dataclass(frozen=True)
class TiffSolution:
    """An image coded for a TIFF file: the codec found, its tiles, and what was reached.

    ``reached`` is in the unit of the target; the compression ratio where there is none.
    """

    codec: TiffTiles
    tiles: list[bytes]
    reached: float
    target: Target | None
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class TiffRequest:
    """A codec request whose result is tiles of a TIFF file; from `tiff_request`.

    Parameters
    ----------
    name : str
        As it was given, such as ``round-deflate``.
    request : CodecRequest
        Options and target.
    """

    name: str
    request: CodecRequest

    @property
    def compression(self) -> int:
        """TIFF's number of the compression."""
        return COMPRESSIONS[self.name.removeprefix("round-")]

    @property
    def predicted(self) -> bool:
        """Whether integers are stored as differences along rows."""
        return self.name.removeprefix("round-") in ("deflate", "zstd")

    def solve(self, image: Image) -> TiffSolution:
        """Find the setting that meets the target, and code the image with it.

        Raises
        ------
        UnsupportedImageError
            The codec cannot code this image in a TIFF file.
        UnreachableTargetError
            No setting meets the target.
        """
        self._check(image)
        if not self.predicted:
            # Readers know no significant bits: what they decode may lie beyond them.
            image = replace(image, bits=0)
        request, doubts = resolve.estimate_scales(self.request, image)
        problem = resolve.resolve(request, image)
        encodes = Encodes(image, most_bytes=0)
        if isinstance(problem, StreamCodec):
            target = None
            found = encodes.untargeted(self._tiles_at(request.native, image))
        else:
            target = problem.target
            native = replace(
                problem, name=self.name, codec_at=lambda setting: self._tiles_at(setting, image)
            )
            found = search.solve(native, encodes)
        return _solution(found, target, image, (*doubts, *found.warnings))

    def _check(self, image: Image) -> None:
        resolve.check_form(self.request, image)
        if self.name == "jpeg" and image.dtype.name != "uint8":
            raise UnsupportedImageError(
                f"jpeg in a TIFF file has 8 bits, and this image is {image.dtype}: use jpeg2000, or"
                " write a .cyto file."
            )
        if self.name == "jpeg2000" and image.dtype.kind != "u":
            raise UnsupportedImageError(
                f"jpeg2000 in a TIFF file is for unsigned integers, and this image is"
                f" {image.dtype}: use zstd, or write a .cyto file."
            )

    def _tiles_at(self, setting: float | None, image: Image) -> TiffTiles:
        """Return the codec at a value of the quality parameter; None: lossless."""
        adapter = self.request.adapter(setting)
        tile = self.request.tile or 512
        return TiffTiles(self._tile_codec(adapter, image), tile=tile)

    def _tile_codec(self, adapter: StreamCodec, image: Image) -> StreamCodec:
        coder = self.name.removeprefix("round-")
        if isinstance(adapter, Zstd):
            return Predicted(coder, adapter.level)
        if isinstance(adapter, RoundZstd):
            return Predicted(coder, adapter.level, float(adapter.step))
        if isinstance(adapter, Jpeg2000) and not adapter.lossless:
            # A spec counts from the used range, and what is stored from the whole one.
            span = int(image.pixels.max()) - int(image.pixels.min())
            more = 20 * math.log10((2**image.bits - 1) / max(span, 1))
            return Jpeg2000(level=min(float(f"{adapter.level + more:.6g}"), 120.0))
        return adapter


def tiff_codecs(
    texts: Sequence[str],
    settings: Settings | None = None,
    *,
    readers: Readers = "everyone",
    name: str = "",
    optional: Collection[str] = (),
) -> ChannelCodecs[TiffRequest]:
    """Parse specs for all channels or one, as `channel_codecs`, each by `tiff_request`."""
    return parsed_codecs(
        texts,
        lambda spec: tiff_request(spec, settings, readers=readers),
        name=name,
        optional=optional,
    )


def tiff_request(
    spec: str, settings: Settings | None = None, *, readers: Readers = "everyone"
) -> TiffRequest:
    """Return the request of a spec string for a TIFF file.

    Parameters
    ----------
    spec : str
        As `codecs.spec.codec` takes it, of a codec with a place in TIFF files; ``deflate`` and
        ``round-deflate`` have the options of ``zstd`` and ``round-zstd``. ``tile`` is the edge of
        the file's tiles.
    settings : Settings, optional
        For the parser.
    readers : {"everyone", "tifffile"}, optional
        Who can open the file: everyone takes what Bio-Formats lists.

    Raises
    ------
    UsageError
        The spec is wrong, or of a codec that the readers do not know.
    """
    name, colon, options = spec.partition(":")
    known = EVERYONE if readers == "everyone" else (*EVERYONE, *TIFFFILE_ONLY)
    if name not in known:
        # That there is no such codec is a better reason.
        parse(spec, settings)
        way = "write a .cyto file"
        if name in TIFFFILE_ONLY:
            way = f"give --readers tifffile, whose readers know {name}"
        raise UsageError(
            f"{spec}: Bio-Formats opens no TIFF file of {name}; give one of {', '.join(EVERYONE)},"
            f" or {way}."
        )
    request = parse(f"{DEFLATE.get(name, name)}{colon}{options}", settings)
    wrapped = request.guard is not None or request.z != "planes"
    if wrapped or request.lines != "0" or request.scale != "1":
        raise UsageError(
            f"{spec}: guard, z, lines and scale have no place in a TIFF file; write a .cyto file."
        )
    if request.tile is not None and request.tile % UNIT:
        raise UsageError(f"{spec}: tile is a multiple of {UNIT} in a TIFF file.")
    if name in DEFLATE:
        request = _with_deflate_level(spec, request)
    return TiffRequest(name, request)


def _with_deflate_level(spec: str, request: CodecRequest) -> CodecRequest:
    options = dict(request.options)
    level = options.setdefault("level", DEFLATE_LEVEL)
    if isinstance(level, int) and level > MOST_DEFLATE:
        raise UsageError(f"{spec}: level is 1 to {MOST_DEFLATE}.")
    return replace(request, options=tuple(options.items()))


def _solution(
    found: Solution, target: Target | None, image: Image, warnings: tuple[str, ...]
) -> TiffSolution:
    assert isinstance(found.codec, TiffTiles)
    stream = container.unpack(found.data)[1]
    tiles = tiles_of(stream, found.codec, image.shape)
    return TiffSolution(found.codec, tiles, found.reached, target, warnings)
