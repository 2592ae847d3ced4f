"""The hard set: images on which classic codecs were seen to fail, small enough to try them all."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from cytopress.image import Image

HEIGHT, WIDTH = 48, 64


def _cells(rng: np.random.Generator, shape: tuple[int, int], most: float) -> np.ndarray:
    """Return cells on a background with shot noise, from about a tenth of ``most`` to ``most``."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    light = np.full(shape, 0.15)
    for _ in range(6):
        cy, cx, radius = rng.uniform(0, shape[0]), rng.uniform(0, shape[1]), rng.uniform(3, 8)
        light += 0.5 * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * radius**2))
    light = light / light.max() * 0.8
    noisy = light + rng.normal(0, 0.02, shape)
    return np.clip(noisy, 0, 1) * most


def _bit_depths(rng: np.random.Generator) -> Iterator[tuple[str, Image]]:
    for bits in (8, 10, 12, 14, 16):
        pixels = np.rint(_cells(rng, (HEIGHT, WIDTH), 2**bits - 1)).astype(np.uint16)
        yield f"{bits} bits", Image(pixels, bits=bits, spacing_um=(0.108333, 0.108333))
        yield f"{bits} bits, not told", Image(pixels)
    yield "uint8", Image(np.rint(_cells(rng, (HEIGHT, WIDTH), 255)).astype(np.uint8))
    yield (
        "6 bits in uint8",
        Image(np.rint(_cells(rng, (HEIGHT, WIDTH), 63)).astype(np.uint8), bits=6),
    )
    mask = (_cells(rng, (HEIGHT, WIDTH), 1) > 0.5).astype(np.uint8)
    yield "mask of 1 bit", Image(mask, bits=1)


def _levels(rng: np.random.Generator) -> Iterator[tuple[str, Image]]:
    for dtype in (np.uint8, np.uint16):
        most = np.iinfo(dtype).max
        for value in (0, 1, most // 2 + 1, most):
            yield f"constant {value} {dtype.__name__}", Image(np.full((40, 33), value, dtype))
        noise = rng.integers(0, most, (HEIGHT, WIDTH), dtype=dtype, endpoint=True)
        yield f"full range {dtype.__name__}", Image(noise)
        ramp = np.linspace(0, most, HEIGHT * WIDTH).reshape(HEIGHT, WIDTH)
        noisy = np.clip(ramp + rng.normal(0, most / 25, ramp.shape), 0, most)
        yield f"full ramp {dtype.__name__}", Image(noisy.astype(dtype))
    for offset in (100, 1000, 4096, 32768):
        pixels = np.rint(_cells(rng, (HEIGHT, WIDTH), 1500)) + offset
        yield f"offset {offset}", Image(pixels.astype(np.uint16))
    dark = rng.poisson(20, (HEIGHT, WIDTH)).astype(np.uint16)
    for name, pixels in {"hot pixel": dark, "hot pixel alone": np.zeros_like(dark)}.items():
        hot = pixels.copy()
        hot[17, 40] = 65535
        yield name, Image(hot)


def _shapes(rng: np.random.Generator) -> Iterator[tuple[str, Image]]:
    shapes = [(1, 1), (1, 2), (1, 37), (37, 1), (2, 2), (3, 3), (5, 7), (40, 3), (3, 40), (47, 61)]
    shapes += [(2, 1, 1), (1, 1, 9), (1, 20, 24), (2, 20, 24), (3, 20, 24), (4, 20, 24)]
    shapes += [(5, 20, 24), (7, 20, 24), (20, 24, 3), (20, 24, 4)]
    for shape in shapes:
        plane = (shape[-2], shape[-1])
        planes = [_cells(rng, plane, 3000) for _ in range(shape[0] if len(shape) == 3 else 1)]
        pixels = np.rint(np.stack(planes)).reshape(shape).astype(np.uint16)
        spacing = (0.29, 0.1, 0.1)[-len(shape) :]
        yield "x".join(map(str, shape)), Image(pixels, bits=12, spacing_um=spacing)


def _layouts(rng: np.random.Generator) -> Iterator[tuple[str, Image]]:
    pixels = np.rint(_cells(rng, (2 * HEIGHT, WIDTH), 4000)).astype(np.uint16)
    yield "every other row, mirrored", Image(pixels[::2, ::-1])
    yield "transposed", Image(pixels.T)
    yield "Fortran order", Image(np.asfortranarray(pixels[:HEIGHT]))
    yield "big-endian uint16", Image(pixels[:HEIGHT].astype(">u2"))
    yield "big-endian float32", Image(pixels[:HEIGHT].astype(">f4"))
    yield "slice of a stack", Image(np.stack([pixels, pixels], axis=-1)[..., 1])


def _floats(rng: np.random.Generator) -> Iterator[tuple[str, Image]]:
    unit = _cells(rng, (HEIGHT, WIDTH), 1).astype(np.float32)
    for name, pixels in {
        "float32 in [0, 1]": unit,
        "float32 signed": unit * 2000 - 500,
        "float32 of 1e-6": unit * np.float32(1e-6),
        "float32 of 1e6": unit * 1e6,
        "float32 constant": np.full_like(unit, 0.1),
        "float32 zero": np.zeros_like(unit),
        "float32 one pixel": unit[:1, :1],
        "float32 stack": np.stack([unit, unit[::-1], unit[:, ::-1]]),
    }.items():
        yield name, Image(np.asarray(pixels, np.float32))


@pytest.fixture(scope="session")
def hard_set() -> dict[str, Image]:
    """Return the hard set by name."""
    rng = np.random.default_rng(7)
    parts = (_bit_depths, _levels, _shapes, _layouts, _floats)
    return {name: image for part in parts for name, image in part(rng)}
