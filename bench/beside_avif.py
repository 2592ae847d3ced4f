"""AVIF and learned codecs beside JPEG 2000 on images as another experiment would give them.

    python bench/beside_avif.py [NAME ...]      learned/cytopress-2d unless given

The changed validation field of `other_experiments.py`, in 8 bits, which AVIF takes as they are.
BD-rates of PSNR against JPEG 2000 in percent over ratios from 10 to 160; negative is fewer bytes.
What a classic codec saves where a learned one saves nothing is there to be saved.
"""

from __future__ import annotations

import contextlib
import sys

import numpy as np
from other_experiments import changed_fields
from timing import stay_on_one_core

import cytopress
from cytopress.codecs.spec import codec
from cytopress.errors import CytopressError, UnreachableTargetError
from cytopress.image import Image
from cytopress.metrics import metric
from cytopress.settings import from_environment
from cytopress.statistics.bd_rate import bd_rate

RATIOS = (10, 20, 40, 80, 160)
MOST = 255


def main() -> int:
    stay_on_one_core()
    names = ["avif", *(sys.argv[1:] or ["learned/cytopress-2d"])]
    try:
        fields = changed_fields(from_environment())
        print(f"| field | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}")
        for change, counts in fields.items():
            image = Image(np.clip(np.rint(counts), 0, MOST).astype(np.uint8))
            rival = curve("jpeg2000", image)
            rates = (bd_rate(*rival, *curve(name, image)).percent for name in names)
            print(f"| {change} | {' | '.join(f'{rate:+.1f}' for rate in rates)} |", flush=True)
    except CytopressError as error:
        sys.exit(str(error))
    return 0


def curve(name: str, image: Image) -> tuple[list[float], list[float]]:
    """Return bytes and PSNRs at the ratios that the codec reaches."""
    sizes: list[float] = []
    psnrs: list[float] = []
    for ratio in RATIOS:
        with contextlib.suppress(UnreachableTargetError):
            # A ratio exceeded is a point of the curve like any other: no warning.
            data = codec(f"{name}:ratio={ratio}").solve(image).data
            sizes.append(len(data))
            decoded = cytopress.decode(data).pixels
            psnrs.append(metric("psnr").function(image.pixels, decoded, MOST))
    return sizes, psnrs


if __name__ == "__main__":
    raise SystemExit(main())
