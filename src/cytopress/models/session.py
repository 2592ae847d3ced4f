"""Inference sessions of onnxruntime, the only module that imports it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from cytopress.errors import PackageError
from cytopress.models.external_data import external_files

# How onnxruntime says that memory ran out: its exceptions do not.
NO_MEMORY = ("Failed to allocate memory", "bad_alloc", "bad allocation")


def load_session(model: bytes, fault: str, threads: int) -> Any:
    """Return an inference session of a graph on the CPU.

    Parameters
    ----------
    model : bytes
        The serialized graph.
    fault : str
        Beginning of the message where it cannot be loaded.
    threads : int
        Threads within one operator; 0 leaves the choice to onnxruntime.

    Raises
    ------
    PackageError
        onnxruntime cannot load the graph, or weights of it are in another file.
    """
    import onnxruntime

    _check_whole(model, fault)

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        # Its exceptions have no root of their own.
        raise PackageError(f"{fault} ({reason(error)}).") from error


def _check_whole(model: bytes, fault: str) -> None:
    """Refuse weights outside the graph: onnxruntime would read them from the current folder."""
    try:
        outside = external_files(model)
    except ValueError as error:
        raise PackageError(f"{fault} ({error}).") from error
    if outside:
        raise PackageError(
            f"{fault} (its weights are in other files, {', '.join(outside)}, which its digest does"
            " not cover; put them into the model: onnx.save(onnx.load(OLD), NEW))."
        )


def run_session(
    session: Any, outputs: list[str] | None, feeds: Mapping[str, Any], options: Any = None
) -> list[Any]:
    """Run a session on arrays by the names of its inputs, return the named outputs or all.

    Raises
    ------
    MemoryError
        The run needs more memory than there is. Other errors of onnxruntime have no common root.
    """
    try:
        return list(session.run(outputs, dict(feeds), options))
    except Exception as error:
        if any(words in str(error) for words in NO_MEMORY):
            raise MemoryError(reason(error)) from error
        raise


def reason(error: Exception) -> str:
    """Return the first line of what onnxruntime says went wrong."""
    return str(error).partition("\n")[0].rstrip(". ")


@functools.cache
def releasing() -> Any:
    """Return run options that give back the memory a graph ran in."""
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options
