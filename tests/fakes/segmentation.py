"""A segmentation model that finds what is bright, as a real package and without onnx.

It averages 3 x 3 standardized pixels; foreground begins at half a standard deviation above the
mean, interior above one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cytopress.models.model_package import Package, write_package

MANIFEST: dict[str, Any] = {
    "format": 1,
    "kind": "task",
    "name": "segmentation/bright",
    "architecture": "unet",
    "axes": "YX",
    "stride": 1,
    "reach": 1,
    "input": {"name": "what is bright"},
    "segmentation": {"interior": 0.5, "foreground": 0.5, "min_area": 5},
}
# Of background, interior and boundary.
SLOPE, LEVEL = (-6.0, 6.0, 0.0), (3.0, -6.0, 0.0)


class Computed(Package):
    """Computes in numpy what the graph would."""

    def run(self, graph: str, *inputs: Any, **_: Any) -> list[npt.NDArray[np.float32]]:
        ((plane,),) = inputs[0]
        smooth = ndimage.uniform_filter(plane, 3, mode="constant")
        logits = [slope * smooth + level for slope, level in zip(SLOPE, LEVEL, strict=True)]
        return [np.asarray([logits], np.float32)]


def computed_package(**changes: Any) -> Computed:
    """Return the model without onnx, with some of its manifest's values changed."""
    return Computed(Path("bright.cytomodel"), "0" * 64, MANIFEST | changes)


def onnx_package(path: Path) -> Package:
    """Write the model as a package."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weight = np.repeat(np.float32(SLOPE) / 9, 9).reshape(3, 1, 3, 3)
    form = ["N", 1, "H", "W"], ["N", 3, "H", "W"]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["input", "weight", "bias"], ["output"], pads=[1, 1, 1, 1])],
        "network",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, form[0])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, form[1])],
        [
            numpy_helper.from_array(weight.astype(np.float32), "weight"),
            numpy_helper.from_array(np.float32(LEVEL), "bias"),
        ],
    )
    # As the exporter does: newer than onnxruntime knows is refused.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return write_package(path, MANIFEST, graphs={"network": model.SerializeToString()})
