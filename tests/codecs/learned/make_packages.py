"""Make the small packages that the runtime's tests code with: ``python make_packages.py``.

Needs onnx. Their weights are random around a coarse picture of the image, so what they decode is
poor; how they code is what the tests look at. They are frozen: a file made anew has another digest.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtr

from cytopress.codecs.learned.latents.secondary_transforms import CLASSES, PARTS, SHIFT
from cytopress.models.model_package import write_package

HERE = Path(__file__).parent
M, NZ, WIDTH, SCALES = 6, 4, 6, 24
FIRST, INSIDE = 2, 3
TOTAL = 2**24


def main() -> None:
    """Write every package."""
    build("mean-scale", "tiny", gains=3)
    build("hyperprior", "tiny-hyperprior", rates=2)
    build("factorized", "tiny-factorized")
    build("context", "tiny-context", gains=3)
    build("mean-scale", "tiny-around", gains=3, around=True)
    build("context", "tiny-turned", gains=3, rotations=2)


def build(
    architecture: str,
    name: str,
    *,
    rates: int = 1,
    gains: int = 0,
    around: bool = False,
    rotations: int = 0,
) -> None:
    """Write ``name.cytomodel``, with a context model of its hyper-latents if ``around``."""
    random = np.random.default_rng(7)
    graphs: dict[str, bytes] = {}
    arrays: dict[str, Any] = {}
    layers: list[dict[str, Any]] = []
    hyper = architecture != "factorized"
    for rate in range(rates):
        prefix = f"r{rate}/"
        graphs[prefix + "analysis"] = analysis(random)
        graphs[prefix + "synthesis"] = synthesis(random)
        nodes = max(gains, 1)
        gain = np.repeat(np.linspace(3, 7, nodes) + 2 * rate, M).reshape(nodes, M)
        arrays[prefix + "gain"] = gain.astype(np.float32)
        arrays[prefix + "inverse_gain"] = -gain.astype(np.float32)
        spread = np.full(M if not hyper else NZ, 5.0 if not hyper else 2.0)
        arrays |= named(prefix + "prior", gaussian(spread * (1 + np.arange(len(spread)) / 4)))
        if hyper:
            graphs[prefix + "hyper_analysis"] = hyper_analysis(random)
            outputs = {"hyperprior": M, "mean-scale": 2 * M}.get(architecture, 2 * M + 2 * INSIDE)
            layers, found = hyper_synthesis(random, outputs)
            arrays |= {prefix + key: value for key, value in found.items()}
            arrays |= named(prefix + "scale", gaussian(2.0 ** np.linspace(-3, 5, SCALES)))
            bias = np.linspace(8, 20, nodes)[:, None] + np.zeros(M)
            arrays[prefix + "scale_bias"] = np.rint(bias * 256).astype(np.int32)
        if architecture == "context" or around:
            arrays |= named(prefix + "prior", gaussian(np.geomspace(0.5, 6, nodes * NZ)))
        if architecture == "context":
            arrays |= {
                f"{prefix}context.{key}": value for key, value in steps(random, CONTEXT).items()
            }
        if rotations:
            arrays |= turns(random, rotations, f"{prefix}rotations")
        if around:
            found = steps(random, AROUND)
            found["features"] = np.rint(random.normal(0, 256, (2, INSIDE))).astype(np.int32)
            found["bias"] = np.rint(random.uniform(6, 14, (nodes, NZ)) * 256).astype(np.int32)
            arrays |= {f"{prefix}hyper_context.{key}": value for key, value in found.items()}
    manifest = {
        "kind": "codec",
        "name": f"learned/{name}",
        "axes": "YX",
        "architecture": architecture,
        "rates": rates,
        "gains": gains,
        "stride": 16,
        "hyper_stride": 64 if hyper else 16,
        "latent_channels": M,
        "hyper_channels": NZ if hyper else M,
        "reach": {"analysis": 16, "synthesis": 32},
        "hyper_synthesis": layers,
        "range_percentiles": [0.1, 99.9],
    }
    if architecture == "context":
        manifest["context"] = dict.fromkeys(CONTEXT, 12)
        manifest["surface"] = {"block": 16, "step": 1 / 64}
        arrays |= named("surface", surface())
    manifest |= {"rotations": rotations} if rotations else {}
    if around:
        manifest["hyper_context"] = dict.fromkeys(AROUND, 12)
        # Finer by and by, as its latents.
        manifest["surface"] = {"block": 16, "step": 1 / 64, "halvings": 4}
        arrays |= named("surface", surface())
    write_package(HERE / f"{name}.cytomodel", manifest, graphs=graphs, arrays=arrays)


def analysis(random: np.random.Generator) -> bytes:
    """(1, 1, H, W) to (1, M, H / 16, W / 16); the first channel is near a mean of each block."""
    first = random.normal(0, 0.02, (2, 1, 6, 6))
    first[0] += 1 / 36
    second = random.normal(0, 0.05, (M, 2, 6, 6))
    second[0, 0] += 1 / 36
    return graph(
        [("Conv", conv(first, [0.1, 0.2], 4)), ("LeakyRelu", {}), ("Conv", conv(second, 0, 4))]
    )


def hyper_analysis(random: np.random.Generator) -> bytes:
    """(1, M, h, w) to (1, NZ, h / 4, w / 4)."""
    return graph([("Asinh", {}), ("Conv", conv(random.normal(0, 0.2, (NZ, M, 6, 6)), 0, 4))])


def synthesis(random: np.random.Generator) -> bytes:
    """(1, M, h, w) to (1, 1, 16 h, 16 w)."""
    first = random.normal(0, 0.05, (32, M, 3, 3))
    first[:16, 0, 1, 1] += 0.9
    second = random.normal(0, 0.02, (16, 2, 3, 3))
    second[:, 0, 1, 1] += 0.9
    shuffle = ("DepthToSpace", {"blocksize": 4, "mode": "CRD"})
    return graph(
        [
            ("Conv", conv(first, 0, 1)),
            shuffle,
            ("LeakyRelu", {}),
            ("Conv", conv(second, 0, 1)),
            shuffle,
        ]
    )


def conv(weight: np.ndarray, bias: Any, stride: int) -> dict[str, Any]:
    """Return what a convolution is made of; it keeps the size but for the stride."""
    return {
        "inputs": [weight, np.broadcast_to(bias, len(weight))],
        "strides": [stride, stride],
        "pads": [1, 1, 1, 1],
    }


def graph(nodes: list[tuple[str, dict[str, Any]]]) -> bytes:
    """Return a chain of nodes as ONNX."""
    from onnx import TensorProto, helper, numpy_helper

    made, stored, last = [], [], "x"
    for place, (kind, attributes) in enumerate(nodes):
        names = [last]
        for index, value in enumerate(attributes.pop("inputs", [])):
            names.append(f"w{place}.{index}")
            stored.append(numpy_helper.from_array(np.array(value, np.float32), names[-1]))
        last = f"a{place}"
        made.append(helper.make_node(kind, names, [last], **attributes))
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", None, None, None])
        for name in ("x", last)
    ]
    whole = helper.make_graph(made, "chain", ends[:1], ends[1:], stored)
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(whole, opset_imports=opset, ir_version=8, producer_name="")
    return bytes(model.SerializeToString(deterministic=True))


def hyper_synthesis(
    random: np.random.Generator, outputs: int
) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """Return the layers and their arrays."""
    form = [
        (4 * WIDTH, NZ, 3, True, 2),
        (4 * WIDTH, WIDTH, 3, True, 2),
        (outputs, WIDTH, 1, False, 1),
    ]
    layers, arrays = [], {}
    for index, (after, before, side, relu, upsample) in enumerate(form):
        weight = random.normal(0, 0.25, (after, before, side, side)) * 2**12
        arrays[f"hs.{index}.weight"] = np.rint(weight).astype(np.int32)
        arrays[f"hs.{index}.bias"] = np.rint(random.normal(0, 2**18, after)).astype(np.int64)
        layers.append({"index": index, "shift": 12, "relu": relu, "upsample": upsample})
    return layers, arrays


CONTEXT = {
    "across.hidden": (INSIDE, 4 * FIRST, 1),
    "across.mean": (FIRST, 4 * FIRST, 1),
    "across.scale": (FIRST, INSIDE, 1),
    "inward.hidden": (INSIDE, FIRST, 3),
    "inward.mean": (M - FIRST, FIRST, 1),
    "inward.scale": (M - FIRST, INSIDE, 1),
}


AROUND = {
    f"{step}.{layer}": form
    for step in ("diagonal", "beside")
    for layer, form in {
        "hidden": (INSIDE, 4 * NZ, 1),
        "mean": (NZ, 4 * NZ, 1),
        "scale": (NZ, INSIDE, 1),
    }.items()
}


def steps(
    random: np.random.Generator, forms: dict[str, tuple[int, int, int]]
) -> dict[str, np.ndarray]:
    """Return the arrays of a context model."""
    arrays = {}
    for name, (after, before, side) in forms.items():
        weight = random.normal(0, 0.2, (after, before, side, side)) * 2**12
        arrays[f"{name}.weight"] = np.rint(weight).astype(np.int32)
        arrays[f"{name}.bias"] = np.rint(random.normal(0, 2**18, after)).astype(np.int64)
    return arrays


def turns(random: np.random.Generator, count: int, name: str) -> dict[str, np.ndarray]:
    """Return the arrays of rotations, each of them as likely as none."""
    rows = [np.linspace(0, TOTAL, count + 3).astype(np.uint32) for _ in range(CLASSES)]
    rows.append(np.array([0, TOTAL // 2, TOTAL - 1, TOTAL], np.uint32))
    size = np.array([len(row) - 1 for row in rows], np.int32)
    odds = [np.concatenate(rows), size, np.zeros(len(rows), np.int32)]
    arrays = {}
    for part, channels in zip(PARTS, (FIRST, M - FIRST), strict=True):
        matrices, _ = np.linalg.qr(random.normal(size=(count, channels, channels)))
        bias = random.normal(0, 256, (count, channels))
        arrays[f"{name}.{part}.matrix"] = np.rint(matrices * 2**SHIFT).astype(np.int16)
        arrays[f"{name}.{part}.bias"] = np.rint(bias).astype(np.int32)
        arrays |= named(f"{name}.{part}.odds", odds)
    return arrays


def surface() -> list[np.ndarray]:
    """Return three tables, and one that chooses among them and two predictors."""
    cdf, size, offset = gaussian(np.array([0.4, 2.0, 9.0]))
    choice = np.full((1, cdf.shape[1]), TOTAL, np.uint32)
    choice[0, :8] = [*(2**21 * np.arange(7)), TOTAL]
    return [
        np.concatenate((cdf, choice)),
        np.append(size, np.int32(7)),
        np.append(offset, np.int32(0)),
    ]


def gaussian(sigmas: np.ndarray) -> list[np.ndarray]:
    """Return the tables of normal distributions of these standard deviations."""
    rows = []
    for sigma in sigmas:
        reach = int(np.ceil(3 * sigma))
        values = np.arange(-reach, reach + 1)
        probability = ndtr((values + 0.5) / sigma) - ndtr((values - 0.5) / sigma)
        probability = np.append(probability, 1 - probability.sum())
        counts = np.floor(probability * (TOTAL - len(probability))).astype(np.int64) + 1
        counts[reach] += TOTAL - counts.sum()
        rows.append((-reach, counts))
    longest = max(len(counts) for _, counts in rows)
    cdf = np.full((len(rows), longest + 1), TOTAL, np.uint32)
    for row, (_, counts) in zip(cdf, rows, strict=True):
        row[: len(counts) + 1] = np.concatenate(([0], np.cumsum(counts)))
    size = np.array([len(counts) for _, counts in rows], np.int32)
    return [cdf, size, np.array([offset for offset, _ in rows], np.int32)]


def named(name: str, tables: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Return tables under the names that they bear in a package."""
    return {
        f"{name}_{part}": table
        for part, table in zip(("cdf", "size", "offset"), tables, strict=True)
    }


if __name__ == "__main__":
    main()
