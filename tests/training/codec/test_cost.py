"""Multiply-adds, against a count by hand."""

from __future__ import annotations

import pytest

from fakes import learned_networks as fakes

pytest.importorskip("torch", reason="needs torch (extra learn)")
pytest.importorskip("compressai", reason="needs CompressAI (extra learn)")
pytestmark = pytest.mark.learn


@pytest.mark.parametrize("architecture", fakes.ARCHITECTURES)
def test_multiply_adds(architecture: str) -> None:
    from cytopress.training.codec.cost import multiply_adds

    network = fakes.network(
        architecture,
        latent_channels=12,
        hyper_channels=5,
        hyper_width=7,
        context_channels=4,
        context_width=3,
        analysis=(10, 20),
        synthesis=(6, 14),
    )
    # Of each layer: channels in, channels out, taps, pixels a position.
    g_a = [(1, 12, 256, 64), (16, 10, 9, 16), (10, 10, 9, 16), (10, 20, 4, 64), (20, 20, 9, 64)]
    g_a += [(20, 12, 9, 64)]
    g_s = [(12, 1, 256, 64), (12, 14, 9, 64), (14, 14, 9, 64), (14, 24, 1, 64), (6, 6, 9, 16)]
    g_s += [(6, 6, 9, 16), (6, 16, 9, 16)]
    h_a = [(12, 7, 9, 256), (7, 7, 1, 256), (7, 5, 9, 1024)]
    outputs = {"mean-scale": 24, "context": 24 + 6}.get(architecture, 12)
    h_s = [(5, 28, 9, 1024), (7, 28, 9, 256), (7, outputs, 1, 64)]
    if architecture == "factorized":
        h_a = h_s = []
    if architecture == "context":
        # The black squares know their four white neighbors.
        h_s += [(16, 3, 1, 128), (16, 4, 1, 128), (3, 4, 1, 128)]
        h_s += [(4, 3, 9, 64), (4, 8, 1, 64), (3, 8, 1, 64)]
        # Hyper-latents know four, in either of two turns.
        h_s += 2 * [(20, 3, 1, 1024), (20, 5, 1, 1024), (3, 5, 1, 1024)]

    def total(layers: list[tuple[int, int, int, int]]) -> float:
        return sum(before * after * taps / pixels for before, after, taps, pixels in layers)

    if architecture == "context":
        # Two rotations: an encoder tries both, and turns the symbols back as a decoder does.
        h_s += [(4, 4, 1, 64), (8, 8, 1, 64)]
        g_a += 2 * [(4, 4, 1, 64), (8, 8, 1, 64)]
    found = multiply_adds(network)
    assert found["encoder"] == pytest.approx(total(g_a) + total(h_a) + total(h_s), abs=0.06)
    assert found["decoder"] == pytest.approx(total(g_s) + total(h_s), abs=0.06)
