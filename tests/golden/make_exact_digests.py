"""Write digests of what encoders of format 2 write: the same on every machine and every numpy.

    python tests/golden/make_exact_digests.py

Golden bytes must decode for ever; these are written anew when an encoder chooses otherwise. No test
ever writes here.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cytopress.codecs.learned.codec import Learned
from cytopress.codecs.registry import decode_by
from cytopress.image import Image
from cytopress.models.model_package import open_package

FILE = Path(__file__).parent / "exact" / "digests.json"
PACKAGE = Path(__file__).parents[1] / "codecs" / "learned" / "exact" / "tiny-exact.cytomodel"
QUALITIES = 0.0, 0.25, 0.5, 0.75, 1.0


def images() -> Iterator[tuple[str, Image]]:
    """Yield waves with a little noise, and noise alone, of each pixel type."""
    random = np.random.default_rng(15)
    y, x = np.mgrid[:101, :130]
    waves = 0.3 + 0.2 * np.sin(y / 7) * np.cos(x / 11) + random.normal(0, 0.01, y.shape)
    noise = random.random(y.shape)
    for name, light in (("waves", waves), ("noise", noise)):
        yield f"{name}, uint8", Image(np.rint(255 * light).astype(np.uint8))
        yield f"{name}, 12 bits", Image(np.rint(4095 * light).astype(np.uint16), bits=12)
        yield f"{name}, uint16", Image(np.rint(65_535 * light).astype(np.uint16))
        yield f"{name}, float32", Image((light - 0.4).astype(np.float32))


def digests() -> Iterator[tuple[str, str]]:
    """Yield names of codings, and the digest of bytes and pixels of each."""
    package = open_package(PACKAGE)
    for name, image in images():
        for quality in QUALITIES:
            codec = Learned(package, quality)
            data = codec.encode(image)
            whole = data + decode_by(codec, data).pixels.tobytes()
            yield f"{name}, quality {quality:g}", hashlib.sha256(whole).hexdigest()[:16]


def main() -> None:
    """Write the digests."""
    FILE.write_text(json.dumps(dict(digests()), indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{FILE}\n")


if __name__ == "__main__":
    main()
