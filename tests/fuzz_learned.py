"""Feed the decoder of learned codecs bytes that nobody coded.

Not a test that pytest collects: ``pip install atheris``, then ``python tests/fuzz_learned.py FOLDER
-max_total_time=600 -rss_limit_mb=2000 -timeout=20``, FOLDER for what it finds worth keeping. It
stops at the first input that raises anything but CorruptDataError, hangs, or takes too much memory.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["cytopress.codecs"]):
    from cytopress.codecs import container
    from cytopress.codecs.learned.codec import Learned

import numpy as np

from cytopress.codecs.container import Form
from cytopress.errors import CorruptDataError
from cytopress.image import Image
from cytopress.package import open_package

HERE = Path(__file__).parent / "codecs" / "learned"
CODECS = [Learned(open_package(path)) for path in sorted(HERE.glob("*.cytomodel"))]
HEAD = 4


def one(data: bytes) -> None:
    """Decode: first as a whole container, else a choice of codec and shape before a stream."""
    for codec in CODECS[: 1 if data[:4] == container.MAGIC else 0]:
        try:
            codec.decode(data)
        except CorruptDataError:
            return
    if len(data) < HEAD:
        return
    codec = CODECS[data[0] % len(CODECS)]
    dtype = np.dtype(("uint8", "uint16", "float32")[data[1] % 3])
    form = Form("YX", (1 + data[2], 1 + data[3]), dtype, dtype.itemsize * 8)
    try:
        image = codec.restore(data[HEAD:], form)
    except CorruptDataError:
        return
    assert image.shape == form.shape


def seeds(folder: Path) -> None:
    """Write streams that were coded, to start from."""
    random = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    for place, codec in enumerate(CODECS):
        for number, side in enumerate((1, 60, 200)):
            pixels = random.integers(0, 256, (side, side), np.uint8)
            stream = codec.compress(Image(pixels))
            head = bytes((place, 0, side - 1, side - 1))
            (folder / f"{place}-{number}").write_bytes(head + stream)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    seeds(Path(sys.argv[1]))
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
