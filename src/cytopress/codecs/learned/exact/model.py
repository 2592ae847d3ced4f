"""One opened package of format 2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.entropy.rans_coder import RansDecoder, RansEncoder
from cytopress.codecs.learned.exact.gains import ExactGains
from cytopress.codecs.learned.exact.latents import LatentCoder
from cytopress.codecs.learned.exact.symbols import SymbolDecoder, SymbolEncoder
from cytopress.codecs.learned.exact.synthesis import Synthesis
from cytopress.codecs.learned.latents.gain_units import GainSetting
from cytopress.codecs.learned.model.manifest import CodecManifest
from cytopress.codecs.learned.model.networks import Networks
from cytopress.codecs.learned.pixels.normalization import Plane

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
    networks : Networks
        Planes to latents, and latents to hyper-latents, in float: an encoder's alone.
    coder : LatentCoder
        Latents to symbols and back.
    synthesis : Synthesis
        Latents to planes.
    """

    manifest: CodecManifest
    gains: ExactGains
    networks: Networks
    coder: LatentCoder
    synthesis: Synthesis

    def encode_latents(self, encoder: RansEncoder, plane: Plane, setting: GainSetting) -> Array:
        """Encode a plane's latents; return them decoded, (h, w, M) int32 with a fraction."""
        y = self.networks.analyze([plane], setting.gain)
        z = self.networks.hyper_analyze(y)
        symbols = SymbolEncoder(encoder, np.moveaxis(z, 0, -1))
        z_hat = self.coder.hyper_latents(symbols, z.shape[1:], setting)
        symbols = SymbolEncoder(encoder, np.moveaxis(y, 0, -1), self.manifest.rdo)
        return self.coder.latents(symbols, z_hat, setting)

    def decode_latents(
        self, decoder: RansDecoder, shape: tuple[int, int], setting: GainSetting
    ) -> Array:
        """Return what `encode_latents` returned of a plane of ``shape``.

        Raises
        ------
        CorruptDataError
            The stream holds no latents of such a plane.
        """
        height, width = (length // self.manifest.hyper_stride for length in self.padded(shape))
        symbols = SymbolDecoder(decoder)
        z_hat = self.coder.hyper_latents(symbols, (height, width), setting)
        return self.coder.latents(symbols, z_hat, setting)

    def padded(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Return the size of a plane, (H, W), up to whole hyper-latents."""
        return self.networks.padded(shape)
