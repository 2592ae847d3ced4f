"""Structured (periodic) noise coded apart: subtracted before a codec, added after it.

Pickup of a camera is a few waves in the whole plane. A codec of blocks pays for them in every
block, or leaves them out; as waves they take a few hundred bytes.
"""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from cytopress.codecs.base import Form, StreamCodec
from cytopress.codecs.container.container import Recipe
from cytopress.codecs.container.wire import Reader, length_prefixed
from cytopress.codecs.periodic_noise.detection import find_frequencies
from cytopress.codecs.periodic_noise.fitting import Fit, fit
from cytopress.codecs.periodic_noise.layer import Layer
from cytopress.codecs.periodic_noise.layer_stream import pack_layer, take_layer
from cytopress.codecs.periodic_noise.quantization import quantized
from cytopress.codecs.wrappers.lines_mapping import LinesMapping, mapping_of, planes
from cytopress.codecs.wrappers.parts import LossyWrapper
from cytopress.image import Image, Pixels
from cytopress.reuse import reused

# Error left in each part of a wave, in variances of the noise: at the finest, and at the coarsest;
# the pixels for each byte of the codec's that ask for a strength of 1, and by which power it grows.
FINE, COARSE, PIXELS_A_BYTE, POWER = 1.5, 128.0, 70.0, 1.5
# Fractional bits with which a codec that maps the range codes what is left.
FRACTION = 4


@dataclass(frozen=True, eq=False)
class PlaneFits:
    """Structured noise of an image: the fit of each plane, before quantization."""

    pixels: Pixels = field(repr=False)
    fits: tuple[Fit, ...]


def find_lines(image: Image) -> PlaneFits | None:
    """Return the structured noise of an image of integers; None where nothing is worth a byte.

    Frequencies are those of the field that the image was cut from (`Image.lines`), if they are
    known.
    """
    given, every = image.lines, planes(image.pixels)
    wanted = [find_frequencies(plane) if given is None else given for plane in every]
    if not any(wanted):
        return None
    fits = PlaneFits(image.pixels, tuple(map(fit, every, wanted)))
    layers = (quantized(one, image.shape[-2:], FINE) for one in fits.fits)
    return fits if any(layer.lines for layer in layers) else None


@dataclass(frozen=True)
class Lines(LossyWrapper):
    """Subtract structured noise before ``codec`` codes a plane or a stack, and add it again.

    What is added need not be what was subtracted: at a coarse rate it is quantized more coarsely,
    by the bytes that the codec needs.

    Parameters
    ----------
    codec : StreamCodec
        A lossy codec of integer images.
    fraction : int
        Fractional bits of the pixels that ``codec`` is given, for one that maps the used range.
        0: whole counts, in the dtype and bits of the image.
    found : PlaneFits, optional
        Of the image that will be coded; of others it is found again. Not stored.
    """

    codec: StreamCodec
    fraction: int = field(default=0, repr=False)
    found: PlaneFits | None = field(default=None, compare=False, repr=False)

    name: ClassVar[str] = "lines"
    number: ClassVar[int] = 26

    def recipe(self) -> Recipe:
        """Return the wrapped codec's recipe in this one's; the rest is in the stream."""
        return Recipe(self.number, "", {"codec": self.codec.recipe()})

    def check(self, image: Image) -> None:
        """Check the image, and the form in which the wrapped codec gets it."""
        super().check(image)
        self.codec.check(LinesMapping(self.fraction, 0).inner_of(image, np.zeros(image.shape)))

    def parts(self, image: Image) -> list[bytes]:
        """Return the structured noise and the parts of the wrapped codec."""
        shape, fits = image.shape[-2:], self._fits(image)
        layers = [quantized(one, shape, FINE) for one in fits]
        bounded = any(one.traits.bound for one in self.codec.nested())
        mapping = self._mapping(image, layers)
        if bounded and mapping.clips:
            # The bound would not hold where what is left does not fit.
            layers = [Layer(shape, 1, ())] * len(layers)
            mapping = mapping_of(image, layers, 0)
        inner = self.codec.parts(_rest(image, layers, mapping))
        strength = strength_of(image.pixels.size, sum(map(len, inner)))
        if strength > FINE and not bounded:
            layers = [quantized(one, shape, strength) for one in fits]
        head = [mapping.put(), *length_prefixed(map(pack_layer, layers))]
        return [b"".join(head), *inner]

    def rest(self, image: Image) -> Image:
        """Return what is left for the wrapped codec, the structured noise at its finest."""
        layers = self._finest(image)
        return _rest(image, layers, self._mapping(image, layers))

    def scale(self, image: Image) -> int:
        """Return the fractional bits of what is left."""
        return self._mapping(image, self._finest(image)).fraction

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the image with its structured noise."""
        mapping, layers, rest = take_lines(stream, form)
        decoded = self.codec.restore(rest, mapping.form(form)).pixels
        pixels = np.empty(form.shape, form.dtype)
        for plane, part, layer in zip(planes(pixels), planes(decoded), layers, strict=True):
            mapping.backward(part, layer, form.bits, plane)
        return pixels

    def _finest(self, image: Image) -> list[Layer]:
        shape = image.shape[-2], image.shape[-1]
        return [quantized(one, shape, FINE) for one in self._fits(image)]

    def _mapping(self, image: Image, layers: list[Layer]) -> LinesMapping:
        def numbers() -> npt.NDArray[np.int64]:
            found = mapping_of(image, layers, self.fraction)
            return np.array([found.fraction, found.offset, found.clips])

        name = f"mapping to {self.fraction} bits without {_named(layers)}"
        fraction, offset, clips = reused(name, [image.pixels], numbers)
        return LinesMapping(int(fraction), int(offset), bool(clips))

    def _fits(self, image: Image) -> tuple[Fit, ...]:
        found = self.found
        if found is None or found.pixels is not image.pixels:
            found = find_lines(image)
        return found.fits if found else (Fit((), 1.0),) * len(planes(image.pixels))


def _rest(image: Image, layers: list[Layer], mapping: LinesMapping) -> Image:
    """Return an image without its layers; in a search no setting computes it again."""
    name = f"{mapping} of what is left without {_named(layers)}"
    rest = reused(name, [image.pixels], lambda: mapping.inner(image, layers).pixels)
    return mapping.inner_of(image, rest)


def _named(layers: list[Layer]) -> str:
    return hashlib.sha256(pickle.dumps(layers)).hexdigest()


def strength_of(pixels: int, coded_bytes: int) -> float:
    """Return the error to leave in the waves where a codec needs so many bytes for the rest.

    At rates at which noise is left out, the error falls by about a quarter of the rate's relative
    change, so a bit of the codec's saves an error in proportion to the pixels for each byte, and to
    the error itself, which grows with them.
    """
    asked: float = (pixels / (PIXELS_A_BYTE * coded_bytes)) ** POWER
    return min(max(asked, FINE), COARSE)


def take_lines(
    stream: bytes | memoryview, form: Form
) -> tuple[LinesMapping, list[Layer], memoryview]:
    """Return mapping and layer of each plane from a stream, and the wrapped codec's stream.

    Raises
    ------
    CorruptDataError
        The stream is no `Lines`.
    """
    reader = Reader(stream)
    mapping = LinesMapping(reader.varint(), reader.signed())
    mapping.check(form)
    height, width = form.shape[-2:]
    count = form.shape[0] if len(form.shape) == 3 else 1
    layers = [take_layer(reader.view(reader.varint()), (height, width)) for _ in range(count)]
    return mapping, layers, reader.view(reader.left)
