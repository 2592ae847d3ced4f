"""Write golden files: small encoded images, and the pixels they decode to.

    python tests/golden/make.py         write those that are missing (a new codec)
    python tests/golden/make.py --all   write all anew: only when a format is given up on purpose

They freeze decoding: what was written once must be read for ever. No test ever writes here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cytopress.codecs.container.multi_image import Writer
from cytopress.codecs.registry import FAMILIES, decode
from cytopress.codecs.spec import codec
from cytopress.files import open_cyto
from cytopress.image import MEASURED, Image

FOLDER = Path(__file__).parent
NOISE = ",a=1.5,b=30,offset=100"


def plane() -> Image:
    """Return 24 x 32 pixels of 12 bits: two cells, a ramp and noise."""
    rng = np.random.default_rng(2)
    y, x = np.mgrid[:24, :32]
    light = 180 + 4 * x + 1500 * np.exp(-((y - 9) ** 2 + (x - 11) ** 2) / 18)
    light += 900 * np.exp(-((y - 17) ** 2 + (x - 24) ** 2) / 30)
    pixels = np.rint(light + rng.normal(0, 12, light.shape)).astype(np.uint16)
    return Image(pixels, bits=12, spacing_um=(0.108333, 0.108333))


def hum(dtype: type) -> Image:
    """Return 80 x 100 pixels of noise with waves along rows and columns, and with row noise."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[:80, :100]
    drift = 2 * np.pi * (0.13 * y + 1.5 * (y / 80) ** 2)
    light = (
        90 + 8 * np.cos(2 * np.pi * 0.215 * x + drift) + 3 * np.cos(2 * np.pi * 0.36 * y + x / 9)
    )
    light += rng.normal(0, 3, (80, 1)) + rng.normal(0, 2, (80, 100))
    scale = 1 if dtype is np.uint8 else 13
    return Image(np.rint(scale * light).astype(dtype), bits=8 if dtype is np.uint8 else 12)


def signed(dtype: str) -> Image:
    """Return 12 x 16 pixels with both ends of a pixel type, and its values between them."""
    rng = np.random.default_rng(3)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        values = rng.normal(0, 1, (12, 16)) * 10.0 ** rng.integers(-300, 300, (12, 16))
        return Image(values, spacing_um=(0.108333, 0.108333))
    ends = np.iinfo(kind)
    pixels = rng.integers(-100, 100, (12, 16)).clip(ends.min).astype(kind)
    pixels[0, :2] = ends.min, ends.max
    return Image(pixels, spacing_um=(0.108333, 0.108333))


def specimens() -> Iterator[tuple[str, str, Image]]:
    """Yield the name of each golden file, the spec and the image that make it."""
    image = plane()
    small = Image((image.pixels >> 4).astype(np.uint8))
    shallow = Image(image.pixels >> 2, bits=10, spacing_um=image.spacing_um)
    stack = Image(np.stack([image.pixels, image.pixels[::-1]]), bits=12, spacing_um=(0.3, 0.1, 0.1))
    real = Image((image.pixels / 4095).astype(np.float32))
    for family in FAMILIES:
        name, parameter, dtypes = family.name, family.traits.parameter, family.traits.dtypes
        if family.traits.can_be_lossless:
            # AV1 has 10 bits and no more.
            yield f"{name}-lossless", name, shallow if name == "av1" else image
        if parameter is not None:
            noise = NOISE if family.traits.shaped_by_noise else ""
            lossy = f"{name}:{parameter.name}={parameter.value_at(0.45)}{noise}"
            yield f"{name}-lossy", lossy, image
            yield (
                f"{name}-uint8",
                f"{name}:{parameter.name}={parameter.value_at(0.8)}{noise}",
                small,
            )
            yield f"{name}-stack", lossy, stack
        for dtype in family.traits.dtypes_of(lossless=True):
            if np.dtype(dtype) not in MEASURED:
                yield f"{name}-{dtype}-lossless", name, signed(dtype)
        if "float32" in dtypes:
            setting = (
                f":{parameter.name}={parameter.value_at(0.8)}" if parameter is not None else ""
            )
            yield f"{name}-float32", f"{name}{setting}", real
    odd = Image(image.pixels[:23, :31], bits=12)
    volume = Image(
        np.stack([np.roll(image.pixels, 2 * z, axis=1) >> z % 2 for z in range(7)]), bits=12
    )
    for spec in ("jpeg2000", "jpegls:near=3", "jpegxl:distance=0.2"):
        bare = spec.partition(":")[0]
        yield f"wavelet-{bare}", f"{spec}{',' if ':' in spec else ':'}z=wavelet", volume
    yield "target-psnr", "jpegls:psnr=40", image
    yield "target-sigma", "jpegls:sigma=0.5,a=1.5,b=30,offset=100", image
    yield "scaled-jpegls-2", "jpegls:near=3,scale=2", image
    yield "scaled-jpegls-4", "jpegls:near=3,scale=4", odd
    yield "scaled-avif", "avif:quality=60,scale=2", small
    yield "scaled-jpegls-stack", "jpegls:near=3,scale=2", stack
    yield "wrappers-all", "jpeg2000:level=40,tile=16,guard=3", stack
    yield "guarded-jpegls", "jpegls:near=30,guard=2", image
    yield "guarded-jpegls-stack", "jpegls:near=30,guard=2", stack
    yield "lines-jpegls", "jpegls:near=3,lines=x0.215+x0+y0.36", hum(np.uint8)
    yield "lines-round-zstd", "round-zstd:step=9,lines=x0.215+x0+y0.36", hum(np.uint16)
    yield "lines-avif", "avif:quality=35,lines=x0.215+x0+y0.36", hum(np.uint8)
    both = np.stack([hum(np.uint16).pixels, hum(np.uint16).pixels[::-1]])
    yield "lines-stack", "jpegls:near=9,tile=64,lines=x0.215+y0.36,guard=4", Image(both, bits=12)


