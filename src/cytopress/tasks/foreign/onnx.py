"""Tasks of ONNX models, which predict an image or objects from one channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cytopress.errors import TaskError
from cytopress.image import Image, Pixels
from cytopress.models.onnx_file import OnnxFile, Port, open_onnx
from cytopress.tasks.foreign.layout import arranged, channels_first, one_channel
from cytopress.tasks.foreign.normalize import DTYPES, normalized
from cytopress.tasks.foreign.onnx_ports import fitted, length_along, result_axes, spatial
from cytopress.tasks.foreign.options import OnnxModel
from cytopress.tasks.foreign.outputs import ModelOutput, output_of
from cytopress.tasks.foreign.windows import halos, window_length
from cytopress.tasks.protocol import Prediction, Score, Truth
from cytopress.tiling import Values, run_windows


@dataclass(frozen=True)
class OnnxTask:
    """An ONNX graph with the declaration of its input and output.

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
        source, result = fitted(f"{self.name}: {self.file.path}", self.file, self.model)
        object.__setattr__(self, "source", source)
        object.__setattr__(self, "result", result)

    @property
    def _spatial(self) -> str:
        return spatial(self.model.input.axes)

    @property
    def output(self) -> ModelOutput:
        """The way in which the graph's output is read."""
        return output_of(self.model)

    @property
    def weights(self) -> str:
        """Hexadecimal sha256 of the file's digest and of every option that is not the default."""
        return self.model.identity(self.file.sha256)

    @property
    def scores(self) -> tuple[Score, ...]:
        """The scores, the main one first."""
        return self.output.scores

    @property
    def truth(self) -> Truth:
        """The kind of ground truth, from the declaration."""
        return self.model.truth

    def predict(self, image: Image) -> Prediction:
        """Predict from one plane, or from a stack where the graph's axes have Z.

        Returns
        -------
        Image or Objects
            float32 of the input's shape; or objects with intensities in counts of the input.

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
            channels = length_along(self.source, wanted.axes, "C") or 1
            window = [self._edge(*axis) for axis in zip(self._spatial, image.shape, strict=True)]
            values = run_windows(
                self._run,
                np.broadcast_to(pixels, (channels, *pixels.shape)),
                window=window,
                halo=halos(wanted.halo, window, image.shape),
            )
            return self.output.make(values[0], image)
        except TaskError as error:
            raise TaskError(f"{self.name}: {error}") from error

    def _edge(self, letter: str, length: int) -> int:
        wanted = self.model.input
        return window_length(
            length,
            fixed=length_along(self.source, wanted.axes, letter),
            least=wanted.multiple,
            step=wanted.multiple,
            tile=None if letter == "Z" else wanted.tile,
        )

    def _run(self, window: Pixels) -> Values:
        fed = arranged(window, self.model.input.axes)
        found = self.file.run({self.source.name: fed}, self.result.name, threads=self.threads)
        output = self.model.output
        values = channels_first(found, result_axes(self.model), output.activation)
        return one_channel(values, output.channel, self.result.name, window.shape[1:])

    def score(
        self,
        prediction: Prediction,
        reference: Prediction,
        image: Image,  # noqa: ARG002
    ) -> dict[str, float]:
        """Compare two predictions with the declared scores.

        Raises
        ------
        TaskError
            They cannot be compared.
        """
        try:
            return self.output.compare(prediction, reference)
        except TaskError as error:
            raise TaskError(f"{self.name}: {error}") from error


def onnx_task(name: str, model: OnnxModel, folder: Path) -> OnnxTask:
    """Create the task of a declaration; its path is relative to ``folder``.

    Raises
    ------
    UsageError
        The declaration does not fit the graph.
    PackageError
        The file does not exist, is not an ONNX graph, or has an unknown operator.
    """
    return OnnxTask(name, open_onnx(folder / model.path), model)
