"""The widget: a layer, a codec and its quality, and live what coding changes in what is seen."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from cytopress.errors import UsageError
from cytopress.napari.certificates import certificate_lines, find_certificate
from cytopress.napari.comparison import DIFFERENCE, Comparison
from cytopress.napari.controls import Controls
from cytopress.napari.job import Job
from cytopress.napari.viewed import Comparer, View, view_of

# Milliseconds without a change after which the region is coded, of a picture that blinks, and
# between looks at what is seen.
QUIET_MS, BLINK_MS, WATCH_MS = 250, 700, 500
# What the decoded copy has from its layer.
LOOK = ("contrast_limits", "gamma", "colormap")
# In the metadata of layers that the widget adds.
MARK = "coded copy"


class CompareWidget:
    """What the controls do to a viewer; napari docks ``native``, as of a magicgui widget.

    One region is coded at a time, in a thread. Where something else is wanted meanwhile, that ends
    with the next step of its search or its next tile, and the new one begins.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Or its model; napari gives it by this name.
    """

    def __init__(self, napari_viewer: Any) -> None:
        from qtpy.QtCore import QTimer

        # Plugins are given a proxy, through which no layer is equal to itself.
        viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self.viewer, self._compare = viewer, Comparer()
        self._job: Job | None = None
        self._again = self._closed = False
        self._previews: dict[str, Any] = {}
        self._followed: Any = None
        self._seen: Any = None
        self.controls = Controls(self.request, self._show)
        self.native = self.controls.widget
        # It lives as long as what is docked.
        self.native.session = self
        self._quiet, self._blink, self._watch = (QTimer(self.native) for _ in range(3))
        self._quiet.setSingleShot(True)
        self._quiet.setInterval(QUIET_MS)
        self._quiet.timeout.connect(self.update)
        self._blink.setInterval(BLINK_MS)
        self._blink.timeout.connect(self._turn)
        # What is seen changes without these events, too: a layer is moved, or the canvas is.
        self._watch.timeout.connect(self._look_again)
        self._watch.start(WATCH_MS)
        self._events = [
            (viewer.scene.camera.events, self.request),
            (viewer.dims.events, self.request),
            (viewer.layers.events.inserted, self._list_layers),
            (viewer.layers.events.removed, self._list_layers),
            (viewer.layers.events.renamed, self._list_layers),
        ]
        for event, react in self._events:
            event.connect(react)
        self.native.destroyed.connect(self._close)
        self._list_layers()
        self.request()

    def request(self, *_: Any) -> None:
        """Code what is seen, soon: not while it still changes."""
        self._quiet.start()

    def update(self) -> None:
        """Code what is seen now."""
        from superqt.utils import create_worker

        layer = self._layer
        if layer is None:
            self._give_up("Open an image, or a sample of File > Open Sample.")
            return
        certificate = find_certificate(layer.source.path)
        self.controls.show_certificate(certificate_lines(certificate) if certificate else [])
        try:
            view = view_of(layer, self.viewer)
        except UsageError as error:
            self._seen = None
            self._give_up(str(error))
            return
        known = layer.metadata.get("cytopress")
        bits = int(known.get("bits", 0)) if isinstance(known, dict) else 0
        job = Job(layer, view, self.controls.text, bits)
        if self._job is not None:
            self._again = not job.same_as(self._job) or self._job.cancelled
            self._job.cancelled = self._again
            return
        self._job, self._seen = job, view.seen
        self.controls.status.setText("Coding ...")
        create_worker(
            job.work, self._compare,
            _start_thread=True,
            _connect={
                "returned": lambda found: self._take(job, found),
                # Layers that are loaded when they are seen fail in ways of their readers.
                "errored": lambda error: self._take(job, repr(error)),
            },
        )  # fmt: skip

    def _give_up(self, sentence: str) -> None:
        """Want nothing of what is being coded, and say why."""
        self._cancel()
        self.controls.show_sentence(sentence)

    def _cancel(self) -> None:
        self._again = False
        if self._job is not None:
            self._job.cancelled = True

    def _look_again(self) -> None:
        if self._closed or self._layer is None:
            return
        if self._job is not None and not self._job.cancelled and self._job.stage:
            self.controls.status.setText(f"Coding ... {self._job.stage}")
        seen = None
        with suppress(UsageError):
            seen = view_of(self._layer, self.viewer).seen
        if seen != self._seen:
            self.request()

    def _take(self, job: Job, found: Comparison | str | None) -> None:
        self._job = None
        if self._closed:
            return
        if isinstance(found, str) and not job.cancelled:
            self.controls.show_sentence(found)
        elif isinstance(found, Comparison) and not job.cancelled and job.layer is self._layer:
            self.controls.show_result(found, job.view)
            self._show_pictures(job.layer, job.view, found)
        if self._again:
            self._again = False
            self.update()

    def _show_pictures(self, layer: Any, view: View, found: Comparison) -> None:
        start = [part.start for part in view.region]
        place = {
            "scale": layer.scale[-2:],
            "translate": layer.data_to_world((*view.place, *start))[-2:],
        }
        limits = {"contrast_limits": [-found.scale, found.scale], "colormap": DIFFERENCE}
        self._put(layer, "decoded", found.decoded, place | _look(layer))
        self._put(layer, "difference", found.difference, place | limits)
        self._follow(layer)
        self._show()

    def _follow(self, layer: Any) -> None:
        """Keep the look of the decoded copy that of its layer."""
        for one in (self._followed, layer) if self._followed is not layer else ():
            for name in LOOK if one is not None else ():
                event = getattr(one.events, name)
                event.connect(self._same_look) if one is layer else event.disconnect(
                    self._same_look
                )
        self._followed = layer

    def _same_look(self, *_: Any) -> None:
        for name, value in _look(self._followed).items():
            setattr(self._previews["decoded"], name, value)

    def _put(self, layer: Any, name: str, pixels: Any, look: dict[str, Any]) -> None:
        """Show pixels in a layer of the widget's own, made where it is not there."""
        shown = self._previews.get(name)
        if shown is not None and shown in self.viewer.layers:
            shown.data = pixels
            for key, value in look.items():
                setattr(shown, key, value)
            return
        chosen = self.viewer.layers.selection.active
        self._previews[name] = self.viewer.add_image(
            pixels, name=name, metadata={"cytopress": {MARK: True}}, blending="opaque",
            units=layer.units[-2:], axis_labels=layer.axis_labels[-2:], **look,
        )  # fmt: skip
        self.viewer.layers.selection.active = chosen

    def _show(self) -> None:
        """Show what is chosen: layers of the widget on or off, or all in the grid."""
        shown = self.controls.shown.currentText()
        grid = shown == "side by side"
        for name, layer in self._previews.items():
            layer.visible = grid or shown == name or (shown == "blink" and name == "decoded")
        if self.viewer.canvas.grid.enabled != grid:
            self.viewer.canvas.grid.enabled = grid
        if shown == "blink":
            self._blink.start()
        else:
            self._blink.stop()

    def _turn(self) -> None:
        if "decoded" in self._previews:
            self._previews["decoded"].visible = not self._previews["decoded"].visible

    @property
    def _layer(self) -> Any:
        name = self.controls.layer
        return next((layer for layer in self.viewer.layers if layer.name == name), None)

    def _list_layers(self, *_: Any) -> None:
        from napari.layers import Image

        names = [
            layer.name
            for layer in self.viewer.layers
            if type(layer) is Image and not _is_ours(layer)
        ]
        self.controls.list_layers(names)

    def _close(self, *_: Any) -> None:
        for event, react in self._events:
            event.disconnect(react)
        self._closed = True
        self._cancel()


def _look(layer: Any) -> dict[str, Any]:
    return {name: getattr(layer, name) for name in LOOK}


def _is_ours(layer: Any) -> bool:
    known = layer.metadata.get("cytopress")
    return isinstance(known, dict) and bool(known.get(MARK))
