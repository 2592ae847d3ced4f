"""What a codec takes from an image at each spatial frequency, and what of it a task minds.

    python bench/error_spectrum.py [SPEC ...]      at ratios 20, 40 and 160

On training and validation fields of `nuclei-brightfield`, never on its test groups, so that what is
learned here may choose something. For each octave of spatial frequency: the share of the contrast
that is kept (the regression of the decoded on the original, 1: all of it), the energy of the error
over that of the original, and how far the prediction recovers when the original alone is put back
into that octave. ``NAME+plain`` is a learned codec whose
encoder rounds instead of choosing symbols.
"""

from __future__ import annotations

import json
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from timing import stay_on_one_core

from cytopress.codecs.base import StreamCodec
from cytopress.codecs.registry import decode_by
from cytopress.codecs.spec import codec
from cytopress.datasets.catalogue import dataset
from cytopress.image import Image
from cytopress.metrics import metric
from cytopress.metrics.data_range import data_range
from cytopress.models.model_package import Package, write_package
from cytopress.models.search import find_package
from cytopress.settings import Settings, from_environment
from cytopress.tasks.builtin.labelfree import pearson_or_zero
from cytopress.tasks.registry import task

DATASET = "nuclei-brightfield"
SPECS = ("jpeg2000", "learned/nuclei-brightfield", "learned/nuclei-brightfield+plain")
RATIOS = (20, 40, 160)
# Octaves in cycles per pixel, the lowest and the highest open.
EDGES = (0.0, 1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)
PLAIN = "+plain"
Floats = npt.NDArray[np.float64]


def main() -> int:
    stay_on_one_core()
    specs = sys.argv[1:] or SPECS
    with tempfile.TemporaryDirectory() as folder:
        settings = from_environment()
        for name in {spec.removesuffix(PLAIN) for spec in specs if spec.endswith(PLAIN)}:
            without_choice(name, Path(folder), settings)
        report(specs, settings.with_models(Path(folder)))
    return 0


def without_choice(name: str, folder: Path, settings: Settings) -> Package:
    """Write a package beside, of the same networks, whose encoder takes the nearest symbols."""
    found = find_package(settings.model_folders, "codec", name)
    with zipfile.ZipFile(found.path) as archive:
        manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
    names = [Path(each) for each in found.names()]
    graphs = {str(n.with_suffix("")): found.read(str(n)) for n in names if n.suffix == ".onnx"}
    arrays = found.arrays(str(n.with_suffix("")) for n in names if n.suffix == ".npy")
    manifest |= {"name": name + PLAIN, "rdo": 0.0}
    path = folder / f"{name.rpartition('/')[2]}-plain.cytomodel"
    return write_package(path, manifest, graphs=graphs, arrays=arrays)


def report(specs: Any, settings: Settings) -> None:
    data, model = dataset(DATASET, settings), task(f"labelfree/{DATASET}", settings)
    span = data_range(data.read_input(field).pixels for field in data.part("train"))
    train = data.part("train")
    chosen = {
        "train": (train[0], train[len(train) // 2], train[-1]),
        "validation": data.part("validation")[:3],
    }
    for part, fields in chosen.items():
        images = [data.read_input(field) for field in fields]
        truths = [data.read_target(field).pixels for field in fields]
        before = [model.predict(image) for image in images]
        r = np.mean([pearson_or_zero(t, p.pixels) for t, p in zip(truths, before, strict=True)])
        print(f"\n{part}: {', '.join(field.name for field in fields)}; r from originals {r:.3f}")
        for ratio in RATIOS:
            for spec in specs:
                rows = []
                for image, truth, original in zip(images, truths, before, strict=True):
                    found = _solved(f"{spec}:ratio={ratio}", image, settings)
                    rows.append(_row(found, image, truth, original, model, span))
                _show(f"{spec} at {ratio}", np.mean(rows, axis=0))


def _solved(spec: str, image: Image, settings: Settings) -> StreamCodec:
    return codec(spec, settings).solve(image).codec


def _row(found: StreamCodec, image: Image, truth: Any, before: Any, model: Any, span: float) -> Any:
    decoded = decode_by(found, found.encode(image))
    x, x_hat = image.pixels.astype(float), decoded.pixels.astype(float)
    kept, error = bands(x, x_hat)

    def scores(pixels: Floats) -> tuple[float, float]:
        predicted = model.predict(Image(pixels.astype(np.float32))).pixels
        return pearson_or_zero(truth, predicted), pearson_or_zero(before.pixels, predicted)

    r, agreement = scores(x_hat)
    back = [scores(with_octave(x, x_hat, octave))[0] - r for octave in range(len(EDGES) - 1)]
    psnr = metric("psnr").function(image.pixels, decoded.pixels, span)
    return [psnr, x_hat.std() / x.std(), r, agreement, *kept, *error, *back]


def octaves(shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    """Return the octave of each coefficient of a real Fourier transform of a plane."""
    radius = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None])
    return np.digitize(radius, EDGES[1:-1])


def bands(x: Floats, x_hat: Floats) -> tuple[list[float], list[float]]:
    """Return for each octave the share of contrast kept, and error energy over signal energy."""
    window = np.outer(np.hanning(x.shape[0]), np.hanning(x.shape[1]))
    one, other = (np.fft.rfft2((plane - x.mean()) * window) for plane in (x, x_hat))
    where, kept, error = octaves(x.shape), [], []
    for octave in range(len(EDGES) - 1):
        own, its = one[where == octave], other[where == octave]
        energy = float((np.abs(own) ** 2).sum())
        kept.append(float((its * own.conj()).real.sum()) / energy)
        error.append(float((np.abs(its - own) ** 2).sum()) / energy)
    return kept, error


def with_octave(x: Floats, x_hat: Floats, octave: int) -> Floats:
    """Return x_hat with one octave of x in place of its own."""
    one, other = np.fft.rfft2(x), np.fft.rfft2(x_hat)
    return np.fft.irfft2(np.where(octaves(x.shape) == octave, one, other), x.shape)


def _show(label: str, row: Any) -> None:
    count = len(EDGES) - 1
    psnr, contrast, r, agreement = row[:4]
    print(f"{label}: {psnr:.2f} dB, contrast {contrast:.3f}, r {r:.3f}, agreement {agreement:.3f}")
    for name, start in (("kept", 4), ("error", 4 + count), ("r back", 4 + 2 * count)):
        numbers = "".join(f"{value:8.3f}" for value in row[start : start + count])
        print(f"    {name:8}{numbers}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
