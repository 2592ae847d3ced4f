"""Learned and classic codecs by collection: BD-rates of PSNR, lines and resolution told apart.

    python bench/by_collection.py [NAME ...]            learned/cytopress-2d unless given
        --fields N         at most so many fields of a collection, spread over it (2)
        --crop EDGE        the middle square of each (512; 0: whole fields)
        --collections RE   of those whose name matches
        --each             every field on its own rows
        --parts PARTS      validation unless given; train,validation,test: a test field is scored
                           once, at the end

Of every collection that is in the data folder, which is one experiment and so one camera: percent
of bytes at equal PSNR against JPEG 2000, JPEG XL, AVIF, and the best of the three there; true
bytes over ratios from 8 to 230, negative is fewer. Means over fields, with a 95 % interval by
bootstrap where there are five. Every codec is told with structured noise coded apart (lines) and
without, the learned ones with a choice of resolution (scale) too: what the wrapper brings to
AVIF as well is not the network's merit.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from image_collections import Field, collections_root, fields_under
from rate_curves import Curve, curve
from timing import stay_on_one_core

from cytopress.codecs.spec import codec
from cytopress.codecs.targets.encodes import Encodes
from cytopress.errors import CytopressError, CytopressWarning, UnknownNameError
from cytopress.image import Image
from cytopress.metrics.data_range import data_range
from cytopress.statistics.interval import bootstrap_mean

CLASSIC = {"jpeg2000": "JPEG 2000", "jpegxl": "JPEG XL", "avif": "AVIF"}
WITH_LINES = ("avif", "jpegxl")
RATIOS = (8, 14, 24, 42, 74, 130, 230)
# Fields from which on an interval is told.
LEAST_FIELDS = 5
Rates = dict[str, list[float]]


def main() -> int:
    asked = _arguments()
    stay_on_one_core()
    # Of color that is gray, and of ratios exceeded, which are points like any other.
    warnings.simplefilter("ignore", CytopressWarning)
    root = collections_root()
    try:
        specs = _specs(asked.names)
        found = _chosen(list(fields_under(root)), asked)
        if not found:
            sys.exit(f"There is no field of these collections and parts under {root}.")
        rivals = [*CLASSIC.values(), "the best"]
        print(f"| collection | codec | {' | '.join(rivals)} |\n|{'---|' * (2 + len(rivals))}")
        bests: dict[str, list[float]] = defaultdict(list)
        for collection, fields in found.items():
            begin = time.monotonic()
            best = _print_collection(collection, fields, specs, asked.crop, bests)
            seconds = time.monotonic() - begin
            sys.stderr.write(f"{collection}: {best} is the best classic codec; {seconds:.0f} s\n")
        _print_summary(bests)
    except CytopressError as error:
        sys.exit(str(error))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", default=["learned/cytopress-2d"], metavar="NAME")
    parser.add_argument("--fields", type=int, default=2, metavar="N")
    parser.add_argument("--crop", type=int, default=512, metavar="EDGE")
    parser.add_argument("--collections", default="", metavar="RE")
    parser.add_argument("--each", action="store_true")
    parser.add_argument("--parts", default="validation")
    return parser.parse_args()


def _specs(names: Sequence[str]) -> dict[str, str]:
    """Return the codecs that are compared, by what the table calls them."""
    try:
        codec("avif:ratio=10,lines=0")
    except UnknownNameError:
        off = on = {"": "", " with lines": None}
    else:
        off, on = {"": ":lines=0"}, {" with lines": ":lines=auto"}
    specs = {}
    for name in names:
        for apart in (off, on):
            for words, option in apart.items():
                if option is None:
                    continue
                joint = f"{option}," if option else ":"
                specs[f"{name}{words}"] = f"{name}{joint}scale=1"
                specs[f"{name}{words or ' with'}{' and' if words else ''} scale"] = (
                    f"{name}{joint}scale=auto"
                )
    return specs | {
        f"{CLASSIC[name]}{words}": f"{name}{option}"
        for name in WITH_LINES
        for words, option in on.items()
        if option
    }


def _chosen(fields: Sequence[Field], asked: argparse.Namespace) -> dict[str, list[Field]]:
    found: dict[str, list[Field]] = defaultdict(list)
    for field in fields:
        if field.part in asked.parts.split(",") and re.search(asked.collections, field.collection):
            found[field.collection].append(field)
    chosen = {name: spread(all_of, asked.fields) for name, all_of in found.items()}
    if not asked.each:
        return chosen
    return {f"{name} {one.name}": [one] for name, fields in chosen.items() for one in fields}


def spread(fields: list[Field], most: int) -> list[Field]:
    """Return at most so many fields, evenly spread over all."""
    places = np.linspace(0, len(fields) - 1, min(most, len(fields)))
    return [fields[round(place)] for place in places]


def _print_collection(
    collection: str,
    fields: Sequence[Field],
    specs: dict[str, str],
    crop: int,
    bests: dict[str, list[float]],
) -> str:
    """Print a collection's rows, and return the name of the best classic codec there."""
    rates = _rates(fields, specs, crop)
    # Fewest bytes against JPEG 2000, which is 0 against itself.
    means = {
        name: float(np.mean(rates[name, "JPEG 2000"] or [np.inf])) for name in CLASSIC.values()
    }
    best = min(means, key=means.__getitem__)
    parts = ", ".join(sorted({field.part for field in fields}))
    label = f"{collection} ({parts}, {len(fields)} field{'s' * (len(fields) > 1)}; best: {best})"
    for name in specs:
        cells = [_cell(rates[name, rival]) for rival in (*CLASSIC.values(), best)]
        print(f"| {label} | {name} | {' | '.join(cells)} |", flush=True)
        if rates[name, best]:
            bests[name].append(float(np.mean(rates[name, best])))
        label = ""
    return best


