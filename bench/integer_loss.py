"""What the integer form of a package costs: its bytes against those of its own float synthesis.

    python bench/integer_loss.py PATH      a package of format 2, such as a training writes

The network in the package is exported once more with a float synthesis (format 1), and both code
the validation fields of the data sets that are here. Printed are BD-rates in percent, of each
field, with true bytes: positive is more bytes for the integers, and at most 0.5 is wanted. Needs
torch.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from timing import stay_on_one_core

from cytopress.codecs.base import StreamCodec
from cytopress.codecs.registry import decode_by
from cytopress.datasets.catalogue import dataset
from cytopress.image import Image
from cytopress.metrics import metric
from cytopress.metrics.data_range import data_range
from cytopress.models.model_package import Package, open_package
from cytopress.statistics.bd_rate import bd_rate
from cytopress.training.codec.config import CodecTraining
from cytopress.training.codec.evaluate import RATIOS
from cytopress.training.codec.export import write_codec_package
from cytopress.training.codec.networks import build
from cytopress.training.codec.start import load_state
from cytopress.training.codec.validate import codecs_of

DATASETS = ("ecoli-phase", "nuclei-brightfield")
FIELDS = 2
QUALITIES = tuple(step / 16 for step in range(17))
WANTED = 0.5


def main() -> int:
    stay_on_one_core()
    worst = -np.inf
    for name in sys.argv[1:]:
        package = open_package(Path(name))
        with tempfile.TemporaryDirectory() as folder:
            floats = float_form(package, Path(folder) / "float.cytomodel")
            for known in DATASETS:
                data = dataset(known)
                train = (data.read_input(field).pixels for field in data.part("train"))
                span = data_range(train)
                for field in data.part("validation")[:FIELDS]:
                    image = data.read_input(field)
                    curves = [
                        curve(codecs_of(p, QUALITIES), image, span) for p in (floats, package)
                    ]
                    (rate, psnr), (own_rate, own_psnr) = curves
                    loss = bd_rate(rate, psnr, own_rate, own_psnr).percent
                    worst = max(worst, loss)
                    print(f"{package.name} {known} {field.name}: {loss:+.2f} %", flush=True)
    print(f"at most {worst:+.2f} %, wanted {WANTED} %: {'yes' if worst <= WANTED else 'NO'}")
    return int(worst > WANTED)


def float_form(package: Package, path: Path) -> Package:
    """Write and return the package of the same network with a float synthesis."""
    config = CodecTraining.model_validate(package.manifest["training"])
    network = build(config.network, config.rate)
    network.load_state_dict(load_state(package), strict=False)
    manifest = {"name": package.name, "rdo": package.manifest["rdo"]}
    return write_codec_package(path, [network], manifest, exact=False)  # type: ignore[list-item]


def curve(codecs: list[StreamCodec], image: Image, span: float) -> tuple[list[float], list[float]]:
    """Return the bits a pixel and the PSNR of each codec, over the ratios that cards judge."""
    bpp, psnr = [], []
    for each in codecs:
        data = each.encode(image)
        if RATIOS[0] <= image.raw_bytes / len(data) <= RATIOS[1]:
            bpp.append(8 * len(data) / image.pixels.size)
            psnr.append(metric("psnr").function(image.pixels, decode_by(each, data).pixels, span))
    return bpp, psnr


if __name__ == "__main__":
    sys.exit(main())
