"""What coding structured noise apart saves: BD-rates of PSNR by true bytes, on images.

    python bench/structured_noise.py IMAGE [IMAGE ...] [--made]

``--made`` adds each image once more with pickup of 1 count at 0.221 cycles a pixel and of half a
count at twice that, whose phase drifts. Seconds are of one process.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cytopress.codecs.registry import decode
from cytopress.codecs.spec import codec
from cytopress.errors import NotAvailableError
from cytopress.formats.images import read
from cytopress.image import Image
from cytopress.statistics.bd_rate import bd_rate

SPECS = {
    "avif": ("avif:quality={}", (8, 18, 30, 42, 55, 68)),
    "jpegxl": ("jpegxl:distance={}", (20, 13, 8, 5, 3, 2)),
    "jpeg2000": ("jpeg2000:ratio={}", (500, 250, 120, 60, 30)),
    "learned/cytopress-2d": ("learned/cytopress-2d:quality={}", (0.05, 0.18, 0.32, 0.46, 0.6)),
}


@dataclass(frozen=True)
class Curve:
    """Bytes and PSNR (but for a constant) of a codec at several settings, and its seconds."""

    sizes: tuple[int, ...]
    quality: tuple[float, ...]
    encode_s: float
    decode_s: float


def curve(image: Image, name: str, lines: str) -> Curve:
    """Return the curve of a codec with or without structured noise apart."""
    spec, settings = SPECS[name]
    sizes, quality, encode_s, decode_s = [], [], 0.0, 0.0
    for setting in settings:
        begin = time.perf_counter()
        data = codec(f"{spec.format(setting)},lines={lines}").encode(image)
        encode_s += time.perf_counter() - begin
        begin = time.perf_counter()
        decoded = decode(data).pixels
        decode_s += time.perf_counter() - begin
        sizes.append(len(data))
        quality.append(-10 * np.log10(np.mean((decoded.astype(float) - image.pixels) ** 2)))
    return Curve(tuple(sizes), tuple(quality), encode_s, decode_s)


def percent(test: Curve, reference: Curve) -> str:
    """Return the BD-rate of a curve against another."""
    try:
        found = bd_rate(reference.sizes, reference.quality, test.sizes, test.quality, monotone=True)
    except NotAvailableError:
        return "-"
    return f"{found.percent:+.1f} %"


def made(image: Image) -> Image:
    """Return an image with pickup whose phase drifts."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    steps = np.random.default_rng(0).normal(0, 0.02, image.shape[0])
    phase = 2 * np.pi * (0.221 * x + 0.37 * y) + np.cumsum(steps)[:, None]
    values = image.pixels + np.cos(phase) + 0.5 * np.cos(2 * phase)
    pixels = np.clip(np.rint(values), 0, 2**image.bits - 1).astype(image.dtype)
    return Image(pixels, bits=image.bits, name=f"{image.name} + pickup")


def main() -> None:
    """Print one table row for each image and codec."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("images", type=Path, nargs="+")
    parser.add_argument("--made", action="store_true")
    parser.add_argument("--codecs", nargs="+", default=list(SPECS), choices=list(SPECS))
    given = parser.parse_args()
    print("| image | codec | lines against without | against avif without, lines 0 | lines 1 |"
          " encode, times | decode, times |")  # fmt: skip
    print("|---|---|---|---|---|---|---|")
    for file in given.images:
        image = read(file)[0]
        for one in (image, made(image)) if given.made else (image,):
            curves = {
                (name, lines): curve(one, name, lines)
                for name in dict.fromkeys(["avif", *given.codecs])
                for lines in ("0", "1")
            }
            for name in given.codecs:
                plain, apart = curves[name, "0"], curves[name, "1"]
                cells = [
                    one.name or file.stem,
                    name,
                    percent(apart, plain),
                    *(percent(each, curves["avif", "0"]) for each in (plain, apart)),
                    f"{apart.encode_s / plain.encode_s:.1f}",
                    f"{apart.decode_s / plain.decode_s:.2f}",
                ]
                print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
