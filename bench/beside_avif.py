"""AVIF and learned codecs beside JPEG 2000 on images as another experiment would give them.

    python bench/beside_avif.py [NAME ...]      learned/cytopress-2d unless given

The changed validation field of `other_experiments.py`, in 8 bits, which AVIF takes as they are.
BD-rates of PSNR against JPEG 2000 in percent over ratios from 10 to 160; negative is fewer bytes.
What a classic codec saves where a learned one saves nothing is there to be saved.
"""

from __future__ import annotations

import sys

import numpy as np
from other_experiments import changed_fields
from rate_curves import curve
from timing import stay_on_one_core

from cytopress.codecs.targets.encodes import Encodes
from cytopress.errors import CytopressError
from cytopress.image import Image
from cytopress.settings import from_environment

RATIOS = (10, 20, 40, 80, 160)
MOST = 255


def main() -> int:
    stay_on_one_core()
    names = ["avif", *(sys.argv[1:] or ["learned/cytopress-2d"])]
    try:
        fields = changed_fields(from_environment())
        print(f"| field | {' | '.join(names)} |\n|{'---|' * (len(names) + 1)}")
        for change, counts in fields.items():
            encodes = Encodes(Image(np.clip(np.rint(counts), 0, MOST).astype(np.uint8)))
            rival = curve("jpeg2000", encodes, RATIOS, MOST)
            rates = [curve(name, encodes, RATIOS, MOST).against(rival) for name in names]
            cells = ["none" if rate is None else f"{rate:+.1f}" for rate in rates]
            print(f"| {change} | {' | '.join(cells)} |", flush=True)
    except CytopressError as error:
        sys.exit(str(error))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
