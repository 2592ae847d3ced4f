"""Read archives with the programs that people have, and hold the pixels against their sources.

    python read.py FOLDER with-cytopress|alone

Runs in an environment that holds the readers, and the core of cytopress or nothing of it; FOLDER is
from `make.py`. Prints what each program read, and exits with an error where that is not right.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import numpy as np
import zarr

# Counts: what was promised, the RMSE of a learned codec (a few times the noise of 9), and by how
# much it may decode otherwise with another onnxruntime.
PROMISED, LEARNED_RMSE, INEXACT = 3, 30, 1
PROGRAMS = (
    "cytopress", "numpy", "zarr", "dask", "bioio", "bioio-ome-zarr", "ome-zarr", "napari",
    "napari-ome-zarr", "onnxruntime", "tensorstore",
)  # fmt: skip
LABELS = {"labeled.ome.zarr": "nuclei", "plate.ome.zarr/B/2/0": "cells"}
HELPS = "run `cytopress models add ARCHIVE`"
Reader = Callable[[Path], object]


def by_zarr(path: Path) -> object:
    return zarr.open_group(str(path), mode="r")["0"][:]


def by_dask(path: Path) -> object:
    import dask.array

    return dask.array.from_zarr(str(path / "0")).compute()


def by_bioio(path: Path) -> object:
    from bioio import BioImage

    if path.suffix == ".zarr":
        return BioImage(path).data
    # It takes no folder of another name for OME-Zarr by itself.
    from bioio_ome_zarr import Reader

    return BioImage(path, reader=Reader).data


def by_ome_zarr(path: Path) -> object:
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    return next(iter(Reader(parse_url(path))())).data[0].compute()


def by_napari(path: Path) -> object:
    from napari_ome_zarr import napari_get_reader

    layers = napari_get_reader(str(path))(str(path))
    data, about, kind = layers[0]
    assert kind == "image", kind
    data = np.asarray(data[0])
    return np.moveaxis(data, about["channel_axis"], 1) if "channel_axis" in about else data


def by_tensorstore(path: Path) -> object:
    import tensorstore

    where = {"driver": "zarr3", "kvstore": f"file://{path}/0"}
    return tensorstore.open(where, read=True).result().read().result()


READERS = {
    "with-cytopress": {
        "zarr": by_zarr, "dask": by_dask, "bioio": by_bioio, "ome-zarr": by_ome_zarr,
        "napari-ome-zarr": by_napari,
    },
    "alone": {"zarr": by_zarr, "tensorstore": by_tensorstore},
}  # fmt: skip


def main() -> None:
    folder, kind = Path(sys.argv[1]).absolute(), sys.argv[2]
    installed = [f"{name} {known}" for name in PROGRAMS if (known := _version(name))]
    print(f"{kind}: Python {sys.version.split()[0]}, {', '.join(installed)}")
    assert (find_spec("cytopress") is not None) == (kind == "with-cytopress")
    faults = 0
    for what, check in checks(folder, kind):
        try:
            with redirect_stdout(StringIO()):  # napari-ome-zarr prints
                found = check()
            print(f"  {what}: {found}", flush=True)
        except Exception as error:  # noqa: BLE001 - of any program; the next one is tried all the same
            faults += 1
            print(f"  {what}: FAULT {type(error).__name__}: {error}", flush=True)
            traceback.print_exc()
    sys.exit(f"{faults} faults" if faults else 0)


def checks(folder: Path, kind: str) -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield what is checked, and a function that does it and says what it found."""
    images = json.loads((folder / "images.json").read_text())
    readers = READERS[kind]
    for image in images:
        opens = image["archive"] != "away" if kind != "alone" else image["archive"] == "everyone"
        if opens:
            for name, read in readers.items():
                what = f"{image['archive']}/{image['path']} by {name}"
                yield what, partial(judge, folder, image, read)
    for archive in ["everyone"] if kind == "alone" else ["cytopress", "everyone"]:
        for image, label in LABELS.items():
            path = folder / archive / image / "labels" / label
            yield f"{path.relative_to(folder)} by zarr", partial(labels, folder, path)
    if kind != "alone":
        for archive in ("cytopress", "everyone"):
            for name in ("ome-zarr", "napari-ome-zarr"):
                plate = folder / archive / "plate.ome.zarr"
                what = f"{archive}/plate.ome.zarr by {name}"
                yield what, partial(whole_plate, folder, plate, readers[name])
        yield from checks_of_models(folder, images[-1], readers)


