"""Analysis and synthesis that a training file asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cytopress.training.codec.separable import SeparableAnalysis, SeparableSynthesis
from cytopress.training.codec.separable_slabs import SlabAnalysis, SlabSynthesis
from cytopress.training.codec.transforms import Analysis, Synthesis
from cytopress.training.codec.zhou2024 import Analysis3d, Synthesis3d

if TYPE_CHECKING:
    from cytopress.training.codec.network_options import Network


def transforms_of(network: Network) -> tuple[Any, Any]:
    """Return the untrained transforms of a network, with random initial weights."""
    slabs = network.slabs
    if network.transform == "zhou2024":
        return Analysis3d(network.N, network.M), Synthesis3d(network.N, network.M, slabs)
    if network.transform == "separable" and network.volumes:
        form = network.stride, slabs
        return (
            SlabAnalysis(network.latents, network.analysis, *form),
            SlabSynthesis(network.latents, network.synthesis, *form),
        )
    if network.transform == "separable":
        analysis = SeparableAnalysis(network.analysis, network.stride)
        return analysis, SeparableSynthesis(network.synthesis, network.stride)
    return (
        Analysis(network.latents, network.analysis, network.stride, slabs),
        Synthesis(network.latents, network.synthesis, network.stride, slabs),
    )
