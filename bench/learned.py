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
DECODE_SHARES, ENCODE_SHARE = {20: 0.8, 60: 0.4}, 1.0
# And MB/s of raw bytes at any ratio.
LEAST_DECODE = 80.0
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
    ours = rows[name]
    print(f"\n{where}:")
    for ratio, share in DECODE_SHARES.items():
        if ratio in ours and ratio in rows["jpeg2000"]:
            row, openjpeg = ours[ratio], rows["jpeg2000"][ratio]
            found = row.decode / openjpeg.decode
            good = fresh.verdict(found >= share)
            reached = f"{row.ratio:.0f} / {openjpeg.ratio:.0f}"
            print(
                f"  decode  {found:.2f} of OpenJPEG's MB/s at {reached}, wanted {share:g}: {good}"
            )
    least = min((row.decode for row in ours.values()), default=0.0)
    good = fresh.verdict(least >= LEAST_DECODE)
    print(f"  decode  {least:.0f} MB/s at the slowest ratio, wanted {LEAST_DECODE:g}: {good}")
    if TARGET_RATIO in ours and TARGET_RATIO in rows["jpegxl"]:
        encode = ours[TARGET_RATIO].encode / rows["jpegxl"][TARGET_RATIO].encode
        good = fresh.verdict(encode >= ENCODE_SHARE)
        print(f"  encode  {encode:.2f} of JPEG XL's MB/s, wanted {ENCODE_SHARE:g}: {good}")


def print_circumstances(data: Dataset, data_range: float, *, one_core: bool) -> None:
    print(f"{DATASET}: PSNR over {data_range:g} counts, {len(data.part('test'))} test fields")
    print_machine(one_core=one_core)
    found = versions()
    print(", ".join(f"{key} {found[key]}" for key in ("onnxruntime", "constriction")))


if __name__ == "__main__":
    sys.exit(main())
