"""CompressAI's models as a codec: the used range of a plane is mapped to [0, 1].

Payload: limits as two float32, a CRC-32C of the encoder's own reconstruction, then CompressAI's
strings, length-prefixed. For a constant image, the limits alone.

The priors are computed in floats. On one machine that is repeatable (always on one thread); another
processor may round one probability differently, and then everything after it is noise. The
checksum detects it, and decoding warns. For archives, use `learned/` codecs.
"""

from __future__ import annotations

import struct
import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import google_crc32c
import numpy as np

from cytopress.codecs.base import StreamCodec, Traits
from cytopress.codecs.container.container import Form, Recipe
from cytopress.codecs.container.wire import join_streams, split_streams
from cytopress.codecs.decoded_pixels import round_to_dtype
from cytopress.codecs.learned.compressai import streams
from cytopress.codecs.learned.compressai.architectures import FAMILY
from cytopress.codecs.learned.compressai.weights import ZOO, Weights
from cytopress.codecs.learned.model.manifest import PERCENTILES
from cytopress.codecs.learned.model.traits import checked_quality
from cytopress.codecs.learned.pixels.normalization import LIMITS, coded_range, constant, take_limits
from cytopress.errors import (
    CorruptDataError,
    CytopressWarning,
    PackageError,
)
from cytopress.image import Image, Pixels
from cytopress.models.model_package import Package

NUMBER = 33
CRC = struct.Struct("<I")


def traits(weights: Weights | None) -> Traits:
    """Return the codec's traits with these weights."""
    return Traits(
        dims=(2,),
        dtypes=("uint8", "uint16", "float32"),
        bits="any",
        parameter=weights.parameter if weights else None,
        reads_back="the same dtype",
        can_be_lossless=False,
        exact=False,
        percentiles=PERCENTILES,
    )


@dataclass(frozen=True)
class CompressAI(StreamCodec):
    """One of CompressAI's architectures with given weights.

    The zoo's weights are for color images: the plane is given as three equal channels, and the
    result is the mean of the three decoded channels.

    Parameters
    ----------
    weights : Weights
        From `choose`, `of_package` or `by_digest`.
    quality : float, optional
        Value of the weights' quality parameter, if they have one: a whole number from 1, or 0 to 1
        for models with gains. Default: the middle.
    """

    weights: Weights
    quality: float | None = None

    number: ClassVar[int] = NUMBER

    def packages(self) -> tuple[Package, ...]:
        """Return the package of the weights, if they are not the zoo's."""
        return () if self.weights.package is None else (self.weights.package,)

    def __post_init__(self) -> None:
        quality = checked_quality(self.name, self.weights.parameter, self.quality)
        object.__setattr__(self, "quality", quality)

    @property
    def name(self) -> str:  # type: ignore[override]
        """Such as ``compressai/mbt2018-mean``, whatever the weights."""
        return f"{FAMILY}/{self.weights.architecture.name}"

    @property
    def traits(self) -> Traits:  # type: ignore[override]
        """The codec's traits; the quality parameter is the weights'."""
        return traits(self.weights)

    @property
    def lossless(self) -> bool:
        """Always false."""
        return False

    def recipe(self) -> Recipe:
        """Return the identity of the weights and the quality.

        The option ``model`` is 8 bytes of digest, followed by the name of the zoo's weights.
        """
        zoo = self.weights.package is None
        place = f"{self.weights.architecture.name}/{ZOO}{self.weights.metric}" if zoo else ""
        options: dict[str, Any] = {"model": self.weights.digest(self._level) + place.encode()}
        if self.quality is not None:
            options["quality"] = self.quality
        return Recipe(NUMBER, "", options)

    def require(self, digest: bytes) -> None:
        """Raise PackageError unless the weights have this digest."""
        found = self.weights.digest(self._level)
        if found != digest:
            raise PackageError(
                f"These bytes need weights {digest.hex()}, but {self.weights.title} are"
                f" {found.hex()} here; use the ones that coded them."
            )

    def compress(self, image: Image) -> bytes:
        """Return limits, checksum and strings."""
        low, high = coded_range(image, PERCENTILES)
        limits = LIMITS.pack(low, high)
        if low == high:
            return limits
        model = self.weights.model(self._level)
        plane = (image.pixels.astype(np.float64) - low) / (np.float64(high) - low)
        architecture = self.weights.architecture
        with np.errstate(over="ignore"):
            coarse = plane.astype(np.float32)
        strings = streams.encode(architecture, model, coarse, self._level)
        form = Form.of(image)
        reconstruction = self._pixels(model, strings, form, low, high)
        return limits + CRC.pack(_crc(reconstruction)) + join_streams(strings)

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return the pixels; warns where they differ from the encoder's reconstruction."""
        low, high, rest = take_limits(self.name, stream)
        if low == high:
            return constant(low, form)
        if len(rest) < CRC.size:
            raise CorruptDataError(f"{self.name}: the stream ends within its checksum.")
        model = self.weights.model(self._level)
        count = streams.count_strings(self.weights.architecture, model)
        strings = split_streams(rest[CRC.size :], count)
        pixels = self._pixels(model, strings, form, low, high)
        if CRC.unpack_from(rest)[0] != _crc(pixels):
            warnings.warn(
                f"{self.name}: the decoded pixels are not the encoder's: CompressAI computes its"
                " probabilities in floats, which this machine rounds differently, so the image may"
                " be off by a little or be noise; decode it on the machine that coded it.",
                CytopressWarning,
                stacklevel=2,
            )
        return pixels

    def _pixels(
        self, model: Any, strings: list[bytes], form: Form, low: float, high: float
    ) -> Pixels:
        height, width = form.shape
        shape = height, width
        plane = streams.decode(self.weights.architecture, model, strings, shape, self._level)
        return round_to_dtype(plane.astype(np.float64) * (np.float64(high) - low) + low, form)

    @property
    def _level(self) -> float:
        return 1 if self.quality is None else self.quality


def _crc(pixels: Pixels) -> int:
    return int(google_crc32c.value(np.ascontiguousarray(pixels).tobytes()))