def checks_of_models(
    folder: Path, image: dict, readers: dict[str, Reader]
) -> Iterator[tuple[str, Callable[[], str]]]:
    """Yield what is checked of an archive whose model is missing, and then added."""
    path = folder / image["archive"] / image["path"]
    for name, read in readers.items():
        yield f"its model missing, by {name}", partial(missing, path, read)
    yield "SHA256SUMS", partial(checksums, folder / "away")
    yield "cytopress models add", partial(add_models, folder)
    yield "SHA256SUMS afterwards", partial(checksums, folder / "away")
    for name, read in readers.items():
        yield f"away/{image['path']} by {name}", partial(judge, folder, image, read)


def judge(folder: Path, image: dict, read: Reader) -> str:
    """Hold what a program reads against the source, and against what was exported."""
    source, exported = (np.load(folder / image[key]) for key in ("source", "exported"))
    found = np.asarray(read(folder / image["archive"] / image["path"]))
    assert found.size == source.size, (found.shape, source.shape)
    error = found.reshape(source.shape).astype(np.int64) - source
    rmse, largest = float(np.sqrt(np.mean(error**2))), int(np.abs(error).max())
    apart = int(np.abs(found.reshape(exported.shape).astype(np.int64) - exported).max())
    if image["learned"]:
        assert 0 < rmse < LEARNED_RMSE, rmse
        assert apart <= INEXACT, apart
    else:
        assert 0 < largest <= PROMISED, largest
        assert apart == 0, apart
    same = "equal to the export" if apart == 0 else f"{apart} count from the export"
    return f"{found.shape}, RMSE {rmse:.2f}, largest error {largest}, {same}"


def labels(folder: Path, path: Path) -> str:
    found = np.asarray(by_zarr(path))
    assert np.array_equal(found.reshape(-1, *found.shape[-2:])[0], np.load(folder / "labels.npy"))
    return f"{found.shape}, exact"


def whole_plate(folder: Path, plate: Path, read: Reader) -> str:
    found = np.asarray(read(plate))
    fields = [np.load(folder / f"pixels/plate/{well}/0.npy").squeeze() for well in
              ("A/1", "A/2", "B/1", "B/2")]  # fmt: skip
    expected = np.block([fields[:2], fields[2:]])
    assert found.size == expected.size, found.shape
    largest = np.abs(found.reshape(expected.shape).astype(np.int64) - expected).max()
    assert largest <= PROMISED, largest
    return f"{found.shape}, largest error {largest}"


def missing(path: Path, read: Reader) -> str:
    try:
        read(path)
    except Exception as error:  # noqa: BLE001 - of any program
        text = str(error)
    else:
        raise AssertionError("it was read without its model")
    assert HELPS in text, text
    assert "\n" not in text, text
    return text


def add_models(folder: Path) -> str:
    command = "from cytopress.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-I", "-c", command, "models", "add", str(folder / "away")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return " ".join(done.stdout.split())


def checksums(archive: Path) -> str:
    done = subprocess.run(
        ["sha256sum", "-c", "--quiet", "SHA256SUMS"],
        cwd=archive, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return f"{len((archive / 'SHA256SUMS').read_text().splitlines())} files are as listed"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    # Models of this machine's user neither help nor get company.
    os.environ.pop("CYTOPRESS_MODELS", None)
    os.environ["XDG_DATA_HOME"] = str(Path(sys.argv[1]).absolute() / f"user-of-{sys.argv[2]}")
    main()