def _rates(
    fields: Sequence[Field], specs: dict[str, str], crop: int
) -> dict[tuple[str, str], list[float]]:
    """Return the BD-rates of each codec against each classic one, of the fields that have any."""
    rates: dict[tuple[str, str], list[float]] = defaultdict(list)
    for field in fields:
        curves = dict(_curves(field, specs, crop))
        for name, own in curves.items():
            for rival in CLASSIC.values():
                rate = own.against(curves[rival])
                if rate is not None:
                    rates[name, rival].append(rate)
    return rates


def _curves(field: Field, specs: dict[str, str], crop: int) -> Iterator[tuple[str, Curve]]:
    image = cropped(field.image(), crop)
    encodes, span = Encodes(image), data_range([image.pixels])
    for spec, name in CLASSIC.items():
        yield name, curve(spec, encodes, RATIOS, span)
    for name, spec in specs.items():
        yield name, curve(spec, encodes, RATIOS, span)


def cropped(image: Image, edge: int) -> Image:
    """Return the square in the middle of an image; 0: all of it."""
    if not edge:
        return image
    starts = [max(0, (length - edge) // 2) for length in image.shape]
    rows, columns = (slice(start, start + edge) for start in starts)
    return image.with_pixels(image.pixels[rows, columns])


def _cell(rates: Sequence[float]) -> str:
    if not rates:
        return "none"
    mean = f"{np.mean(rates):+.1f}"
    if len(rates) < LEAST_FIELDS:
        return mean
    found = bootstrap_mean(rates, [""] * len(rates), seed=0)
    return f"{mean} [{found.low:+.1f}, {found.high:+.1f}]"


def _print_summary(bests: dict[str, list[float]]) -> None:
    """Print the mean over collections against the best classic codec of each."""
    print("\n| codec | collections | mean against the best | ahead | within 3 % | worst |")
    print("|---|---|---|---|---|---|")
    for name, rates in bests.items():
        ahead, near = sum(rate < 0 for rate in rates), sum(0 <= rate <= 3 for rate in rates)
        row = (name, len(rates), f"{np.mean(rates):+.1f}", ahead, near, f"{max(rates):+.1f}")
        print(f"| {' | '.join(map(str, row))} |")


if __name__ == "__main__":
    raise SystemExit(main())
