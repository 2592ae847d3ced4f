"""The Python API, gathered; `import cytopress` hands these out on first use."""

from __future__ import annotations

from cytopress.codecs.registry import decode
from cytopress.codecs.spec import codec
from cytopress.datasets.catalogue import dataset
from cytopress.files.read import read
from cytopress.formats.images import write
from cytopress.image import Image
from cytopress.metrics import metric
from cytopress.metrics.noise import NoiseModel
from cytopress.tasks.registry import task

__all__ = ["codec", "dataset", "decode", "encode", "metric", "read", "task", "write"]


def encode(
    image: Image,
    spec: str,
    *,
    limits: tuple[float, float] | None = None,
    noise: NoiseModel | None = None,
    lines: tuple[tuple[int, int], ...] | None = None,
) -> bytes:
    """Compress an image as a spec string asks.

    Parameters
    ----------
    image : Image
        A plane or a stack.
    spec : str
        Such as ``jpegxl`` (lossless) or ``jpegxl:ratio=50``; see `codec`.
    limits : (low, high), optional
        For a chunk of a larger field: the field's limits in counts, as
        ``codec(spec).field_limits([field])`` gives them. Chunks are then coded like the whole.
    noise : NoiseModel, optional
        For a chunk: the field's noise model, where the spec needs one and gives none.
    lines : tuple of (axis, frequency), optional
        For a chunk: where the field has structured noise, as ``codec(spec).field_lines([field])``
        gives it; sought in the chunk itself unless given.

    Returns
    -------
    bytes
        Decode by themselves, with `decode`; their length is the rate.

    Raises
    ------
    UsageError
        The spec is wrong.
    UnsupportedImageError
        The codec cannot code this image.
    UnreachableTargetError
        No setting of the codec meets the target.

    Examples
    --------
    >>> import numpy as np
    >>> import cytopress
    >>> image = cytopress.Image(np.random.default_rng(0).poisson(500, (64, 64)).astype(np.uint16))
    >>> data = cytopress.encode(image, "jpegxl:ratio=10")
    >>> image.raw_bytes / len(data) >= 10
    True
    """
    return codec(spec).encode(image, limits=limits, noise=noise, lines=lines)
