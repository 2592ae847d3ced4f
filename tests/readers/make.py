"""Make archives of every kind, and what other programs are to read from them.

    python tests/readers/make.py FOLDER

Needs the extra archive; `read.py` then judges FOLDER in the environments of the readers.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import tifffile

TESTS = Path(__file__).parents[1]


def main() -> None:
    sys.path.insert(0, str(TESTS))
    from cytopress.archive import Wanted, export_archive, plan_archive, run_archive
    from cytopress.codecs.registry import find_family
    from fakes.archive_sources import (
        WELLS,
        disks,
        write_plate,
        write_series,
        write_stack,
        write_v04,
    )
    from fakes.learned_packages import remade

    folder = Path(sys.argv[1]).absolute()
    source, volume = folder / "source", folder / "volume-source"
    source.mkdir(parents=True)
    volume.mkdir()
    stack = write_stack(volume / "stack.tif", 20)
    write_series(source / "series.ome.tif")
    pixels = {
        # Of files: what another program reads in them.
        "series": tifffile.imread(source / "series.ome.tif")[:, :, None],
        "labeled": write_v04(source / "labeled.zarr", labels=disks("int32"))[None],
        "stack": tifffile.imread(volume / "stack.tif")[None, None],
    }
    assert np.array_equal(pixels["stack"][0, 0], stack)
    for well, field in zip(WELLS, write_plate(source / "plate.zarr"), strict=True):
        pixels[f"plate/{well}/0"] = field[None, :, None]
    for name, one in pixels.items():
        path = folder / "pixels" / f"{name}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, one)
    np.save(folder / "labels.npy", disks())

    made = {
        "cytopress": ([source], Wanted(codec="jpegls:max_error=3", chunk=64)),
        "volume": ([volume], Wanted(codec="learned/cytopress-3d:quality=0.5")),
        "everyone": (
            [source, volume],
            Wanted(codec="round-zstd:max_error=3", readers="everyone", chunk=64),
        ),
        # Its model travels with it, and is nowhere else.
        "away": ([source / "series.ome.tif"], Wanted(codec="learned/away:quality=0.5")),
    }
    models = folder / "models"
    models.mkdir()
    remade(find_family("learned/cytopress-2d").package, models, manifest={"name": "learned/away"})
    os.environ["CYTOPRESS_MODELS"] = str(models)
    images = []
    for archive, (sources, wanted) in made.items():
        plan_archive(sources, folder / archive, wanted)
        run_archive(folder / archive)
        exported = folder / f"{archive}-exported"
        export_archive(folder / archive, exported, form="ome-tiff")
        for name in pixels:
            path = f"plate.ome.zarr{name.removeprefix('plate')}"
            path = path if name.startswith("plate") else f"{name}.ome.zarr"
            tiff = exported / f"{path.removesuffix('.ome.zarr')}.ome.tif"
            if tiff.exists():
                np.save(tiff, tifffile.imread(tiff))
                images.append({
                    "archive": archive, "path": path, "source": f"pixels/{name}.npy",
                    "exported": f"{tiff.relative_to(folder)}.npy",
                    "learned": wanted.codec.startswith("learned"),
                })  # fmt: skip
    assert len(images) == 6 + 1 + 7 + 1
    (folder / "images.json").write_text(json.dumps(images, indent=1))
    shutil.rmtree(models)


if __name__ == "__main__":
    main()
