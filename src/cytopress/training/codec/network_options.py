"""Network options of a codec's training file."""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import (
    Field,
    PositiveFloat,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from cytopress.codecs.learned.compressai.architectures import BY_NAME
from cytopress.codecs.learned.model.manifest import MOST_TRANSFORMS
from cytopress.codecs.learned.pixels.background import Mesh
from cytopress.codecs.learned.pixels.slabs import PLANE, SlabLayout
from cytopress.toml_table import TomlTable

OURS = ("factorized", "hyperprior", "mean-scale", "context")
COMPRESSAI = "compressai/"
# The volumetric network of the study by Zhou, Sollmann and Chen (2024).
ZHOU = "zhou2024"
# Planes of a slab by network: ours, and theirs.
DEPTHS = (1, 2, 4)
ZHOU_DEPTH = SlabLayout(16, 30, 2)
# Step of the numbers of a background at the coarsest rate, in used ranges, and how often it is
# halved up to the finest, about as the steps of latents are.
SURFACE_STEP, SURFACE_HALVINGS = 1 / 64, 5


class Network(TomlTable):
    """The network: ours by its shape, or one of CompressAI's by its name, ``N`` and ``M``.

    ``analysis`` and ``synthesis`` are channels at a quarter, an eighth (and, with stride 16, a
    sixteenth) of the resolution. With ``transform = "separable"``, they are the channels of the
    convolutions among the latents, a number each.

    ``surface`` is the edge of the blocks, in pixels, whose medians make the smooth background that
    is subtracted from an image; 0 subtracts its mean alone.

    ``hyper_context`` is the width of the context model of hyper-latents; 0 for none.

    ``rotations`` is the number of secondary transforms of a block's latents, of which an encoder
    picks the cheapest or none; for architecture "context".

    For volumes, ``depth`` is the number of planes that one latent spans: 1, 2 or 4, or, where
    ``voxel_um`` gives the spacing along z, y and x instead, the one nearest to its extent in the
    plane. A slab is predicted from the previous slab by a step of ``below_width`` hidden channels;
    0 for no prediction. ``transform = "zhou2024"`` is the network of that study, of N and M
    channels: strided 3D convolutions with GDN, 16 voxels a latent along each axis, under a
    factorized prior.
    """

    architecture: str
    transform: Literal["lapped", "separable", "zhou2024"] = "lapped"
    depth: Literal[0, 1, 2, 4, 16] = 0
    voxel_um: tuple[PositiveFloat, PositiveFloat, PositiveFloat] | None = None
    below_width: int = Field(default=0, ge=0, le=512)
    surface: int = Field(default=64, ge=0, le=1024)
    latent_channels: int = Field(default=64, ge=1, le=256)
    stride: Literal[8, 16] = 8
    hyper_channels: int = Field(default=32, ge=1, le=512)
    hyper_width: int = Field(default=40, ge=1, le=512)
    hyper_context: int = Field(default=0, ge=0, le=512)
    context_channels: int = Field(default=16, ge=1, le=256)
    context_width: int = Field(default=32, ge=1, le=512)
    rotations: int = Field(default=0, ge=0, le=MOST_TRANSFORMS)
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
        if self.latent_channels > most and self.transform != ZHOU:
            raise ValueError(
                f"latent_channels = {self.latent_channels}: a stride of {self.stride} has at most"
                f" {most}"
            )
        if self.architecture == "context" and self.context_channels >= self.latent_channels:
            raise ValueError(
                f"context_channels = {self.context_channels} of {self.latent_channels} latent"
                " channels leave no others to predict from them"
            )
        if self.rotations and self.architecture != "context":
            raise ValueError('rotations go with architecture = "context"')
        levels = 2 if self.stride == 8 else 3
        if self.transform == ZHOU:
            return self
        if self.transform == "separable":
            self._check_separable()
            return self
        for name in ("analysis", "synthesis"):
            if len(getattr(self, name)) != levels:
                raise ValueError(f"{name} has {levels} widths at a stride of {self.stride}")
        return self

    def _check_separable(self) -> None:
        if self.latent_channels != self.stride**2 and not self.volumes:
            raise ValueError(
                'of planes, transform = "separable" has as many latent_channels as a block has'
                f" pixels: {self.stride**2}"
            )
        for name in ("analysis", "synthesis"):
            if len(set(getattr(self, name))) != 1:
                raise ValueError(f'with transform = "separable", all widths of {name} are the same')

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
            raise ValueError(
                "a surface is subtracted from planes alone: set surface = 0 for volumes"
            )
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
    def _without_what_is_not_meant(self, rest: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Runs and packages from before there were such options stay what they are.
        table: dict[str, Any] = rest(self)
        for key in (
            "transform",
            "depth",
            "voxel_um",
            "below_width",
            "hyper_context",
            "rotations",
        ):
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
    def slabs(self) -> SlabLayout:
        """How a volume is coded in slabs; a plane is one."""
        if not self.volumes:
            return PLANE
        if self.transform == ZHOU:
            return ZHOU_DEPTH
        stride = self.depth or depth_of(self.voxel_um or (1.0, 1.0, 1.0), self.stride)
        return SlabLayout(stride, stride // 2, 1 if stride > 1 else 0)

    @property
    def latents(self) -> int:
        """Channels of the latents."""
        return self.M if self.transform == ZHOU else self.latent_channels

    @property
    def mesh(self) -> Mesh | None:
        """The grid of the background that is subtracted, if one is."""
        taken = self.ours and self.surface and not self.volumes
        return Mesh(self.surface, SURFACE_STEP, SURFACE_HALVINGS) if taken else None

    @property
    def has_integer_form(self) -> bool:
        """Whether a package of it decodes in integers, from symbols to pixels."""
        return (self.architecture, self.transform) == ("context", "separable")

    @property
    def ours(self) -> bool:
        """Whether the package decodes without torch."""
        return not self.architecture.startswith(COMPRESSAI)


def depth_of(voxel_um: tuple[float, float, float], stride: int) -> int:
    """Return the planes that a latent spans to be about as deep as it is wide.

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
