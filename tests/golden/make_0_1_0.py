"""Write golden files of the learned codecs that shipped with 0.1.0, from its packages.

    python tests/golden/make_0_1_0.py         write those that are missing

Whatever bears their names later, these bytes decode. No test ever writes here.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from make_learned import field, volume

from cytopress.codecs.registry import decode
from cytopress.codecs.spec import codec

FOLDER = Path(__file__).parent / "learned_0_1_0"
# Names and the beginnings of their digests.
PACKAGES = {
    "cytopress-2d": "40fd4518ed2e3596",
    "cytopress-3d": "0acbb549b87f80a0",
    "ecoli-phase": "3b86dcab1c5a910f",
    "nuclei-brightfield": "3558a045c10f94e1",
}


def main() -> None:
    """Write the files that are missing."""
    FOLDER.mkdir(exist_ok=True)
    for name, digest in PACKAGES.items():
        coded = FOLDER / f"{name}.cyto"
        if coded.exists():
            continue
        image = volume() if name == "cytopress-3d" else field()
        data = codec(f"learned/{name}@{digest}:quality=0.6,lines=0,scale=1").encode(image)
        coded.write_bytes(data)
        np.savez_compressed(coded.with_suffix(".npz"), decode(data).pixels)
        sys.stdout.write(f"{coded.name}: {len(data)} bytes\n")


if __name__ == "__main__":
    main()
