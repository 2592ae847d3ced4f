"""Loading of packages of format 2: every array checked, every sum proved, once."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables
from cytopress.codecs.learned.exact.along_z import AlongZ
from cytopress.codecs.learned.exact.context import HyperContext, Step
from cytopress.codecs.learned.exact.forward import forward_networks
from cytopress.codecs.learned.exact.gains import LOG_BITS, ExactGains
from cytopress.codecs.learned.exact.hyper_synthesis import HyperSynthesis, Layer
from cytopress.codecs.learned.exact.latents import LatentCoder
from cytopress.codecs.learned.exact.model import ExactModel
from cytopress.codecs.learned.exact.numbers import (
    FILTER_BITS,
    LEAST_SHIFT,
    MOST_ACTIVATION,
    MOST_SHIFT,
    STEP_BITS,
)
from cytopress.codecs.learned.exact.pixels import check_mesh
from cytopress.codecs.learned.exact.symbols import Transforms
from cytopress.codecs.learned.exact.synthesis import Synthesis
from cytopress.codecs.learned.latents.context_steps import ContextModel
from cytopress.codecs.learned.latents.gain_units import Gains
from cytopress.codecs.learned.latents.secondary_transforms import PARTS, SHIFT
from cytopress.codecs.learned.model.manifest import (
    CONTEXT,
    HYPER_CONTEXT,
    STEP_LAYERS,
    CodecManifest,
    read_manifest,
)
from cytopress.codecs.learned.model.networks import Networks
from cytopress.codecs.learned.model.stored_arrays import StoredArrays, named_in_errors
from cytopress.errors import PackageError
from cytopress.kernels.block_matrices import BlockMatrices
from cytopress.kernels.convolution import Convolution
from cytopress.kernels.fixed_point import MOST_VALUE
from cytopress.kernels.forward_transforms import ForwardTransforms
from cytopress.kernels.lapped_transform import LappedSynthesis
from cytopress.models.model_package import Package

Array = npt.NDArray[Any]
PREFIX = "r0/"
# Ranges of a layer's output: of activations, and of 32 bits.
RECTIFIED, ANY = (0, MOST_ACTIVATION), (-(2**31), 2**31 - 1)


@dataclass(frozen=True)
class _Key:
    """A package by its digest and place, as a cache needs it."""

    sha256: str
    path: Path
    package: Package = field(compare=False)


def open_exact(package: Package) -> ExactModel:
    """Return the model of a codec package of format 2; opened once.

    Raises
    ------
    PackageError
        The package lacks or contradicts something, or a sum could leave 32 bits.
    """
    return _opened(_Key(package.sha256, package.path, package))


@functools.lru_cache(maxsize=8)
def _opened(key: _Key) -> ExactModel:
    package = key.package
    manifest = read_manifest(package)
    with named_in_errors(package):
        return _Loader(StoredArrays(package, PREFIX, manifest), manifest).model()


@dataclass(frozen=True, eq=False)
class _Loader:
    stored: StoredArrays
    manifest: CodecManifest

    def model(self) -> ExactModel:
        package = self.stored.package
        networks = Networks(package, PREFIX, self.manifest)
        gains, coder, synthesis = self._gains(), self._coder(), self._synthesis()
        forward = forward_networks(networks, synthesis.place)
        return ExactModel(self.manifest, gains, forward, coder, synthesis)

    def _gains(self) -> ExactGains:
        shape, background = (max(self.manifest.gains, 1), self.manifest.latent_channels), None
        inverse = self.stored.checked("inverse_gain", shape, "i")
        if self.manifest.background is not None:
            check_mesh(self.manifest.background)
            background = self.stored.background(self.manifest.background)
        factors = (inverse * 2.0**-LOG_BITS).astype(np.float32)
        gains = Gains(
            self.stored.checked("gain", shape, "f"),
            factors,
            self.stored.bias("scale_bias", shape),
            background,
        )
        return ExactGains(gains, inverse)

    def _coder(self) -> LatentCoder:
        manifest, channels = self.manifest, self.manifest.latent_channels
        h_s = HyperSynthesis(
            tuple(
                Layer(
                    self._hyper_layer(entry),
                    entry["upsample"],
                )
                for entry in manifest.hyper_synthesis
            )
        )
        context = ContextModel(*self._steps("context", CONTEXT, manifest.context))
        below = self._slab_prediction() if manifest.slab_prediction else None
        outputs = 2 * channels + 2 * context.width + (below.form[1] if below else 0)
        wanted = (manifest.hyper_channels, outputs, manifest.hyper_stride // manifest.stride)
        if (h_s.inputs, h_s.outputs, h_s.upsample) != wanted or context.channels != channels:
            raise PackageError(
                f"the hyper synthesis has (inputs, outputs, upsampling)"
                f" {(h_s.inputs, h_s.outputs, h_s.upsample)}, where {wanted} belong, and the"
                f" context model {context.channels} channels."
            )
        if h_s.upsample % 2:
            raise PackageError("a checkerboard needs a hyper stride of an even number of latents.")
        return LatentCoder(
            self._prior(),
            self.stored.scales(),
            h_s,
            context,
            self._hyper_context() if manifest.hyper_context else None,
            below,
            self._transforms(context) if manifest.transforms else (None, None),
        )

    def _prior(self) -> tuple[ProbabilityTables, ...]:
        prior, channels = self.stored.prior(), self.manifest.hyper_channels
        nodes = [slice(start, start + channels) for start in range(0, len(prior), channels)]
        return tuple(
            ProbabilityTables(prior.cdf[node], prior.size[node], prior.offset[node])
            for node in nodes
        )

    def _hyper_context(self) -> HyperContext:
        name, manifest = "hyper_context", self.manifest
        diagonal, beside = self._steps(name, HYPER_CONTEXT, manifest.hyper_context)
        features = self.stored.bias(f"{name}.features", (2, diagonal.form[1]))
        shape = max(manifest.gains, 1), manifest.hyper_channels
        return HyperContext(diagonal, beside, features, self.stored.bias(f"{name}.bias", shape))

    def _slab_prediction(self) -> Step:
        shifts = {f"below.{layer}": shift for layer, shift in self.manifest.slab_prediction.items()}
        step, channels = Step(*self._layers("below", shifts)), self.manifest.latent_channels
        if {step.form[0], step.form[2]} != {channels}:
            raise PackageError(f"the prediction from the slab below is not of {channels} channels.")
        return step

    def _transforms(self, context: ContextModel[Step]) -> tuple[Transforms, Transforms]:
        parts = [context.first, context.channels - context.first]
        first, rest = (
            self._part(f"rotations.{part}", count) for part, count in zip(PARTS, parts, strict=True)
        )
        return first, rest

    def _part(self, name: str, channels: int) -> Transforms:
        transforms = self.stored.part_transforms(name, channels)
        # The inverse of an orthonormal matrix is its transpose.
        matrices = np.ascontiguousarray(transforms.matrices.swapaxes(1, 2))
        forward = ForwardTransforms(transforms.matrices, transforms.bias)
        return Transforms(transforms, forward, BlockMatrices(matrices, SHIFT, STEP_BITS))

    def _steps(self, name: str, steps: Sequence[str], shifts: Mapping[str, int]) -> list[Step]:
        named = {f"{name}.{layer}": shift for layer, shift in shifts.items()}
        return [Step(*self._layers(f"{name}.{step}", named)) for step in steps]

    def _layers(self, name: str, shifts: Mapping[str, int]) -> list[Convolution]:
        """Return the layers of a step; features are added before the rectifier of the first."""
        hidden, *others = (f"{name}.{layer}" for layer in STEP_LAYERS)
        first = self._layer(hidden, shifts[hidden], range_=RECTIFIED, added=True)
        return [first, *(self._layer(each, shifts[each]) for each in others)]

    def _synthesis(self) -> Synthesis:
        shifts, size = self.manifest.synthesis, self.manifest.stride
        last = len(shifts) - 1
        layers = tuple(
            self._layer(
                *(f"synthesis.{index}", shift),
                range_=RECTIFIED if index < last else (-MOST_VALUE, MOST_VALUE),
                added=index == last,
            )
            for index, shift in enumerate(shifts)
        )
        form = size, 2 * size
        along_y, along_x = (
            self.stored.checked(f"synthesis.along_{axis}", form, "i") for axis in "yx"
        )
        bits = FILTER_BITS, FILTER_BITS
        slabs, channels = self.manifest.slabs, self.manifest.latent_channels
        depth = slabs.stride if slabs else 1
        place = self.stored.checked("synthesis.place", (depth * size**2,), "i")
        if slabs is None:
            return Synthesis(layers, LappedSynthesis(along_y, along_x, *bits, place))
        matrix = self.stored.checked("synthesis.along_z", (depth, slabs.stack * depth), "i")
        transform = LappedSynthesis(along_y, along_x, *bits, np.arange(size**2))
        along_z = AlongZ(matrix, place.reshape(depth, size**2), channels)
        return Synthesis(layers, transform, along_z)

    def _hyper_layer(self, entry: Mapping[str, Any]) -> Convolution:
        name, shift = f"hs.{entry['index']}", entry["shift"]
        if entry["relu"]:
            return self._layer(name, shift, range_=RECTIFIED, added=False)
        return self._layer(name, shift)

    def _layer(
        self, name: str, shift: int, *, range_: tuple[int, int] = ANY, added: bool = True
    ) -> Convolution:
        """Return a layer; ``added`` says that its sums are added to others, or others to them."""
        if added and not LEAST_SHIFT <= shift <= MOST_SHIFT:
            raise PackageError(
                f"{name} has shift {shift}, not one from {LEAST_SHIFT} to {MOST_SHIFT}."
            )
        weight, bias = (
            self.stored.package.array(f"{PREFIX}{name}.{part}") for part in ("weight", "bias")
        )
        try:
            return Convolution(weight, bias, shift, *range_, most=MOST_ACTIVATION)
        except PackageError as error:
            raise PackageError(f"{name}: {error}") from error
