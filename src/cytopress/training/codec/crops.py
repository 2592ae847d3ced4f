"""Batches of crops, each a pure function of seed and step, so that resuming is exact."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.utils.data import Dataset

from cytopress.codecs.learned.pixels.background import Mesh
from cytopress.codecs.wrappers.resampling import decimate, half
from cytopress.errors import UsageError
from cytopress.training.codec.sources import USED_RANGE, Plane, Source

# Share of the crops that are zoomed, and of those that get noise.
CHANGED = 0.5


class Augmentation(Protocol):
    """Augmentation, drawn anew for each crop; each number is the largest change, 0 for none."""

    @property
    def symmetry(self) -> bool:
        """Whether to mirror, and to rotate by 90 degrees."""

    @property
    def gain(self) -> float:
        """Largest relative change of contrast."""

    @property
    def offset(self) -> float:
        """Largest shift, in units of the used range."""

    @property
    def zoom(self) -> float:
        """Largest relative change of size."""

    @property
    def finer(self) -> float:
        """Largest relative change to smaller detail, where it is not ``zoom``."""

    @property
    def halved(self) -> float:
        """Share of crops of planes at half the resolution."""

    @property
    def noise(self) -> float:
        """Largest standard deviation of added noise, in units of the used range."""


class Batch(NamedTuple):
    """Crops, and what a loss needs of each; all float32 but ``plane``.

    x is a pixel of ``pixels``, (N, D, crop, crop), of planes D = 1; every other one has the shape
    (N,). A pixel of
    x counts ``low + scale * x``, jitter included. ``data_range`` is what PSNR refers to, in units
    of x; ``center``, as x, is the mean of the whole plane that a crop is of, or, of the shape of
    ``pixels``, the surface that is taken out of it. The variance of the
    noise at x, in units of x squared, is
    ``noise_a * max(x - noise_offset, 0) + noise_b``; NaN where the planes have no noise model.
    ``plane`` is the place in the list of planes, int64.
    """

    pixels: torch.Tensor
    low: torch.Tensor
    scale: torch.Tensor
    data_range: torch.Tensor
    center: torch.Tensor
    noise_a: torch.Tensor
    noise_b: torch.Tensor
    noise_offset: torch.Tensor
    plane: torch.Tensor


class CropBatches(Dataset[Batch]):
    """Item ``step`` is one batch.

    A source is drawn by its weight, a group within it evenly, so that no experiment outweighs the
    others, a plane within that by its area, the place evenly. ``gain``
    scales x by a factor from 1 - gain to 1 + gain, ``offset`` then shifts it either way. ``zoom``
    and ``noise`` concern half of the crops each; with ``finer`` half of what becomes smaller is
    averaged and half sampled. With ``halved`` a share of the crops is cut from planes at half the
    resolution, as ``scale=2`` codes them, where these are large enough.
    """

    def __init__(
        self,
        planes: Sequence[Plane],
        options: Augmentation,
        *,
        crop: int,
        batch: int,
        seed: int,
        deep: int = 1,
        mesh: Mesh | None = None,
    ) -> None:
        if not planes:
            raise UsageError("there are no planes to cut crops from.")
        halves = halved(planes, crop) if options.halved else {}
        # Behind the planes, those at half the resolution; by the places of the former.
        self._half = {place: len(planes) + order for order, place in enumerate(halves)}
        self._planes = planes = [*planes, *halves.values()]
        self._options = options
        self._crop, self._batch, self._seed, self._deep = crop, batch, seed, deep
        self._cumulative = np.cumsum(chances(planes[: len(planes) - len(halves)]))
        self._centers = [float(plane.pixels.mean(dtype=np.float64)) for plane in planes]
        # At a middle rate: the rate of a crop is drawn later.
        mesh = mesh.at(0.5) if mesh else None
        self._mesh = mesh
        self._grids = [
            mesh.fit(plane.pixels - np.float32(center)) if mesh else None
            for plane, center in zip(planes, self._centers, strict=True)
        ]

    def __getitem__(self, step: int) -> Batch:
        """Draw the batch of one step."""
        random = np.random.default_rng([self._seed, step])
        shape = (self._batch, self._deep, self._crop, self._crop)
        pixels = np.empty(shape, np.float32)
        surface = np.empty((self._batch, 1, *shape[2:]), np.float32)
        facts = np.empty((self._batch, 7))
        chosen = np.empty(self._batch, np.int64)
        for index in range(self._batch):
            drawn = np.searchsorted(self._cumulative, random.random(), side="right")
            chosen[index] = place = min(int(drawn), len(self._cumulative) - 1)
            if self._options.halved and random.random() < self._options.halved:
                place = self._half.get(place, place)
            plane = self._planes[place]
            gain = 1 + self._options.gain * random.uniform(-1, 1)
            offset = self._options.offset * random.uniform(-1, 1)
            cut = self._cut(place, random)
            cut = cut * np.float32(gain) + np.float32(offset)
            pixels[index], surface[index] = cut[:-1], cut[-1:]
            if self._options.noise and random.random() < CHANGED:
                deviation = np.float32(self._options.noise * random.random())
                pixels[index] += deviation * random.standard_normal(shape[1:], np.float32)
            center = self._centers[place] * gain + offset
            facts[index] = _facts(plane, gain, offset, center)
        columns = torch.from_numpy(facts.astype(np.float32).T.copy()).unbind()
        batch = Batch._make((torch.from_numpy(pixels), *columns, torch.from_numpy(chosen)))
        return batch._replace(center=torch.from_numpy(surface)) if self._mesh else batch

    def _cut(self, index: int, random: np.random.Generator) -> npt.NDArray[np.float32]:
        """Return a crop and, after its planes, the background to subtract, (D + 1, ...)."""
        stack = self._planes[index].pixels
        stack = stack if stack.ndim == 3 else stack[None]
        zooms = self._options.zoom or self._options.finer
        side = self._side(stack.shape[1:], random) if zooms else self._crop
        top, left = (int(random.integers(0, length - side + 1)) for length in stack.shape[1:])
        # With a single depth nothing is drawn.
        first = int(random.integers(0, len(stack) - self._deep + 1)) if len(stack) > 1 else 0
        cut = np.full((self._deep + 1, side, side), self._centers[index], np.float32)
        cut[:-1] = stack[first : first + self._deep, top : top + side, left : left + side]
        grid = self._grids[index]
        if self._mesh is not None and grid is not None:
            rows, columns = range(top, top + side), range(left, left + side)
            cut[-1] += self._mesh.surface(grid, rows, columns)
        if side != self._crop:
            whole, size = torch.from_numpy(cut[None]), (self._crop, self._crop)
            smaller = side > self._crop
            if smaller and self._options.finer:
                # Cameras average over a pixel, and still alias finer detail.
                smaller = random.random() < 0.5
            resized = nn.functional.interpolate(whole, size, mode="bilinear", antialias=smaller)
            cut = resized[0].numpy()
        if not self._options.symmetry:
            return cut
        down, across, turned = random.random(3) < 0.5
        cut = cut[:, :: -1 if down else 1, :: -1 if across else 1]
        if self._deep > 1 and random.random() < 0.5:
            cut[:-1] = cut[-2::-1].copy()
        return cut.transpose(0, 2, 1) if turned else cut

    def _side(self, shape: tuple[int, ...], random: np.random.Generator) -> int:
        """Return the pixels along each axis that become a crop."""
        if random.random() >= CHANGED:
            return self._crop
        larger, finer = 1 + self._options.zoom, 1 + (self._options.finer or self._options.zoom)
        factor = math.exp(random.uniform(-math.log(finer), math.log(larger)))
        return int(min(round(self._crop / factor), *shape))


def halved(planes: Sequence[Plane], crop: int) -> dict[int, Plane]:
    """Return planes at half the resolution, by their places, that crops can be cut from."""
    found = {}
    for place, plane in enumerate(planes):
        span = plane.high - plane.low
        counts = np.rint(plane.pixels.astype(np.float64) * span + plane.low)
        small = tuple(half(length) for length in counts.shape)
        if counts.ndim > 2 or min(small) < crop or counts.min() < 0 or counts.max() >= 2**16:
            continue
        fraction = 16 - max(int(counts.max()).bit_length(), 1)
        pixels = decimate(counts.astype(np.uint16), fraction, 2**16 - 1) / 2.0**fraction
        low, high = (float(value) for value in np.percentile(pixels, USED_RANGE))
        if high > low:
            pixels = ((pixels - low) / (high - low)).astype(np.float32)
            found[place] = replace(plane, pixels=pixels, low=low, high=high)
    return found


def chances(planes: Sequence[Plane]) -> np.ndarray:  # type: ignore[type-arg]
    """Return the probability of each plane: by its source's weight, evenly by group, by area."""
    areas: Counter[tuple[Source, str]] = Counter()
    for plane in planes:
        areas[plane.source, plane.group] += plane.pixels.size
    groups = Counter(source for source, _ in areas)
    total = sum(source.weight for source in groups)
    return np.array(
        [
            p.source.weight / total / groups[p.source] * p.pixels.size / areas[p.source, p.group]
            for p in planes
        ],
        np.float64,
    )


def _facts(plane: Plane, gain: float, offset: float, center: float) -> tuple[float, ...]:
    """Return low, scale, data range, center and the noise's a, b, offset, as `Batch` has them."""
    scale = (plane.high - plane.low) / gain
    low = plane.low - offset * scale
    noise = (np.nan,) * 3
    if plane.noise is not None:
        model = plane.noise
        noise = (model.a / scale, model.b / scale**2, (model.offset - low) / scale)
    return (low, scale, plane.data_range / scale, center, *noise)
