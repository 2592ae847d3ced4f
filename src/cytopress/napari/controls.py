"""The widget's controls: layer, codec, quality, what is shown, and what was measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from cytopress.codecs.traits import QualityParameter
from cytopress.napari.comparison import Comparison, codec_names, qualities, spec_of
from cytopress.napari.viewed import View

FIRST = "jpegxl"
STEPS = 100
# Letters that a box has room for in a narrow window.
SHORTEST = 16
SHOWN = {
    "decoded": "the coded copy, over the original",
    "difference": "decoded minus original, over three times the noise",
    "original": "the layer itself",
    "blink": "the coded copy and the original in turn",
    "side by side": "all layers in napari's grid",
}


class Controls:
    """Qt's part of the widget; it knows no viewer.

    Parameters
    ----------
    changed, show_changed : callable
        Called when another layer or setting is chosen, and when something else is to be shown.
    """

    def __init__(self, changed: Callable[[], None], show_changed: Callable[[], None]) -> None:
        from qtpy.QtCore import Qt
        from qtpy.QtWidgets import (
            QComboBox,
            QFormLayout,
            QLabel,
            QPlainTextEdit,
            QPushButton,
            QSlider,
            QWidget,
        )  # fmt: skip

        self.widget = QWidget()
        self.widget.setObjectName("cytopress compare")
        self.layers, self.codecs, self.quality, self.shown = (QComboBox() for _ in range(4))
        for box in (self.layers, self.codecs, self.quality, self.shown):
            # A long name of a layer would take the width of the canvas.
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            box.setMinimumContentsLength(SHORTEST)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, STEPS)
        self.slider.setValue(STEPS // 2)
        self.slider.setToolTip("left: fewer bytes; right: fewer errors")
        self.spec, self.result, self.status = QLabel(), QLabel(), QLabel()
        for label in (self.spec, self.result, self.status):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.copy = QPushButton("Copy spec")
        self.certificate = QPlainTextEdit()
        self.certificate.setReadOnly(True)
        self.certificate.setMinimumHeight(110)
        self.certificate_title = QLabel("<b>Certificate of loss</b>")
        self.codecs.addItems(codec_names())
        self.codecs.setCurrentText(FIRST)
        self.shown.addItems(list(SHOWN))
        for at, text in enumerate(SHOWN.values()):
            self.shown.setItemData(at, text, Qt.ItemDataRole.ToolTipRole)

        form = QFormLayout(self.widget)
        for title, part in (
            ("layer", self.layers), ("codec", self.codecs), ("quality", self.quality),
            ("", self.slider), ("spec", self.spec), ("", self.copy), ("show", self.shown),
        ):  # fmt: skip
            form.addRow(title, part)
        for part in (self.result, self.status, self.certificate_title, self.certificate):
            form.addRow(part)
        self._changed: Callable[[], None] = lambda: None
        self._take_codec()
        self._changed = changed
        self.show_certificate([])
        self.layers.currentIndexChanged.connect(self._notice)
        self.codecs.currentIndexChanged.connect(self._take_codec)
        self.quality.currentIndexChanged.connect(self._notice)
        self.slider.valueChanged.connect(self._notice)
        self.shown.currentIndexChanged.connect(lambda _: show_changed())
        self.copy.clicked.connect(self._copy)

    @property
    def text(self) -> str:
        """The spec string that the controls say."""
        return spec_of(self.codecs.currentText(), self._quality, self.slider.value() / STEPS)

    @property
    def layer(self) -> str:
        """Name of the chosen layer; "" where there is none."""
        return str(self.layers.currentText())

    def list_layers(self, names: Sequence[str]) -> None:
        """Offer layers; the chosen one stays chosen if it is there."""
        before = self.layer
        self.layers.blockSignals(True)  # noqa: FBT003 - Qt's
        self.layers.clear()
        self.layers.addItems(list(names))
        if before in names:
            self.layers.setCurrentText(before)
        self.layers.blockSignals(False)  # noqa: FBT003
        if self.layer != before:
            self._notice()

    def show_result(self, found: Comparison, view: View) -> None:
        """Show what was measured, and of what."""
        cells = "".join(
            f"<tr><td>{escape(name)}&nbsp;&nbsp;</td><td>{form.format(escape(value))}</td></tr>"
            for form, rows in (("{}", view.rows()), ("<b>{}</b>", found.rows()))
            for name, value in rows
        )
        self.result.setText(f"<table>{cells}</table>")
        self.status.setText(" ".join([f"{found.seconds:.2g} s; {found.setting}.", *found.notes]))

    def show_sentence(self, text: str) -> None:
        """Show why there is nothing to show."""
        self.result.setText("")
        self.status.setText(text)

    def show_certificate(self, lines: Sequence[str]) -> None:
        """Show the certificate of an archive's image, if it has one."""
        self.certificate.setPlainText("\n".join(lines))
        for part in (self.certificate_title, self.certificate):
            part.setVisible(bool(lines))

    @property
    def _quality(self) -> QualityParameter | None:
        found = qualities(self.codecs.currentText())
        return found[max(self.quality.currentIndex(), 0)] if found else None

    def _take_codec(self, *_: Any) -> None:
        before = self.quality.currentText()
        found = qualities(self.codecs.currentText())
        self.quality.blockSignals(True)  # noqa: FBT003
        self.quality.clear()
        self.quality.addItems([f"{one.name} ({one.unit})" for one in found])
        self.quality.setCurrentText(before)
        self.quality.blockSignals(False)  # noqa: FBT003
        for part in (self.quality, self.slider):
            part.setEnabled(bool(found))
        self._notice()

    def _notice(self, *_: Any) -> None:
        self.spec.setText(f"<code>{escape(self.text)}</code>")
        self._changed()

    def _copy(self, *_: Any) -> None:
        from qtpy.QtWidgets import QApplication

        QApplication.clipboard().setText(self.text)
