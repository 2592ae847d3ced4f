"""What a codec is, and the base that its adapters share.

A codec turns an `Image` into bytes that decode by themselves. An adapter is a frozen dataclass; its
fields are its options. It turns pixels into a bare stream and back (`compress`, `decompress`), and
the base puts the stream into the container. A codec of codecs is a codec.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, Protocol, Self

import numpy as np

from cytopress.codecs.container import container
from cytopress.codecs.container.container import Form
from cytopress.errors import (
    CorruptDataError,
    CytopressError,
    ImageError,
    UnsupportedImageError,
    UsageError,
)
from cytopress.image import Image, Pixels
from cytopress.models.model_package import Package
from cytopress.settings import from_environment


class Codec(Protocol):
    """What every codec can do."""

    @property
    def name(self) -> str:
        """Stable name, such as ``jpegxl``."""

    @property
    def lossless(self) -> bool:
        """Whether decoding returns every pixel exactly."""

    def check(self, image: Image) -> None:
        """Raise UnsupportedImageError if this image cannot be coded; does no other work."""

    def encode(self, image: Image) -> bytes:
        """Return bytes that decode by themselves."""

    def decode(self, data: bytes) -> Image:
        """Return the image of bytes that this codec made (any options).

        Raises
        ------
        CorruptDataError
            The bytes are not whole, not intact, or another codec's.
        """


class Family(Protocol):
    """Codecs that differ in their options alone: an adapter's class, or a model package."""

    @property
    def name(self) -> str:
        """Stable name, such as ``jpegxl`` or ``learned/cytopress-2d``."""

    @property
    def traits(self) -> Traits:
        """What its codecs take and give."""

    def from_options(self, options: container.Options, /) -> StreamCodec:
        """Return the codec of these options."""


@dataclass(frozen=True)
class QualityParameter:
    """A codec's native quality parameter, the one that portable targets are solved over.

    ``finer`` says which direction gives more quality and more bytes. ``scale`` is how the search
    spaces its steps; ``integer`` quality parameters take whole numbers only.
    """

    name: str
    unit: str
    least: float
    most: float
    finer: Literal["lower", "higher"]
    scale: Literal["linear", "log"] = "log"
    integer: bool = False


@dataclass(frozen=True)
class Traits:
    """What a codec takes and gives, for its check, its help and its place in tables."""

    dims: tuple[int, ...]
    dtypes: tuple[str, ...]
    bits: str
    parameter: QualityParameter | None
    reads_back: str
    can_be_lossless: bool
    # Lossy coding stretches the used range to this many bits first, unless the adapter's
    # `stretch_bits` says otherwise (0: it works on counts as they are).
    stretch: int = 0
    # Whether its lossy settings need a noise model (options a, b, offset).
    shaped_by_noise: bool = False
    # What no pixel's error exceeds, as a share of the quality parameter (in counts); 0: no promise.
    bound: float = 0.0
    # Whether it needs a copy of the whole image, or several: large volumes are coded in blocks.
    whole: bool = False
    # Whether it may code a stack's coefficients along z (`z=wavelet`).
    wavelet: bool = False
    # Counts by which the mean may shift beyond what its own error explains.
    bias: float = 0.0
    # Whether lossy decoding gives the same pixels on every machine; False where it is done in
    # floats, which processors round differently: off by one then, where at all.
    exact: bool = True


