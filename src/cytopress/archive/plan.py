"""Plan of an archive: what is coded, how, and into which shards; an immutable JSON file.

Coding a data set again with the same plan gives the same bytes; its digest names the run.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from pydantic import TypeAdapter, ValidationError

from cytopress.archive.analysis import Analysis
from cytopress.archive.carried import Carried
from cytopress.archive.store_keys import FOLDER
from cytopress.archive.stores import Location, store_of
from cytopress.archive.wanted import Layout, Readers, Request
from cytopress.errors import StoreError
from cytopress.metrics.noise import NoiseModel

FORMAT = 1
AXES = "TCZYX"
Shape = tuple[int, int, int, int, int]
PLAN = f"{FOLDER}/plan.json"


@dataclass(frozen=True, kw_only=True)
class Ceiling:
    """The largest error that is allowed; where it is exceeded, chunks are coded finer.

    Parameters
    ----------
    kind : {"max_error", "sigma", "psnr", "rmse"}
        What is measured: the largest error of a pixel in counts; root-mean-square error in units
        of the noise; peak signal-to-noise ratio in dB; root-mean-square error in counts.
    chunk : float
        Limit for each chunk; the least value of ``psnr``.
    shard : float, optional
        Limit for each shard as a whole, and so for each field.
    data_range : float, optional
        Counts that ``psnr`` refers to.
    """

    kind: Literal["max_error", "sigma", "psnr", "rmse"]
    chunk: float
    shard: float | None = None
    data_range: float | None = None


@dataclass(frozen=True, kw_only=True)
class Coding:
    """How the chunks of a channel are coded, in every image of the data set.

    Parameters
    ----------
    channel : str
        Name of the channel; "" where channels have none.
    dtype : str
        Pixel type.
    bits : int
        Significant bits.
    asked : str
        Spec string as it was asked for, such as ``jpegxl:ratio=20``.
    spec : str
        Spec string of the solved setting, such as ``jpegxl:distance=2.31``.
    limits : (low, high), optional
        Used range of the channel, in counts, over the sampled fields.
    noise : (a, b, offset), optional
        Noise model of the channel, where the codec or the target needs one.
    ceiling : Ceiling, optional
        None for lossless coding.
    expected_ratio, expected_ratio_below : float
        Compression ratio of the sampled chunks, and of their next lower resolution.
    expected_rmse : float
        Root mean square error of the sampled chunks, in counts.
    expected_finer : float
        Share of chunks that are expected to exceed the ceiling, and so to be coded finer.
    analysis : Analysis, optional
        The study that recommended the setting; chunks beyond the ceiling are unlike its fields.
    labels : bool
        Whether these are masks or numbers of objects, whose resolutions have no means.
    """

    channel: str
    dtype: str
    bits: int
    asked: str
    spec: str
    limits: tuple[float, float] | None = None
    noise: tuple[float, float, float] | None = None
    ceiling: Ceiling | None = None
    expected_ratio: float = 1.0
    expected_ratio_below: float = 1.0
    expected_rmse: float = 0.0
    expected_finer: float = 0.0
    analysis: Analysis | None = None
    labels: bool = False

    @property
    def noise_model(self) -> NoiseModel | None:
        """The noise model."""
        return None if self.noise is None else NoiseModel(*self.noise)


@dataclass(frozen=True, kw_only=True)
class ImagePlan:
    """One scene of a source, which becomes one OME-Zarr image.

    Parameters
    ----------
    name : str
        Path of the image in the archive, such as ``sub/a.ome.zarr``.
    source : str
        Path of the source.
    axes : str, optional
        Axes of the source, where they were given.
    scene : int
        Its position in the source.
    identity : (bytes, nanoseconds)
        Size of the source and the time at which it was changed.
    shape : tuple of int
        Lengths along T, C, Z, Y and X.
    spacing_um : tuple of float or None
        Micrometers between samples along Z, Y and X.
    channels : tuple of str
        Names along C.
    codings : tuple of int
        The coding of each channel, as its position in the plan.
    dtype : str
        Pixel type.
    levels : int
        Number of resolutions.
    chunk, shard : tuple of int
        Shape of a chunk, and of a shard: the file in which chunks lie.
    history : tuple of dict
        Loss that the source bears already, as `history.earlier_loss` returns it.
    sha256 : str, optional
        Digest of the source's file; of a folder, of its files' digests in the order of their names.
    source_name : str
        What tells the source from all others: its path in the archive, without an ending.
    parts : tuple of str
        Files of its further channels, where each has its own.
    depths : tuple of int
        By how much the planes of each resolution are fewer; empty for never.
    plain : bool
        Whether it is coded losslessly with codecs that any zarr reader has, as labels are.
    carried : Carried
        What its attributes take over from the source.
    """

    name: str
    source: str
    axes: str | None = None
    scene: int
    identity: tuple[int, int]
    shape: Shape
    spacing_um: tuple[float | None, float | None, float | None]
    channels: tuple[str, ...]
    codings: tuple[int, ...]
    dtype: str
    levels: int
    chunk: Shape
    shard: Shape
    history: tuple[dict[str, Any], ...] = ()
    sha256: str | None = None
    source_name: str = ""
    parts: tuple[str, ...] = ()
    depths: tuple[int, ...] = ()
    plain: bool = False
    carried: Carried = field(default_factory=Carried)

    def level_factors(self, level: int) -> tuple[int, int, int]:
        """Return by how much planes, rows and columns of a resolution are fewer."""
        return (self.depths[level] if self.depths else 1, 2**level, 2**level)

    def level_shape(self, level: int) -> Shape:
        """Return the shape of a resolution: halved lengths are rounded up."""
        t, c, *space = self.shape
        z, y, x = (-(-a // b) for a, b in zip(space, self.level_factors(level), strict=True))
        return (t, c, z, y, x)

    def level_chunk(self, level: int) -> Shape:
        """Return the shape of a chunk of a resolution: no longer than the image."""
        t, c, z, y, x = map(min, self.chunk, self.level_shape(level))
        return (t, c, z, y, x)

    def level_shard(self, level: int) -> Shape:
        """Return the shape of a shard of a resolution: whole chunks."""
        chunk, shape = self.level_chunk(level), self.level_shape(level)
        lengths = (
            min(-(-most // one) * one, -(-length // one) * one)
            for most, one, length in zip(self.shard, chunk, shape, strict=True)
        )
        t, c, z, y, x = lengths
        return (t, c, z, y, x)

    def shards(self, level: int) -> Iterator[Shape]:
        """Yield the position of each shard of a resolution, counted in shards."""
        counts = (
            math.ceil(length / shard)
            for length, shard in zip(self.level_shape(level), self.level_shard(level), strict=True)
        )
        t, c, z, y, x = map(range, counts)
        yield from itertools.product(t, c, z, y, x)

    @property
    def raw_bytes(self) -> int:
        """Bytes of the source's pixels."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The plan of an archive.

    Parameters
    ----------
    software : str
        Name and version of what made it.
    readers : {"cytopress", "everyone", "fiji"}
        Who is to open the archive: readers with cytopress, any zarr reader, or Fiji as well.
    codings, images, models : tuple, tuple, dict
        How channels are coded; the images; and by sha256, the names of the model packages needed.
    left_out : tuple of str
        Sentences on sources that could not be read and were left out.
    layout : {"images", "plate"}
        Whether the names of files say which wells of a plate they are.
    groups, documents : dict
        By path, the attributes of groups that are no images: of plates, wells, lists of labels; and
        the file of OME-XML that is copied into a plate.
    request : Request, optional
        What it was made for.
    format : int
        Version of this file.
    """

    software: str
    readers: Readers
    codings: tuple[Coding, ...]
    images: tuple[ImagePlan, ...]
    models: dict[str, str]
    left_out: tuple[str, ...] = ()
    layout: Layout = "images"
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)
    request: Request | None = None
    format: int = FORMAT

    @property
    def text(self) -> str:
        """The plan as JSON."""
        return _PLANS.dump_json(self, indent=1).decode() + "\n"

    @property
    def raw_bytes(self) -> int:
        """Bytes of all sources' pixels."""
        return sum(image.raw_bytes for image in self.images)


_PLANS = TypeAdapter(Plan)


def read_plan(out: Location) -> Plan:
    """Read the plan of an archive.

    Raises
    ------
    StoreError
        There is none, it is damaged, or a newer version wrote it.
    """
    store = store_of(out)
    path = f"{store}/{PLAN}"
    try:
        plan = _PLANS.validate_json(store.read(PLAN))
    except FileNotFoundError:
        raise StoreError(
            f"{store}: this is no archive: it has no {PLAN}; make one with"
            " `cytopress archive plan`."
        ) from None
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror}).") from error
    except ValidationError as error:
        what = error.errors()[0]
        raise StoreError(f"{path}: the plan is damaged ({what['msg']}).") from error
    if plan.format != FORMAT:
        raise StoreError(
            f"{path}: the plan has format {plan.format}, and this cytopress reads format {FORMAT};"
            " update cytopress."
        )
    return plan
