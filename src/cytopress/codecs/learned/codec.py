"""Learned codecs, ``learned/NAME``: a model package as a codec.

Payload: low and high, the limits of the used range as float32; of a constant image nothing else.
Then the mean of the image in that range, as float16, a CRC-32C of the encoder's own reconstruction,
the background, if the package has one, and the coded latents.
"""

from __future__ import annotations

import functools
import math
import struct
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import google_crc32c
import numpy as np
import numpy.typing as npt

from cytopress.codecs.base import StreamCodec, Traits
from cytopress.codecs.container.container import Form, Options, Recipe
from cytopress.codecs.container.recipe import DIGEST_BYTES, LEARNED
from cytopress.codecs.expectation import Expectation
from cytopress.codecs.learned.entropy.range_coder import RangeDecoder, RangeEncoder
from cytopress.codecs.learned.exact import expectation, payload
from cytopress.codecs.learned.exact.load import open_exact
from cytopress.codecs.learned.latents.gain_units import GainSetting
from cytopress.codecs.learned.model.codec_model import CodecModel
from cytopress.codecs.learned.model.decoder import decode_slabs, synthesize_slabs
from cytopress.codecs.learned.model.encoder import encode_slabs
from cytopress.codecs.learned.model.load import open_model
from cytopress.codecs.learned.model.manifest import is_exact, read_manifest
from cytopress.codecs.learned.model.traits import checked_quality, traits
from cytopress.codecs.learned.pixels.normalization import (
    LIMITS,
    PlaneLike,
    around,
    coded_range,
    constant,
    mean_of,
    normalized,
    pixels_of,
    take_limits,
)
from cytopress.codecs.learned.pixels.slabs import SlabLayout
from cytopress.errors import CorruptDataError, CytopressWarning, PackageError, UsageError
from cytopress.image import Image, Pixels
from cytopress.models.model_package import Package

Array = npt.NDArray[Any]
NUMBER = LEARNED
REST = struct.Struct("<eI")


