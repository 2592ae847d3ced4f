"""Feed the decoder of learned codecs bytes that nobody coded.

Not a test that pytest collects: ``pip install atheris``, then ``python tests/fuzz_learned.py FOLDER
-max_total_time=600 -max_len=65536 -rss_limit_mb=2000 -timeout=20``, FOLDER for what it finds worth
keeping. It stops at the first input that raises anything but CorruptDataError, hangs, or takes too
much memory.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["cytopress.codecs"]):
    from cytopress.codecs.container import container
    from cytopress.codecs.learned.codec import NUMBER, Learned

import google_crc32c
import numpy as np

from cytopress.codecs.container.container import CRC_BYTES, Form
from cytopress.codecs.registry import decode_by
from cytopress.errors import CorruptDataError, PackageError
from cytopress.image import Image
from cytopress.models.model_package import open_package

HERE = Path(__file__).parent / "codecs" / "learned"
CODECS = [Learned(open_package(path)) for path in sorted(HERE.glob("**/*.cytomodel"))]
HEAD = 5
# Of a fuzzed volume; more would be slow.
MOST_PLANES = 8
MOST_BYTES = 2**18


def one(data: bytes) -> None:
    """Decode: what starts as a container as one, else a choice of codec and shape and a stream."""
    if data.startswith(container.MAGIC):
        whole(data)
        return
    if len(data) < HEAD:
        return
    codec = CODECS[data[0] % len(CODECS)]
    dtype = np.dtype(("uint8", "uint16", "float32")[data[1] % 3])
    plane = 1 + data[2], 1 + data[3]
    shape = plane if axes_of(codec) == "YX" else (1 + data[4] % MOST_PLANES, *plane)
    form = Form(axes_of(codec), shape, dtype, dtype.itemsize * 8)
    try:
        image = codec.restore(data[HEAD:], form)
    except CorruptDataError:
        return
    assert image.shape == form.shape


def axes_of(codec: Learned) -> str:
    """Return "YX" of a codec of planes, "ZYX" of one of volumes."""
    return str(codec.package.manifest["axes"])


def whole(data: bytes) -> None:
    """Decode a container that lacks its checksum: given it, what is behind it is reached."""
    data += google_crc32c.value(data).to_bytes(4, "little")
    try:
        header, _ = container.unpack(data)
        # Other codecs have fuzzers of their own; a large image rightly takes time and memory.
        if header.recipe.number != NUMBER or header.form.raw_bytes > MOST_BYTES:
            return
        # No package here may have the digest of a mutated header.
        with contextlib.suppress(PackageError):
            assert decode_by(CODECS[0], data).shape == header.form.shape
    except CorruptDataError:
        return


def seeds(folder: Path) -> None:
    """Write streams and containers that were coded, to start from."""
    random = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    for place, codec in enumerate(CODECS):
        for number, side in enumerate((1, 60, 200)):
            shape = (side, side) if axes_of(codec) == "YX" else (MOST_PLANES, side, side)
            image = Image(random.integers(0, 256, shape, np.uint8))
            head = bytes((place, 0, side - 1, side - 1, MOST_PLANES - 1))
            (folder / f"{place}-{number}").write_bytes(head + codec.compress(image))
            (folder / f"{place}-{number}-whole").write_bytes(codec.encode(image)[:-CRC_BYTES])


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    seeds(Path(sys.argv[1]))
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
