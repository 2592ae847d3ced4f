"""A BioImage Model Zoo model, opened: its inputs, its outputs, and one prediction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cytopress.errors import TaskError
from cytopress.image import Pixels


@dataclass(frozen=True)
class Sizes:
    """What a model takes along an axis: one size, or ``least`` and any number of ``step``."""

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
        """Axes of the images that fit."""
        return "".join(letter for letter in "ZYX" if letter in self.axes)


@dataclass(frozen=True)
class ZooModel:
    """An opened package: its inputs and outputs, and what runs its weights."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    description: Any = field(repr=False)
    adapter: Any = field(repr=False)

    def start(self) -> ZooRun:
        """Return a run that knows nothing of the images before it."""
        import bioimageio.core

        pipeline = bioimageio.core.create_prediction_pipeline(
            self.description, model_adapter=self.adapter
        )
        return ZooRun(
            self.inputs[0], {tensor.name: tensor for tensor in self.outputs}, pipeline, {}
        )


@dataclass(frozen=True)
class ZooRun:
    """The steps of one prediction; statistics of the input are kept for the last."""

    source: Tensor
    results: Mapping[str, Tensor]
    pipeline: Any
    statistics: dict[Any, Any]

    def preprocessed(self, array: Pixels) -> Pixels:
        """Apply what the package says to a whole image in the input's axes."""
        sample = self._sample(self.source, array)
        with _told("preprocessing"):
            self.pipeline.apply_preprocessing(sample)
        return _array(sample, self.source.name)

    def forward(self, array: Pixels, result: str) -> Pixels:
        """Run the weights on one preprocessed window, in the input's axes."""
        sample = self._sample(self.source, array)
        with _told("the weights"):
            found = self.pipeline.predict_sample_without_blocking(
                sample,
                skip_preprocessing=True,
                skip_postprocessing=True,
                skip_input_padding=True,
                skip_output_cropping=True,
            )
        return _array(found, result)

    def postprocessed(self, array: Pixels, result: str) -> Pixels:
        """Apply what the package says to a whole answer in the output's axes."""
        sample = self._sample(self.results[result], array)
        with _told("postprocessing"):
            self.pipeline.apply_postprocessing(sample)
        return _array(sample, result)

    def _sample(self, tensor: Tensor, array: Pixels) -> Any:
        import bioimageio.core as zoo

        member = zoo.Tensor.from_numpy(array, dims=[zoo.AxisId(name) for name in tensor.ids])
        members = {zoo.MemberId(tensor.name): member}
        return zoo.Sample(members=members, stat=self.statistics, id="image")


@contextmanager
def _told(step: str) -> Iterator[None]:
    """Turn whatever a step of the package raises into one sentence."""
    try:
        yield
    except Exception as error:
        # Numpy's, xarray's and onnxruntime's have no root of their own.
        reason = str(error).strip().partition("\n")[0].rstrip(". ")
        raise TaskError(f"{step} of the package failed ({reason}).") from error


def _array(sample: Any, name: str) -> Pixels:
    found: Pixels = next(
        tensor.to_numpy() for member, tensor in sample.members.items() if str(member) == name
    )
    return found
