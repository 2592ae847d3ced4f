"""Codec request: what a spec string asks for, before any image is known.

A codec family with its options, and at most one of: a value of its quality parameter, a portable
target. With neither, the codec is lossless. Against an image a request is resolved to a codec or a
search problem (`resolve`), and the search returns a solution (`search`).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from cytopress.codecs.base import StreamCodec
from cytopress.codecs.container import container
from cytopress.codecs.family import Family
from cytopress.codecs.periodic_noise.frequencies import frequencies_text
from cytopress.codecs.registry import decode
from cytopress.codecs.targets import resolve
from cytopress.codecs.targets.classic_comparison import dearer
from cytopress.codecs.targets.encodes import FEW_BYTES, Encodes, Solution
from cytopress.codecs.targets.field_range import field_range
from cytopress.codecs.targets.lines_choice import field_lines, lines_for, seeks_lines
from cytopress.codecs.targets.request_options import check_quality, lines_option, scale_option
from cytopress.codecs.targets.solutions import solution_of
from cytopress.codecs.targets.spec_text import is_named, spec_text
from cytopress.codecs.targets.target import Target, TargetKind
from cytopress.codecs.wrappers import Guarded, Lines, Scaled, Tiled, Wavelet
from cytopress.errors import CytopressWarning, UsageError
from cytopress.image import Image
from cytopress.metrics.noise import NoiseModel
from cytopress.models.model_package import Package
from cytopress.settings import Settings

AlongZ = Literal["planes", "wavelet"]


@dataclass(frozen=True)
class CodecRequest:
    """A codec of one family, its setting still open where a target has to be solved.

    Parameters
    ----------
    family : Family
        The adapter, or the model package.
    native : float, optional
        Value of the family's quality parameter.
    asked : (kind, value), optional
        The portable target, solved by a search on real encodes.
    data_range : float, optional
        What ``psnr`` refers to, in counts; estimated from the image unless given.
    noise : NoiseModel, optional
        What ``sigma`` refers to, and what codecs shaped by noise use; estimated unless given.
    options : tuple of (name, value), optional
        Other options of the adapter.
    tile : int, optional
        Edge in pixels of the tiles that bound memory.
    guard : int, optional
        Hard bound on the error in counts, kept by a coded residual.
    z : {"planes", "wavelet"}, optional
        How a codec of planes codes a stack: each plane by itself, or after a wavelet along z.
    lines : str, optional
        Whether structured noise is coded apart. ``auto``: where that pays; ``1``: the same, but an
        image that cannot be coded so is refused; ``0``: never. Frequencies, such as
        ``x0.221+x0.442``, in cycles a pixel: as ``auto``, and noise is sought only there. ``auto``
        for learned codecs unless given, else ``0``.
    scale : {"auto", "1", "2", "4"}, optional
        By what the resolution is divided before coding; ``auto``, the default for targets of
        learned codecs: where a target takes fewer bytes so. Without a target ``auto`` is ``1``.
    settings : Settings, optional
        Says where model packages are, for decoding.
    """

    family: Family
    native: float | None = None
    asked: tuple[TargetKind, float] | None = None
    data_range: float | None = None
    noise: NoiseModel | None = None
    options: tuple[tuple[str, float | str], ...] = ()
    tile: int | None = None
    guard: int | None = None
    z: AlongZ = "planes"
    lines: str = ""
    scale: str = ""
    settings: Settings | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        check_quality(self)
        if self.z not in get_args(AlongZ):
            raise UsageError(f"{self.name}: z is planes or wavelet, not {self.z}.")
        object.__setattr__(self, "lines", lines_option(self))
        object.__setattr__(self, "scale", scale_option(self))
        kind, value = self.asked or ("ratio", 1.0)
        Target(kind, value, data_range=self.data_range)
        # Every part is built once: a wrong option is an error now, not at the first image.
        parameter = self.family.traits.parameter
        adapter = self.adapter(parameter.finest if parameter and self.asked else self.native)
        if self.tile is not None:
            Tiled(adapter, tile=self.tile)
        if self.z == "wavelet":
            Wavelet.over(adapter)
        if self.guard is not None:
            Guarded(adapter, max_error=self.guard)

    @property
    def name(self) -> str:
        """Name of the family."""
        return self.family.name

    @property
    def lossless(self) -> bool:
        """Whether every pixel exactly is requested."""
        return self.asked is None and self.adapter(self.native).lossless

    @property
    def packages(self) -> tuple[Package, ...]:
        """The model packages that it needs: part of what identifies a result."""
        parameter = self.family.traits.parameter
        return self.adapter(parameter.finest if parameter else None).packages()

    @property
    def spec(self) -> str:
        """The spec string of this request."""
        return spec_text(self)

    def is_named(self, text: str) -> bool:
        """Whether a spec string is this one's, as it is or without the defaults at its end."""
        return is_named(self, text)

    @property
    def lacks_range(self) -> bool:
        """Whether a data range is needed and not given."""
        return self.asked is not None and self.asked[0] == "psnr" and self.data_range is None

    @property
    def lacks_noise(self) -> bool:
        """Whether a noise model is needed and not given."""
        by_sigma = self.asked is not None and self.asked[0] == "sigma"
        by_shape = self.family.traits.shaped_by_noise and not self.lossless
        return (by_sigma or by_shape) and self.noise is None

    def with_reference_scales(
        self, data_range: float | None, noise: NoiseModel | None
    ) -> CodecRequest:
        """Return this request with the scales that it would else estimate from each image."""
        return replace(
            self,
            data_range=data_range if self.lacks_range else self.data_range,
            noise=noise if self.lacks_noise else self.noise,
        )

    def field_limits(self, images: Iterable[Image]) -> tuple[float, float]:
        """Return the limits, in counts, of fields whose chunks this request is to code alike.

        The range that the codec would take from a field, pooled over all: least and largest count,
        or the percentiles that a learned codec was trained with; without the structured noise that
        is coded apart. Of constant fields, any range.

        Parameters
        ----------
        images : iterable of Image
            Whole fields of one pixel type, at least one; one is in memory at a time.
        """
        low, high = field_range(self, images)
        return low, high if low < high else low + (abs(low) or 1.0)

    def field_lines(self, images: Iterable[Image]) -> tuple[tuple[int, int], ...]:
        """Return where fields have structured noise, for their chunks: axis and frequency of each.

        The axis is 1 along x and 0 along y, the frequency in units of 2 ** -20 cycles a pixel.
        Nothing is sought where this request codes no structured noise apart.

        Parameters
        ----------
        images : iterable of Image
            Whole fields; one is in memory at a time.
        """
        return field_lines(self, images)

    def with_field_lines(self, images: Iterable[Image]) -> CodecRequest:
        """Return this request for chunks of fields: the frequencies of `field_lines` stand in it.

        ``lines=0`` where the fields have none, so that no chunk is searched for any.
        """
        if not seeks_lines(self):
            return self
        return replace(self, lines=frequencies_text(self.field_lines(images)) or "0")

    def at(self, found: Solution) -> CodecRequest:
        """Return this request with what a solution of it found in place of its target.

        That is the setting, the resolution, that structured noise is not coded apart, and the
        bound of a residual.
        """
        parts = found.codec.nested()
        guards = [int(part.max_error) for part in parts if isinstance(part, Guarded)]
        levels = next((part.levels for part in parts if isinstance(part, Scaled)), 0)
        apart = any(isinstance(part, Lines) for part in parts)
        return replace(
            self,
            native=found.setting,
            asked=None,
            scale=str(1 << levels),
            lines=self.lines if apart else "0",
            guard=guards[0] if guards else self.guard,
        )

    def adapter(self, setting: float | None) -> StreamCodec:
        """Return the bare codec at a value of the quality parameter; None: its lossless form."""
        traits = self.family.traits
        options: dict[str, object] = dict(self.options)
        if setting is not None and traits.parameter is not None:
            options[traits.parameter.name] = setting
        if setting is not None and traits.shaped_by_noise and self.noise is not None:
            options |= {"a": self.noise.a, "b": self.noise.b, "offset": self.noise.offset}
        try:
            return self.family.from_options(options)
        except (TypeError, OverflowError) as error:
            given = ", ".join(f"{key}={value}" for key, value in options.items())
            raise UsageError(f"{self.name}: invalid options: {given} ({error}).") from error

    def resolved(self, image: Image) -> CodecRequest:
        """Return this request with every missing reference scale estimated from the image."""
        return resolve.estimate_scales(self, image)[0]

    def check(self, image: Image) -> None:
        """Raise UnsupportedImageError if this image cannot be coded."""
        resolve.check(self, image)

    def solve(self, image: Image, encodes: Encodes | None = None) -> Solution:
        """Find the setting, code the image with it, and say what was reached.

        Parameters
        ----------
        image : Image
            A plane or a stack.
        encodes : Encodes, optional
            Of this image: settings tried for other requests, which are not tried again.

        Raises
        ------
        UnsupportedImageError
            The codec cannot code this image.
        UnreachableTargetError
            No setting meets the target.
        ValueError
            ``encodes`` are of another image.
        """
        if encodes is None:
            encodes = Encodes(image, most_bytes=FEW_BYTES)
        elif encodes.image is not image:
            raise ValueError("encodes belong to one image, and another one was given")
        resolve.check_form(self, image)
        request, doubts = resolve.estimate_scales(self, image)
        lines = lines_for(request, image)
        found = solution_of(request, encodes, lines)
        if found.codec.packages():
            doubts += dearer(request, found, encodes)
        return replace(found, warnings=(*doubts, *found.warnings))

    def encode(
        self,
        image: Image,
        *,
        limits: tuple[float, float] | None = None,
        noise: NoiseModel | None = None,
        lines: tuple[tuple[int, int], ...] | None = None,
    ) -> bytes:
        """Return bytes that decode by themselves.

        Warns with CytopressWarning of what to know before using them (`Solution`), and raises as
        `solve` does.

        Parameters
        ----------
        image : Image
            A plane or a stack, or a chunk of one.
        limits : (low, high), optional
            Of the field that a chunk was cut from (`field_limits`), so that its chunks are coded
            alike; those of the image itself unless given here or by the image.
        noise : NoiseModel, optional
            Of the field, where a noise model is needed and the request has none.
        lines : tuple of (axis, frequency), optional
            Of the field (`field_lines`), where structured noise is coded apart.
        """
        if limits is not None:
            image = replace(image, limits=limits)
        if lines is not None:
            image = replace(image, lines=lines)
        found = self.with_reference_scales(None, noise).solve(image)
        for text in found.warnings:
            warnings.warn(f"{self.spec}: {text}", CytopressWarning, stacklevel=2)
        chunk = image.limits is not None or image.lines is not None
        return container.of_chunk(found.data) if chunk and found.codec.packages() else found.data

    def decode(self, data: bytes) -> Image:
        """Return the image of coded bytes, whichever codec made them."""
        return decode(data, self.settings)
