"""Structure that is the sample survives where structured noise is coded apart.

Whatever is taken for noise is subtracted before a codec and added after it. So a grating or cells
in a row lose nothing but quantization errors, and these may not gather where the structure is.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from scipy.ndimage import gaussian_filter

from contracts.members import SPECIALISTS, members, taken
from contracts.test_codecs import try_one
from cytopress.codecs.registry import decode
from cytopress.codecs.spec import codec
from cytopress.errors import UnsupportedImageError
from cytopress.formats.images import read
from cytopress.image import Image

SIZE = 192
Y, X = np.mgrid[:SIZE, :SIZE]
NOISE = np.random.default_rng(7).normal(0, 2, (SIZE, SIZE))
PICKUP = 2 * np.cos(2 * np.pi * (0.215 * X + 0.37 * Y + 1.5 * (Y / SIZE) ** 2))
STRIPES = 25 * (np.sin(2 * np.pi * X / 8) > 0.3)


def cells(places: list[tuple[int, int]]) -> npt.NDArray[np.float64]:
    """Return blurred disks of 60 counts at places."""
    light = np.zeros((SIZE, SIZE))
    for y, x in places:
        light[(Y - y) ** 2 + (X - x) ** 2 < 25] = 60
    return np.asarray(gaussian_filter(light, 1.5))


def board() -> npt.NDArray[np.float64]:
    """Return a chessboard of cells."""
    return cells([(y, x) for y in range(8, SIZE, 16) for x in range(8 + y % 32 // 2, SIZE, 32)])


FIELDS = {
    "cells in a row": cells([(96, x) for x in range(8, SIZE, 16)]) + NOISE,
    "stripes": np.where((Y > 50) & (Y < 140), STRIPES, 0) + NOISE,
    "grating": 20 * np.cos(2 * np.pi * 0.17 * X) + NOISE,
    "chessboard": board() + NOISE,
    "all pickup": 6 * PICKUP,
    "all stripes": STRIPES + NOISE,
    "all stripes and pickup": STRIPES + PICKUP + NOISE,
    "cells and pickup": cells([(40, 60), (120, 90), (150, 30)]) + PICKUP + NOISE,
    "stripes and pickup": np.where((Y > 50) & (Y < 140), STRIPES, 0) + PICKUP + NOISE,
}
PRESENT = {
    "cells in a row": (Y > 84) & (Y < 108),
    "stripes": (Y > 50) & (Y < 140),
    "cells and pickup": cells([(40, 60), (120, 90), (150, 30)]) > 5,
    "stripes and pickup": (Y > 50) & (Y < 140),
}


def image(name: str, dtype: type = np.uint8) -> Image:
    scale = 1 if dtype is np.uint8 else 50
    bits = 8 if dtype is np.uint8 else 14
    return Image(
        np.clip(np.rint(scale * (90 + FIELDS[name])), 0, 2**bits - 1).astype(dtype), bits=bits
    )


def error(data: bytes, original: Image) -> npt.NDArray[np.float64]:
    return np.asarray(decode(data).pixels.astype(np.float64) - original.pixels)


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.filterwarnings("ignore::cytopress.errors.CytopressWarning")
@pytest.mark.parametrize(
    "spec",
    ["avif:quality=35", "jpegxl:distance=4", "jpegls:near=4", "learned/cytopress-2d:quality=0.45"],
)
def test_structure_of_the_sample_survives(spec: str, dtype: type, name: str) -> None:
    field = image(name, dtype)
    plain, apart = (error(codec(f"{spec},lines={n}").encode(field), field) for n in "01")
    # Never worse by more than what fewer bytes may explain, over all and where structure is.
    assert np.mean(apart**2) <= 1.1 * np.mean(plain**2) + 0.1
    present = PRESENT.get(name)
    if present is not None:
        assert np.mean(apart[present] ** 2) <= 1.15 * np.mean(plain[present] ** 2) + 0.1
    if name == "all pickup":
        return
    # Nor is a wave left out: of no frequency along x is the error much more than the largest one
    # without, unless it is a tenth of what the image holds there.
    own = field.pixels.astype(np.float64)
    power, before, held = (
        (np.abs(np.fft.rfft(one, axis=1)) ** 2).mean(axis=0)[4:] for one in (apart, plain, own)
    )
    assert (power <= np.maximum(1.5 * before.max(), 0.1 * held) + 0.2 * SIZE).all()


@pytest.mark.parametrize("name", ["cells and pickup", "chessboard", "stripes and pickup"])
def test_a_target_takes_no_more_bytes_than_without(name: str) -> None:
    field = image(name)
    for spec in ("jpegls:max_error=4", "avif:psnr=37,range=200"):
        plain, apart = (codec(f"{spec},lines={n}").solve(field) for n in "01")
        assert len(apart.data) <= len(plain.data)


LOSSY = [
    pytest.param(name, marks=[pytest.mark.slow] if name in SPECIALISTS else [])
    for name, family in members().items()
    if family.traits.parameter is not None
]


def spec_of(name: str) -> str:
    """Return a middle setting of a codec."""
    traits = members()[name].traits
    assert traits.parameter is not None
    noise = ",a=0,b=4,offset=0" if traits.shaped_by_noise else ""
    return f"{name}:{traits.parameter.name}={traits.parameter.value_at(0.5)}{noise}"


@pytest.mark.filterwarnings("ignore:.*more bytes than lossless")
@pytest.mark.parametrize(
    "field", ["cells and pickup", "all pickup", "all stripes", "all stripes and pickup"]
)
@pytest.mark.parametrize("name", LOSSY)
def test_every_codec_takes_lines(name: str, field: str) -> None:
    whole = image(field)
    part = taken(name, Image(whole.pixels[:96, :128]))
    try:
        plain, apart = (codec(f"{spec_of(name)},lines={n}").encode(part) for n in "01")
    except UnsupportedImageError:
        pytest.skip("the codec takes no such image")
    found = decode(apart)
    assert (found.shape, found.dtype, found.bits) == (part.shape, part.dtype, part.bits)
    one, other = (np.mean(error(data, part) ** 2) for data in (apart, plain))
    assert one <= 1.15 * other + 0.1 or len(apart) < len(plain)


@pytest.mark.filterwarnings("ignore:.*more bytes than lossless")
@pytest.mark.parametrize("options", ["lines=auto", "lines=1", "scale=2,lines=1", "lines=x0.2+y0"])
@pytest.mark.parametrize("name", LOSSY)
def test_every_codec_takes_one_pixel_and_few(name: str, options: str) -> None:
    request = codec(f"{spec_of(name)},{options}")
    refused = 0
    for shape in ((1, 1), (1, 7), (7, 1), (3, 65)):
        for dtype in ("uint8", "uint16", "float32"):
            pixels = np.random.default_rng(1).integers(0, 200, shape).astype(dtype)
            told = try_one(request, taken(name, Image(pixels)))
            refused += told is None
            assert not told
    assert refused < 12


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*read as one gray image")
def test_real_fields_are_never_worse(data_folder: Path) -> None:
    folder = data_folder / "codec-training"
    files = [
        *sorted((folder / "aisegcell-more").glob("181024*.png")),
        *sorted((folder / "aisegcell-more").glob("190905*.png"))[1:2],
        *sorted((folder / "pie-yeast").glob("*0012*"))[:2],
    ]
    if not files:
        pytest.skip("the validation fields are not on this machine")
    for file in files:
        pixels = read(file)[0].pixels
        field = Image(np.ascontiguousarray(pixels[-1024:, -1024:]))
        for spec in ("jpegxl:psnr=40,range=255", "avif:ratio=80", "learned/cytopress-2d:ratio=80"):
            plain, apart = (codec(f"{spec},lines={n}").solve(field) for n in ("0", "auto"))
            errors = [np.mean(error(one.data, field) ** 2) for one in (apart, plain)]
            sizes = [len(one.data) for one in (apart, plain)]
            better, other = errors if "ratio" in spec else sizes
            assert better <= other
