"""Bare ONNX files, as other people's tools write them: opened by path, known by their digest."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.digests import digest_bytes
from cytopress.errors import PackageError, TaskError
from cytopress.models.model_package import read_file
from cytopress.models.session import load_session, reason, run_session

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Port:
    """An input or output of a graph: its name, its shape, None where free, and its ONNX type."""

    name: str
    shape: tuple[int | None, ...]
    type: str


@dataclass(frozen=True)
class OnnxFile:
    """A bare ONNX graph in a file of its own, as other people's tools write it.

    Parameters
    ----------
    path : Path
        The file, with all of its weights.
    sha256 : str
        Hexadecimal digest of the file.
    inputs, outputs : tuple of Port
        What the graph declares, in its order.
    """

    path: Path
    sha256: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    def run(self, feeds: Mapping[str, Array], output: str, *, threads: int = 0) -> Array:
        """Run the graph on arrays by the names of its inputs, return one output.

        Raises
        ------
        PackageError
            The file has changed since it was opened.
        TaskError
            The graph does not take these arrays.
        """
        session = _file_session(self.path, self.sha256, threads)
        try:
            (result,) = run_session(session, [output], feeds)
        except MemoryError:
            raise
        except Exception as error:
            # Its exceptions have no root of their own.
            raise TaskError(f"{self.path}: the model failed ({reason(error)}).") from error
        return np.asarray(result)


def open_onnx(path: Path) -> OnnxFile:
    """Open a bare ONNX graph.

    Raises
    ------
    PackageError
        No such file, no ONNX graph, one with weights in another file, or one with an operator that
        onnxruntime does not know.
    """
    sha256 = digest_bytes(read_file(path))
    session = _file_session(path, sha256, 0)
    inputs, outputs = (
        tuple(
            Port(
                node.name,
                tuple(length if isinstance(length, int) else None for length in node.shape),
                node.type,
            )
            for node in nodes
        )
        for nodes in (session.get_inputs(), session.get_outputs())
    )
    return OnnxFile(path, sha256, inputs, outputs)


@functools.lru_cache(maxsize=8)
def _file_session(path: Path, sha256: str, threads: int) -> Any:
    model = read_file(path)
    if digest_bytes(model) != sha256:
        raise PackageError(
            f"{path}: the model has changed since it was opened; run the command again."
        )
    return load_session(model, f"{path}: onnxruntime cannot load this ONNX model", threads)
