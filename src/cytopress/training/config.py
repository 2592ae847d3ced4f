"""Training file of a task, as a checked config: read from TOML, unknown keys refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from cytopress.image import Axes
from cytopress.toml_table import TomlTable, parse_toml, read_text
from cytopress.training.options import Adversarial, Augmentation, Fit, Network, Volume
from cytopress.training.receptive import ReceptiveField, receptive_field

LATER = ("variant", "codecs", "channel", "adversarial", "volume")
# Target of each family of tasks.
LOSSES = {"labelfree": "mse", "labelfree-pix2pix": "mse", "segmentation": "cross-entropy"}


class TaskTraining(TomlTable):
    """One training of a task's model: everything that decides its weights.

    ``variant`` distinguishes packages of one task. ``channel`` names the image of a pair that is
    segmented. ``codecs`` are spec strings: training and validation are on inputs as these codecs
    decode them, each field once for each codec, with ``original`` for the image itself; without
    any, on originals. ``volume`` is for datasets of stacks alone.
    """

    kind: Literal["task"]
    name: str = Field(pattern=r"^(labelfree|labelfree-pix2pix|segmentation)/[a-z0-9][a-z0-9._-]*$")
    variant: str = Field(default="", pattern=r"^[a-z0-9._-]*$")
    dataset: str = Field(min_length=1)
    channel: Literal["input", "target"] | None = None
    codecs: tuple[str, ...] = ()
    seed: int = Field(default=1, ge=0)
    network: Network = Network()
    volume: Volume | None = None
    fit: Fit
    augmentation: Augmentation = Augmentation()
    adversarial: Adversarial | None = None

    @model_validator(mode="after")
    def _family_has_its_own(self) -> TaskTraining:
        loss = LOSSES[self.family]
        if self.fit.loss != loss:
            raise ValueError(
                f"{self.family} is trained on another loss; set loss = {loss!r} in [fit]"
            )
        if (self.family == "segmentation") != (self.channel is not None):
            raise ValueError(
                "a segmentation, and nothing else, needs channel = 'input' or 'target': which image"
                " of a pair is segmented"
            )
        if (self.family == "labelfree-pix2pix") != (self.adversarial is not None):
            raise ValueError("a pix2pix, and nothing else, needs the table [adversarial]")
        if self.adversarial and self.adversarial.plain_steps >= self.fit.steps:
            raise ValueError("adversarial.plain_steps must leave some of fit.steps for the rest")
        return self

    @model_validator(mode="after")
    def _volume_fits(self) -> TaskTraining:
        if self.volume is None:
            return self
        if self.family == "labelfree-pix2pix":
            raise ValueError(
                "a pix2pix is trained on planes; remove the table [volume] and choose a dataset of"
                " planes, or train a labelfree"
            )
        if self.volume.halvings > self.network.depth:
            raise ValueError(
                f"volume.halvings = {self.volume.halvings} are some of the network's, which has a"
                f" depth of {self.network.depth}"
            )
        return self

    @model_validator(mode="after")
    def _receptive_field_fits(self) -> TaskTraining:
        depth, most = self.network.depth, self.network.max_receptive_field
        reached = self.receptive_fields[-1].size
        if most is not None and reached > most:
            raise ValueError(
                f"depth {depth} has a receptive field of {reached} pixels, more than"
                f" max_receptive_field = {most}; choose a smaller depth"
            )
        return self

    @model_validator(mode="after")
    def _crop_fits_stride(self) -> TaskTraining:
        stride = 2**self.network.depth * (self.volume.fold if self.volume else 1)
        if self.fit.crop % stride:
            raise ValueError(f"crop = {self.fit.crop} must be a multiple of {stride} at this depth")
        if self.volume and self.volume.planes % 2**self.volume.halvings:
            raise ValueError(
                f"volume.planes = {self.volume.planes} must be a multiple of"
                f" {2**self.volume.halvings} with {self.volume.halvings} halvings of Z"
            )
        return self

    @property
    def axes(self) -> Axes:
        """Of the images that are read: ZYX with ``volume``, else YX."""
        return "ZYX" if self.volume else "YX"

    @property
    def crop(self) -> tuple[int, ...]:
        """Shape of a crop."""
        side = self.fit.crop
        return (self.volume.planes, side, side) if self.volume else (side, side)

    @property
    def receptive_fields(self) -> tuple[ReceptiveField, ...]:
        """What the network sees along each axis."""
        depth = self.network.depth
        if self.volume is None:
            return (receptive_field(depth),) * 2
        plane = receptive_field(depth, fold=self.volume.fold)
        return (receptive_field(depth, halved=self.volume.halvings), plane, plane)

    @property
    def family(self) -> str:
        """The part of the task's name before the slash."""
        return self.name.partition("/")[0]

    @property
    def package_name(self) -> str:
        """Name of the package: the task's, and the variant behind a dot."""
        return f"{self.name}.{self.variant}" if self.variant else self.name

    @property
    def file_stem(self) -> str:
        """Name of the package's file: the package's, ``/`` replaced."""
        return self.package_name.replace("/", "-")

    def recorded(self) -> dict[str, Any]:
        """Return this config as JSON values, for checkpoint and manifest.

        Keys of later versions are left out at their defaults, so that older folders resume.
        """
        values = self.model_dump(mode="json")
        return {key: value for key, value in values.items() if value or key not in LATER}


def read_task_training(path: Path) -> TaskTraining:
    """Read and check a training file.

    Raises
    ------
    UsageError
        No such file, not TOML, an unknown key, a missing one or a value out of range.
    """
    return parse_toml(read_text(path), TaskTraining, str(path))
