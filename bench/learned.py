"""Speed, memory and start of the learned codec beside the classic ones (`make bench`).

    python bench/learned.py [NAME]      learned/cytopress-2d unless another codec is named

Beside OpenJPEG and JPEG XL at effort 7, its default.

Unseen fields of `ecoli-phase` one by one, then the same ones tiled to 2048 x 2048, on one thread:
after a warm-up the median of five passes (three of the tiling), in MB/s of raw bytes, container and
checksums included.
Times are processor time of this process: what else runs here counts less. Only rows of one run
compare. What each row reached is in it; the tiling is coded with a setting found for one field.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import autoregressive
import fresh
import numpy as np
from timing import HEADING, Row, print_machine, solved, stay_on_one_core, timed

from cytopress.codecs.spec import codec
from cytopress.datasets.catalogue import Dataset, dataset
from cytopress.errors import CytopressError
from cytopress.image import Image
from cytopress.machine import versions
from cytopress.study.reference_scales import measure, sources_of

NAME = "learned/cytopress-2d"
DATASET, FIELDS, TILES = "ecoli-phase", 3, 4
RATIOS, TARGET_RATIO = (20, 40, 60, 80, 160, 320), 60
# What is asked for: a share of OpenJPEG's decoding, and of JPEG XL's encoding at effort 7.
DECODE_SHARE, ENCODE_SHARE = 1 / 12, 1.0
Rows = dict[str, dict[int, Row]]


def main() -> int:
    one_core = stay_on_one_core()
    name = next(iter(sys.argv[1:]), NAME)
    names = (name, "jpeg2000", "jpegxl")
    try:
        data = dataset(DATASET)
        codec(f"{name}:ratio={TARGET_RATIO}")
    except CytopressError as error:
        print(f"No benchmark of learned codecs: {error}", file=sys.stderr)
        return 1
    fields = [data.read_input(field) for field in data.part("test")]
    data_range = measure(data, sources_of(data, {}), step=lambda _: None).data_range
    print_circumstances(data, data_range, one_core=one_core)
    single, tiled = curves(names, fields, data_range)
    for where, rows in (("fields", single), ("tiling", tiled)):
        print_targets(where, name, rows)
    with tempfile.TemporaryDirectory() as folder:
        fresh.report(f"{name}:ratio={TARGET_RATIO}", fields[0], Path(folder))
        print()
        autoregressive.report(fields[0], Path(folder))
    return 0


def curves(names: tuple[str, ...], fields: list[Image], data_range: float) -> tuple[Rows, Rows]:
    """Print rows of every codec at every ratio, and return those of fields and of the tiling."""
    images, large = fields[:FIELDS], tiling(fields)
    single: Rows = {name: {} for name in names}
    tiled: Rows = {name: {} for name in names}
    print(f"\n{len(images)} fields, {images[0]!r} and alike; then them tiled, {large!r}")
    print(HEADING)
    for name in names:
        for ratio in RATIOS:
            spec = f"{name}:ratio={ratio}"
            try:
                coders = solved(codec(spec), images)
            except CytopressError as error:
                print(f"{spec:26} {error}", flush=True)
                continue
            clock = time.process_time
            single[name][ratio] = timed(spec, coders, images, data_range, clock)
            tiled[name][ratio] = timed("  tiled", coders[:1], [large], data_range, clock, 3)
            print(single[name][ratio], tiled[name][ratio], sep="\n", flush=True)
    return single, tiled


def tiling(fields: list[Image]) -> Image:
    """Return fields side by side, one after the other and from the first again."""
    order = [index % len(fields) for index in range(TILES**2)]
    rows = [
        np.concatenate([fields[index].pixels for index in order[start : start + TILES]], axis=1)
        for start in range(0, len(order), TILES)
    ]
    return Image(np.concatenate(rows), bits=fields[0].bits)


def print_targets(where: str, name: str, rows: Rows) -> None:
    """Print how the learned codec does beside what it is measured by."""
    try:
        ours, openjpeg, jpegxl = (rows[key][TARGET_RATIO] for key in (name, "jpeg2000", "jpegxl"))
    except KeyError:
        print(f"{where}: not every codec reaches ratio {TARGET_RATIO}")
        return
    decode, encode = ours.decode / openjpeg.decode, ours.encode / jpegxl.encode
    reached = " / ".join(f"{row.ratio:.0f}" for row in (ours, openjpeg, jpegxl))
    good = [fresh.verdict(decode >= DECODE_SHARE), fresh.verdict(encode >= ENCODE_SHARE)]
    least = 1 / DECODE_SHARE
    print(f"\n{where}, about ratio {TARGET_RATIO} ({reached}):")
    print(f"  decode  1/{1 / decode:.1f} of OpenJPEG's MB/s, wanted 1/{least:g}: {good[0]}")
    print(f"  encode  {encode:.2f} of JPEG XL's MB/s, wanted {ENCODE_SHARE:g}: {good[1]}")


def print_circumstances(data: Dataset, data_range: float, *, one_core: bool) -> None:
    print(f"{DATASET}: PSNR over {data_range:g} counts, {len(data.part('test'))} test fields")
    print_machine(one_core=one_core)
    found = versions()
    print(", ".join(f"{key} {found[key]}" for key in ("onnxruntime", "constriction")))


if __name__ == "__main__":
    sys.exit(main())