class StreamCodec(ABC):
    """Base of adapters and wrappers: bare streams in and out, the container around them."""

    name: ClassVar[str]
    number: ClassVar[int]
    traits: ClassVar[Traits]
    # Whether `decompress` takes a view of a file's bytes; else it is given bytes of its own.
    takes_views: ClassVar[bool] = False

    @property
    @abstractmethod
    def lossless(self) -> bool:
        """Whether this very setting returns every pixel exactly."""

    @property
    def exact(self) -> bool:
        """Whether decoding gives the same pixels on every machine."""
        return self.lossless or self.traits.exact

    @abstractmethod
    def compress(self, image: Image) -> bytes:
        """Return the bare stream of an image that passed `check`."""

    def parts(self, image: Image) -> list[bytes]:
        """Return the bare stream in parts: one, or as many as a codec of codecs has at hand."""
        return [self.compress(image)]

    @abstractmethod
    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return pixels of ``form``'s shape and dtype from a bare stream."""

    def stretch_bits(self, image: Image) -> int:  # noqa: ARG002 - some go by the dtype
        """Return to how many bits a lossy setting wants the used range stretched; 0: not at all."""
        return self.traits.stretch

    def leaving(self, share: float) -> Self:  # noqa: ARG002 - for those that can
        """Return this codec at the setting that leaves about ``share`` times the error.

        A wavelet along z codes its coefficients so. What is lossless stays as it is.

        Raises
        ------
        UsageError
            A wavelet before this codec makes no sense.
        """
        raise UsageError(
            f"z=wavelet is for jpegxl, jpegls and jpeg2000, not for {self.name}: leave z out."
        )

    def rounding(self) -> tuple[int, StreamCodec]:
        """Return to multiples of what this rounds pixels, and what codes those losslessly."""
        return 1, self

    def check(self, image: Image) -> None:
        """Raise UnsupportedImageError if this image cannot be coded."""
        if len(image.axes) not in self.traits.dims:
            dims = " or ".join(f"{n}D" for n in self.traits.dims)
            raise UnsupportedImageError(f"{self.name} codes {dims} images, not {image.axes}.")
        if image.dtype.name not in self.traits.dtypes:
            raise UnsupportedImageError(
                f"{self.name} codes {', '.join(self.traits.dtypes)}, not {image.dtype.name}."
            )

    def encode(self, image: Image, notes: container.Notes | None = None) -> bytes:
        """Return bytes that decode by themselves; ``notes`` go into the header for `info`."""
        self.check(image)
        form, parts = Form.of(image), self.parts(image)
        return container.pack_parts(self.recipe(), form, parts, notes or {})

    def decode(self, data: bytes) -> Image:
        """Return the image of bytes that this codec made, whatever its options were then."""
        # The registry knows every adapter, so it cannot be imported before they are.
        from cytopress.codecs.registry import build

        header, stream = container.unpack(data)
        at_hand = (package.path.parent for package in self.packages())
        codec = build(header.recipe, from_environment().with_models(*at_hand))
        if codec.name != self.name:
            raise CorruptDataError(f"These bytes were made by {codec.name}, not by {self.name}.")
        return codec.restore(stream, header.form)

    def restore(self, stream: bytes | memoryview, form: Form) -> Image:
        """Decompress and check what came against what the container promised."""
        if len(form.axes) not in self.traits.dims or form.dtype.name not in self.traits.dtypes:
            raise CorruptDataError(f"{self.name} holds no {form.axes} images of {form.dtype}.")
        try:
            # A view is a `Buffer`, and what takes views slices it as if it were bytes.
            given = stream if self.takes_views else bytes(stream)
            pixels = self.decompress(given, form)  # type: ignore[arg-type]
        except CytopressError:
            raise
        except Exception as error:
            # Whatever a library makes of crafted bytes, a reader sees one kind of error.
            raise CorruptDataError(f"{self.name} cannot decode its stream ({error}).") from error
        if pixels.shape != form.shape or pixels.dtype != form.dtype:
            raise CorruptDataError(
                f"{self.name} decoded {pixels.dtype} {pixels.shape}, but the container promised"
                f" {form.dtype} {form.shape}."
            )
        try:
            return Image(pixels, axes=form.axes, bits=form.bits, spacing_um=form.spacing_um)
        except ImageError as error:
            raise CorruptDataError(f"{self.name} decoded what is no image: {error}") from error

    def packages(self) -> tuple[Package, ...]:
        """Return the model packages that this codec and those inside it need."""
        found: list[Package] = []
        for option in fields(self):  # type: ignore[arg-type]
            value = getattr(self, option.name)
            if isinstance(value, StreamCodec):
                found += value.packages()
            elif isinstance(value, Package):
                found.append(value)
        return tuple(found)

    def recipe(self) -> container.Recipe:
        """Return what rebuilds this codec: its number and the options that are not default."""
        options: dict[str, Any] = {}
        for option in fields(self):  # type: ignore[arg-type]
            value = getattr(self, option.name)
            if isinstance(value, StreamCodec):
                options[option.name] = value.recipe()
            elif value != option.default:
                options[option.name] = value
        return container.Recipe(self.number, self.name if not self.number else "", options)

    @classmethod
    def from_options(cls, options: container.Options) -> Self:
        """Rebuild from the options of a recipe."""
        return cls(**options)


def option_names(family: Family) -> list[str]:
    """Return the names of a family's options, the quality parameter's among them."""
    if isinstance(family, type):
        return [option.name for option in fields(family)]  # type: ignore[arg-type]
    return list(getattr(family, "options", ()))


def within_bits(pixels: Pixels, form: Form) -> Pixels:
    """Return integer pixels in ``form``'s shape and dtype, clipped to its significant bits."""
    if pixels.dtype.itemsize > form.dtype.itemsize:
        raise CorruptDataError(f"The stream holds {pixels.dtype}, not {form.dtype}.")
    clipped = np.minimum(pixels.reshape(form.shape), 2**form.bits - 1)
    return clipped.astype(form.dtype, copy=False)


def integer_option(codec: StreamCodec, name: str, least: int, most: int) -> None:
    """Raise UsageError unless an option is a whole number in a range."""
    value = getattr(codec, name)
    if not _is_number(value) or value != int(value) or not least <= value <= most:
        raise UsageError(
            f"{codec.name}: {name} is a whole number from {least} to {most}, not {value}."
        )


def float_option(
    codec: StreamCodec, name: str, least: float, most: float, *, lossless: float | None = None
) -> None:
    """Raise UsageError unless an option is a number in a range, or the one that means lossless."""
    value = getattr(codec, name)
    if not _is_number(value) or not (least <= value <= most or value == lossless):
        other = "" if lossless is None else f", or {lossless:g} (lossless)"
        raise UsageError(
            f"{codec.name}: {name} is a number from {least:g} to {most:g}{other}, not {value}."
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def to_dtype(values: Pixels, form: Form) -> Pixels:
    """Round to the nearest count and clip to what ``form`` can hold (its significant bits)."""
    if form.dtype.kind == "f":
        return values.astype(form.dtype)
    most = 2**form.bits - 1
    return np.clip(np.rint(values), 0, most).astype(form.dtype)