OME = """<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0"\
 Name="B12"><AcquisitionDate>2024-03-05T06:07:08</AcquisitionDate><Pixels ID="Pixels:0"\
 DimensionOrder="XYZCT" Type="uint16" SizeX="32" SizeY="24" SizeZ="1" SizeC="2" SizeT="2">\
<Channel ID="Channel:0:0" Name="DNA" EmissionWavelength="461"/><Channel ID="Channel:0:1"\
 Name="µ-tubule"/><MetadataOnly/><Plane TheZ="0" TheT="1" TheC="0" ExposureTime="0.1"/></Pixels>\
</Image><Image ID="Image:1"><Pixels ID="Pixels:1" DimensionOrder="XYZCT" Type="uint16"\
 SizeX="32" SizeY="24" SizeZ="2" SizeC="1" SizeT="1"><Channel ID="Channel:1:0"/><MetadataOnly/>\
</Pixels></Image></OME>"""


def write_file_of_several(path: Path) -> None:
    """Write two scenes, of two channels at two times and of a stack, and what they decode to."""
    image = plane()
    turned = [np.rot90(image.pixels, 2 * n) >> n for n in range(4)]
    images = [Image(np.ascontiguousarray(p), bits=12, spacing_um=(0.1, 0.1)) for p in turned]
    images.append(Image(np.stack(turned[:2]), bits=12, spacing_um=(0.3, 0.1, 0.1)))
    with path.open("wb") as stream:
        writer = Writer(stream)
        for number, one in enumerate(images):
            writer.add(codec("jpegls" if number % 2 else "jpegls:near=3").solve(one).data)
        writer.finish([(2, 2), (1, 1)], OME)
    with open_cyto(path) as file:
        decoded = [file.read(number).pixels for number in range(len(images))]
    np.savez_compressed(path.with_suffix(".npz"), *decoded)
    sys.stdout.write(f"{path.name}: {path.stat().st_size} bytes\n")


def main() -> None:
    """Write the files that are missing, or all."""
    several = FOLDER / "files" / "several.cyto"
    if not several.exists() or "--all" in sys.argv[1:]:
        write_file_of_several(several)
    for name, spec, image in specimens():
        coded, pixels = FOLDER / f"{name}.cyto", FOLDER / f"{name}.npy"
        if coded.exists() and "--all" not in sys.argv[1:]:
            continue
        data = codec(spec).solve(image).data
        coded.write_bytes(data)
        np.save(pixels, decode(data).pixels)
        sys.stdout.write(f"{coded.name}: {len(data)} bytes, {spec}\n")


if __name__ == "__main__":
    main()
