"""Batches of augmented crops, each a pure function of seed and step: resuming is exact."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from monai.data.meta_obj import set_track_meta
from monai.transforms.compose import Compose
from monai.transforms.croppad.dictionary import CenterSpatialCropd
from monai.transforms.intensity.dictionary import (
    RandGaussianNoised,
    RandGaussianSmoothd,
    RandScaleIntensityd,
    RandShiftIntensityd,
)
from monai.transforms.spatial.dictionary import RandFlipd, RandRotate90d, RandZoomd
from torch.utils.data import Dataset

from cytopress.training.options import Augmentation
from cytopress.training.pairs import Pair

BOTH = ("input", "target")


def augmentation(options: Augmentation, crop: Sequence[int], interpolation: str) -> Compose:
    """Build the random transform of one {"input", "target"} pair of tensors.

    They are (1, H, W) or (1, D, H, W). Volumes are zoomed and blurred along Z too, but never
    mirrored along it or turned out of the plane: transmitted light looks unlike above and below
    focus, and voxels are seldom cubes.

    Parameters
    ----------
    options : Augmentation
        The largest changes.
    crop : sequence of int
        Shape that is left.
    interpolation : str
        How a target is zoomed, ``linear`` or ``nearest``.
    """
    linear = {2: "bilinear", 3: "trilinear"}[len(crop)]
    row, column = len(crop) - 2, len(crop) - 1
    steps: list[Callable[..., Any]] = []
    if options.zoom > 1:
        steps += [
            RandZoomd(
                BOTH,
                prob=0.5,
                min_zoom=1 / options.zoom,
                max_zoom=options.zoom,
                mode=(linear, linear if interpolation == "linear" else interpolation),
                padding_mode="edge",
            ),
            CenterSpatialCropd(BOTH, tuple(crop)),
        ]
    if options.symmetry:
        steps += [
            RandFlipd(BOTH, prob=0.5, spatial_axis=row),
            RandRotate90d(BOTH, prob=0.75, spatial_axes=(row, column)),
        ]
    if options.blur:
        sigma = (0.25, options.blur)
        steps.append(
            RandGaussianSmoothd("input", sigma_x=sigma, sigma_y=sigma, sigma_z=sigma, prob=0.3)
        )
    if options.gain:
        steps.append(RandScaleIntensityd("input", factors=options.gain, prob=0.8))
    if options.offset:
        steps.append(RandShiftIntensityd("input", offsets=options.offset, prob=0.8))
    if options.noise:
        steps.append(RandGaussianNoised("input", prob=0.5, std=options.noise))
    return Compose(steps)


class CropBatches(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Item ``step`` is one batch: inputs and targets, (batch, 1, *crop) float32."""

    def __init__(
        self,
        pairs: Sequence[Pair],
        options: Augmentation,
        *,
        crop: Sequence[int],
        batch: int,
        seed: int,
        interpolation: str = "linear",
    ) -> None:
        set_track_meta(False)
        self._pairs = pairs
        self._transform = augmentation(options, crop, interpolation)
        # More is cut than is kept, so that shrinking does not run out of pixels.
        deepest = [min(pair.input.shape[0] for pair in pairs)] * (len(crop) - 2)
        narrowest = [min(min(pair.input.shape[-2:]) for pair in pairs)] * 2
        self._shape = [
            min(math.ceil(length * options.zoom), most)
            for length, most in zip(crop, deepest + narrowest, strict=True)
        ]
        self._batch = batch
        self._seed = seed

    def __getitem__(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Draw the batch of one step."""
        crops = [self._draw(step, index) for index in range(self._batch)]
        return (
            torch.stack([crop["input"] for crop in crops]),
            torch.stack([crop["target"] for crop in crops]),
        )

    def _draw(self, step: int, index: int) -> dict[str, torch.Tensor]:
        random = np.random.default_rng([self._seed, step, index])
        sizes = np.array([pair.input.size for pair in self._pairs], float)
        pair = self._pairs[random.choice(len(sizes), p=sizes / sizes.sum())]
        lengths = list(zip(pair.input.shape, self._shape, strict=True))
        starts = [random.integers(0, length - kept + 1) for length, kept in lengths]
        cut = tuple(slice(at, at + kept) for at, kept in zip(starts, self._shape, strict=True))
        self._transform.set_random_state(seed=int(random.integers(2**31)))
        drawn = self._transform(
            {
                "input": torch.from_numpy(pair.input[cut].copy())[None],
                "target": torch.from_numpy(pair.target[cut].copy())[None],
            }
        )
        return {key: torch.as_tensor(drawn[key]) for key in BOTH}
