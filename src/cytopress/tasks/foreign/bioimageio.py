"""Tasks of BioImage Model Zoo models in local packages.

`bioimageio.core` reads the description and applies its pre- and postprocessing; the weights must be
ONNX. Nothing is downloaded: the package must be complete.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cytopress.errors import TaskError, UsageError
from cytopress.image import Image, Pixels
from cytopress.tasks.foreign.layout import arranged, channels_first, one_channel
from cytopress.tasks.foreign.options import BioimageioModel
from cytopress.tasks.foreign.outputs import ModelOutput, output_of
from cytopress.tasks.foreign.windows import halos, window_length
from cytopress.tasks.foreign.zoo import Tensor, ZooModel
from cytopress.tasks.foreign.zoo_package import content_digest, open_zoo_model
from cytopress.tasks.protocol import Prediction, Score, Truth
from cytopress.tiling import Values, run_windows


@dataclass(frozen=True)
class BioimageioTask:
    """A BioImage Model Zoo model with the declaration that reads its output.

    Parameters
    ----------
    name : str
        Such as ``bioimageio/stardist``.
    path : Path
        The package: a zip, a folder, or the description in it.
    digest : str
        Hexadecimal sha256 of the package's content.
    model : BioimageioModel
        The declaration.

    Raises
    ------
    UsageError
        The declaration does not fit the package.
    PackageError, NotAvailableError
        As in `open_zoo_model`.
    """

    name: str
    path: Path
    digest: str
    model: BioimageioModel
    source: Tensor = field(init=False, repr=False)
    result: Tensor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        zoo = self._zoo
        if len(zoo.inputs) > 1:
            several = ", ".join(tensor.name for tensor in zoo.inputs)
            self._refuse(f"the model takes several inputs ({several}), but a task has one image")
        names = [tensor.name for tensor in zoo.outputs]
        wanted = self.model.output.name
        if wanted is None and len(names) > 1:
            self._refuse(f"the model has several outputs; name one of {', '.join(names)}")
        if wanted is not None and wanted not in names:
            self._refuse(f"there is no output {wanted!r}; known: {', '.join(names)}")
        object.__setattr__(self, "source", zoo.inputs[0])
        object.__setattr__(self, "result", zoo.outputs[names.index(wanted) if wanted else 0])
        if self.source.channels > 1 and self.model.input.channels != "repeat":
            self._refuse(
                f"the model takes {self.source.channels} channels, but an image has one; declare"
                ' channels = "repeat"'
            )
        channel, given = self.model.output.channel, self.result.channels
        if channel is None and given > 1:
            self._refuse(f"output {self.result.name!r} has {given} channels; declare which")
        if channel is not None and channel >= given:
            self._refuse(f"output {self.result.name!r} has {given} channels, no channel {channel}")

    def _refuse(self, sentence: str) -> None:
        raise UsageError(f"{self.name}: {self.path}: {sentence}.")

    @property
    def _zoo(self) -> ZooModel:
        return open_zoo_model(self.path, self.digest)

    @property
    def _output(self) -> ModelOutput:
        return output_of(self.model)

    @property
    def weights(self) -> str:
        """Hexadecimal sha256 of the package's content and of every option that is not default."""
        return self.model.identity(self.digest)

    @property
    def scores(self) -> tuple[Score, ...]:
        """The scores, the main one first."""
        return self._output.scores

    @property
    def truth(self) -> Truth:
        """The kind of ground truth, from the declaration."""
        return self.model.truth

    def predict(self, image: Image) -> Prediction:
        """Predict from one plane, or from a stack where the model takes stacks.

        Statistics over a dataset that the package asks for are taken over this image alone, so that
        no prediction depends on earlier images.

        Returns
        -------
        Image or Objects
            float32 of the input's shape; or objects with intensities in counts of the input.

        Raises
        ------
        TaskError
            The image's axes are not the model's, or the model fails on it.
        """
        spatial = self.source.spatial
        if image.axes != spatial:
            raise TaskError(f"{self.name} predicts from {spatial}, not {image.axes}.")
        wanted = self.model.input
        window = [
            window_length(
                length,
                fixed=self.source.sizes[letter].fixed,
                least=self.source.sizes[letter].least,
                step=self.source.sizes[letter].step,
                tile=None if letter == "Z" else wanted.tile,
            )
            for letter, length in zip(spatial, image.shape, strict=True)
        ]
        repeated = np.broadcast_to(image.pixels, (self.source.channels, *image.shape))
        try:
            run = self._zoo.start()
            fed = run.preprocessed(arranged(repeated, self.source.axes))

            def forward(part: Pixels) -> Values:
                found = run.forward(arranged(part, self.source.axes), self.result.name)
                return channels_first(found, self.result.axes)

            values = run_windows(
                forward,
                channels_first(fed, self.source.axes),
                window=window,
                halo=halos(wanted.halo, window, image.shape),
            )
            processed = run.postprocessed(arranged(values, self.result.axes), self.result.name)
            values = channels_first(processed, self.result.axes)
            values = one_channel(values, self.model.output.channel, self.result.name, image.shape)
            return self._output.make(values[0], image)
        except TaskError as error:
            raise TaskError(f"{self.name}: {error}") from error

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
            return self._output.compare(prediction, reference)
        except TaskError as error:
            raise TaskError(f"{self.name}: {error}") from error


def bioimageio_task(name: str, model: BioimageioModel, folder: Path) -> BioimageioTask:
    """Create the task of a declaration; its path is relative to ``folder``.

    Raises
    ------
    UsageError
        The declaration does not fit the package.
    PackageError, NotAvailableError
        As in `open_zoo_model`.
    """
    path = folder / model.path
    return BioimageioTask(name, path, content_digest(path), model)
