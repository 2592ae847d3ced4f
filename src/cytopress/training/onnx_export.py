"""Export of a torch network as an ONNX graph of float16 weights that computes in float32."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import numpy_helper
from torch import nn

OPSET = 17
# Only tensors of at least this many values are stored in float16.
LEAST_HALVED = 1024
HALVED = ".float16"
# Names of the axes of planes and volumes.
AXES = {2: ("H", "W"), 3: ("D", "H", "W")}


def export_onnx(network: nn.Module, *, stride: int | Sequence[int], channels: int = 1) -> bytes:
    """Export a network that reads (N, channels, H, W) or (N, channels, D, H, W) of any size.

    H and W are multiples of ``stride``, or D, H and W of one each. Weights are stored in half the
    bytes, each behind a cast that onnxruntime computes once, when it loads the graph. The graph's
    input is called ``input``, its output ``output``.
    """
    network = network.eval()
    strides = (stride, stride) if isinstance(stride, int) else tuple(stride)
    # Unequal sizes: the check fails if the exporter freezes one of them.
    sizes = [(2 * place + 4) * step for place, step in enumerate(strides)]
    example = torch.zeros(1, channels, *sizes)
    free = {0: "N", **dict(enumerate(AXES[len(strides)], start=2))}
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The newer exporter needs another package and gives a larger graph of the same network.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network,
            (example,),
            buffer,  # type: ignore[arg-type]
            opset_version=OPSET,
            input_names=["input"],
            output_names=["output"],
            dynamic_axes=dict.fromkeys(("input", "output"), free),
            dynamo=False,
        )
    return bytes(_halve_weights(onnx.load_from_string(buffer.getvalue())).SerializeToString())


def _halve_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        if values.size < LEAST_HALVED:
            continue
        whole, half = tensor.name, f"{tensor.name}{HALVED}"
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), half))
        casts.append(onnx.helper.make_node("Cast", [half], [whole], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model


def halved(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an array of floats as packages store it: as float16 if it is large."""
    return values.astype(np.float16) if values.size >= LEAST_HALVED else values
