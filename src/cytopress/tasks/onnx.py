"""Any ONNX model as a task: one channel in, an image or objects out."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cytopress.errors import TaskError, UsageError
from cytopress.image import Image, Pixels
from cytopress.package import OnnxFile, Port, open_onnx
from cytopress.tasks.answers import Answer, answer_of
from cytopress.tasks.layout import arranged, channels_first, one_channel
from cytopress.tasks.normalize import DTYPES, normalized
from cytopress.tasks.options import OnnxModel
from cytopress.tasks.protocol import Prediction, Score, Truth
from cytopress.tasks.windows import Values, fitting, halos, run_windows


@dataclass(frozen=True)
class OnnxTask:
    """An ONNX graph with the declaration of how it is fed and read.

    Parameters
    ----------
    name : str
        Such as ``onnx/nuclei``.
    file : OnnxFile
        The graph.
    model : OnnxModel
        The declaration.
    threads : int, optional
        Threads of onnxruntime; 0 leaves the choice to it.

    Raises
    ------
    UsageError
        The declaration does not fit the graph: axes, channels, type, tile or names.
    """

    name: str
    file: OnnxFile
    model: OnnxModel
    threads: int = 0
    source: Port = field(init=False, repr=False)
    result: Port = field(init=False, repr=False)

    def __post_init__(self) -> None:
        wanted = self.model.input
        object.__setattr__(self, "source", self._port("input", self.file.inputs, wanted.name))
        object.__setattr__(
            self, "result", self._port("output", self.file.outputs, self.model.output.name)
        )
        if len(self.file.inputs) > 1:
            names = ", ".join(port.name for port in self.file.inputs)
            self._refuse(f"the model takes several inputs ({names}), where one image is given")
        if self.source.type not in DTYPES:
            self._refuse(
                f"input {self.source.name!r} is {self.source.type}; known: {', '.join(DTYPES)}"
            )
        if DTYPES[self.source.type].kind == "u" and wanted.normalize == "standardize":
            self._refuse(
                f"input {self.source.name!r} is {self.source.type} and cannot be standardized"
            )
        self._check_axes(self.source, wanted.axes)
        self._check_axes(self.result, self._result_axes)
        if {*self._result_axes} & {*"ZYX"} != {*wanted.axes} & {*"ZYX"}:
            self._refuse(f"output axes {self._result_axes} need those of the input, {wanted.axes}")
        self._check_channels()
        self._check_tile()

    def _refuse(self, sentence: str) -> None:
        raise UsageError(f"{self.name}: {self.file.path}: {sentence}.")

    def _port(self, role: str, ports: tuple[Port, ...], name: str | None) -> Port:
        names = [port.name for port in ports]
        if name is None and len(ports) > 1 and role == "output":
            self._refuse(f"the model has several outputs; name one of {', '.join(names)}")
        if name is not None and name not in names:
            self._refuse(f"there is no {role} {name!r}; known: {', '.join(names)}")
        return ports[0 if name is None else names.index(name)]

    def _check_axes(self, port: Port, axes: str) -> None:
        if port.shape and len(port.shape) != len(axes):
            self._refuse(
                f"{port.name!r} has {len(port.shape)} axes {_shown(port)}, not"
                f" {len(axes)} ({axes}); correct axes"
            )
        if "N" in axes and self._length(port, axes, "N") not in (None, 1):
            self._refuse(
                f"{port.name!r} has a fixed batch of {self._length(port, axes, 'N')}"
                f" {_shown(port)}, where one image is given; correct axes or export it again"
            )

    @staticmethod
    def _length(port: Port, axes: str, letter: str) -> int | None:
        return port.shape[axes.index(letter)] if letter in axes and port.shape else None

    def _check_channels(self) -> None:
        taken = self._length(self.source, self.model.input.axes, "C")
        if taken not in (None, 1) and self.model.input.channels != "repeat":
            self._refuse(
                f"input {self.source.name!r} {_shown(self.source)} takes {taken} channels in axes"
                f' {self.model.input.axes}, where an image has one; declare channels = "repeat",'
                " or correct axes"
            )
        given = self._length(self.result, self._result_axes, "C")
        channel = self.model.output.channel
        if given is not None and given > 1 and channel is None:
            self._refuse(f"output {self.result.name!r} has {given} channels; declare which")
        if given is not None and channel is not None and channel >= given:
            self._refuse(f"output {self.result.name!r} has {given} channels, no channel {channel}")

    def _check_tile(self) -> None:
        wanted = self.model.input
        for letter in self._spatial:
            fixed = self._length(self.source, wanted.axes, letter)
            if fixed is not None and letter != "Z" and wanted.tile not in (None, fixed):
                self._refuse(
                    f"the model takes {fixed} pixels along {letter}, not tile = {wanted.tile}"
                )
            edge = fixed or wanted.tile
            if edge is not None and 2 * (wanted.halo or 0) >= edge:
                self._refuse(f"halo = {wanted.halo} leaves nothing of a window of {edge}")

    @property
    def _result_axes(self) -> str:
        return self.model.output.axes or self.model.input.axes

    @property
    def _spatial(self) -> str:
        return "".join(letter for letter in "ZYX" if letter in self.model.input.axes)

    @property
    def answer(self) -> Answer:
        """What is made of the graph's answer."""
        return answer_of(self.model)

    @property
    def weights(self) -> str:
        """Hexadecimal sha256 of the file's digest and of every option that is not the default."""
        return self.model.identity(self.file.sha256)

    @property
    def scores(self) -> tuple[Score, ...]:
        """What is compared, the main one first."""
        return self.answer.scores

    @property
    def truth(self) -> Truth:
        """As declared."""
        return self.model.truth

    def predict(self, image: Image) -> Prediction:
        """Predict from one plane, or from a stack where the graph's axes have Z.

        Returns
        -------
        Image or Objects
            float32 of the input's shape; or objects, with their intensity in the input's counts.

        Raises
        ------
        TaskError
            The image's axes or type are not the graph's, or the graph fails on it.
        """
        if image.axes != self._spatial:
            raise TaskError(f"{self.name} predicts from {self._spatial}, not {image.axes}.")
        wanted = self.model.input
        try:
            pixels = normalized(image, wanted, DTYPES[self.source.type])
            channels = self._length(self.source, wanted.axes, "C") or 1
            window = [self._edge(*axis) for axis in zip(self._spatial, image.shape, strict=True)]
            values = run_windows(
                self._run,
                np.broadcast_to(pixels, (channels, *pixels.shape)),
                window=window,
                halo=halos(wanted.halo, window, image.shape),
            )
            return self.answer.make(values[0], image)
        except TaskError as error:
            raise TaskError(f"{self.name}: {error}") from error

    def _edge(self, letter: str, length: int) -> int:
        wanted = self.model.input
        return fitting(
            length,
            fixed=self._length(self.source, wanted.axes, letter),
            least=wanted.multiple,
            step=wanted.multiple,
            tile=None if letter == "Z" else wanted.tile,
        )

    def _run(self, window: Pixels) -> Values:
        fed = arranged(window, self.model.input.axes)
        found = self.file.run({self.source.name: fed}, self.result.name, threads=self.threads)
        output = self.model.output
        values = channels_first(found, self._result_axes, output.activation)
        return one_channel(values, output.channel, self.result.name, window.shape[1:])

    def score(
        self,
        prediction: Prediction,
        reference: Prediction,
        image: Image,  # noqa: ARG002
    ) -> dict[str, float]:
        """Compare two answers as declared.

        Raises
        ------
        TaskError
            They are not comparable.
        """
        try:
            return self.answer.compare(prediction, reference)
        except TaskError as error:
            raise TaskError(f"{self.name}: {error}") from error


def _shown(port: Port) -> str:
    return "(" + ", ".join("?" if length is None else str(length) for length in port.shape) + ")"


def onnx_task(name: str, model: OnnxModel, folder: Path) -> OnnxTask:
    """Make the task of a declaration; its path is relative to ``folder``.

    Raises
    ------
    UsageError
        The declaration does not fit the graph.
    PackageError
        There is no such file, it is no ONNX graph, or it has an operator that is not known.
    """
    return OnnxTask(name, open_onnx(folder / model.path), model)
