"""Task distortion: change of a frozen task network's output between a crop and its decoded form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch

from cytopress.errors import TaskError
from cytopress.models.model_package import Package
from cytopress.models.search import find_package
from cytopress.settings import Settings
from cytopress.training.codec.config import CodecTraining, Task
from cytopress.training.codec.crops import Batch
from cytopress.training.codec.sources import Plane
from cytopress.training.frozen import frozen_network
from cytopress.training.precision import computed_in

# Least variance of a layer; below it the layer is constant over all images.
LEAST_VARIANCE = 1e-12


def task_package(config: CodecTraining, settings: Settings) -> Package | None:
    """Return the package of the task in a training's distortion; None without one.

    Raises
    ------
    UnknownNameError
        There is no task package of this name.
    """
    if config.task is None:
        return None
    return find_package(settings.model_folders, "task", config.task.name)


class TaskDistortion:
    """Squared change of a task network's layer, as a share of the layer's variance.

    Crops are standardized by the mean and standard deviation of the whole plane that they are of,
    x_hat by those of x: as the task does it, but for a change of contrast, which it would hide and
    which counts here.

    Parameters
    ----------
    config : CodecTraining
        With a table ``task``.
    package : Package
        The task's.
    planes : sequence of Plane
        What crops are cut from, in the order that `Batch.plane` counts.

    Raises
    ------
    TaskError
        The task's family or axes do not fit, or its stride does not divide the crop.
    PackageError
        Its graph is no U-Net.
    """

    def __init__(self, config: CodecTraining, package: Package, planes: Sequence[Plane]) -> None:
        assert config.task is not None
        self.options: Task = config.task
        self.sha256 = package.sha256
        network = frozen_network(package, self.options.layer)
        if config.fit.crop % network.stride:
            raise TaskError(
                f"{package.name} reads multiples of {network.stride} pixels, not crops of"
                f" {config.fit.crop}; choose another crop."
            )
        self._network = network.to(memory_format=torch.channels_last)
        self._autocast = computed_in(config.fit.precision) == "bfloat16"
        spans = torch.tensor([plane.high - plane.low for plane in planes])
        low = torch.tensor([plane.low for plane in planes])
        self._mean = low + spans * torch.tensor([float(p.pixels.mean(dtype=float)) for p in planes])
        self._deviation = spans * torch.tensor([float(p.pixels.std(dtype=float)) for p in planes])
        self._variance = 1.0

    @torch.no_grad()
    def measure(self, batches: Iterable[Batch]) -> None:
        """Normalize by the variance of the layer over these crops."""
        layers = [self._layer(self._standardized(b.pixels, b)).double() for b in batches]
        values = torch.cat(layers)
        varied = values - values.mean((0, 2, 3), keepdim=True)
        self._variance = max(float(varied.square().mean()), LEAST_VARIANCE)

    def lost(self, x: torch.Tensor, x_hat: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return of each crop the squared change of the layer over its variance, (N,)."""
        self._network.to(x.device)
        with torch.no_grad():
            wanted = self._layer(self._standardized(x, batch))
        found = self._layer(self._standardized(x_hat.float(), batch))
        return (found - wanted).square().mean((1, 2, 3)) / self._variance

    def _standardized(self, x: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return crops in deviations of their planes, whatever gain and offset they were given."""
        plane = batch.plane.cpu()
        mean = (self._mean[plane].to(x.device) - batch.low) / batch.scale
        deviation = self._deviation[plane].to(x.device) / batch.scale
        return (x - mean[:, None, None, None]) / deviation[:, None, None, None]

    def _layer(self, standardized: torch.Tensor) -> torch.Tensor:
        x = standardized.contiguous(memory_format=torch.channels_last)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self._autocast):
            return self._network(x).float()  # type: ignore[no-any-return]
