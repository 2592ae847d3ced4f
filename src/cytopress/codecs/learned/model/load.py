"""Loading of codec packages: every array checked, once."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables
from cytopress.codecs.learned.latents.context_model import ContextStep
from cytopress.codecs.learned.latents.context_steps import ContextModel
from cytopress.codecs.learned.latents.gain_units import Gains
from cytopress.codecs.learned.latents.hyper_context import HyperContext
from cytopress.codecs.learned.latents.hyper_synthesis import HyperSynthesis, Layer
from cytopress.codecs.learned.latents.latent_coder import LatentCoder
from cytopress.codecs.learned.latents.secondary_transforms import PARTS, SecondaryTransforms
from cytopress.codecs.learned.model.codec_model import CodecModel
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
from cytopress.models.model_package import Package

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class _Key:
    """A model by the digest and place of its package: what a cache needs.

    The place counts too: of two equal files one may go while the other stays.
    """

    sha256: str
    path: Path
    index: int
    package: Package = field(compare=False)


def open_model(package: Package, index: int = 0) -> CodecModel:
    """Return one model of a codec package; opened once.

    Parameters
    ----------
    package : Package
        Of kind "codec".
    index : int, optional
        Which of its rates, from 0.

    Raises
    ------
    PackageError
        The package is of another kind, or lacks or contradicts something; the message says what.
    """
    return _opened(_Key(package.sha256, package.path, index, package))


@functools.lru_cache(maxsize=8)
def _opened(key: _Key) -> CodecModel:
    package = key.package
    manifest = read_manifest(package)
    with named_in_errors(package):
        return _Loader(package, f"r{key.index}/", manifest).model()


@dataclass(frozen=True, eq=False)
class _Loader:
    """Reads the arrays of one model; ``prefix`` is that of their names, such as ``r0/``."""

    package: Package
    prefix: str
    manifest: CodecManifest

    @property
    def stored(self) -> StoredArrays:
        """The package's arrays, checked."""
        return StoredArrays(self.package, self.prefix, self.manifest)

    def model(self) -> CodecModel:
        manifest = self.manifest
        hyper = manifest.architecture != "factorized"
        coder = self._coder(self.stored.prior()) if hyper else LatentCoder(self.stored.prior())
        networks = Networks(self.package, self.prefix, manifest)
        return CodecModel(manifest, self._gains(scaled=hyper), networks, coder)

    def _gains(self, *, scaled: bool) -> Gains:
        shape = max(self.manifest.gains, 1), self.manifest.latent_channels
        gain = self.stored.checked("gain", shape, "f")
        inverse = self.stored.checked("inverse_gain", shape, "f")
        bias = self.stored.bias("scale_bias", shape) if scaled else np.zeros(shape, np.int64)
        background = None
        if self.manifest.background is not None:
            background = self.stored.background(self.manifest.background)
        return Gains(gain, inverse, bias, background)

    def _coder(self, prior: ProbabilityTables) -> LatentCoder:
        manifest = self.manifest
        scales = self.stored.scales()
        h_s = HyperSynthesis(tuple(self._layer(entry) for entry in manifest.hyper_synthesis))
        context = self._context(h_s.upsample) if manifest.context else None
        prediction = self._slab_prediction() if manifest.slab_prediction else None
        _check_outputs(manifest, h_s, context, prediction)
        return LatentCoder(
            prior,
            scales,
            h_s,
            context,
            prediction,
            self._hyper_context() if manifest.hyper_context else None,
            self._transforms(context) if context and manifest.transforms else (None, None),
        )

    def _context(self, upsample: int) -> ContextModel[ContextStep]:
        steps = self._steps("context", CONTEXT, self.manifest.context)
        context, channels = ContextModel(*steps), self.manifest.latent_channels
        if context.channels != channels:
            raise PackageError(
                f"the context model is of {context.channels} channels, where {channels} belong."
            )
        if upsample % 2:
            raise PackageError("a checkerboard needs a hyper stride of an even number of latents.")
        return context

    def _slab_prediction(self) -> ContextStep:
        step = self._step("below", self.manifest.slab_prediction)
        channels = self.manifest.latent_channels
        if {step.form[0], step.form[2]} != {channels}:
            raise PackageError(f"the prediction from the slab below is not of {channels} channels.")
        return step

    def _hyper_context(self) -> HyperContext:
        name, manifest = "hyper_context", self.manifest
        diagonal, beside = self._steps(name, HYPER_CONTEXT, manifest.hyper_context)
        features = self.stored.checked(f"{name}.features", (2, diagonal.form[1]), "i")
        bias = self.stored.bias(f"{name}.bias", (max(manifest.gains, 1), manifest.hyper_channels))
        return HyperContext(diagonal, beside, features, bias)

    def _transforms(
        self, context: ContextModel[ContextStep]
    ) -> tuple[SecondaryTransforms, SecondaryTransforms]:
        channels = context.first, context.channels - context.first
        first, rest = (
            self.stored.part_transforms(f"rotations.{part}", count)
            for part, count in zip(PARTS, channels, strict=True)
        )
        return first, rest

    def _steps(
        self, name: str, steps: Sequence[str], shifts: Mapping[str, int]
    ) -> list[ContextStep]:
        return [
            self._step(f"{name}.{step}", {each: shifts[f"{step}.{each}"] for each in STEP_LAYERS})
            for step in steps
        ]

    def _step(self, name: str, shifts: Mapping[str, int]) -> ContextStep:
        plain = {"relu": False, "upsample": 1}
        layers = (
            self._named_layer(f"{name}.{layer}", {"shift": shifts[layer], **plain})
            for layer in STEP_LAYERS
        )
        return ContextStep(*layers)

    def _layer(self, entry: Mapping[str, Any]) -> Layer:
        return self._named_layer(f"hs.{entry['index']}", entry)

    def _named_layer(self, name: str, entry: Mapping[str, Any]) -> Layer:
        return Layer(
            weight=self.package.array(f"{self.prefix}{name}.weight"),
            bias=self.package.array(f"{self.prefix}{name}.bias"),
            shift=entry["shift"],
            relu=entry["relu"],
            upsample=entry["upsample"],
        )


def _check_outputs(
    manifest: CodecManifest,
    h_s: HyperSynthesis,
    context: ContextModel[ContextStep] | None,
    prediction: ContextStep | None,
) -> None:
    """Check that the hyper synthesis gives what the latents and their predictions need."""
    outputs = manifest.latent_channels * (1 if manifest.architecture == "hyperprior" else 2)
    outputs += 2 * context.width if context else 0
    outputs += prediction.form[1] if prediction else 0
    wanted = (manifest.hyper_channels, outputs, manifest.hyper_stride // manifest.stride)
    if (h_s.inputs, h_s.outputs, h_s.upsample) != wanted:
        raise PackageError(
            f"the hyper synthesis has (inputs, outputs, upsampling)"
            f" {(h_s.inputs, h_s.outputs, h_s.upsample)}, where {wanted} belong."
        )
