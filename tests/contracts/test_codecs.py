"""What every codec must keep, at every setting, on every image of the hard set.

It returns the same shape, dtype and meaning; keeps its bound or its lossless promise; has no bias
beyond its declared one; or refuses with a reason. Silence is the only wrong answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from contracts.members import SHIPPED, SPECIALISTS, members, stacked, taken
from cytopress.codecs import registry
from cytopress.codecs.adapters.jpegls import JpegLS
from cytopress.codecs.container.container import Form, unpack
from cytopress.codecs.registry import decode
from cytopress.codecs.spec import codec
from cytopress.codecs.targets.request import CodecRequest
from cytopress.errors import CorruptDataError, UnsupportedImageError
from cytopress.image import Image, Pixels

MOST_HEADER = 80
# Of a codec's own error, what its mean may be without counting as bias; told only where the codec
# still draws the image (its error against the used range) and the image is more than a few outliers
# (its middle half against the used range).
BIAS_SHARE, DRAWN, SPREAD = 0.15, 0.025, 0.02
# What the finest setting may leave, of the used range and in counts.
FINEST_SHARE, FINEST_COUNTS = 0.03, 1.0
# A model's finest rate is where its training ended, and it knows no images of a few pixels.
FINEST_SHARE_OF_MODELS = 0.05
# Video has so many levels; more are refused losslessly.
MOST_LEVELS = {"hevc": 2**12, "av1": 2**10}
POSITIONS = {"coarsest": 0.0, "coarse": 0.3, "middle": 0.6, "finest": 1.0}


def settings() -> list[str]:
    """Return specs: each family lossless where it can be, and at four quality settings."""
    specs = []
    for name, family in members().items():
        if family.traits.can_be_lossless:
            specs.append(name)
        if family.traits.parameter is not None:
            noise = ",a=1.5,b=30,offset=100" if family.traits.shaped_by_noise else ""
            values = dict.fromkeys(family.traits.parameter.value_at(p) for p in POSITIONS.values())
            specs += [f"{name}:{family.traits.parameter.name}={value}{noise}" for value in values]
    return specs


def along_z() -> list[str]:
    """Return the specs that code stacks through a wavelet."""
    names = {name for name, family in members().items() if family.traits.wavelet}
    specs = [spec for spec in settings() if spec.partition(":")[0] in names]
    return [f"{spec}{',' if ':' in spec else ':'}z=wavelet" for spec in specs]


def at_half_resolution() -> list[str]:
    """Return a spec of each lossy family, coded at half the resolution."""
    specs = []
    for name, family in members().items():
        if family.traits.parameter is not None:
            noise = ",a=1.5,b=30,offset=100" if family.traits.shaped_by_noise else ""
            value = family.traits.parameter.value_at(POSITIONS["middle"])
            specs.append(f"{name}:{family.traits.parameter.name}={value}{noise},scale=2")
    return specs


def with_lines() -> list[str]:
    """Return a spec of each lossy family that has structured noise coded apart."""
    halved = (spec.removesuffix(",scale=2") for spec in at_half_resolution())
    return [f"{spec},lines=1" for spec in halved]


def problems(request: CodecRequest, image: Image, decoded: Image) -> list[str]:
    """Return what of the contract a decoded image breaks."""
    found = [
        f"{key} is {getattr(decoded, key)}, not {getattr(image, key)}"
        for key in ("shape", "dtype", "axes", "bits", "spacing_um")
        if getattr(decoded, key) != getattr(image, key)
    ]
    if found:
        return found
    traits = request.family.traits
    error = decoded.pixels.astype(np.float64) - image.pixels
    most, rmse = float(np.abs(error).max()), math.sqrt(float(np.mean(error**2)))
    span = float(np.ptp(image.pixels.astype(np.float64)))
    if request.lossless:
        return ["lossless was promised"] if most else []
    if traits.bound and request.native is not None and request.scale == "1":
        # Integer pixels are rounded, so a bound of half a count may round to one.
        bound = traits.bound * request.native
        if image.dtype.kind == "u":
            bound = max(bound, math.floor(bound + 0.5))
        elif request.name == "round-zstd":
            # Multiples of its step are no float32 numbers.
            bound += float(np.spacing(np.abs(image.pixels).max()))
        if most > bound:
            found.append(f"error {most:g} over its bound {bound:g}")
    chance = 4 * float(error.std()) / math.sqrt(error.size)
    spread = float(np.subtract(*np.percentile(image.pixels, (75, 25))))
    telling = rmse < DRAWN * span and spread > SPREAD * span and error.size > 500
    if telling and abs(error.mean()) > traits.bias + BIAS_SHARE * rmse + chance:
        found.append(f"bias {error.mean():.3g} at an rmse of {rmse:.3g}")
    if traits.parameter and request.native == traits.parameter.value_at(1.0):
        floor = FINEST_COUNTS if image.dtype.kind == "u" else 2 * traits.parameter.least
        share = FINEST_SHARE_OF_MODELS if request.packages else FINEST_SHARE
        if rmse > share * span + floor:
            found.append(f"finest setting leaves an rmse of {rmse:.3g} in a range of {span:.3g}")
    return found


def try_one(request: CodecRequest, image: Image) -> list[str] | None:
    """Return the problems of a request on an image; None where it refuses, as `check` said."""
    try:
        request.check(image)
    except UnsupportedImageError as refusal:
        with pytest.raises(UnsupportedImageError):
            request.encode(image)
        return None if str(refusal).endswith(".") else [f"refuses without a sentence: {refusal}"]
    before = image.pixels.copy()
    data = request.solve(image).data
    found = problems(request, image, decode(data))
    if unpack(data)[0].header_bytes > MOST_HEADER:
        found.append(f"the header takes {unpack(data)[0].header_bytes} bytes")
    if not np.array_equal(before, image.pixels):
        found.append("the original was written to")
    return found


def marked(spec: str) -> object:
    """Return a spec with its marks.

    Specialists differ from the general model in their weights alone, and take as long. What ships
    is a network for each plane or slab at every setting: between the ends, and at half the
    resolution, it takes seconds more and runs the same code.
    """
    name, _, setting = spec.partition(":")
    between = name in SHIPPED and not setting.endswith(("=0.0", "=1.0"))
    marks = [pytest.mark.slow] if name in SPECIALISTS or between else []
    return pytest.param(spec, marks=marks)


@pytest.mark.parametrize("spec", [marked(spec) for spec in settings()])
def test_the_hard_set(spec: str, hard_set: dict[str, Image]) -> None:
    name = spec.partition(":")[0]
    go_through(spec, {key: taken(name, image) for key, image in hard_set.items()})


@pytest.mark.parametrize("spec", along_z())
def test_the_hard_set_as_stacks(spec: str, hard_set: dict[str, Image]) -> None:
    go_through(spec, {name: stacked(image) for name, image in hard_set.items()})


@pytest.mark.parametrize("spec", [marked(spec) for spec in at_half_resolution()])
def test_the_hard_set_at_half_the_resolution(spec: str, hard_set: dict[str, Image]) -> None:
    name = spec.partition(":")[0]
    images = {key: image for key, image in hard_set.items() if image.dtype.kind == "u"}
    go_through(spec, {key: taken(name, image) for key, image in images.items()})


@pytest.mark.parametrize("spec", [marked(spec) for spec in with_lines()])
def test_the_hard_set_with_structured_noise_apart(spec: str, hard_set: dict[str, Image]) -> None:
    name = spec.partition(":")[0]
    images = {key: image for key, image in hard_set.items() if image.dtype.kind == "u"}
    go_through(spec, {key: taken(name, image) for key, image in images.items()})


def go_through(spec: str, images: dict[str, Image]) -> None:
    request = codec(spec)
    broken, coded = {}, 0
    for name, image in images.items():
        try:
            found = try_one(request, image)
        except Exception as error:  # noqa: BLE001 - all are told at once
            found = [f"{type(error).__name__}: {error}"]
        coded += found is not None
        if found is None and image.dtype.name in request.family.traits.dtypes:
            found = refused_beyond_traits(request, image)
        if found:
            broken[name] = found
    assert not broken, "\n".join(f"{name}: {'; '.join(why)}" for name, why in broken.items())
    assert coded >= 10


def refused_beyond_traits(request: CodecRequest, image: Image) -> list[str]:
    """Only what is listed here may be refused although the table says that its dtype is taken."""
    if request.name in MOST_LEVELS and request.lossless:
        return [] if np.ptp(image.pixels) >= MOST_LEVELS[request.name] else ["refused"]
    if request.name == "jpegls" and image.dtype == np.uint8 and (request.native or 0) > 127:
        return []
    return ["refused although its traits say that it is taken"]


# Learned codecs tell what needs fewer bytes.
@pytest.mark.filterwarnings("ignore:.*at the same error")
@pytest.mark.filterwarnings("ignore:.*more bytes than lossless")
@pytest.mark.parametrize("name", members())
def test_the_same_image_gives_the_same_bytes(name: str, micrograph: Image) -> None:
    # The last is lossy where a codec can be: AV1 codes this image no other way.
    request = codec([spec for spec in settings() if spec.partition(":")[0] == name][-1])
    image = taken(name, micrograph)
    assert request.encode(image) == request.encode(image)


@dataclass(frozen=True)
class Saboteur(JpegLS):
    """An honest codec, but for what the decoder does to its pixels."""

    name = "saboteur"
    number = 0

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        honest = super().decompress(stream, form)
        return self.spoil(honest)

    def spoil(self, pixels: Pixels) -> Pixels:
        raise NotImplementedError


class Biased(Saboteur):
    def spoil(self, pixels: Pixels) -> Pixels:
        return np.maximum(pixels, 2) - 2


class OnePixelOff(Saboteur):
    def spoil(self, pixels: Pixels) -> Pixels:
        off = pixels.copy()
        off[-1, -1] ^= 64
        return off


class OtherType(Saboteur):
    def spoil(self, pixels: Pixels) -> Pixels:
        return pixels.astype(np.float32)


class OtherShape(Saboteur):
    def spoil(self, pixels: Pixels) -> Pixels:
        return pixels[:, :-1]


class Flattened(Saboteur):
    def spoil(self, pixels: Pixels) -> Pixels:
        return np.full_like(pixels, round(float(pixels.mean())))


@pytest.mark.parametrize(
    ("saboteur", "native", "complaint"),
    [
        (Biased, 9, "bias"),
        (OnePixelOff, 9, "over its bound"),
        (OnePixelOff, None, "lossless was promised"),
        (OtherType, None, "promised"),
        (OtherShape, None, "promised"),
        (Flattened, 1, "finest setting"),
    ],
)
def test_the_contract_catches_a_saboteur(
    saboteur: type[Saboteur],
    native: float | None,
    complaint: str,
    hard_set: dict[str, Image],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "families", lambda: {"saboteur": saboteur})
    image = hard_set["12 bits"]
    assert try_one(CodecRequest(JpegLS, native=native), image) == []
    try:
        found = try_one(CodecRequest(saboteur, native=native), image)
    except CorruptDataError as error:
        found = [str(error)]
    assert found is not None
    assert any(complaint in text for text in found)
