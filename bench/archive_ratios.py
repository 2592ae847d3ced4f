"""Level 0 of an archive against whole-image .cyto files, at one ratio and at one setting.

    python bench/archive_ratios.py FOLDER [--ratios 10 20 60 150] [--codecs jpegxl:1024 ...]

FOLDER holds image files of one channel each. Bytes of level 0, without pyramid and metadata, are
divided by those of one .cyto file for each image: "asked" where every file meets the ratio by
itself, "setting" where the files have the archive's setting and limits. It is to be at most 1.10.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cytopress.archive.certificate import read, rows_of
from cytopress.archive.plan import read_plan
from cytopress.archive.planning import make_plan
from cytopress.archive.run import run
from cytopress.archive.wanted import Wanted
from cytopress.codecs.spec import codec
from cytopress.formats.images import read as read_images
from cytopress.image import Image

RATIOS = (10.0, 20.0, 60.0, 150.0)
# Each codec with the edge of its chunks.
CODECS = ("learned/cytopress-2d:512", "jpegxl:1024", "avif:1024")


def main() -> None:
    """Print a table: a row for each codec and ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--ratios", type=float, nargs="+", default=RATIOS)
    parser.add_argument("--codecs", nargs="+", default=CODECS)
    given = parser.parse_args()
    paths = sorted(path for path in given.folder.iterdir() if path.is_file())
    images = [image for path in paths for image in read_images(path)]
    columns = ("codec", "ratio", "level 0", "asked", "setting", "RMSE", "RMSE whole", "finer")
    print("| " + " | ".join([*columns, "pyramid", "plan CPU s"]) + " |")
    print("|---" * (len(columns) + 2) + "|")
    for name in given.codecs:
        spec, _, edge = name.rpartition(":")
        for ratio in given.ratios:
            row(spec, int(edge), ratio, given.folder, images)


def row(spec: str, edge: int, ratio: float, folder: Path, images: Sequence[Image]) -> None:
    """Archive a folder at a ratio, code its images whole, and print the row."""
    out = Path(tempfile.mkdtemp()) / "archive"
    asked = f"{spec}:ratio={ratio:g}"
    begun = time.process_time()
    make_plan([folder], out, Wanted(codec=asked, chunk=edge))
    planned = time.process_time() - begun
    run(out)
    rows = rows_of(out)
    full = [found for key, found in rows.items() if key.split("/")[-7] == "0"]
    level0 = sum(found["coded_bytes"] for found in full)
    every = sum(found["coded_bytes"] for found in rows.values())
    (coding,) = read_plan(out).codings
    channels = [one["channels"][0] for one in read(out)["images"].values()]
    rmse = np.mean([one["error"]["rmse"] ** 2 for one in channels]) ** 0.5
    at_setting = codec(coding.spec).with_reference_scales(None, coding.noise_model)
    limited = [replace(image, limits=coding.limits) for image in images]
    same = sum(len(at_setting.encode(image)) for image in limited)
    request = codec(asked)
    whole = [request.encode(image) for image in images]
    squares = [
        np.mean((request.decode(data).pixels.astype(float) - image.pixels) ** 2)
        for data, image in zip(whole, images, strict=True)
    ]
    raw, size = sum(image.raw_bytes for image in images), sum(map(len, whole))
    finer = sum(found["finer"] for found in full) / sum(found["chunks"] for found in full)
    cells = (
        *(spec, f"{ratio:g}", f"{raw / level0:.1f}", f"{level0 / size:.3f}"),
        *(f"{level0 / same:.3f}", f"{rmse:.2f}", f"{np.mean(squares) ** 0.5:.2f}", f"{finer:.0%}"),
        *(f"{every / level0 - 1:.0%}", f"{planned:.0f}"),
    )
    print("| " + " | ".join(cells) + " |", flush=True)
    shutil.rmtree(out.parent)


if __name__ == "__main__":
    main()
