"""One model of a package: float networks around the latent coder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.entropy.range_coder import RangeDecoder, RangeEncoder
from cytopress.codecs.learned.latents.gain_units import Gains, GainSetting
from cytopress.codecs.learned.latents.latent_coder import LatentCoder
from cytopress.codecs.learned.model.manifest import CodecManifest
from cytopress.codecs.learned.model.networks import Networks
from cytopress.codecs.learned.pixels.slabs import SlabLayout

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class CodecModel:
    """A complete set of networks and tables; its quality is still open.

    Parameters
    ----------
    manifest : CodecManifest
        The checked manifest of the package.
    gains : Gains
        Its qualities.
    networks : Networks
        Planes to latents, latents to hyper-latents, and latents to planes, in float.
    coder : LatentCoder
        Latents to symbols and back, in integers.
    """

    manifest: CodecManifest
    gains: Gains
    networks: Networks
    coder: LatentCoder

    @property
    def slabs(self) -> SlabLayout:
        """How volumes are coded in slabs; a plane is one."""
        return self.networks.slabs

    @property
    def predicts_slabs(self) -> bool:
        """Whether the latents of a slab are predicted from the previous slab."""
        return self.coder.slab_prediction is not None

    def setting(self, quality: float | None) -> GainSetting:
        """Return the factors at a quality from 0 to 1."""
        return self.gains.at(quality or 0.0)

    def encode_latents(
        self,
        encoder: RangeEncoder,
        y: Array,
        setting: GainSetting,
        previous: Array | None = None,
    ) -> Array:
        """Encode the latents of a slab; return them as a decoder has them.

        Parameters
        ----------
        encoder : RangeEncoder
            Where the symbols go.
        y : ndarray
            (M, h, w) float32, in quantization steps, as all latents here.
        setting : GainSetting
            The quality.
        previous : ndarray, optional
            What this returned for the previous slab.
        """
        z = None if self.coder.scales is None else self.networks.hyper_analyze(y)
        return self.coder.encode_symbols(
            encoder, y, z, setting, previous=previous, weight=self.manifest.rdo
        )

    def decode_latents(
        self,
        decoder: RangeDecoder,
        shape: tuple[int, int],
        setting: GainSetting,
        previous: Array | None = None,
    ) -> Array:
        """Return what `encode_latents` returned of a slab of ``shape`` (H, W); runs no network.

        Raises
        ------
        CorruptDataError
            The stream holds no latents of such a slab.
        """
        size, form = np.array(self.networks.padded(shape)), self.manifest
        y_shape = form.latent_channels, *(size // form.stride).tolist()
        z_shape = form.hyper_channels, *(size // form.hyper_stride).tolist()
        return self.coder.decode_symbols(decoder, y_shape, z_shape, setting, previous=previous)
