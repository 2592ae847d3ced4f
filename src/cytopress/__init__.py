"""Compress microscopy images, and measure what that does to the analysis that follows.

>>> import numpy as np
>>> import cytopress
>>> image = cytopress.Image(np.arange(64, dtype=np.uint16).reshape(8, 8), bits=12)
>>> data = cytopress.encode(image, "jpegls")
>>> cytopress.decode(data) == image
True
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0.dev0"

if TYPE_CHECKING:
    from cytopress.api import codec, dataset, decode, encode, metric, read, task, write
    from cytopress.image import Image

__all__ = ["Image", "codec", "dataset", "decode", "encode", "metric", "read", "task", "write"]


def __getattr__(name: str) -> Any:
    # Nothing is imported before it is used: `import cytopress` stays fast.
    if name not in __all__:
        raise AttributeError(f"module 'cytopress' has no attribute {name!r}")
    module = importlib.import_module("cytopress.image" if name == "Image" else "cytopress.api")
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
