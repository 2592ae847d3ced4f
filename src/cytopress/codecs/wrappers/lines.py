"""Structured (periodic) noise coded apart: subtracted before a codec, added after it.

Pickup of a camera is a few waves in the whole plane. A codec of blocks pays for them in every
block, or leaves them out; as waves they take a few hundred bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from cytopress.codecs.base import Form, StreamCodec, Traits
from cytopress.codecs.container.container import Recipe
from cytopress.codecs.container.wire import Reader, length_prefixed, varints
from cytopress.codecs.periodic_noise.detection import find_frequencies
from cytopress.codecs.periodic_noise.fitting import Fit, fit
from cytopress.codecs.periodic_noise.layer import FINEST, Layer
from cytopress.codecs.periodic_noise.layer_stream import pack_layer, take_layer
from cytopress.codecs.periodic_noise.quantization import quantized
from cytopress.codecs.wrappers.parts import PartsCodec
from cytopress.errors import CorruptDataError
from cytopress.image import Image, Pixels

# Error left in each part of a wave, in variances of the noise: at the finest, and at the coarsest,
# and the pixels for each byte of the codec's that ask for a strength of 1.
FINE, COARSE, PIXELS_A_BYTE = 1.5, 64.0, 36.0
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
    planes = _planes(image.pixels)
    given = image.lines
    wanted = [find_frequencies(plane) if given is None else given for plane in planes]
    if not any(wanted):
        return None
    fits = PlaneFits(image.pixels, tuple(map(fit, planes, wanted)))
    layers = (quantized(one, planes.shape[1:], FINE) for one in fits.fits)
    return fits if any(layer.lines for layer in layers) else None


@dataclass(frozen=True)
class Lines(PartsCodec):
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
    fraction: int = 0
    found: PlaneFits | None = field(default=None, compare=False, repr=False)

    name: ClassVar[str] = "lines"
    number: ClassVar[int] = 26
    traits: ClassVar[Traits] = Traits(
        dims=(2, 3),
        dtypes=("uint8", "uint16"),
        bits="any",
        parameter=None,
        reads_back="the same dtype",
        can_be_lossless=False,
    )

    @property
    def lossless(self) -> bool:
        """Never: what is left may not fit into the pixels' range."""
        return False

    @property
    def exact(self) -> bool:
        """That of the wrapped codec."""
        return self.codec.exact

    def recipe(self) -> Recipe:
        """Return the wrapped codec's recipe in this one's; the rest is in the stream."""
        return Recipe(self.number, "", {"codec": self.codec.recipe()})

    def check(self, image: Image) -> None:
        """Check the image, and the form in which the wrapped codec gets it."""
        super().check(image)
        self.codec.check(_inner(image, np.zeros(image.shape, self._dtype(image.dtype)), None))

    def parts(self, image: Image) -> list[bytes]:
        """Return the structured noise and the parts of the wrapped codec."""
        planes = _planes(image.pixels)
        fits = self._fits(image)
        layers = [quantized(one, planes.shape[1:], FINE) for one in fits]
        fraction, offset, rest = _subtracted(image, layers, self.fraction)
        limits = image.limits and tuple(limit * 2**fraction + offset for limit in image.limits)
        inner = self.codec.parts(_inner(image, rest.reshape(image.shape), limits))
        strength = strength_of(image.pixels.size, sum(map(len, inner)))
        if strength > FINE and not self.codec.traits.bound:
            layers = [quantized(one, planes.shape[1:], strength) for one in fits]
        head = [varints(fraction, offset), *length_prefixed(map(pack_layer, layers))]
        return [b"".join(head), *inner]

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the image with its structured noise."""
        fraction, offset, layers, rest = take_lines(stream, form)
        inner = replace(form, dtype=np.dtype(np.uint16), bits=16) if fraction else form
        decoded = self.codec.restore(rest, inner).pixels
        pixels = np.empty(form.shape, form.dtype)
        for plane, part, layer in zip(_planes(pixels), _planes(decoded), layers, strict=True):
            values = part.astype(np.int32) - offset + layer.values(fraction)
            half = 1 << fraction - 1 if fraction else 0
            plane[...] = np.clip(values + half >> fraction, 0, 2**form.bits - 1)
        return pixels

    def _fits(self, image: Image) -> tuple[Fit, ...]:
        found = self.found
        if found is None or found.pixels is not image.pixels:
            found = find_lines(image)
        return found.fits if found else (Fit((), 1.0),) * len(_planes(image.pixels))

    def _dtype(self, dtype: np.dtype[Any]) -> np.dtype[Any]:
        return np.dtype(np.uint16) if self.fraction else dtype


def strength_of(pixels: int, coded_bytes: int) -> float:
    """Return the error to leave in the waves where a codec needs so many bytes for the rest.

    At rates at which noise is left out, the error falls by about a quarter of the rate's relative
    change, so a bit of the codec's saves an error in proportion to the pixels for each byte.
    """
    return min(max(pixels / (PIXELS_A_BYTE * coded_bytes), FINE), COARSE)


def take_lines(stream: bytes, form: Form) -> tuple[int, int, list[Layer], memoryview]:
    """Return fraction, offset and layer of each plane from a stream, and the wrapped codec's.

    Raises
    ------
    CorruptDataError
        The stream is no `Lines`.
    """
    reader = Reader(stream)
    fraction, offset = reader.varint(), reader.varint()
    if fraction > FINEST or offset >= 2**16 or form.dtype.kind != "u" or form.dtype.itemsize > 2:
        raise CorruptDataError("The structured noise does not fit this image.")
    height, width = form.shape[-2:]
    count = form.shape[0] if len(form.shape) == 3 else 1
    layers = [take_layer(reader.view(reader.varint()), (height, width)) for _ in range(count)]
    return fraction, offset, layers, reader.view(reader.left)


def _planes(pixels: Pixels) -> npt.NDArray[Any]:
    return pixels.reshape(-1, *pixels.shape[-2:])


def _inner(image: Image, rest: Pixels, limits: Any) -> Image:
    """Return what the wrapped codec is given."""
    bits = image.bits if rest.dtype == image.dtype else 0
    return Image(rest, axes=image.axes, bits=bits, spacing_um=image.spacing_um, limits=limits)


def _subtracted(
    image: Image, layers: list[Layer], fraction: int
) -> tuple[int, int, npt.NDArray[Any]]:
    """Return fraction, offset, and the planes without their layers: value * 2**fraction + offset.

    The offset keeps values above zero, the fraction shrinks to keep them in range. Where neither
    helps, the image uses all of its range, and what lies beyond is clipped.
    """
    planes, bits = _planes(image.pixels), 16 if fraction else image.bits
    most, dtype = 2**bits - 1, np.dtype(np.uint16) if fraction else image.dtype
    low, high = int(planes.min()), int(planes.max())
    swing = max(_swing(layer) for layer in layers)
    while fraction > 1 and (high - min(low, 0) + 2 * swing + 1) << fraction > most:
        fraction -= 1
    rest, least = [], 0
    for plane, layer in zip(planes, layers, strict=True):
        values = (plane.astype(np.int32) << fraction) - layer.values(fraction)
        least = min(least, int(values.min()))
        rest.append(values)
    top = max(int(values.max()) for values in rest)
    offset = max(min(-least, most - top), 0)
    clipped = [np.clip(values + offset, 0, most).astype(dtype) for values in rest]
    return fraction, offset, np.stack(clipped)


def _swing(layer: Layer) -> int:
    """Return a bound on a layer's values in counts, rounded up."""
    return sum(int(np.abs(line.cosines).sum()) for line in layer.lines) * layer.step // 2**16 + 1
