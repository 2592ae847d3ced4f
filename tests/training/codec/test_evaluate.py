"""Scores of a card: what is drawn between settings is what a codec does there."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from scipy import ndimage

import cytopress
from cytopress.codecs.base import StreamCodec
from cytopress.codecs.registry import decode_by
from cytopress.codecs.targets.encodes import Encodes
from cytopress.datasets.dataset import open_dataset
from cytopress.datasets.folder_form import write_form
from cytopress.image import Image
from cytopress.metrics import metric
from cytopress.models.model_package import open_package
from cytopress.statistics.bd_rate import bd_rate

pytest.importorskip("torch", reason="needs torch (extra learn)")
pytestmark = pytest.mark.learn

# What a model is judged over.
RATIOS = (8.0, 600.0)
SHIPPED = Path(cytopress.__file__).parent / "models" / "shipped" / "cytopress-2d.cytomodel"
FACTS: dict[str, str | int] = {
    "name": "noisy",
    "title": "Made spots with noise",
    "input": "made light",
    "target": "the same",
    "axes": "YX",
    "bits": 16,
    "licence": "CC0-1.0",
    "attribution": "made in a test",
}


def noisy() -> npt.NDArray[np.uint16]:
    """Faint smooth cells in strong white noise: from the noise on, bits buy little."""
    random = np.random.default_rng(4)
    cells = ndimage.gaussian_filter(random.normal(size=(128, 128)), 5)
    cells *= 900 / cells.std()
    pixels = np.clip(6000 + cells + random.normal(0, 250, cells.shape), 0, 65535)
    noisy: npt.NDArray[np.uint16] = pixels.astype(np.uint16)
    return noisy


def points(codecs: list[StreamCodec], image: Image, span: float) -> npt.NDArray[np.float64]:
    """Return rates and PSNRs within the judged ratios."""
    found = []
    for codec in codecs:
        data = codec.encode(image)
        if RATIOS[0] <= image.raw_bytes / len(data) <= RATIOS[1]:
            decoded = decode_by(codec, data).pixels
            found.append((len(data), metric("psnr").function(image.pixels, decoded, span)))
    return np.array(found).T


def test_settings_lie_near_each_other_and_rates_with_them(tmp_path: Path) -> None:
    from cytopress.training.codec import evaluate as module
    from cytopress.training.codec.validate import codecs_of

    pixels = noisy()
    rows = []
    for name in ("train", "test"):
        tifffile.imwrite(tmp_path / f"{name}.tif", pixels)
        rows.append({"field": name, "group": name, "input": f"{name}.tif", "target": f"{name}.tif"})
    write_form(tmp_path, FACTS, rows)
    with (tmp_path / "dataset.toml").open("a") as stream:
        stream.write('[split]\ntest = ["test"]\n')
    package, image = open_package(SHIPPED), Image(pixels)

    result = module.evaluate(package, [open_dataset(tmp_path)])["noisy"]

    # The card's table has the same settings on every field.
    assert len(result["curve"]) == len(module.QUALITIES)
    span, encodes = result["data_range"], Encodes(image)
    curve = module._curve(encodes, codecs_of(package, module.QUALITIES), span)
    assert widest(curve) > module.WIDEST, "nothing here wants more settings"
    more = module._between(encodes, package, curve, span)
    assert widest([*curve, *more]) <= module.WIDEST
    rival = points(module.opponents(encodes), image, span)
    # That these settings count is seen in the last digit that a card tells.
    alone, all_of_them = (
        bd_rate(*rival, *judged(each, image)).percent for each in (curve, [*curve, *more])
    )
    assert round(alone, 1) != round(all_of_them, 1)
    assert result["bd_rate"] == round(all_of_them, 1)
    own = points(codecs_of(package, [q / 128 for q in range(129)]), image, span)
    # Not quite smooth: an image goes with its rotations or without.
    assert result["bd_rate"] == pytest.approx(bd_rate(*rival, *own).percent, abs=0.6)


def judged(curve: list[Any], image: Image) -> npt.NDArray[np.float64]:
    """Return bytes and PSNRs of the points that are judged."""
    kept = [point for point in curve if RATIOS[0] <= point.ratio <= RATIOS[1]]
    return np.array([(image.raw_bytes / point.ratio, point.psnr) for point in kept]).T


def widest(curve: list[Any]) -> float:
    """Return the largest factor between neighboring rates of those that are judged."""
    judged = sorted(point.bpp for point in curve if RATIOS[0] <= point.ratio <= RATIOS[1])
    return max(after / before for before, after in pairwise(judged))
