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
from cytopress.codecs.decoding_errors import restored
from cytopress.codecs.encoding_errors import encoding
from cytopress.codecs.traits import QualityParameter, Traits
from cytopress.errors import UnsupportedImageError
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

    def coded_shape(self, stream: bytes) -> tuple[int, ...]:  # noqa: ARG002 - some say none
        """Return the shape in the stream's own header; () where it has none that can be read."""
        return ()

    @property
    def exact(self) -> bool:
        """Whether decoding gives the same pixels on every machine."""
        return self.lossless or self.traits.exact

    @property
    def deviation(self) -> int:
        """Counts by which pixels that another machine decodes may differ; 0 where `exact`."""
        if self.exact:
            return 0
        inside = [getattr(self, option.name) for option in fields(self)]  # type: ignore[arg-type]
        return max((one.deviation for one in inside if isinstance(one, StreamCodec)), default=1)

    def check(self, image: Image) -> None:
        """Raise UnsupportedImageError if this image cannot be coded; do no other work."""
        if len(image.axes) not in self.traits.dims:
            dims = " or ".join(f"{n}D" for n in self.traits.dims)
            raise UnsupportedImageError(f"{self.name} codes {dims} images, not {image.axes}.")
        self.traits.check_dtype(self.name, image.dtype, lossless=self.lossless)
        largest = self.traits.largest
        if len(largest) <= image.pixels.ndim and any(map(gt, image.shape[::-1], largest[::-1])):
            # Tiles are cut in the plane alone.
            deep = image.pixels.ndim == len(largest) == 3 and image.shape[0] > largest[0]
            remedy = "split it along Z" if deep else "give tile=512, which codes an image in tiles"
            most, shape = (" x ".join(map(str, edges)) for edges in (largest, image.shape))
            raise UnsupportedImageError(
                f"{self.name} codes up to {most} pixels, not {shape}: {remedy}."
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
        return restored(self, bytes(stream), form)

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
