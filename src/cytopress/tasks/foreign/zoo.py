"""Opened BioImage Model Zoo models: inputs, outputs and the steps of a prediction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cytopress.errors import TaskError
from cytopress.image import Pixels


@dataclass(frozen=True)
class Sizes:
    """Sizes that a model takes along an axis: one, or ``least`` plus any multiple of ``step``."""

    fixed: int | None
    least: int = 1
    step: int = 1


@dataclass(frozen=True)
class Tensor:
    """An input or output of a model: its name, its axes as letters of NCZYX, and their sizes."""

    name: str
    axes: str
    channels: int
    ids: tuple[str, ...]
    sizes: Mapping[str, Sizes]

    @property
    def spatial(self) -> str:
        """Axes of the images that the model takes."""
        return "".join(letter for letter in "ZYX" if letter in self.axes)


@dataclass(frozen=True)
class ZooModel:
    """An opened package: its inputs, its outputs, and the adapter that runs its weights."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    description: Any = field(repr=False)
    adapter: Any = field(repr=False)

    def start(self) -> ZooRun:
        """Return a new run, independent of earlier images."""
        import bioimageio.core

        pipeline = bioimageio.core.create_prediction_pipeline(
            self.description, model_adapter=self.adapter
        )
        return ZooRun(
            self.inputs[0], {tensor.name: tensor for tensor in self.outputs}, pipeline, {}
        )


@dataclass(frozen=True)
class ZooRun:
    """The steps of one prediction; statistics of the input are kept for postprocessing."""

    source: Tensor
    results: Mapping[str, Tensor]
    pipeline: Any
    statistics: dict[Any, Any]

    def preprocessed(self, array: Pixels) -> Pixels:
        """Apply the package's preprocessing to a whole image in the input's axes."""
        sample = self._sample(self.source, array)
        with _as_task_error("preprocessing"):
            self.pipeline.apply_preprocessing(sample)
        return _array(sample, self.source.name)

    def forward(self, array: Pixels, result: str) -> Pixels:
        """Run the weights on one preprocessed window, in the input's axes."""
        sample = self._sample(self.source, array)
        with _as_task_error("the weights"):
            found = self.pipeline.predict_sample_without_blocking(
                sample,
                skip_preprocessing=True,
                skip_postprocessing=True,
                skip_input_padding=True,
                skip_output_cropping=True,
            )
        return _array(found, result)

    def postprocessed(self, array: Pixels, result: str) -> Pixels:
        """Apply the package's postprocessing to a whole output in its axes."""
        sample = self._sample(self.results[result], array)
        with _as_task_error("postprocessing"):
            self.pipeline.apply_postprocessing(sample)
        return _array(sample, result)

    def _sample(self, tensor: Tensor, array: Pixels) -> Any:
        import bioimageio.core as zoo

        member = zoo.Tensor.from_numpy(array, dims=[zoo.AxisId(name) for name in tensor.ids])
        members = {zoo.MemberId(tensor.name): member}
        return zoo.Sample(members=members, stat=self.statistics, id="image")


@contextmanager
def _as_task_error(step: str) -> Iterator[None]:
    """Turn any error of a step into a TaskError of one sentence."""
    try:
        yield
    except Exception as error:
        # Errors of numpy, xarray and onnxruntime have no common root.
        reason = str(error).strip().partition("\n")[0].rstrip(". ")
        raise TaskError(f"{step} of the package failed ({reason}).") from error


def _array(sample: Any, name: str) -> Pixels:
    found: Pixels = next(
        tensor.to_numpy() for member, tensor in sample.members.items() if str(member) == name
    )
    return found
