"""Bytes of one learned codec against those of another, by collection: quicker than by_collection.

    python bench/two_packages.py NAME@DIGEST OTHER@DIGEST [--fields N] [--crop EDGE]

Validation fields alone, as `bench/by_collection.py` groups them. Each codes a field at a dozen of
its own qualities, without a search for ratios; printed are BD-rates of the second against the first
in percent of true bytes at equal PSNR, negative is fewer, of all and of the coarser half of PSNR.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections import defaultdict

import numpy as np
from by_collection import cropped, spread
from image_collections import Field, collections_root, fields_under
from rate_curves import Curve
from timing import stay_on_one_core

from cytopress.codecs.spec import codec
from cytopress.errors import CytopressError, CytopressWarning
from cytopress.image import Image
from cytopress.metrics import metric
from cytopress.metrics.data_range import data_range

QUALITIES = tuple(step / 12 for step in range(13))


def main() -> int:
    """Print a row for each collection, and the mean over collections."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs=2, metavar="NAME")
    parser.add_argument("--fields", type=int, default=2, metavar="N")
    parser.add_argument("--crop", type=int, default=512, metavar="EDGE")
    asked = parser.parse_args()
    stay_on_one_core()
    warnings.simplefilter("ignore", CytopressWarning)
    root = collections_root()
    found: dict[str, list[Field]] = defaultdict(list)
    for field in fields_under(root):
        if field.part == "validation":
            found[field.collection].append(field)
    print("| collection | fields | BD-rate | of the coarser half | seconds |\n" + "|---" * 5 + "|")
    rows = []
    try:
        for collection, fields in found.items():
            begin = time.process_time()
            chosen = spread(fields, asked.fields)
            rates = [_rates(asked.names, cropped(one.image(), asked.crop)) for one in chosen]
            rows.append(np.nanmean(rates, axis=0))
            cells = " | ".join(f"{rate:+.1f}" for rate in rows[-1])
            seconds = time.process_time() - begin
            print(f"| {collection} | {len(chosen)} | {cells} | {seconds:.0f} |", flush=True)
    except CytopressError as error:
        sys.exit(str(error))
    print(f"| mean | | {' | '.join(f'{rate:+.1f}' for rate in np.nanmean(rows, axis=0))} | |")
    return 0


def _rates(names: tuple[str, str], image: Image) -> tuple[float, float]:
    """Return the BD-rates of the second codec against the first."""
    first, second = (_curve(name, image) for name in names)
    middle = float(np.median(first.psnrs))
    whole, coarse = second.against(first), _below(second, middle).against(_below(first, middle))
    return (np.nan if whole is None else whole), (np.nan if coarse is None else coarse)


def _curve(name: str, image: Image) -> Curve:
    span, points = data_range([image.pixels]), []
    for quality in QUALITIES:
        request = codec(f"{name}:quality={quality},scale=1")
        data = request.encode(image)
        decoded = request.decode(data).pixels
        points.append((len(data), metric("psnr").function(image.pixels, decoded, span)))
    sizes, psnrs = zip(*sorted(points), strict=True)
    return Curve(sizes, psnrs)


def _below(curve: Curve, psnr: float) -> Curve:
    points = [(size, one) for size, one in zip(curve.sizes, curve.psnrs, strict=True) if one < psnr]
    sizes, psnrs = zip(*points, strict=True) if points else ((), ())
    return Curve(sizes, psnrs)


if __name__ == "__main__":
    sys.exit(main())
