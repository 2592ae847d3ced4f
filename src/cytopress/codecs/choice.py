"""A choice: what a spec string asks for, resolved against an image into a codec.

The wish is a family of codecs with its options, and at most one of: a native setting, a portable
target. With neither, the codec is lossless. Everything is decided in `Choice.at`, which is pure;
`Choice.solve` is the only part that encodes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from cytopress.codecs.codec import StreamCodec
from cytopress.codecs.registry import decode
from cytopress.codecs.target import Kind, Solution, Target, solve
from cytopress.codecs.wrappers import Guarded, PerPlane, Rescaled, Tiled
from cytopress.errors import UsageError
from cytopress.image import Image
from cytopress.metrics.noise import NoiseModel, fit_noise


@dataclass(frozen=True)
class Choice:
    """A codec of one family, its setting still open where a target has to be solved.

    Parameters
    ----------
    family : type
        The adapter.
    native : float, optional
        Value of the family's knob.
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
    """

    family: type[StreamCodec]
    native: float | None = None
    asked: tuple[Kind, float] | None = None
    data_range: float | None = None
    noise: NoiseModel | None = None
    options: tuple[tuple[str, float | str], ...] = ()
    tile: int | None = None
    guard: int | None = None

    def __post_init__(self) -> None:
        if self.native is not None and self.asked is not None:
            raise UsageError(
                f"{self.name}: give one of its own setting and a target, not both"
                f" ({self.family.traits.knob and self.family.traits.knob.name} and {self.asked[0]})."
            )
        if self.family.traits.knob is None and (self.native, self.asked) != (None, None):
            raise UsageError(f"{self.name} is always lossless: it takes no quality.")
        if self.lossless and not self.family.traits.can_be_lossless:
            knob = self.family.traits.knob
            raise UsageError(
                f"{self.name} is always lossy: give max_error, sigma, psnr, ratio"
                f" or {knob.name if knob else ''}."
            )

    @property
    def name(self) -> str:
        """Name of the family."""
        return self.family.name

    @property
    def lossless(self) -> bool:
        """Whether nothing but every pixel exactly was asked for."""
        return self.native is None and self.asked is None

    @property
    def spec(self) -> str:
        """The spec string that makes this choice again."""
        parts: list[tuple[str, object]] = list(self.options)
        if self.native is not None and self.family.traits.knob is not None:
            parts.append((self.family.traits.knob.name, self.native))
        if self.asked is not None:
            parts.append(self.asked)
        if self.data_range is not None:
            parts.append(("range", self.data_range))
        if self.noise is not None:
            parts += [("a", self.noise.a), ("b", self.noise.b), ("offset", self.noise.offset)]
        parts += [(key, getattr(self, key)) for key in ("tile", "guard")]
        text = ",".join(f"{key}={_plain(value)}" for key, value in parts if value is not None)
        return f"{self.name}:{text}" if text else self.name

    def resolved(self, image: Image) -> Choice:
        """Return this choice with every missing yardstick estimated from the image."""
        needs_range = self.asked is not None and self.asked[0] == "psnr"
        needs_noise = self.family.traits.shaped_by_noise and not self.lossless
        needs_noise |= self.asked is not None and self.asked[0] == "sigma"
        choice = self
        if needs_range and self.data_range is None:
            choice = replace(choice, data_range=estimated_range(image))
        if needs_noise and self.noise is None:
            choice = replace(choice, noise=fit_noise([image]).model)
        return choice

    def at(self, setting: float | None, image: Image) -> StreamCodec:
        """Compose the codec for one value of the knob (None: lossless) and an image's form."""
        traits = self.family.traits
        options: dict[str, object] = dict(self.options)
        if setting is not None and traits.knob is not None:
            options[traits.knob.name] = setting
            if traits.shaped_by_noise and self.noise is not None:
                options |= {"a": self.noise.a, "b": self.noise.b, "offset": self.noise.offset}
        codec: StreamCodec = self.family.from_options(options)
        if self.tile is not None:
            codec = Tiled(codec, tile=self.tile)
        if len(image.axes) not in traits.dims:
            codec = PerPlane(codec)
        if setting is not None and traits.stretch:
            codec = Rescaled(codec, bits=traits.stretch)
        if self.guard is not None and setting is not None:
            codec = Guarded(codec, max_error=self.guard)
        return codec

    def check(self, image: Image) -> None:
        """Raise UnsupportedImageError if this image cannot be coded."""
        knob = self.family.traits.knob
        setting = None if self.lossless or knob is None else self.native or knob.most
        self.resolved(image).at(setting, image).check(image)

    def solve(self, image: Image) -> Solution:
        """Find the setting, code the image with it, and say what was reached.

        Raises
        ------
        UnsupportedImageError
            The codec cannot code this image.
        UnreachableTargetError
            No setting meets the target.
        """
        choice = self.resolved(image)
        if self.asked is None:
            codec = choice.at(self.native, image)
            data = codec.encode(image)
            return Solution(codec, data, image.raw_bytes / len(data))
        knob = self.family.traits.knob
        assert knob is not None  # __post_init__ refuses a target without one
        target = Target(*self.asked, data_range=choice.data_range, noise=choice.noise)
        return solve(
            image,
            target,
            knob,
            lambda setting: choice.at(setting, image),
            can_be_lossless=self.family.traits.can_be_lossless,
        )

    def encode(self, image: Image) -> bytes:
        """Return bytes that decode by themselves."""
        return self.solve(image).data

    def decode(self, data: bytes) -> Image:
        """Return the image of coded bytes."""
        return decode(data)


def estimated_range(image: Image) -> float:
    """Return the 0.01 to 99.99 percentile span of one image, in counts (1 where it is flat)."""
    import numpy as np

    low, high = np.percentile(image.pixels, (0.01, 99.99))
    return float(f"{high - low:.6g}") or 1.0


def _plain(value: object) -> str:
    return f"{value:.17g}" if isinstance(value, float) and value == int(value) else str(value)
