"""The widget with a viewer's model and Qt, without a screen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import cytopress
from cytopress.napari.sample import made_up_field

# Of napari and its libraries.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def qt() -> Any:
    import os

    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    # A folder of tests is called napari, too.
    pytest.importorskip("napari.components", exc_type=ImportError)
    widgets = pytest.importorskip("qtpy.QtWidgets", exc_type=Exception)
    return widgets.QApplication.instance() or widgets.QApplication([])


@pytest.fixture
def viewer(qt: Any) -> Any:
    from napari.components import ViewerModel

    return ViewerModel()


@pytest.fixture
def wait(qt: Any) -> Callable[[Callable[[], bool]], None]:
    def until(done: Callable[[], bool]) -> None:
        end = time.monotonic() + 60
        while not done():
            qt.processEvents()
            time.sleep(0.005)
            assert time.monotonic() < end

    return until


@pytest.fixture
def widget(viewer: Any) -> Any:
    from cytopress.napari.widget import CompareWidget

    return CompareWidget(viewer)


def decoded(pixels: np.ndarray, spec: str) -> np.ndarray:
    return cytopress.decode(cytopress.encode(cytopress.Image(pixels), spec)).pixels


def test_a_layer_gets_its_decoded_copy_and_the_difference(
    viewer: Any, widget: Any, wait: Any
) -> None:
    pixels = made_up_field()[:200, :150]
    widget.controls.codecs.setCurrentText("jpegls")
    layer = viewer.add_image(pixels, name="cells", scale=(0.3, 0.3), units=("um", "um"))
    assert widget.controls.layer == "cells"
    wait(lambda: "difference" in viewer.layers)
    spec = widget.controls.text
    assert spec.startswith("jpegls:near=")
    copy, difference = viewer.layers["decoded"], viewer.layers["difference"]
    np.testing.assert_array_equal(copy.data, decoded(pixels, spec))
    np.testing.assert_array_equal(difference.data, copy.data.astype(float) - pixels)
    assert tuple(copy.scale) == (0.3, 0.3)
    assert (copy.visible, difference.visible) == (True, False)
    assert "counts" in widget.controls.result.text()
    assert viewer.layers.selection.active is layer
    layer.contrast_limits = (50, 700)
    assert tuple(copy.contrast_limits) == (50, 700)
    # Neither of the two is offered as a layer to compare.
    assert widget.controls.layers.count() == 1


def test_it_follows_the_slider_the_view_and_the_planes(viewer: Any, widget: Any, wait: Any) -> None:
    stack = np.stack([made_up_field()[:90, :80], made_up_field()[100:190, 100:180]])
    widget.controls.codecs.setCurrentText("jpegls")
    layer = viewer.add_image(stack, name="stack", translate=(0, 5, 7))
    wait(lambda: "decoded" in viewer.layers)
    copy = viewer.layers["decoded"]
    plane = int(viewer.dims.current_step[0])
    np.testing.assert_array_equal(copy.data, decoded(stack[plane], widget.controls.text))
    viewer.dims.set_current_step(0, 1 - plane)
    widget.controls.slider.setValue(90)
    spec = widget.controls.text
    wait(lambda: np.array_equal(copy.data, decoded(stack[1 - plane], spec)))
    # As the canvas does where a part is seen.
    layer.corner_pixels = np.array([[0, 10, 20], [0, 49, 59]])
    viewer.scene.camera.zoom = 3
    wait(lambda: copy.data.shape == (40, 40))
    np.testing.assert_array_equal(copy.data, decoded(stack[1 - plane, 10:50, 20:60], spec))
    assert tuple(copy.translate) == (15, 27)


def test_what_is_shown_is_chosen(viewer: Any, widget: Any, wait: Any) -> None:
    viewer.add_image(made_up_field()[:64, :64])
    wait(lambda: "difference" in viewer.layers)
    copy, difference = viewer.layers["decoded"], viewer.layers["difference"]
    shown = widget.controls.shown
    for name, visible in (
        ("difference", (False, True)), ("original", (False, False)), ("side by side", (True, True)),
        ("decoded", (True, False)),
    ):  # fmt: skip
        shown.setCurrentText(name)
        assert (copy.visible, difference.visible) == visible
        assert viewer.canvas.grid.enabled == (name == "side by side")
    shown.setCurrentText("blink")
    wait(lambda: not copy.visible)
    wait(lambda: copy.visible)


@pytest.mark.parametrize(
    ("pixels", "spec", "sentence"),
    [
        (np.zeros((64, 64, 3), np.uint8), ("jpegxl", 0), "has color"),
        (np.zeros((20, 30), np.int64), ("jpegxl", 0), "not int64"),
        (made_up_field()[:64, :64].astype(np.float32), ("jpegxl", 0), "float32"),
        (made_up_field()[:64, :64], ("learned/cytopress-2d", 3), "no setting reaches"),
    ],
)
def test_why_there_is_nothing_to_see_is_said(
    viewer: Any, widget: Any, wait: Any, pixels: np.ndarray, spec: tuple[str, int], sentence: str
) -> None:
    widget.controls.codecs.setCurrentText(spec[0])
    widget.controls.quality.setCurrentIndex(spec[1])
    widget.controls.slider.setValue(100)
    viewer.add_image(pixels)
    wait(lambda: sentence in widget.controls.status.text())
    assert "decoded" not in viewer.layers


def test_a_layer_that_cannot_be_loaded_does_not_end_it(viewer: Any, widget: Any, wait: Any) -> None:
    pixels = made_up_field()[:64, :64]
    layer = viewer.add_image(pixels)
    wait(lambda: "decoded" in viewer.layers)
    compare = widget._compare

    def broken(*_: object) -> None:
        raise KeyError("a lost chunk")

    widget._compare = broken
    widget.controls.slider.setValue(10)
    wait(lambda: "a lost chunk" in widget.controls.status.text())
    widget._compare = compare
    widget.controls.slider.setValue(20)
    wait(lambda: "times" in widget.controls.result.text())
    viewer.layers.remove(layer)
    wait(lambda: "Open an image" in widget.controls.status.text())


def test_without_layers_it_says_what_to_do(widget: Any, wait: Any) -> None:
    wait(lambda: "Open an image" in widget.controls.status.text())
    assert not widget.controls.certificate.isVisibleTo(widget.native)


def test_the_certificate_of_an_archive_is_shown(
    viewer: Any, widget: Any, wait: Any, tmp_path: Any
) -> None:
    import json

    from napari.layers._source import layer_source

    entry = {"software": "cytopress 1", "source": {"name": "a.tif"}, "channels": [{"label": "ER"}]}
    attributes = {"cytopress": {"lossy": True, "history": [entry]}}
    (tmp_path / "zarr.json").write_text(json.dumps({"attributes": attributes}))
    with layer_source(path=str(tmp_path)):
        viewer.add_image(made_up_field()[:64, :64])
    wait(lambda: "cytopress 1, from a.tif" in widget.controls.certificate.toPlainText())
    assert widget.controls.certificate.isVisibleTo(widget.native)
