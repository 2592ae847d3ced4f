"""Floating-point precision of a training on this machine."""

from __future__ import annotations

import warnings

import torch

from cytopress.errors import CytopressWarning


def computed_in(wanted: str) -> str:
    """Return ``wanted``, or float32 with a warning where bfloat16 would be imitated.

    A processor without instructions for bfloat16 is dozens of times slower in it than in float32.
    """
    if wanted != "bfloat16" or _knows_bfloat16():
        return wanted
    warnings.warn(
        "This processor has no instructions for bfloat16: the training computes in float32.",
        CytopressWarning,
        stacklevel=2,
    )
    return "float32"


def _knows_bfloat16() -> bool:
    if torch.accelerator.is_available():
        return True
    # As oneDNN, which computes convolutions on processors, detects it.
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())  # noqa: SLF001 - no public name
