"""Label-free prediction by pix2pix: as `labelfree`, refined against discriminators."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from cytopress.datasets.dataset import Dataset
from cytopress.models.model_package import Package
from cytopress.training.adversarial import AdversarialModule
from cytopress.training.config import TaskTraining
from cytopress.training.kinds.kind import CardPart
from cytopress.training.kinds.labelfree import LabelFreeKind, pearson
from cytopress.training.module import TaskModule
from cytopress.training.onnx_weights import load_unet
from cytopress.training.pairs import Pair


@dataclass(frozen=True)
class Pix2PixKind(LabelFreeKind):
    """The U-Net of FNet as generator, deployed in the same form.

    ``start`` is the package that it begins from, or None.
    """

    start: Package | None = None

    @property
    def selects(self) -> bool:
        """False: see `AdversarialModule`."""
        return AdversarialModule.selects

    @property
    def identity(self) -> dict[str, str]:
        """Digest of the package that it starts from."""
        return {} if self.start is None else {"start_sha256": self.start.sha256}

    def module(self, config: TaskTraining, train: Sequence[Pair]) -> TaskModule:  # noqa: ARG002
        """Return a module of three losses, its network started from the package."""
        module = AdversarialModule(config, nn.functional.mse_loss, pearson, score=self.score)
        if self.start is not None:
            load_unet(module.network, self.start)
            module.averaged.module.load_state_dict(module.network.state_dict())
        return module

    def manifest(self, dataset: Dataset) -> dict[str, Any]:
        """Return the entries of label-free prediction, and the package it started from."""
        own = super().manifest(dataset)
        if self.start is None:
            return own
        found = self.start.manifest.get("results", {}).get("mean", {})
        began = {"name": self.start.name, "sha256": self.start.sha256, "mean": found}
        return {**own, "start": began}

    def card(self, manifest: Mapping[str, Any], dataset: Dataset) -> CardPart:
        """Return the card's part of label-free prediction, and the discriminators'."""
        part, options = super().card(manifest, dataset), manifest["training"]["adversarial"]
        start = manifest.get("start")
        begun = f"the first {options['plain_steps']} steps are on the reconstruction loss alone"
        if start is not None:
            begun = f"begun from `{start['name']}` (sha256 `{start['sha256']}`)"
            if "pearson" in start["mean"]:
                begun += f", which reached Pearson r {start['mean']['pearson']:.4f} on test fields"
        lines = (
            (
                f"Adversarial training (pix2pixHD): {begun}; {options['scales']} discriminators of"
                f" {options['channels']} channels and {options['layers']} layers, learning rate"
                f" {options['learning_rate']:g}."
            ),
            (
                f"Weights of the losses: reconstruction {options['reconstruction']:g}, adversarial"
                f" (least squares) {options['adversarial']:g}, feature matching"
                f" {options['features']:g}."
            ),
        )
        doubt = (
            "Discriminators reward what looks like a target: detail that is plausible, and not"
            "\n  there in the specimen, may be among it."
        )
        return replace(part, output=(*part.output, *lines), limits=(*part.limits, doubt))
