"""Finest setting of learned codecs: the error that it leaves, and what a guard costs beyond it.

    python bench/finest.py [NAME]           learned/cytopress-2d unless given
        --fields N         at most so many fields of a collection, spread over it (all)
        --crop EDGE        the middle square of each (512; 0: whole fields)
        --collections RE   of those whose name matches
        --parts PARTS      train,validation unless given

A field passes if the finest setting leaves at most 0.3 standard deviations of the camera's noise,
or one count, in the root mean square. The noise is fitted to the fields of a collection that are
measured, which is one camera; where it cannot be fitted well, as where a filter was applied, it is
marked with ~, and is a lower bound. Then bytes with guard=1 and guard=2 at the quality that needs
the fewest of three, in percent of lossless JPEG XL and of near-lossless JPEG-LS at the same bound.
"""

from __future__ import annotations

import argparse
import re
import sys
import warnings
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from by_collection import cropped, spread
from image_collections import Field, collections_root, fields_under
from timing import stay_on_one_core

from cytopress.codecs.spec import codec
from cytopress.errors import CytopressError, CytopressWarning
from cytopress.image import Image
from cytopress.metrics.noise import NoiseFit, fit_noise
from cytopress.metrics.rmse_sigma import rmse_sigma

MOST_SIGMA, MOST_COUNTS = 0.3, 1.0
GUARDS, QUALITIES = (1, 2), (0.4, 0.7, 1.0)
HEADING = (
    "| field | noise | error, counts | error, sigma | passes | bytes | x smaller |"
    " guard=1: % of jpegxl, of jpegls near | guard=2 |"
)


@dataclass(frozen=True)
class Finest:
    """What the finest setting leaves: root mean square in counts and in standard deviations."""

    counts: float
    sigmas: float
    size: int

    @property
    def passes(self) -> bool:
        """Whether it leaves next to nothing."""
        return self.sigmas <= MOST_SIGMA or self.counts <= MOST_COUNTS


def main() -> int:
    asked = _arguments()
    stay_on_one_core()
    warnings.simplefilter("ignore", CytopressWarning)
    root = collections_root()
    collections: dict[str, list[Field]] = defaultdict(list)
    for field in fields_under(root):
        if field.part in asked.parts.split(",") and re.search(asked.collections, field.collection):
            collections[field.collection].append(field)
    print(f"{asked.name}\n\n{HEADING}\n|{'---|' * (HEADING.count('|') - 1)}")
    results = []
    try:
        for collection, fields in collections.items():
            chosen = spread(fields, asked.fields or len(fields))
            results += _print_collection(asked.name, collection, chosen, asked.crop)
    except CytopressError as error:
        sys.exit(str(error))
    passed = sum(found.passes for found in results)
    print(f"\n{passed} of {len(results)} fields pass.")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", nargs="?", default="learned/cytopress-2d", metavar="NAME")
    parser.add_argument("--fields", type=int, default=0, metavar="N")
    parser.add_argument("--crop", type=int, default=512, metavar="EDGE")
    parser.add_argument("--collections", default="", metavar="RE")
    parser.add_argument("--parts", default="train,validation")
    return parser.parse_args()


def _print_collection(
    name: str, collection: str, fields: Sequence[Field], crop: int
) -> list[Finest]:
    images = [cropped(field.image(), crop) for field in fields]
    noise = fit_noise(images)
    found = []
    for field, image in zip(fields, images, strict=True):
        finest = _finest(name, image, noise)
        sigma = float(np.sqrt(np.mean(noise.model.variance(image.pixels))))
        cells = (
            f"{collection} {field.name} ({field.part})",
            f"{'' if noise.good else '~'}{sigma:.3g}",
            f"{finest.counts:.3g}",
            f"{finest.sigmas:.2f}",
            "yes" if finest.passes else "no",
            finest.size,
            f"{image.raw_bytes / finest.size:.1f}",
            *_guarded(name, image),
        )
        print(f"| {' | '.join(map(str, cells))} |", flush=True)
        found.append(finest)
    return found


def _finest(name: str, image: Image, noise: NoiseFit) -> Finest:
    request = codec(f"{name}:quality=1")
    data = request.encode(image)
    decoded = request.decode(data).pixels
    error = decoded.astype(np.float64) - image.pixels
    sigmas = rmse_sigma(image.pixels, decoded, noise=noise.model)
    return Finest(float(np.sqrt(np.mean(error**2))), sigmas, len(data))


def _guarded(name: str, image: Image) -> list[str]:
    """Return the bytes with each guard, in percent of what JPEG XL and JPEG-LS need."""
    lossless = len(codec("jpegxl").encode(image))
    cells = []
    for guard in GUARDS:
        sizes = [
            len(codec(f"{name}:quality={quality},guard={guard}").encode(image))
            for quality in QUALITIES
        ]
        near = len(codec(f"jpegls:near={guard}").encode(image))
        cells.append(f"{100 * min(sizes) / lossless:.0f}, {100 * min(sizes) / near:.0f}")
    return cells


if __name__ == "__main__":
    raise SystemExit(main())
