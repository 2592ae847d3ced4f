"""A choice: what a spec string asks for, resolved against an image into a codec.

A request names a family of codecs with its options, and at most one of: a native setting, a
portable target. With neither, the codec is lossless. Everything is decided in `CodecRequest.at`,
which is pure; `CodecRequest.solve` is the only part that encodes.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Literal, get_args

from cytopress.codecs.adapters.jpegls import JpegLS
from cytopress.codecs.adapters.zstd import Zstd
from cytopress.codecs.base import StreamCodec
from cytopress.codecs.family import Family
from cytopress.codecs.registry import decode
from cytopress.codecs.targets.search import Solution, parameter_value, solve
from cytopress.codecs.targets.target import KINDS, Kind, Target
from cytopress.codecs.wrappers import Guarded, PerPlane, Rescaled, Tiled, Wavelet
from cytopress.codecs.wrappers.rescaled import stretch_bits
from cytopress.errors import (
    CytopressWarning,
    UnreachableTargetError,
    UnsupportedImageError,
    UsageError,
)
from cytopress.image import Image
from cytopress.metrics.data_range import data_range
from cytopress.metrics.noise import NoiseModel, fit_noise
from cytopress.models.model_package import Package
from cytopress.settings import Settings

# From so many pixels on, codecs that copy the image get it in blocks of (Z, Y = X) pixels.
LARGE, BLOCK = 2**25, (64, 512)
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
        The portable target, solved by bisection on real encodes.
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
    settings : Settings, optional
        Says where model packages are, for decoding.
    """

    family: Family
    native: float | None = None
    asked: tuple[Kind, float] | None = None
    data_range: float | None = None
    noise: NoiseModel | None = None
    options: tuple[tuple[str, float | str], ...] = ()
    tile: int | None = None
    guard: int | None = None
    z: AlongZ = "planes"
    settings: Settings | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        parameter = self.family.traits.parameter
        if parameter is None and self.asked:
            kind = "lossless" if self.family.traits.can_be_lossless else "coded at one rate"
            raise UsageError(f"{self.name} is always {kind}: it takes no {self.asked[0]}.")
        if parameter is not None and self.native is not None and self.asked is not None:
            raise UsageError(
                f"{self.name}: give one of {parameter.name} and {self.asked[0]}, not both."
            )
        if self.z not in get_args(AlongZ):
            raise UsageError(f"{self.name}: z is planes or wavelet, not {self.z}.")
        open_ended = self.native is None and self.asked is None
        if parameter is not None and open_ended and not self.family.traits.can_be_lossless:
            raise UsageError(
                f"{self.name} is always lossy: give one of {', '.join(KINDS)} or {parameter.name}"
                f" ({parameter.unit})."
            )
        kind, value = self.asked or ("ratio", 1.0)
        Target(kind, value, data_range=self.data_range)
        # Build every part once: a wrong option is an error now and not at the first image.
        adapter = self._adapter(
            parameter_value(parameter, 1.0) if parameter and self.asked else self.native
        )
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
        """Whether nothing but every pixel exactly was asked for."""
        return self.asked is None and self._adapter(self.native).lossless

    @property
    def packages(self) -> tuple[Package, ...]:
        """The model packages that it needs: part of what identifies a result."""
        parameter = self.family.traits.parameter
        return self._adapter(parameter_value(parameter, 1.0) if parameter else None).packages()

    @property
    def spec(self) -> str:
        """The spec string that makes this choice again."""
        parts: list[tuple[str, float | str]] = list(self.options)
        if self.native is not None and self.family.traits.parameter is not None:
            parts.append((self.family.traits.parameter.name, self.native))
        if self.asked is not None:
            parts.append(self.asked)
        if self.data_range is not None:
            parts.append(("range", self.data_range))
        if self.noise is not None:
            parts += [("a", self.noise.a), ("b", self.noise.b), ("offset", self.noise.offset)]
        wrappers = {"tile": self.tile, "guard": self.guard}
        parts += [(key, value) for key, value in wrappers.items() if value is not None]
        if self.z != "planes":
            parts.append(("z", self.z))
        text = ",".join(f"{key}={_plain(value)}" for key, value in parts)
        return f"{self.name}:{text}" if text else self.name

    def resolved(self, image: Image) -> CodecRequest:
        """Return this choice with every missing yardstick estimated from the image."""
        return self._estimated(image)[0]

    def _estimated(self, image: Image) -> tuple[CodecRequest, list[str]]:
        """Return `resolved` and what one should know of the estimates."""
        request, doubts = self, []
        if self._lacks_range:
            request = replace(request, data_range=data_range([image.pixels]))
        if self._lacks_noise:
            fit = fit_noise([image])
            request = replace(request, noise=fit.model)
            doubts = [] if fit.good else [f"The noise of this image: {fit.reason}"]
        return request, doubts

    def with_yardsticks(self, data_range: float, noise: NoiseModel) -> CodecRequest:
        """Return this choice with what it would else estimate from each image by itself."""
        return replace(
            self,
            data_range=data_range if self._lacks_range else self.data_range,
            noise=noise if self._lacks_noise else self.noise,
        )

    @property
    def _lacks_range(self) -> bool:
        return self.asked is not None and self.asked[0] == "psnr" and self.data_range is None

    @property
    def _lacks_noise(self) -> bool:
        by_sigma = self.asked is not None and self.asked[0] == "sigma"
        by_shape = self.family.traits.shaped_by_noise and not self.lossless
        return (by_sigma or by_shape) and self.noise is None

    def at(self, setting: float | None, image: Image) -> StreamCodec:
        """Compose the codec for a value of the quality parameter (None: lossless) and an image."""
        traits, codec = self.family.traits, self._adapter(setting)
        stretch = stretch_bits(codec, image)
        large = image.pixels.ndim == 3 and image.pixels.size > LARGE
        planes = BLOCK[0] if traits.whole and large else 0
        if self.tile is not None or planes:
            codec = Tiled(codec, tile=self.tile or BLOCK[1], planes=planes)
        if self.z == "wavelet":
            codec, stretch = Wavelet.over(codec), 0
        elif image.pixels.ndim == 3 and 3 not in traits.dims:
            codec = PerPlane(codec)
        if stretch:
            codec = Rescaled(codec, bits=stretch)
        if self.guard is not None and not codec.lossless:
            codec = Guarded(codec, max_error=self.guard)
        return codec

    def _adapter(self, setting: float | None) -> StreamCodec:
        traits = self.family.traits
        options: dict[str, object] = dict(self.options)
        if setting is not None and traits.parameter is not None:
            options[traits.parameter.name] = setting
        if setting is not None and traits.shaped_by_noise and self.noise is not None:
            options |= {"a": self.noise.a, "b": self.noise.b, "offset": self.noise.offset}
        try:
            return self.family.from_options(options)
        except (TypeError, OverflowError) as error:
            raise UsageError(f"{self.name}: the options make no sense ({error}).") from error

    def check(self, image: Image) -> None:
        """Raise UnsupportedImageError if this image cannot be coded."""
        self._check_z(image)
        parameter = self.family.traits.parameter
        setting = parameter_value(parameter, 1.0) if parameter and self.asked else self.native
        self.at(setting, image).check(image)

    def _check_z(self, image: Image) -> None:
        if self.z == "wavelet" and len(image.axes) != 3:
            raise UnsupportedImageError(
                f"z=wavelet is for stacks, and this image is {image.axes}: leave z out."
            )

    def solve(self, image: Image) -> Solution:
        """Find the setting, code the image with it, and say what was reached.

        Raises
        ------
        UnsupportedImageError
            The codec cannot code this image.
        UnreachableTargetError
            No setting meets the target.
        """
        self._check_z(image)
        request, doubts = self._estimated(image)
        parameter = self.family.traits.parameter
        if self.asked is None or parameter is None:
            codec = request.at(self.native, image)
            begin = time.perf_counter()
            data = codec.encode(image)
            encode_s = time.perf_counter() - begin
            found = Solution(codec, data, image.raw_bytes / len(data), encode_s)
        else:
            try:
                found = solve(
                    image,
                    Target(*self.asked, request.data_range, request.noise),
                    parameter,
                    lambda setting: request.at(setting, image),
                    name=self.name,
                    can_be_lossless=self.family.traits.can_be_lossless,
                    guarded=self.guard is not None,
                )
            except UnreachableTargetError as error:
                if not self.packages:
                    raise
                name, ratio = lossless_ratio(image)
                raise UnreachableTargetError(
                    f"{error} It may be unlike the images that the model learned from; lossless"
                    f" {name} makes it {ratio:.3g}x smaller."
                ) from error
        doubts += _dearer_than_lossless(found, image)
        return replace(found, warnings=(*doubts, *found.warnings))

    def encode(self, image: Image) -> bytes:
        """Return bytes that decode by themselves.

        Warns with CytopressWarning of what one should know before using them (`Solution`), and
        raises as `solve` does.
        """
        found = self.solve(image)
        for text in found.warnings:
            warnings.warn(f"{self.spec}: {text}", CytopressWarning, stacklevel=2)
        return found.data

    def decode(self, data: bytes) -> Image:
        """Return the image of coded bytes."""
        return decode(data, self.settings)


def _dearer_than_lossless(found: Solution, image: Image) -> list[str]:
    """Say where a learned codec's bytes buy nothing: an image far from what it learned from."""
    if not found.codec.packages():
        return []
    name, ratio = lossless_ratio(image)
    reached = image.raw_bytes / len(found.data)
    if reached > ratio:
        return []
    told = (
        f"this takes more bytes than lossless {name} ({reached:.3g}x against {ratio:.3g}x smaller)"
    )
    return [f"{told}; the image may be unlike those that the model learned from."]


def lossless_ratio(image: Image) -> tuple[str, float]:
    """Return a fast lossless codec that takes an image, and its raw bytes over coded bytes."""
    best = ("zstd", image.raw_bytes / len(Zstd().encode(image)))
    if image.dtype.kind == "u" and len(image.axes) == 2:
        best = max(
            best, ("jpegls", image.raw_bytes / len(JpegLS().encode(image))), key=itemgetter(1)
        )
    return best


def _plain(value: float | str) -> str:
    """Write a value so that `spec.codec` reads the same one."""
    if isinstance(value, str):
        return value
    number = float(value)
    return str(int(number)) if number == int(number) and abs(number) < 2**53 else repr(number)
