"""Hours to code and decode a terabyte of 16-bit images: the table of docs/learned.md.

    python bench/terabyte.py [NAME ...]      learned/cytopress-2d unless learned codecs are named

Unseen fields of `ecoli-phase` side by side, 16 bits a pixel. The setting of each codec is searched
once, for a ratio; what is timed is coding and decoding at that setting, container and checksums
included, on one core: after a warm-up the median of three passes, in processor time, in MB/s of raw
bytes. A terabyte is 10^12 bytes. Sixteen cores code sixteen images at a time, so hours are those of
one core divided by 16; disks and networks are not counted.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from timing import Row, print_machine, solved, stay_on_one_core, timed

from cytopress.codecs.spec import codec
from cytopress.datasets.catalogue import dataset
from cytopress.errors import CytopressError
from cytopress.image import Image
from cytopress.kernels.paths import described
from cytopress.machine import versions
from cytopress.study.reference_scales import measure, sources_of

NAME = "learned/cytopress-2d"
CLASSIC = ("avif", "jpegxl", "htj2k", "jpeg2000")
DATASET, ACROSS, RATIOS = "ecoli-phase", 3, (20, 60)
TERABYTE, CORES, HOUR, PASSES = 1e12, 16, 3600, 3
HEADINGS = (
    *("codec", "ratio", "PSNR, dB", "encode, MB/s", "decode, MB/s"),
    *(f"1 TB encoded on {CORES} cores, hours", "decoded, hours"),
)


def main() -> int:
    one_core = stay_on_one_core()
    names = (*(sys.argv[1:] or [NAME]), *CLASSIC)
    try:
        data = dataset(DATASET)
        for name in names:
            codec(f"{name}:ratio={RATIOS[0]}")
    except CytopressError as error:
        print(f"No benchmark of a terabyte: {error}", file=sys.stderr)
        return 1
    image = side_by_side([data.read_input(field) for field in data.part("test")])
    data_range = measure(data, sources_of(data, {}), step=lambda _: None).data_range
    print(f"{DATASET}: {image!r} of test fields; PSNR over {data_range:g} counts")
    print_machine(one_core=one_core)
    print(f"onnxruntime {versions()['onnxruntime']}; {described()}\n")
    print(f"| {' | '.join(HEADINGS)} |\n|{'---|' * len(HEADINGS)}")
    for ratio in RATIOS:
        for name in names:
            try:
                coders = solved(codec(f"{name}:ratio={ratio}"), [image])
            except CytopressError as error:
                print(f"{name} at ratio {ratio}: {error}", file=sys.stderr)
                continue
            row = timed(name, coders, [image], data_range, time.process_time, PASSES)
            print(line(row), flush=True)
    return 0


def side_by_side(fields: list[Image]) -> Image:
    """Return the first fields as one image of as many across as down."""
    rows = [
        np.concatenate([field.pixels for field in fields[start : start + ACROSS]], axis=1)
        for start in range(0, ACROSS**2, ACROSS)
    ]
    return Image(np.concatenate(rows), bits=fields[0].bits)


def line(row: Row) -> str:
    """Return a row of the table."""
    rates = (row.encode, row.decode)
    cells = [f"`{row.spec}`", f"{row.ratio:.1f}", f"{row.psnr:.2f}"]
    cells += [f"{rate:.3g}" for rate in rates] + [f"{hours(rate):.2g}" for rate in rates]
    return f"| {' | '.join(cells)} |"


def hours(rate: float) -> float:
    """Return the hours that a terabyte takes at so many MB/s a core."""
    return TERABYTE / (rate * 1e6 * CORES * HOUR)


if __name__ == "__main__":
    sys.exit(main())
