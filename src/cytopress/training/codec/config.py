"""What a training file of a codec says: read from TOML, checked at birth, unknown keys refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    Field,
    PositiveFloat,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from cytopress.codecs.learned.compressai.architectures import BY_NAME
from cytopress.codecs.learned.depth import PLANE, Depth
from cytopress.codecs.learned.surface import Mesh
from cytopress.training.toml import Table, read_training

OURS = ("factorized", "hyperprior", "mean-scale", "context")
COMPRESSAI = "compressai/"
# The volumetric network of the study by Zhou, Sollmann and Chen (2024).
ZHOU = "zhou2024"
# Planes of a slab by network: ours, and theirs.
DEPTHS = (1, 2, 4)
ZHOU_DEPTH = Depth(16, 30, 2)
# MS-SSIM looks at a crop at a sixteenth of its resolution too.
LEAST_CROP_MS_SSIM = 128
# Of the numbers that make a surface, in used ranges: far below what coarse rates lose.
SURFACE_STEP = 1 / 64


class Network(Table):
    """The network: ours by its shape, or one of CompressAI's by its name, ``N`` and ``M``.

    ``analysis`` and ``synthesis`` are channels at a quarter, an eighth (and, with stride 16, a
    sixteenth) of the resolution. ``surface`` is the edge of the blocks, in pixels, whose medians
    make the smooth surface that is taken out of an image first; 0: only its mean is.

    For volumes, ``depth`` is how many planes one latent spans: 1, 2 or 4, or, where ``voxel_um``
    gives the spacing along z, y and x instead, what comes nearest to its extent in the plane. A
    slab of planes is predicted from the one above by a step of ``below_width`` channels; 0: it
    is not. ``transform = "zhou2024"`` is the network of that study, of N and M channels: strided
    3D convolutions with GDN, 16 voxels a latent along each axis, under a factorized prior.
    """

    architecture: str
    transform: Literal["lapped", "zhou2024"] = "lapped"
    depth: Literal[0, 1, 2, 4, 16] = 0
    voxel_um: tuple[PositiveFloat, PositiveFloat, PositiveFloat] | None = None
    below_width: int = Field(default=0, ge=0, le=512)
    surface: int = Field(default=64, ge=0, le=1024)
    latent_channels: int = Field(default=64, ge=1, le=256)
    stride: Literal[8, 16] = 8
    hyper_channels: int = Field(default=32, ge=1, le=512)
    hyper_width: int = Field(default=40, ge=1, le=512)
    context_channels: int = Field(default=16, ge=1, le=256)
    context_width: int = Field(default=32, ge=1, le=512)
    analysis: tuple[int, ...] = (48, 96)
    synthesis: tuple[int, ...] = (24, 48)
    N: int = Field(default=48, ge=1, le=512)
    M: int = Field(default=96, ge=1, le=512)

    @model_validator(mode="after")
    def _fits(self) -> Network:
        if self.architecture.removeprefix(COMPRESSAI) in BY_NAME and not self.ours:
            return self
        if self.architecture not in OURS:
            raise ValueError(
                f"architecture {self.architecture!r} is none of {', '.join(OURS)} and"
                f" {COMPRESSAI}NAME, with NAME one of {', '.join(BY_NAME)}"
            )
        most = self.stride**2 * self.slabs.stride
        if self.latent_channels > most and self.transform == "lapped":
            raise ValueError(
                f"latent_channels = {self.latent_channels}: a stride of {self.stride} has at most"
                f" {most}"
            )
        if self.architecture == "context" and self.context_channels >= self.latent_channels:
            raise ValueError(
                f"context_channels = {self.context_channels} of {self.latent_channels} latent"
                " channels leave none that they could tell of"
            )
        levels = 2 if self.stride == 8 else 3
        if self.transform == ZHOU:
            return self
        if len(self.analysis) != levels or len(self.synthesis) != levels:
            raise ValueError(
                f"analysis and synthesis have {levels} widths each at a stride of {self.stride}"
            )
        return self

    @model_validator(mode="after")
    def _surface_is_even(self) -> Network:
        if self.surface % 2:
            raise ValueError(f"surface = {self.surface}: blocks have an even number of pixels")
        return self

    @model_validator(mode="after")
    def _volumes(self) -> Network:
        if self.depth and self.voxel_um:
            raise ValueError("network takes depth or voxel_um, which it follows from, not both")
        if self.volumes and not self.ours:
            raise ValueError(f"{self.architecture} codes planes: it takes no depth")
        if self.volumes and "surface" in self.model_fields_set and self.surface:
            raise ValueError("a surface is taken out of planes alone: surface = 0 for volumes")
        zhou = self.transform == ZHOU
        if zhou and (self.architecture, self.depth, self.stride) != ("factorized", 16, 16):
            raise ValueError(
                f'transform = "{ZHOU}" goes with architecture = "factorized", depth = 16 and'
                " stride = 16"
            )
        if self.depth == ZHOU_DEPTH.stride and not zhou:
            raise ValueError(f"depth = 16 is the {ZHOU} transform's; ours is one of 1, 2 and 4")
        if self.below_width and (not self.volumes or self.architecture in OURS[:2]):
            raise ValueError("below_width goes with volumes, and with means: mean-scale or context")
        return self

    @model_serializer(mode="wrap")
    def _without_what_planes_lack(self, rest: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Runs and packages from before there were volumes stay what they are.
        table: dict[str, Any] = rest(self)
        for key in ("transform", "depth", "voxel_um", "below_width"):
            if key not in self.model_fields_set:
                table.pop(key, None)
        if self.volumes:
            table.pop("surface", None)
        return table

    @property
    def volumes(self) -> bool:
        """Whether it codes volumes."""
        return bool(self.depth or self.voxel_um)

    @property
    def slabs(self) -> Depth:
        """How a volume is coded in slabs; a plane is one."""
        if not self.volumes:
            return PLANE
        if self.transform == ZHOU:
            return ZHOU_DEPTH
        stride = self.depth or depth_of(self.voxel_um or (1.0, 1.0, 1.0), self.stride)
        return Depth(stride, stride // 2, 1 if stride > 1 else 0)

    @property
    def latents(self) -> int:
        """Channels of the latents."""
        return self.M if self.transform == ZHOU else self.latent_channels

    @property
    def mesh(self) -> Mesh | None:
        """Where the surface is known that is taken out, if one is."""
        taken = self.ours and self.surface and not self.volumes
        return Mesh(self.surface, SURFACE_STEP) if taken else None

    @property
    def ours(self) -> bool:
        """Whether the package decodes without torch."""
        return not self.architecture.startswith(COMPRESSAI)


class Rate(Table):
    """Which rates: a list of lambdas, one network each, or gain units, one network for all.

    Lambda weighs the mean squared error, in units of (used range / 255) squared, against bits a
    pixel, as CompressAI does; with MS-SSIM it weighs 1 - MS-SSIM. With ``from_finer`` the network
    of the largest lambda is trained first, and each other one starts from the next finer one.
    """

    lambdas: tuple[float, ...] = ()
    from_finer: bool = False
    gains: int = Field(default=0, ge=0, le=100)
    lambda_range: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Rate:
        if bool(self.lambdas) == bool(self.gains):
            raise ValueError("rate takes either lambdas or gains with lambda_range")
        if bool(self.gains) != (self.lambda_range is not None):
            raise ValueError("gains and lambda_range go together")
        if self.from_finer and self.gains:
            raise ValueError("from_finer goes with lambdas: gains are one network")
        if self.gains == 1:
            raise ValueError("gains = 1 is one rate: give it as lambdas instead")
        values = self.lambdas or self.lambda_range or ()
        if any(value <= 0 for value in values) or list(values) != sorted(set(values)):
            raise ValueError("lambdas are above 0 and increase")
        return self

    @property
    def networks(self) -> int:
        """How many networks are trained."""
        return len(self.lambdas) or 1

    @property
    def order(self) -> list[int]:
        """Return the networks in the order in which they are trained."""
        order = list(range(self.networks))
        return order[::-1] if self.from_finer else order

    def alone(self, index: int) -> Rate:
        """Return what one of the networks covers."""
        return Rate(lambdas=(self.lambdas[index],)) if self.lambdas else self

    @property
    def nodes(self) -> list[float]:
        """Return lambda at each gain node, or the one lambda of a network."""
        if self.lambda_range is None:
            return list(self.lambdas[:1])
        low, high = self.lambda_range
        return [low * (high / low) ** (node / (self.gains - 1)) for node in range(self.gains)]


class Loss(Table):
    """What is minimized.

    ``domain = "stabilized"`` measures the distortion after the generalized Anscombe transform of
    each source's noise model, in units of the noise. ``balance`` weighs each crop by (lambda /
    largest lambda) to the power of minus it: at 0 high rates dominate. ``rdo`` is what a squared
    quantization step weighs in bits where symbols are chosen; 0: they are rounded.
    """

    distortion: Literal["mse", "ms-ssim"] = "mse"
    domain: Literal["raw", "stabilized"] = "raw"
    balance: float = Field(default=0.45, ge=0, le=1)
    rdo: float = Field(default=0.0, ge=0, le=100)


class Task(Table):
    """A task whose frozen network the distortion is measured through, besides on pixels.

    ``layer`` is what is compared: the prediction, or the features that its last layer reads.
    ``weight`` is in the units of the squared error of pixels, (used range / 255) squared: what it
    costs to lose as much as the layer varies over the training images. ``pixels`` is the share
    that the error of the pixels themselves keeps.
    """

    name: str
    layer: Literal["output", "features"] = "output"
    weight: float = Field(default=100.0, gt=0, le=1e6)
    pixels: float = Field(default=1.0, ge=0, le=1)


class Fit(Table):
    """The optimization. ``steps`` batches of ``batch`` crops of ``crop`` x ``crop`` pixels.

    Of volumes, crops are ``planes`` planes deep.

    The learning rate rises over the first hundred steps and falls along a cosine to zero at the
    last. Weights are averaged exponentially with ``average``; the average is what is exported.
    Every ``validate_every`` steps up to ``validate_fields`` held-out fields of each source are
    coded with true bytes, and a checkpoint is written.
    """

    steps: int = Field(ge=1)
    batch: int = Field(default=8, ge=1)
    crop: int = Field(default=192, ge=64)
    planes: int = Field(default=1, ge=1, le=256)
    learning_rate: float = Field(default=1e-3, gt=0, lt=1)
    clip: float = Field(default=1.0, gt=0)
    average: float = Field(default=0.999, ge=0, lt=1)
    validate_every: int = Field(default=1000, ge=1)
    validate_fields: int = Field(default=2, ge=0)
    precision: Literal["float32", "bfloat16"] = "float32"
    threads: int = Field(default=2, ge=1)

    @model_validator(mode="after")
    def _crop_fits(self) -> Fit:
        if self.crop % 32:
            raise ValueError(f"crop = {self.crop} must be a multiple of 32")
        return self

    @model_serializer(mode="wrap")
    def _without_what_planes_lack(self, rest: SerializerFunctionWrapHandler) -> dict[str, Any]:
        table: dict[str, Any] = rest(self)
        if "planes" not in self.model_fields_set:
            table.pop("planes", None)
        return table


class Augmentation(Table):
    """Changes drawn anew for each crop; each number is the largest one.

    ``symmetry`` mirrors and transposes; ``gain`` changes the contrast, ``offset`` shifts it, in
    used ranges. In half of the crops, ``zoom`` enlarges or shrinks by up to a factor of 1 + zoom;
    in half, white noise is added, of a standard deviation up to ``noise`` used ranges: other
    experiments have other noise and other sizes of detail.
    """

    symmetry: bool = True
    gain: float = Field(default=0.15, ge=0, lt=1)
    offset: float = Field(default=0.04, ge=0, le=1)
    zoom: float = Field(default=0.0, ge=0, le=1)
    noise: float = Field(default=0.0, ge=0, le=1)


class Source(Table):
    """Where images come from: a dataset, a folder or a packaged archive, one of the three."""

    dataset: str | None = None
    folder: str | None = None
    archive: str | None = None
    images: tuple[str, ...] = ("input",)
    weight: float = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _one_place(self) -> Source:
        if sum(place is not None for place in (self.dataset, self.folder, self.archive)) != 1:
            raise ValueError("a source names one of dataset, folder and archive")
        return self


class CodecTraining(Table):
    """One training of a codec: everything that decides its weights."""

    kind: Literal["codec"]
    name: str = Field(pattern=r"^(learned|compressai)/[a-z0-9][a-z0-9._-]*$")
    seed: int = Field(default=1, ge=0)
    init: str | None = None
    network: Network
    rate: Rate
    loss: Loss = Loss()
    task: Task | None = None
    fit: Fit
    augmentation: Augmentation = Augmentation()
    sources: tuple[Source, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _named_after_its_runtime(self) -> CodecTraining:
        wanted = "learned/" if self.network.ours else COMPRESSAI
        if not self.name.startswith(wanted):
            raise ValueError(
                f"name = {self.name!r}: a package of {self.network.architecture} is named"
                f" {wanted}NAME"
            )
        return self

    @model_validator(mode="after")
    def _parts_go_together(self) -> CodecTraining:
        if self.loss.distortion == "ms-ssim" and self.fit.crop < LEAST_CROP_MS_SSIM:
            raise ValueError(
                f"crop = {self.fit.crop}: MS-SSIM needs crops of at least {LEAST_CROP_MS_SSIM}"
            )
        if self.loss.domain == "stabilized" and (self.augmentation.zoom or self.augmentation.noise):
            raise ValueError(
                "domain = 'stabilized' goes by the noise of the images as they are: set zoom and"
                " noise of [augmentation] to 0"
            )
        if self.task and (self.loss.distortion, self.loss.domain) != ("mse", "raw"):
            raise ValueError(
                "[task] goes with distortion = 'mse' in the 'raw' domain: its weight is in their"
                " units"
            )
        if self.network.ours:
            return self
        name = self.network.architecture
        if BY_NAME[name.removeprefix(COMPRESSAI)].gains != bool(self.rate.gains):
            wanted = "lambdas" if self.rate.gains else "gains with lambda_range"
            raise ValueError(f"{name} takes {wanted}: that is how its rate is set")
        if self.loss.rdo:
            raise ValueError(f"{name} takes no rdo")
        return self

    @model_validator(mode="after")
    def _crops_suit_the_network(self) -> CodecTraining:
        whole = 4 * self.network.stride if self.network.ours else 64
        if self.fit.crop % whole:
            raise ValueError(f"crop = {self.fit.crop} must be a multiple of {whole}")
        depth = self.network.slabs.stride
        if self.network.volumes and self.fit.planes % depth:
            raise ValueError(f"planes = {self.fit.planes} of [fit] must be a multiple of {depth}")
        if not self.network.volumes and self.fit.planes > 1:
            raise ValueError("planes of [fit] are for volumes: give the network a depth")
        if self.network.volumes and (self.task or self.loss.domain == "stabilized"):
            raise ValueError("a codec of volumes takes neither [task] nor domain = 'stabilized'")
        return self

    @model_serializer(mode="wrap")
    def _without_what_is_not_asked_for(self, rest: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Runs and packages from before there were tasks stay what they are.
        table: dict[str, Any] = rest(self)
        return {key: value for key, value in table.items() if key != "task" or value is not None}

    @property
    def file_stem(self) -> str:
        """Name of the package's file: the codec's behind its slash; CompressAI's with it."""
        return self.name.removeprefix("learned/").replace("/", "-")


def depth_of(voxel_um: tuple[float, float, float], stride: int) -> int:
    """Return how many planes a latent spans so that it is about as deep as it is wide.

    Parameters
    ----------
    voxel_um : tuple of float
        Spacing along z, y and x.
    stride : int
        Pixels that it spans along y and x.
    """
    z, y, x = voxel_um
    wanted = stride * (y * x) ** 0.5 / z
    return min(DEPTHS, key=lambda depth: abs(math.log(depth / wanted)))


def read_codec_training(path: Path) -> CodecTraining:
    """Read and check a training file.

    Raises
    ------
    UsageError
        No such file, not TOML, an unknown key, a missing one or a value out of range.
    """
    return read_training(path, CodecTraining, "a training of a codec")
