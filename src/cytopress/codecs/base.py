"""The codec contract: an adapter turns pixels into a bare stream, and the stream into pixels.

An adapter is a frozen dataclass whose fields are its options. It must give `name`, `number`,
`traits`, `lossless`, `compress` and `decompress`, and extends `check` if its traits do not say all
that it refuses. The base class puts streams into the container; `registry.decode` takes them out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import fields
from operator import gt
from typing import Any, ClassVar, Self

from cytopress.codecs.container import container
from cytopress.codecs.container.container import Form
from cytopress.codecs.encoding_errors import encoding
from cytopress.codecs.traits import QualityParameter, Traits
from cytopress.errors import CorruptDataError, CytopressError, ImageError, UnsupportedImageError
from cytopress.image import Image, Pixels
from cytopress.models.model_package import Package

__all__ = ["Form", "Image", "Pixels", "QualityParameter", "StreamCodec", "Traits"]


class StreamCodec(ABC):
    """Base of all codecs: adapters of a library, model packages, and codecs of codecs.

    ``name`` is stable, such as ``jpegxl``. ``number`` identifies the codec in files; it is 0 for
    codecs of other distributions, which their name identifies.
    """

    name: ClassVar[str]
    number: ClassVar[int]
    traits: ClassVar[Traits]

    @property
    @abstractmethod
    def lossless(self) -> bool:
        """Whether these options return every pixel exactly."""

    @abstractmethod
    def compress(self, image: Image) -> bytes:
        """Return the bare stream of an image that passed `check`."""

    @abstractmethod
    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return pixels of ``form``'s shape and dtype from a bare stream."""

    @property
    def exact(self) -> bool:
        """Whether decoding gives the same pixels on every machine."""
        return self.lossless or self.traits.exact

    def check(self, image: Image) -> None:
        """Raise UnsupportedImageError if this image cannot be coded; do no other work."""
        if len(image.axes) not in self.traits.dims:
            dims = " or ".join(f"{n}D" for n in self.traits.dims)
            raise UnsupportedImageError(f"{self.name} codes {dims} images, not {image.axes}.")
        if image.dtype.name not in self.traits.dtypes:
            raise UnsupportedImageError(
                f"{self.name} codes {', '.join(self.traits.dtypes)}, not {image.dtype.name}."
            )
        largest, plane = self.traits.largest, image.shape[-2:]
        if largest and any(map(gt, plane, largest)):
            raise UnsupportedImageError(
                f"{self.name} codes planes of up to {largest[0]} x {largest[1]} pixels, not"
                f" {plane[0]} x {plane[1]}: give tile=512, which codes them in tiles."
            )

    def encode(self, image: Image, notes: container.Notes | None = None) -> bytes:
        """Return a container, which decodes by itself; ``notes`` go into its header.

        Raises
        ------
        UnsupportedImageError
            This codec cannot code this image.
        CodecError
            Its library failed at this image.
        """
        self.check(image)
        with encoding(self, image):
            parts = self.parts(image)
        return container.pack_parts(self.recipe(), Form.of(image), parts, notes or {})

    def parts(self, image: Image) -> list[bytes]:
        """Return the bare stream in parts: one, unless the codec has others inside."""
        return [self.compress(image)]

    def restore(self, stream: bytes | memoryview, form: Form) -> Image:
        """Return the image of a bare stream, checked to be of ``form``.

        Raises
        ------
        CorruptDataError
            The stream is damaged, or holds another image than ``form`` says.
        """
        return self._restored(bytes(stream), form)

    def _restored(self, stream: bytes, form: Form) -> Image:
        if len(form.axes) not in self.traits.dims or form.dtype.name not in self.traits.dtypes:
            raise CorruptDataError(f"{self.name} holds no {form.axes} images of {form.dtype}.")
        try:
            pixels = self.decompress(stream, form)
        except CytopressError:
            raise
        except Exception as error:
            # A library may raise anything on crafted bytes; a reader sees one kind of error.
            raise CorruptDataError(f"{self.name} cannot decode its stream ({error}).") from error
        if pixels.shape != form.shape or pixels.dtype != form.dtype:
            raise CorruptDataError(
                f"{self.name} decoded {pixels.dtype} {pixels.shape}, but the container promised"
                f" {form.dtype} {form.shape}."
            )
        try:
            return Image(pixels, axes=form.axes, bits=form.bits, spacing_um=form.spacing_um)
        except ImageError as error:
            raise CorruptDataError(f"{self.name} decoded an invalid image: {error}") from error

    def packages(self) -> tuple[Package, ...]:
        """Return the model packages that this codec and those inside it need."""
        values = [getattr(one, option.name) for one in self.nested() for option in fields(one)]  # type: ignore[arg-type]
        return tuple(value for value in values if isinstance(value, Package))

    def nested(self) -> list[StreamCodec]:
        """Return this codec and those inside it, from the outside in."""
        values = [getattr(self, option.name) for option in fields(self)]  # type: ignore[arg-type]
        inner = [
            one for value in values if isinstance(value, StreamCodec) for one in value.nested()
        ]
        return [self, *inner]

    def recipe(self) -> container.Recipe:
        """Return this codec as the container stores it: number, and options that are not default.

        The registry builds the codec again from it.
        """
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
        """Return the codec of options as a spec string or a recipe gives them."""
        return cls(**options)
