"""Options of a training file, one checked class a table: network, fit, augmentation, ..."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from cytopress.toml_table import TomlTable


class Network(TomlTable):
    """The U-Net's shape: ``channels`` at full resolution, doubled at each of ``depth`` halvings.

    ``max_receptive_field`` is in pixels of a plane.
    """

    channels: int = Field(default=24, ge=1, le=256)
    depth: int = Field(default=3, ge=1, le=6)
    max_receptive_field: int | None = Field(default=None, ge=1)


class Volume(TomlTable):
    """Further options of a network for stacks (ZYX), and of its crops.

    Crops are ``planes`` thick. The last ``halvings`` of the network's depth halve Z too, the ones
    before only the plane; use fewer where planes are farther apart. ``fold`` x ``fold`` pixels of a
    plane are folded into one before the first block, and unfolded after the last, which saves most
    of the time at full resolution.
    """

    planes: int = Field(default=16, ge=1)
    halvings: int = Field(default=1, ge=0, le=6)
    fold: int = Field(default=1, ge=1, le=4)


class Fit(TomlTable):
    """The optimization. ``steps`` batches of ``batch`` crops of ``crop`` x ``crop`` pixels.

    The learning rate rises over the first 5 % of the steps and falls along a cosine to zero at the
    last. Weights are averaged exponentially with ``average``; the average is what is validated,
    every ``validate_every`` steps, and exported.
    """

    steps: int = Field(ge=1)
    batch: int = Field(default=8, ge=1)
    crop: int = Field(default=128, ge=8)
    learning_rate: float = Field(default=1e-3, gt=0, lt=1)
    weight_decay: float = Field(default=1e-4, ge=0, lt=1)
    loss: Literal["mse", "cross-entropy"] = "mse"
    average: float = Field(default=0.995, ge=0, lt=1)
    validate_every: int = Field(default=100, ge=1)
    precision: Literal["float32", "bfloat16"] = "float32"
    threads: int = Field(default=2, ge=1)


class Augmentation(TomlTable):
    """Augmentation, drawn anew for each crop; each number is the largest change.

    ``symmetry`` mirrors and turns by 90 degrees; ``zoom`` scales by up to this factor either way;
    the others touch the standardized input alone: ``gain`` and ``offset`` (in standard
    deviations), ``noise`` (standard deviation) and ``blur`` (sigma in pixels).
    """

    symmetry: bool = True
    zoom: float = Field(default=1.0, ge=1, le=2)
    gain: float = Field(default=0.0, ge=0, lt=1)
    offset: float = Field(default=0.0, ge=0, le=2)
    noise: float = Field(default=0.0, ge=0, le=2)
    blur: float = Field(default=0.0, ge=0, le=5)


class Adversarial(TomlTable):
    """The discriminators of pix2pix, and the weight of each loss.

    Training starts from ``start``, a package's name or path, or with ``plain_steps`` on the
    reconstruction loss alone. ``scales`` discriminators of ``channels`` features and ``layers``
    halvings score patches; ``learning_rate`` is that of the discriminators.
    """

    start: str | None = Field(default=None, min_length=1)
    plain_steps: int = Field(default=0, ge=0)
    scales: int = Field(default=2, ge=1, le=4)
    channels: int = Field(default=16, ge=1, le=256)
    layers: int = Field(default=3, ge=1, le=5)
    learning_rate: float = Field(default=1e-3, gt=0, lt=1)
    reconstruction: float = Field(default=1.0, ge=0)
    adversarial: float = Field(default=0.02, ge=0)
    features: float = Field(default=0.2, ge=0)

    @model_validator(mode="after")
    def _begins_somewhere(self) -> Adversarial:
        if self.start is None and not self.plain_steps:
            raise ValueError("a pix2pix needs a start: give [adversarial] start or plain_steps")
        return self
