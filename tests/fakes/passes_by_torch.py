"""The means and tables of a context model's latents by torch's own convolutions, in float64."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.model.codec_model import CodecModel
from cytopress.models.model_package import Package
from fakes.symbol_coders import Recorder

Array = npt.NDArray[Any]
ONE, MOST = 256.0, 2.0**20


def check(
    package: Package,
    model: CodecModel,
    z_hat: Array,
    symbols: Array,
    quality: float,
    below: Array | None = None,
) -> Array:
    """Compare every mean and table of a field with torch's; return the tables, (M, h, w).

    Where latents may be turned, each place is, by a rotation that is drawn.

    Parameters
    ----------
    package, model : Package, Model
        One and the same, of architecture "context".
    z_hat, symbols : ndarray
        (Nz, h', w') and (M, h, w) of integers.
    quality : float
        At a gain node, where the bias of the scales is not interpolated.
    below : ndarray, optional
        (M, h, w) float32: latents of the slab before, of a model of volumes.
    """
    turned = "rotations" in package.manifest
    which = _drawn(package, symbols) if turned else None
    mean, index = _moments(package, z_hat, symbols, quality, below, which)
    kinds = None
    if which is not None:
        first = len(_array(package, "r0/rotations.first.bias")[0])
        parts = ("first", slice(first)), ("rest", slice(first, None))
        kinds = np.stack([_kinds(index[part]) for _, part in parts])
        for (name, part), own in zip(parts, np.where(kinds < 0, 0, which), strict=True):
            bias = _array(package, f"r0/rotations.{name}.bias")
            index[part] += np.concatenate((0 * bias[:1], bias))[own].transpose(2, 0, 1)
    expected = np.clip((index + 128) // 256, 0, len(model.coder.scales) - 1)
    found_mean, found_rows = np.empty(symbols.shape), np.empty(symbols.shape, int)
    first = _array(package, "r0/context.inward.hidden.weight").shape[1]
    rows, columns = np.indices(symbols.shape[1:])
    white = (rows + columns) % 2 == 0
    setting = model.setting(quality)
    masks = white, ~white, np.ones_like(white)

    def drawn(place: int, classes: Array) -> Array:
        assert which is not None
        return np.where(classes < 0, 0, which[place // 2][masks[place]])

    recorder = Recorder(lambda _, select, __: select(symbols), None if which is None else drawn)
    model.coder.latents(recorder, symbols.shape, z_hat, setting, below)
    if kinds is not None:
        for place, mask in enumerate(masks):
            np.testing.assert_array_equal(recorder.classes[place], kinds[place // 2][mask])
    for mask, mean_there, rows_there in zip(masks[:2], recorder.means, recorder.rows, strict=False):
        found_mean[:first, mask] = mean_there.reshape(first, -1)
        found_rows[:first, mask] = rows_there.reshape(first, -1)
    found_mean[first:] = recorder.means[2]
    found_rows[first:] = recorder.rows[2].reshape(symbols[first:].shape)
    np.testing.assert_array_equal(found_mean * ONE, mean)
    np.testing.assert_array_equal(found_rows, expected)
    return found_rows


@functools.lru_cache(maxsize=64)
def _held(sha256: str, name: str) -> list[Array]:
    # Filled by whoever has the package: reading it takes longer than computing with it.
    return []


def _array(package: Package, name: str) -> Array:
    held = _held(package.sha256, name)
    if not held:
        held.append(package.array(name))
    return held[0]


def _drawn(package: Package, symbols: Array) -> Array:
    """Return a rotation for each place of the first channels, and of the others, (2, h, w)."""
    most = int(package.manifest["rotations"])
    return np.random.default_rng(symbols.size).integers(0, most + 1, (2, *symbols.shape[1:]))


def _kinds(index: Array) -> Array:
    """Return the class of activity of each place, (h, w), by Python's own integers."""
    total = np.maximum(index - 9 * 256, 0).sum(0).astype(int)
    kinds = [min(max(value.bit_length() - 10, -1), 8) for value in total.ravel().tolist()]
    return np.array(kinds).reshape(total.shape)


