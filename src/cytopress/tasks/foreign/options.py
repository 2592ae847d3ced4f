"""Tables of a study file that declare models and programs of other people."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cytopress.digests import digest_text
from cytopress.errors import UsageError
from cytopress.toml_table import TomlTable

Text = Annotated[str, Field(min_length=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Edge = Annotated[int, Field(ge=1)]
Halo = Annotated[int, Field(ge=0)]
Percentile = Annotated[float, Field(ge=0, le=100)]
IMAGE_SCORES = ("pearson", "ssim", "ms_ssim", "nrmse")
LABEL_SCORES = ("count_error", "iou", "dice")


def check_axes(axes: str) -> None:
    """Refuse axes that repeat a letter or lack Y or X, with a UsageError."""
    if len(set(axes)) < len(axes) or not {"Y", "X"} <= {*axes}:
        raise UsageError(f"axes need Y and X and no letter twice, not {axes!r}.")


class Windows(TomlTable):
    """Windows in which a model runs: edge ``tile``, of which ``halo`` on each side is discarded.

    ``halo`` is an eighth of the window unless given. The ``tile`` of a model with a fixed input is
    its size. ``channels = "repeat"`` repeats the one channel for a model that takes several.
    """

    channels: Literal["one", "repeat"] = "one"
    tile: Edge | None = None
    halo: Halo | None = None


class OnnxInput(Windows):
    """Input of an ONNX graph.

    ``axes`` are N (batch), C (channel), Z, Y and X in the graph's order. ``normalize``: ``none``;
    ``scale`` divides by ``full_scale``, the largest value of the image's dtype unless given;
    ``percentile`` maps the ``low`` and ``high`` percentiles of each image to 0 and 1;
    ``standardize`` subtracts its mean and divides by its standard deviation. A free axis is padded
    to a multiple of ``multiple``.
    """

    name: Text | None = None
    axes: Annotated[str, Field(pattern="^[NCZYX]+$")] = "NCYX"
    normalize: Literal["none", "scale", "standardize", "percentile"] = "none"
    full_scale: Positive | None = None
    low: Percentile = 1.0
    high: Percentile = 99.8
    multiple: Edge = 1

    @model_validator(mode="after")
    def _sensible(self) -> OnnxInput:
        if self.low >= self.high:
            raise UsageError(f"low must be below high, not {self.low:g} and {self.high:g}.")
        if self.full_scale is not None and self.normalize != "scale":
            raise UsageError('full_scale goes with normalize = "scale" only.')
        check_axes(self.axes)
        return self


class Output(TomlTable):
    """Output of a model, and how it is read.

    ``channel`` selects one of several, from 0. ``as``: ``image`` and ``probability`` keep the
    values, the latter with a data range of 1; ``labels`` makes objects of the connected components
    above ``threshold`` with at least ``min_area`` pixels.
    """

    name: Text | None = None
    channel: Annotated[int, Field(ge=0)] | None = None
    form: Annotated[Literal["image", "probability", "labels"], Field(alias="as")] = "image"
    threshold: Annotated[float, Field(allow_inf_nan=False)] = 0.5
    min_area: Annotated[int, Field(ge=0)] = 0


class OnnxOutput(Output):
    """Output of an ONNX graph; ``activation`` is applied first.

    ``axes`` are those of the input unless given.
    """

    axes: Annotated[str, Field(pattern="^[NCZYX]+$")] | None = None
    activation: Literal["none", "sigmoid", "softmax"] = "none"

    @model_validator(mode="after")
    def _sensible(self) -> OnnxOutput:
        if self.axes is not None:
            check_axes(self.axes)
        return self


class Model(TomlTable):
    """Keys that the declarations of all models share.

    ``score`` names the scores, the main one first; ``range`` is the data range of ``nrmse``,
    ``ssim`` and ``ms_ssim``. ``truth`` is the ground truth of the output: the dataset's ``target``
    image, its ``labels``, or ``none``.
    """

    path: Text
    truth: Literal["target", "labels", "none"] = "none"
    score: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    range: Positive | None = None
    output: Output = Output()

    @model_validator(mode="after")
    def _scores_exist(self) -> Model:
        labels = self.output.form == "labels"
        known = LABEL_SCORES if labels else IMAGE_SCORES
        for name in self.score or ():
            if name not in known:
                raise UsageError(
                    f"there is no score {name!r} for output as {self.output.form!r};"
                    f" known: {', '.join(known)}."
                )
        if len(set(self.score or ())) < len(self.score or ()):
            raise UsageError(f"score has a name twice: {', '.join(self.score or ())}.")
        if self.truth == ("target" if labels else "labels"):
            raise UsageError(
                f"output as {self.output.form!r} cannot be compared with truth = {self.truth!r}."
            )
        if labels and self.range is not None:
            raise UsageError("range is for images only, not for output as 'labels'.")
        return self

    def identity(self, digest: str) -> str:
        """Return a sha256 of a model's own digest and of all options that are not the default.

        The path changes no score and does not count.
        """
        options = self.model_dump(
            mode="json", by_alias=True, exclude_defaults=True, exclude={"path"}
        )
        return digest_text(json.dumps([digest, options], sort_keys=True))


class OnnxModel(Model):
    """An ONNX model: ``kind = "onnx"``."""

    kind: Literal["onnx"]
    input: OnnxInput = OnnxInput()
    output: OnnxOutput = OnnxOutput()


class BioimageioModel(Model):
    """A BioImage Model Zoo model, ``kind = "bioimageio"``; normalization is in the package."""

    kind: Literal["bioimageio"]
    input: Windows = Windows()


class Program(TomlTable):
    """A program, ``kind = "external"``: a command without a shell, and its limit in seconds."""

    kind: Literal["external"]
    command: Annotated[tuple[Text, ...], Field(min_length=1)]
    timeout: Positive = 60.0
