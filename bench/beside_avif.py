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
from other_experiments import CHANGES, DATASET, SIDE
from timing import stay_on_one_core

from cytopress.codecs.spec import codec
from cytopress.errors import CytopressError, UnreachableTargetError
from cytopress.image import Image
from cytopress.io.datasets import dataset
from cytopress.metrics import metric
from cytopress.metrics.bd_rate import bd_rate
from cytopress.settings import from_environment

RATIOS = (10, 20, 40, 80, 160)
MOST = 255


def main() -> int:
    stay_on_one_core()
    names = ["avif", *(sys.argv[1:] or ["learned/cytopress-2d"])]
    try:
        original = dataset(DATASET, from_environment())
        pixels = original.read_input(original.part("validation")[0]).pixels.astype(np.float64)
        print(f"| field | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}")
        for place, (change, changed) in enumerate(CHANGES.items()):
            made = changed(pixels, np.random.default_rng(place))[:SIDE, :SIDE]
            image = Image(np.clip(np.rint(made), 0, MOST).astype(np.uint8))
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
            solution = codec(f"{name}:ratio={ratio}").solve(image)
            data = solution.codec.encode(image)
            sizes.append(len(data))
            decoded = solution.codec.decode(data).pixels
            psnrs.append(metric("psnr").function(image.pixels, decoded, MOST))
    return sizes, psnrs


if __name__ == "__main__":
    raise SystemExit(main())
