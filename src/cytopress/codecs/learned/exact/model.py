"""One opened package of format 2."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from cytopress.codecs.learned.entropy.rans_coder import RansDecoder, RansEncoder
from cytopress.codecs.learned.exact.forward import ForwardNetworks
from cytopress.codecs.learned.exact.gains import ExactGains
from cytopress.codecs.learned.exact.latents import LatentCoder
from cytopress.codecs.learned.exact.symbols import Quantization, SymbolDecoder, SymbolEncoder
from cytopress.codecs.learned.exact.synthesis import Synthesis
from cytopress.codecs.learned.latents.gain_units import GainSetting
from cytopress.codecs.learned.model.manifest import CodecManifest
from cytopress.codecs.learned.pixels.slabs import SlabLayout

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class ExactModel:
    """Networks and tables; the quality is still open.

    Parameters
    ----------
    manifest : CodecManifest
        The checked manifest of the package.
    gains : ExactGains
        Its qualities.
    forward : ForwardNetworks
        Planes to latents, and latents to hyper-latents: an encoder's alone.
    coder : LatentCoder
        Latents to symbols and back.
    synthesis : Synthesis
        Latents to planes.
    """

    manifest: CodecManifest
    gains: ExactGains
    forward: ForwardNetworks
    coder: LatentCoder
    synthesis: Synthesis

    @property
    def sha256(self) -> str:
        """Digest of the package."""
        return self.forward.networks.package.sha256

    @property
    def slabs(self) -> SlabLayout:
        """How volumes are coded in slabs; a plane is one."""
        return self.forward.networks.slabs

    @functools.cached_property
    def quantization(self) -> Quantization:
        """How an encoder chooses symbols and transforms."""
        return Quantization.of(self.coder.scales, self.manifest.rdo)

    def encode_latents(
        self,
        encoder: RansEncoder,
        y: Array,
        setting: GainSetting,
        previous: Array | None = None,
    ) -> Array:
        """Encode the latents of a slab; return them decoded, (h, w, M) int32 with a fraction.

        ``y`` are the latents as `ForwardNetworks.latents` gives them; ``previous`` is what this
        returned for the slab before it.
        """
        z = self.forward.hyper_latents(y)
        symbols = SymbolEncoder(encoder, z)
        z_hat = self.coder.hyper_latents(symbols, (z.shape[0], z.shape[1]), setting)
        symbols = SymbolEncoder(encoder, y, self.quantization)
        return self.coder.latents(symbols, z_hat, setting, previous)

    def decode_latents(
        self,
        decoder: RansDecoder,
        shape: tuple[int, int],
        setting: GainSetting,
        previous: Array | None = None,
    ) -> Array:
        """Return what `encode_latents` returned of a slab of planes of ``shape``.

        Raises
        ------
        CorruptDataError
            The stream holds no latents of such a slab.
        """
        step = self.manifest.hyper_stride
        height, width = (length // step for length in self.forward.networks.padded(shape))
        symbols = SymbolDecoder(decoder)
        z_hat = self.coder.hyper_latents(symbols, (height, width), setting)
        return self.coder.latents(symbols, z_hat, setting, previous)
