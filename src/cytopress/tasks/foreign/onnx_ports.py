"""Checks of a declaration against the inputs and outputs of an ONNX graph."""

from __future__ import annotations

from typing import NoReturn

from cytopress.errors import UsageError
from cytopress.models.onnx_file import OnnxFile, Port
from cytopress.tasks.foreign.normalize import DTYPES
from cytopress.tasks.foreign.options import OnnxModel


def fitted(label: str, file: OnnxFile, model: OnnxModel) -> tuple[Port, Port]:
    """Return the declared input and output of a graph; ``label`` is the start of errors.

    Raises
    ------
    UsageError
        The declaration does not fit the graph: names, axes, type, channels or tile.
    """
    source = _named(label, "input", file.inputs, model.input.name)
    result = _named(label, "output", file.outputs, model.output.name)
    if len(file.inputs) > 1:
        names = ", ".join(port.name for port in file.inputs)
        _refuse(label, f"the model takes several inputs ({names}), but a task has one image")
    if source.type not in DTYPES:
        _refuse(label, f"input {source.name!r} is {source.type}; known: {', '.join(DTYPES)}")
    if DTYPES[source.type].kind == "u" and model.input.normalize == "standardize":
        _refuse(label, f"input {source.name!r} is {source.type} and cannot be standardized")
    _check_axes(label, source, model.input.axes)
    _check_axes(label, result, result_axes(model))
    if spatial(result_axes(model)) != spatial(model.input.axes):
        _refuse(
            label, f"output axes {result_axes(model)} need those of the input, {model.input.axes}"
        )
    _check_channels(label, source, result, model)
    _check_tile(label, source, model)
    return source, result


def result_axes(model: OnnxModel) -> str:
    """Return the axes of the output: those of the input unless declared."""
    return model.output.axes or model.input.axes


def spatial(axes: str) -> str:
    """Return the axes of the images that the graph takes: YX or ZYX."""
    return "".join(letter for letter in "ZYX" if letter in axes)


def length_along(port: Port, axes: str, letter: str) -> int | None:
    """Return the fixed length of an axis; None if it is free or missing."""
    return port.shape[axes.index(letter)] if letter in axes and port.shape else None


def _refuse(label: str, sentence: str) -> NoReturn:
    raise UsageError(f"{label}: {sentence}.")


def _shown(port: Port) -> str:
    return "(" + ", ".join("?" if length is None else str(length) for length in port.shape) + ")"


def _named(label: str, role: str, ports: tuple[Port, ...], name: str | None) -> Port:
    names = [port.name for port in ports]
    if name is None and len(ports) > 1 and role == "output":
        _refuse(label, f"the model has several outputs; name one of {', '.join(names)}")
    if name is not None and name not in names:
        _refuse(label, f"there is no {role} {name!r}; known: {', '.join(names)}")
    return ports[0 if name is None else names.index(name)]


def _check_axes(label: str, port: Port, axes: str) -> None:
    if port.shape and len(port.shape) != len(axes):
        _refuse(
            label,
            f"{port.name!r} has {len(port.shape)} axes {_shown(port)}, not {len(axes)} ({axes});"
            " correct axes",
        )
    batch = length_along(port, axes, "N")
    if batch not in (None, 1):
        _refuse(
            label,
            f"{port.name!r} has a fixed batch of {batch} {_shown(port)}, but a task has one image;"
            " correct axes or export it again",
        )


def _check_channels(label: str, source: Port, result: Port, model: OnnxModel) -> None:
    taken = length_along(source, model.input.axes, "C")
    if taken not in (None, 1) and model.input.channels != "repeat":
        _refuse(
            label,
            f"input {source.name!r} {_shown(source)} takes {taken} channels in axes"
            f' {model.input.axes}, but an image has one; declare channels = "repeat", or correct'
            " axes",
        )
    given = length_along(result, result_axes(model), "C")
    channel = model.output.channel
    if given is not None and given > 1 and channel is None:
        _refuse(label, f"output {result.name!r} has {given} channels; declare which")
    if given is not None and channel is not None and channel >= given:
        _refuse(label, f"output {result.name!r} has {given} channels, no channel {channel}")


def _check_tile(label: str, source: Port, model: OnnxModel) -> None:
    wanted = model.input
    for letter in "YX":
        fixed = length_along(source, wanted.axes, letter)
        if fixed is not None and wanted.tile not in (None, fixed):
            _refuse(
                label, f"the model takes {fixed} pixels along {letter}, not tile = {wanted.tile}"
            )
        edge = fixed or wanted.tile
        if edge is not None and 2 * (wanted.halo or 0) >= edge:
            _refuse(label, f"halo = {wanted.halo} leaves nothing of a window of {edge}")
