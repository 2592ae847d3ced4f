"""Take the screenshot of the napari widget: a neuron in an archive, and its coded copy.

    python docs/napari_screenshot.py

Run by hand where the widget changed. Needs the extras archive and demo, napari with a Qt binding,
napari-ome-zarr, and a screen (Xvfb will do).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import napari
import numpy as np
from PIL import Image as Picture
from qtpy.QtWidgets import QApplication

import cytopress
from cytopress.archive import Wanted, plan_archive, run_archive
from cytopress.datasets.embedded import find_packaged_file

PICTURE = Path(__file__).with_name("pictures") / "napari.png"
CODEC, QUALITY, POSITION = "jpegxl", 1, 35  # a ratio
COLORS = 144


def archived(folder: Path) -> Path:
    """Return the image of an archive in a folder: a neuron's actin (extra demo), without loss."""
    source = find_packaged_file("ndev-sampledata", "neuron-4Ch.tiff", get="install the extra demo")
    [image] = cytopress.read(source, select={"C": 2})
    cytopress.write(folder / "neuron.ome.tif", [replace(image, name="actin")])
    plan_archive([folder / "neuron.ome.tif"], folder / "store", Wanted())
    run_archive(folder / "store")
    return folder / "store" / "neuron.ome.zarr"


def wait(until: Callable[[], bool], seconds: float = 60) -> None:
    """Run napari's events until something has come."""
    end = time.monotonic() + seconds
    while not until():
        QApplication.processEvents()
        time.sleep(0.01)
        if time.monotonic() > end:
            raise TimeoutError


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        image = archived(Path(folder))
        viewer = napari.Viewer()
        viewer.window.resize(1400, 900)
        viewer.open(image, plugin="napari-ome-zarr")
        _, widget = viewer.window.add_plugin_dock_widget("cytopress", "Compare with a coded copy")
        controls = widget.controls
        controls.codecs.setCurrentText(CODEC)
        controls.quality.setCurrentIndex(QUALITY)
        controls.slider.setValue(POSITION)
        controls.shown.setCurrentText("side by side")
        (layer,) = (one for one in viewer.layers if "coded copy" not in str(one.metadata))
        layer.contrast_limits = np.percentile(np.asarray(layer.data), (0.5, 99.8))
        layer.colormap = "gray"
        wait(lambda: "difference" in viewer.layers and "times" in controls.result.text())
        viewer.reset_view()
        for _ in range(2):  # the view, then the labels' new heights
            settled = time.monotonic() + 4
            wait(lambda: time.monotonic() > settled and controls.status.text().endswith("."))  # noqa: B023
        shot = Picture.fromarray(viewer.screenshot(canvas_only=False, flash=False)).convert("RGB")
        viewer.close()
    few = shot.quantize(COLORS, method=Picture.Quantize.MEDIANCUT, dither=Picture.Dither.NONE)
    few.save(PICTURE, optimize=True)
    print(PICTURE, PICTURE.stat().st_size)


if __name__ == "__main__":
    main()