def _moments(
    package: Package,
    z_hat: Array,
    symbols: Array,
    quality: float,
    below: Array | None,
    which: Array | None,
) -> tuple[Array, Array]:
    """Return means and scale indices in fixed point, (M, h, w), by the definition."""
    import torch

    def convolved(a: Any, name: str, shift: int) -> Any:
        weight, bias = (
            torch.from_numpy(_array(package, f"r0/{name}.{part}")).double()
            for part in ("weight", "bias")
        )
        out = torch.nn.functional.conv2d(a[None], weight, bias, padding=weight.shape[2] // 2)[0]
        return torch.floor(out / 2**shift + 0.5)

    a = ONE * torch.from_numpy(z_hat).double().clamp(-4096, 4096)
    for layer in package.manifest["hyper_synthesis"]:
        a = convolved(a, f"hs.{layer['index']}", layer["shift"])
        a = torch.relu(a) if layer["relu"] else a
        if layer["upsample"] > 1:
            a = torch.nn.functional.pixel_shuffle(a, layer["upsample"])
        a = a.clamp(-MOST, MOST)
    channels = len(symbols)
    shifts = {f"context.{name}": shift for name, shift in package.manifest["context"].items()}
    shifts |= {f"below.{name}": shift for name, shift in package.manifest.get("below", {}).items()}
    mean, index, features = a[:channels], a[channels : 2 * channels], a[2 * channels :]
    nodes = _array(package, "r0/scale_bias")
    index = index + torch.from_numpy(nodes[round(quality * (len(nodes) - 1))])[:, None, None]

    def step(name: str, known: Any, added: Any) -> tuple[Any, Any]:
        known = known.clamp(-MOST, MOST)
        size = known.abs() + ONE
        exponent = torch.frexp(size)[1] - 1
        logs = (exponent - 8) * ONE + torch.floor(size * 2.0 ** (8 - exponent)) - ONE
        hidden = convolved(logs * torch.sign(known), f"{name}.hidden", shifts[f"{name}.hidden"])
        hidden = (hidden.clamp(-MOST, MOST) + added).clamp(0, MOST)
        return (
            convolved(known, f"{name}.mean", shifts[f"{name}.mean"]).clamp(-MOST, MOST),
            convolved(hidden, f"{name}.scale", shifts[f"{name}.scale"]).clamp(-MOST, MOST),
        )

    if "below" in package.manifest:
        own = len(_array(package, "r0/below.hidden.weight"))
        features, own_features = features[:-own], features[-own:]
        if below is not None:
            known = torch.floor(ONE * torch.from_numpy(below).double() + 0.5)
            offset, wider = step("below", known, own_features)
            mean, index = mean + offset, index + wider
    first = _array(package, "r0/context.inward.hidden.weight").shape[1]
    height, width = symbols.shape[1:]
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    black = (rows + columns) % 2 == 1
    steps = ONE * torch.from_numpy(symbols[:first]).double()

    def back(index: Any) -> Any:
        """Return what the symbols of the first channels stand for, once turned back."""
        if which is None:
            return steps
        own = torch.from_numpy(np.where(_kinds(index.numpy()) < 0, 0, which[0]))
        matrices = torch.from_numpy(_array(package, "r0/rotations.first.matrix")).double()
        exact = torch.einsum("hwij,ihw->jhw", matrices[own - 1], steps)
        return torch.where(own > 0, torch.round(exact / 2**14), steps)

    wide = torch.nn.functional.pad(back(index[:first]) * ~black, (1, 1, 1, 1))
    around = torch.cat(
        [wide[:, :-2, 1:-1], wide[:, 2:, 1:-1], wide[:, 1:-1, :-2], wide[:, 1:-1, 2:]]
    )
    half = len(features) // 2
    more, wider = (each * black for each in step("context.across", around, features[:half]))
    rest, others = step("context.inward", back(index[:first] + wider) + more, features[half:])
    mean = mean + torch.cat((more, rest))
    return mean.numpy(), (index + torch.cat((wider, others))).numpy()
