"""CompressAI's entropy-coded strings: planes to strings and back, without reading past their end.

CompressAI's decoder (rANS, in C++) does not check where a string ends and reads past it. It is
therefore given the string followed by zeros, more than latents of this shape should make it read.
It was never seen to read past them, but for crafted strings this is not proved. Damaged strings
decode to noise; the container's checksum detects them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.compressai.architectures import Architecture, gain, need
from cytopress.errors import UnsupportedImageError

Plane = npt.NDArray[np.float32]
# A crafted escape code can make the decoder read up to 15 times as many bits as the code has.
AMPLIFIED = 16
SPARE_PER_SYMBOL = 4
SPARE = 4096
MOST_LATENT = 2**24


def encode(architecture: Architecture, model: Any, plane: Plane, quality: float) -> list[bytes]:
    """Return the strings of a plane (Y, X) on a scale where the used range is 0 to 1.

    ``quality`` (0 to 1) is used by models with gains only.

    Raises
    ------
    UnsupportedImageError
        The latents are too large.
    """
    height, width = plane.shape
    multiple = architecture.multiple
    padded = np.pad(plane, ((0, -height % multiple), (0, -width % multiple)), mode="edge")
    torch = need("torch")
    with _reproducibly(torch), _within_limits(model):
        x = torch.from_numpy(padded)[None, None].expand(1, channels(model), *padded.shape)
        made = model.compress(x.contiguous(), **_rate(architecture, model, quality))
    return [bytes(strings[0]) for strings in made["strings"]]


def decode(
    architecture: Architecture,
    model: Any,
    strings: list[bytes],
    shape: tuple[int, int],
    quality: float,
) -> Plane:
    """Return the plane of the strings; the mean of three channels.

    Raises
    ------
    UnsupportedImageError
        The network's output is not finite.
    """
    height, width = shape
    multiple = architecture.multiple
    rows, columns = -(-height // multiple), -(-width // multiple)
    symbols = rows * columns * (multiple // 16) ** 2 * _latent_channels(model)
    safe = [
        [string + bytes(AMPLIFIED * len(string) + SPARE_PER_SYMBOL * symbols + SPARE)]
        for string in strings
    ]
    torch = need("torch")
    caught: list[Any] = []
    # The model clips its output to [0, 1], the used range; values outside are needed too.
    hook = model.g_s.register_forward_hook(lambda *call: caught.append(call[2].clone()))
    try:
        with _reproducibly(torch):
            rate = _rate(architecture, model, quality)
            model.decompress(safe, _latent_shape(architecture, model, rows, columns), **rate)
    finally:
        hook.remove()
    plane: Plane = caught[0][0].mean(0).numpy()[:height, :width]
    if not np.isfinite(plane).all():
        raise UnsupportedImageError(
            "The network's output is not finite: values lie too far outside the image's used range;"
            " clip them, or choose another codec."
        )
    return plane


def count_strings(architecture: Architecture, model: Any) -> int:
    """Return the number of strings of a plane."""
    if architecture.latents == "groups":
        return 2 * len(model.groups) + 1
    return {"factorized": 1, "hyper": 2, "checkerboard": 3}[architecture.latents]


def channels(model: Any) -> int:
    """Return the model's number of input channels: 1, or 3 for pretrained ones."""
    nn = need("torch.nn")
    first = next(layer for layer in model.g_a.modules() if isinstance(layer, nn.Conv2d))
    return int(first.in_channels)


def _latent_channels(model: Any) -> int:
    nn = need("torch.nn")
    kinds = nn.Conv2d, nn.ConvTranspose2d
    return int(next(layer for layer in model.g_s.modules() if isinstance(layer, kinds)).in_channels)


def _latent_shape(architecture: Architecture, model: Any, rows: int, columns: int) -> Any:
    hyper = rows, columns
    if architecture.latents in ("factorized", "hyper"):
        return hyper
    latent = 4 * rows, 4 * columns
    if architecture.latents == "checkerboard":
        return {"y": (_latent_channels(model), *latent), "hyper": hyper}
    return {"y": [(group, *latent) for group in model.groups], "hyper": hyper}


def _rate(architecture: Architecture, model: Any, quality: float) -> dict[str, Any]:
    if not architecture.gains:
        return {}
    scale = gain(model, quality)
    if model.vr_entbttlnck:
        # The hyper-latents then have tables of their own at each quality.
        step = model.lower_bound_zqstep(model.gayn2zqstep(1.0 / scale.view(1)))
        model.entropy_bottleneck.update_variable(force=True, qs=step)
    return {"inputscale": scale}


@contextlib.contextmanager
def _within_limits(model: Any) -> Iterator[None]:
    """Refuse latents that CompressAI's encoder cannot code: from 2**28 on it never ends."""

    def look(*call: Any) -> None:
        # Written so that NaN is refused too.
        if not bool((call[2].abs() < MOST_LATENT).all()):
            raise UnsupportedImageError(
                "The network's latents are too large to code: values lie too far outside the"
                " image's used range; clip them, or choose another codec."
            )

    ends = "g_a", "h_a", "h_s", "entropy_parameters"
    hooks = [
        module.register_forward_hook(look)
        for name, module in model.named_modules()
        if name.rpartition(".")[2] in ends
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@contextlib.contextmanager
def _reproducibly(torch: Any) -> Iterator[None]:
    """Compute on one thread, without gradients: sums are added in the same order every time."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(threads)