@dataclass(frozen=True, repr=False)
class Learned(StreamCodec):
    """A learned codec; two with equal packages and qualities are equal.

    Parameters
    ----------
    package : Package
        Of kind "codec", made for this runtime.
    quality : float, optional
        0 to 1 for a model with gains, an integer from 1 for a package of several models; the middle
        unless given. A package of one model at one rate has none.

    Raises
    ------
    PackageError
        The package is not a learned codec's.
    UsageError
        The quality is out of range.
    """

    package: Package = field(compare=False)
    quality: float | None = None
    sha256: str = field(init=False, repr=False)

    number: ClassVar[int] = NUMBER

    def __post_init__(self) -> None:
        object.__setattr__(self, "sha256", self.package.sha256)
        object.__setattr__(
            self, "quality", checked_quality(self.name, self.traits.parameter, self.quality)
        )

    @property
    def name(self) -> str:  # type: ignore[override]
        """Such as ``learned/cytopress-2d``."""
        return self.package.name

    def __repr__(self) -> str:
        quality = "" if self.quality is None else f", quality={self.quality:g}"
        return f"Learned({self.name!r}, sha256={self.sha256[: 2 * DIGEST_BYTES]!r}{quality})"

    @functools.cached_property
    def traits(self) -> Traits:  # type: ignore[override]
        """Traits of the package's codec, with its quality parameter."""
        return traits(read_manifest(self.package))

    @property
    def lossless(self) -> bool:
        """False: learned codecs are lossy."""
        return False

    def recipe(self) -> Recipe:
        """Return the package's identity and the quality."""
        options: dict[str, Any] = {"model": bytes.fromhex(self.sha256)[:DIGEST_BYTES]}
        if self.quality is not None:
            options["quality"] = self.quality
        return Recipe(NUMBER, "", options)

    def compress(self, image: Image) -> bytes:
        """Return limits, mean, checksum and latents."""
        if is_exact(self.package):
            return payload.compress(open_exact(self.package), self.quality, image)
        low, high = coded_range(image, read_manifest(self.package).percentiles)
        limits = LIMITS.pack(low, high)
        if low == high:
            return limits
        model, setting = self._model()
        volume = image.pixels if image.pixels.ndim == 3 else image.pixels[None]
        encoder, smooth, background = RangeEncoder(), b"", setting.background
        if image.pixels.ndim == 2:
            plane, center = normalized(image.pixels, low, high)
            if background is not None:
                background.mesh.subtract(plane, background.mesh.fit(plane))
            windows: Iterator[Sequence[PlaneLike]] = iter([[plane]])
            del plane
        else:
            center = mean_of(volume, low, high)
            windows = _windows(volume, model.slabs, center, low, high)
        latents = encode_slabs(model, setting, encoder, windows)
        crc, form = 0, Form.of(image)
        for _, planes in synthesize_slabs(model, setting, latents, volume.shape):
            for plane in planes:
                if background is not None:
                    grid = background.mesh.refit(_Around(volume[0], center, low, high), plane)
                    smooth = background.pack(grid)
                    background.mesh.add(plane, grid)
                crc = _crc(pixels_of(plane, center, low, high, form), crc)
        return limits + REST.pack(center, crc) + smooth + encoder.bytes()

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the pixels; warns where they differ from those that the encoder decoded.

        Raises
        ------
        CorruptDataError
            The stream is damaged; of a package of format 2 also where the pixels differ.
        """
        if is_exact(self.package):
            return payload.decompress(open_exact(self.package), self.quality, stream, form)
        low, high, rest = take_limits(self.name, stream)
        if low == high:
            return constant(low, form)
        if len(rest) < REST.size:
            raise CorruptDataError(f"{self.name}: the stream ends within its checksum.")
        center, wanted = REST.unpack_from(rest)
        if not np.isfinite(center):
            raise CorruptDataError(f"{self.name}: the mean is not finite.")
        model, setting = self._model()
        shape = form.shape[-2], form.shape[-1]
        coded, background = rest[REST.size :], setting.background
        if background is not None:
            grid, coded = background.unpack(coded, shape)
        decoder = RangeDecoder(coded)
        crc, volume = 0, np.empty((math.prod(form.shape[:-2]), *shape), form.dtype)
        latents = decode_slabs(model, setting, decoder, volume.shape)
        for held, planes in synthesize_slabs(model, setting, latents, volume.shape):
            for z, plane in enumerate(planes, held.start):
                if background is not None:
                    background.mesh.add(plane, grid)
                volume[z] = pixels_of(plane, center, low, high, form)
                crc = _crc(volume[z], crc)
        decoder.finish()
        if crc != wanted:
            warnings.warn(
                f"{self.name}: the decoded pixels are not exactly the encoder's: another processor"
                " rounds floats differently, which can change a pixel by a count; a larger"
                " difference means that the file was altered.",
                CytopressWarning,
                stacklevel=2,
            )
        return volume.reshape(form.shape)

    def expected(self, image: Image) -> Expectation | None:
        """Return what a plane takes at each quality; None for volumes, and for format 1."""
        if not is_exact(self.package) or image.pixels.ndim != 2:
            return None
        return expectation.expected(open_exact(self.package), image)

    def _model(self) -> tuple[CodecModel, GainSetting]:
        several = self.traits.parameter is not None and self.traits.parameter.integer
        model = open_model(self.package, int(self.quality or 1) - 1 if several else 0)
        return model, model.setting(None if several else self.quality)


@dataclass(frozen=True)
class LearnedFamily:
    """Family of a package's codecs, one for each quality.

    ``selected`` is the name that it was asked for by, with its digest, such as
    ``learned/cytopress-2d@40fd4518``: so that a study holds two packages of one name apart.
    """

    package: Package
    selected: str = ""

    number = NUMBER
    options = ("quality",)

    @property
    def name(self) -> str:
        """Such as ``learned/cytopress-2d``."""
        return self.selected or self.package.name

    @property
    def traits(self) -> Traits:
        """Traits of its codecs."""
        return traits(read_manifest(self.package))

    def from_options(self, options: Options) -> Learned:
        """Return the codec of options from a user or from a recipe.

        Raises
        ------
        UsageError
            An option is unknown, or the quality is out of range.
        PackageError
            A recipe names another package.
        """
        unknown = options.keys() - {"model", "quality"}
        if unknown:
            raise UsageError(f"{self.name} has no option {min(unknown)!r}.")
        digest = options.get("model", bytes.fromhex(self.package.sha256)[:DIGEST_BYTES])
        if digest != bytes.fromhex(self.package.sha256)[:DIGEST_BYTES]:
            raise PackageError(
                f"These bytes need the model {digest_text(digest)}, but {self.package.path} is"
                f" {self.package.sha256[: 2 * DIGEST_BYTES]}; decode them with the one that coded."
            )
        return Learned(self.package, options.get("quality"))


def digest_text(digest: object) -> str:
    """Return a digest in hexadecimal."""
    return digest.hex() if isinstance(digest, bytes) else repr(digest)


@dataclass(frozen=True)
class _Around:
    """A normalized plane, less a mean, that is computed where it is indexed."""

    pixels: Pixels
    center: float
    low: float
    high: float

    @property
    def shape(self) -> tuple[int, ...]:
        return self.pixels.shape

    def __getitem__(self, place: tuple[slice, ...]) -> Array:
        return around(self.pixels[place], self.center, self.low, self.high)


def _windows(
    volume: Pixels, slabs: SlabLayout, center: float, low: float, high: float
) -> Iterator[list[_Around]]:
    """Yield the planes that each slab's latents depend on."""
    for slab in range(slabs.count(len(volume))):
        seen = slabs.seen(slab, len(volume))
        yield [_Around(volume[z], center, low, high) for z in seen]


def _crc(pixels: Pixels, before: int) -> int:
    return int(google_crc32c.extend(before, pixels.tobytes()))
