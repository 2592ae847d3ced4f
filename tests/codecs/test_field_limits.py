"""Limits of the field: chunks that are coded with them, against the whole image."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import cytopress
from cytopress.codecs.container import container
from cytopress.codecs.spec import codec
from cytopress.codecs.wrappers import Lines
from cytopress.codecs.wrappers.coefficients import FloatCoefficients
from cytopress.codecs.wrappers.range_mapping import RangeMapping
from cytopress.errors import ImageError
from cytopress.image import Image
from cytopress.metrics.noise import NoiseModel


def bright_field(size: int = 1024, cells: int = 2800) -> Image:
    """Return smooth light with noise; cells of high contrast crowd its left half."""
    random = np.random.default_rng(3)
    y, x = np.mgrid[:size, :size] / size
    light = 2000 + 300 * y - 200 * x**2
    spots = np.zeros((size, size))
    spots[random.integers(0, size, cells), random.integers(0, size // 2 - 8, cells)] = 1e5
    light += gaussian_filter(spots, 2.5) - gaussian_filter(spots, 5)
    counts = np.clip(random.normal(light, np.sqrt(light / 40)), 0, 4095)
    return Image(counts.astype(np.uint16), bits=12)


# Of images as plain as some of these, lossless coding has fewer bytes.
pytestmark = pytest.mark.filterwarnings("ignore:.*more bytes than lossless")
FIELD = bright_field()
HALVES = (slice(0, 512), slice(512, 1024))
SMALL = FIELD.with_pixels(FIELD.pixels[:256, 256:640])
CHUNKS = [(rows, columns) for rows in HALVES for columns in HALVES]
EMPTY = 1


def chunk(place: tuple[slice, slice]) -> Image:
    return FIELD.with_pixels(FIELD.pixels[place])


@pytest.mark.parametrize("spec", ["learned/cytopress-2d:quality=0.5", "jpegxl:distance=1"])
def test_chunks_with_the_limits_of_the_field_cost_what_the_whole_costs(spec: str) -> None:
    limits = cytopress.codec(spec).field_limits([FIELD])
    whole = cytopress.encode(FIELD, spec)
    coded = [cytopress.encode(chunk(place), spec, limits=limits) for place in CHUNKS]
    assert sum(map(len, coded)) == pytest.approx(len(whole), rel=0.1)
    decoded = np.empty(FIELD.shape)
    for place, data in zip(CHUNKS, coded, strict=True):
        decoded[place] = cytopress.decode(data).pixels
    in_chunks = np.mean((decoded - FIELD.pixels) ** 2)
    at_once = np.mean((cytopress.decode(whole).pixels.astype(float) - FIELD.pixels) ** 2)
    assert in_chunks == pytest.approx(at_once, rel=0.05)
    # Without the limits of the field, the noise of an empty chunk fills the range.
    assert len(coded[EMPTY]) < len(cytopress.encode(chunk(CHUNKS[EMPTY]), spec)) / 2


@pytest.mark.parametrize(("low", "high"), [(900, 3000), (1990.5, 2010.5), (0, 4095)])
def test_no_pixel_is_clipped_to_limits_that_it_lies_outside(low: float, high: float) -> None:
    image = Image(SMALL.pixels, bits=12, limits=(low, high))
    mapping = RangeMapping.of(image, 65535)
    least, most = int(SMALL.pixels.min()), int(SMALL.pixels.max())
    assert mapping.low == min(least, int(low))
    assert mapping.low + mapping.span == min(max(most, int(np.ceil(high))), 4095)
    data = cytopress.encode(image, "jpegxl:distance=0.05")
    worst = np.abs(cytopress.decode(data).pixels.astype(int) - SMALL.pixels).max()
    assert worst < 100


def test_chunks_of_a_stack_before_a_wavelet_have_one_scale() -> None:
    stack = np.stack([FIELD.pixels[:64, 300:600], FIELD.pixels[64:128, 300:600]])
    found = [
        FloatCoefficients.of(Image(pixels, bits=12, limits=(500, 4094.5)), 3)
        for pixels in (stack[..., :150], stack[..., 150:])
    ]
    assert found[0] == found[1]
    assert (found[0].low, found[0].span) == (500, 3595)
    image = Image(stack, bits=12)
    data = cytopress.encode(image, "jpegxl:distance=0.1,z=wavelet", limits=(500, 4094.5))
    assert np.abs(cytopress.decode(data).pixels.astype(int) - stack).max() < 60


def test_lossless_codes_ignore_limits() -> None:
    corner = FIELD.with_pixels(FIELD.pixels[:64, :64])
    for spec in ("jpegls", "png", "jpegxl", "zstd"):
        assert cytopress.encode(corner, spec) == cytopress.encode(corner, spec, limits=(0, 4095))


def test_limits_are_those_that_a_codec_takes_from_a_whole_field() -> None:
    for spec in ("learned/cytopress-2d:quality=0.5", "jpegxl:distance=3", "avif:quality=40"):
        request = cytopress.codec(spec)
        limits = request.field_limits([SMALL])
        codec = request.solve(SMALL).codec
        given = Image(SMALL.pixels, bits=12, limits=limits)
        assert codec.encode(given) == codec.encode(SMALL)
    low, high = cytopress.codec("jpegxl:distance=3").field_limits(
        [SMALL, Image(SMALL.pixels // 2, bits=12)]
    )
    assert (low, high) == (SMALL.pixels.min() // 2, SMALL.pixels.max())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("value", [0, 7])
def test_a_constant_chunk_is_exact_and_small(dtype: type, value: int) -> None:
    image = Image(np.full((64, 64), value, dtype))
    limits = cytopress.codec("learned/cytopress-2d:quality=0.3").field_limits([image])
    assert limits[0] < limits[1]
    for given in (limits, (100.0, 4000.0)):
        data = cytopress.encode(image, "learned/cytopress-2d:quality=0.3", limits=given)
        assert len(data) < 60
        np.testing.assert_array_equal(cytopress.decode(data).pixels, image.pixels)


def test_the_noise_of_the_field_is_used_where_the_spec_gives_none() -> None:
    corner, noise = FIELD.with_pixels(FIELD.pixels[:64, :64]), NoiseModel(0.5, 9.5, 100.5)
    spec = "anscombe-jpegxl:qstep=1"
    given = cytopress.encode(corner, spec, noise=noise)
    assert given == cytopress.encode(corner, f"{spec},a=0.5,b=9.5,offset=100.5")
    other = cytopress.encode(corner, f"{spec},a=2,b=1", noise=noise)
    assert other == cytopress.encode(corner, f"{spec},a=2,b=1")
    notes = container.unpack(cytopress.encode(corner, "jpegls:sigma=0.5", noise=noise))[0].notes
    assert (notes["a"], notes["b"], notes["offset"]) == (0.5, 9.5, 100.5)


def test_limits_go_with_pixels_of_the_same_type_and_are_no_part_of_equality() -> None:
    image = Image(FIELD.pixels, bits=12, limits=(5, 4000))
    assert image.limits == (5.0, 4000.0)
    assert image == FIELD
    assert image.with_pixels(image.pixels[:9, :9]).limits == (5.0, 4000.0)
    assert image.with_pixels(image.pixels.astype(np.float32)).limits is None


@pytest.mark.parametrize("limits", [(3, 3), (4, 3), (0, np.inf), (np.nan, 1), (1,), (1, 2, 3)])
def test_refuses_limits_that_are_no_range(limits: tuple) -> None:
    with pytest.raises(ImageError, match="limits are two numbers"):
        Image(FIELD.pixels, limits=limits)


def test_the_limits_of_a_humming_field_are_those_without_its_hum() -> None:
    """A field as a whole is mapped after its noise is subtracted, so its chunks have to be."""
    y, x = np.mgrid[:256, :512]
    scene = np.maximum(30 * np.sin(x / 40) * np.sin(y / 30), 0)
    noise = np.random.default_rng(2).normal(0, 1, y.shape)
    hum = 4 * np.cos(2 * np.pi * (0.215 * x + 0.37 * y))
    name = "learned/cytopress-2d:quality=0.4"
    plain = Image(np.rint(np.clip(scene + 2 + noise, 0, 255)).astype(np.uint8))
    field = Image(np.rint(np.clip(scene + 6 + noise + hum, 0, 255)).astype(np.uint8))
    for lines in ("auto", "0"):
        assert codec(f"{name},lines={lines}").field_limits([plain]) == tuple(
            np.percentile(plain.pixels, codec(name).family.traits.percentiles)
        )
    low, high = codec(name).field_limits([field, field])
    wide = codec(f"{name},lines=0").field_limits([field])
    assert high - low < wide[1] - wide[0] - 2
    # As the field itself is mapped, without limits.
    inner = next(one for one in codec(name).solve(field).codec.nested() if isinstance(one, Lines))
    rest = inner.rest(field).pixels
    ends = np.percentile(rest, inner.codec.traits.percentiles) / 2**4
    assert ends[1] - ends[0] == pytest.approx(high - low, abs=1e-4)
