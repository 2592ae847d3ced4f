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
def widget(viewer: Any, wait: Any) -> Any:
    from cytopress.napari.widget import CompareWidget

    made = CompareWidget(viewer)
    yield made
    # A thread that ends after Qt has gone ends the process.
    made._close()
    wait(lambda: made._job is None)


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
    viewer.add_image(stack, name="stack", translate=(0, 5, 7))
    wait(lambda: "decoded" in viewer.layers)
    copy = viewer.layers["decoded"]
    plane = int(viewer.dims.current_step[0])
    np.testing.assert_array_equal(copy.data, decoded(stack[plane], widget.controls.text))
    viewer.dims.set_current_step(0, 1 - plane)
    widget.controls.slider.setValue(90)
    spec = widget.controls.text
    wait(lambda: np.array_equal(copy.data, decoded(stack[1 - plane], spec)))
    look_at(viewer, (10 + 5, 20 + 7), (40, 40))
    wait(lambda: copy.data.shape == (40, 40))
    np.testing.assert_array_equal(copy.data, decoded(stack[1 - plane, 10:50, 20:60], spec))
    assert tuple(copy.translate) == (15, 27)


def look_at(viewer: Any, start: tuple[float, float], shape: tuple[int, int]) -> None:
    """Let the canvas show pixels of edge 1 alone, from the first one's place on."""
    viewer.canvas.size = (shape[0] * 5, shape[1] * 5)
    viewer.scene.camera.zoom = 5
    viewer.scene.camera.center = tuple(
        at - 0.5 + length / 2 for at, length in zip(start, shape, strict=True)
    )


def test_of_a_pyramid_it_follows_the_view_not_the_chunks_that_are_loaded(
    viewer: Any, widget: Any, wait: Any
) -> None:
    import zarr

    y, x = np.mgrid[:1024, :1024]
    full = (y * 3 + x % 50).astype(np.uint16)
    levels = [full[::step, ::step] for step in (1, 2, 4)]
    arrays = [
        zarr.create_array({}, data=np.ascontiguousarray(level), chunks=(256, 256))
        for level in levels
    ]
    widget.controls.codecs.setCurrentText("jpegls")
    layer = viewer.add_image(arrays, name="pyramid", multiscale=True, contrast_limits=(0, 4000))
    wait(lambda: "decoded" in viewer.layers)
    copy = viewer.layers["decoded"]
    for start in ((520, 260), (600, 300), (700, 400)):
        look_at(viewer, start, (60, 80))
        # What the canvas does when it is drawn: within the chunks that are loaded, nothing.
        camera, canvas = viewer.scene.camera, viewer.canvas
        half = np.array(canvas.size) / 2 / camera.zoom
        center = np.array(camera.center[-2:])
        layer._update_draw(1 / camera.zoom, np.array([center - half, center + half]), canvas.size)
        seen = full[start[0] : start[0] + 60, start[1] : start[1] + 80]
        wait(lambda: tuple(copy.translate) == start)  # noqa: B023
        np.testing.assert_array_equal(copy.data, decoded(seen, widget.controls.text))
        assert layer.corner_pixels.tolist() == [[512, 256], [767, 511]]
        told = widget.controls.result.text()
        assert f"{start[0]}–{start[0] + 59} of 1024" in told
        assert f"{start[1]}–{start[1] + 79} of 1024" in told
        assert "level 0 of 3" in told


def test_a_layer_out_of_view_is_said(viewer: Any, widget: Any, wait: Any) -> None:
    viewer.add_image(made_up_field()[:64, :64])
    wait(lambda: "times" in widget.controls.result.text())
    viewer.scene.camera.center = (5000, 5000)
    wait(lambda: "in view" in widget.controls.status.text())
    viewer.reset_view()
    wait(lambda: "times" in widget.controls.result.text())


def test_work_that_nobody_wants_ends_with_its_step(viewer: Any, widget: Any, wait: Any) -> None:
    begun: list[str] = []
    ended: list[str] = []
    compare = widget._compare

    def slow(view: Any, spec: str, bits: int, listener: Any) -> Any:
        begun.append(spec)
        try:
            for step in range(1000 if len(begun) == 1 else 0):
                time.sleep(0.01)
                listener(0.0, f"step {step}")
            return compare(view, spec, bits, listener)
        finally:
            ended.append(spec)

    widget._compare = slow
    widget.controls.codecs.setCurrentText("jpegls")
    viewer.add_image(made_up_field()[:64, :64])
    # Events are processed meanwhile, and the step is told.
    wait(lambda: "step" in widget.controls.status.text())
    assert not ended
    # The same once more does not end it.
    widget.update()
    assert not widget._job.cancelled
    widget.controls.slider.setValue(10)
    wait(lambda: "times" in widget.controls.result.text())
    assert len(begun) == 2
    assert begun[-1] == widget.controls.text
    assert ended == begun


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


def test_a_long_name_does_not_take_the_canvas(viewer: Any, widget: Any) -> None:
    width = widget.native.minimumSizeHint().width()
    viewer.add_image(made_up_field()[:64, :64], name="a long name " * 20)
    assert widget.native.minimumSizeHint().width() <= width


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
