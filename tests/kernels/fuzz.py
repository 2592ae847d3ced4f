"""Fuzz the native decoders and the extension's arguments for some seconds.

    python tests/kernels/fuzz.py [SECONDS]

Damaged and random streams end in one error or in integers, the same on every path; arguments that
do not fit end in a ValueError. Under `sanitize.py` no access leaves an array.
"""

from __future__ import annotations

import functools
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from test_extension import arguments, changed

from cytopress.codecs.container.container import Form
from cytopress.codecs.learned.codec import Learned
from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables
from cytopress.codecs.learned.entropy.rans_coder import RansDecoder, RansEncoder
from cytopress.errors import CorruptDataError
from cytopress.image import Image
from cytopress.kernels import extension, paths, threads
from cytopress.models.model_package import open_package

TOTAL = 2**24
PACKAGES = Path(__file__).parents[1] / "codecs" / "learned" / "exact"
# Of whole payloads: planes, and slabs of a volume.
SHAPES = {"tiny-exact": (40, 50), "tiny-exact-volume": (5, 40, 50)}


def tables(draw: np.random.Generator) -> ProbabilityTables:
    """Return a few random tables."""
    sizes = draw.integers(2, 400, draw.integers(1, 20))
    cdf = np.full((len(sizes), sizes.max() + 1), TOTAL)
    for row, size in zip(cdf, sizes, strict=True):
        shares = draw.exponential(1, size) ** 6
        counts = 1 + np.floor(shares / shares.sum() * (TOTAL - size)).astype(np.int64)
        counts[counts.argmax()] += TOTAL - counts.sum()
        row[: size + 1] = np.concatenate([[0], np.cumsum(counts)])
    return ProbabilityTables(cdf, sizes, draw.integers(-200, 200, len(sizes)))


def damaged(stream: bytes, draw: np.random.Generator) -> bytes:
    """Return another stream: cut, changed, lengthened, or random bytes."""
    kind = draw.integers(4)
    if kind == 0:
        return stream[: draw.integers(len(stream) + 1)]
    if kind == 1:
        return stream + draw.bytes(int(draw.integers(1, 20)))
    if kind == 2:
        return bytes([draw.integers(0, 18)]) + draw.bytes(int(draw.integers(0, 200)))
    other = bytearray(stream)
    for _ in range(draw.integers(1, 9)):
        other[draw.integers(len(other))] = draw.integers(256)
    return bytes(other)


def decoded(stream: bytes, rows: np.ndarray, of: ProbabilityTables) -> str | bytes:
    try:
        decoder = RansDecoder(stream)
        values = decoder.decode(rows, of).tobytes()
        decoder.finish()
    except CorruptDataError as error:
        return str(error)
    return values


def one_stream(seed: int) -> None:
    draw = np.random.default_rng(seed)
    of, count = tables(draw), int(draw.integers(0, 3000))
    rows = draw.integers(0, len(of), count).astype(np.uint8)
    values = draw.integers(-300, 300, count) << draw.integers(0, 13, count)
    encoder = RansEncoder()
    encoder.encode(values.astype(np.int32), rows, of)
    stream = damaged(encoder.bytes(), draw)
    found = []
    for path in (paths.available()[0], paths.NUMPY):
        with paths.using(path), threads.using(int(draw.integers(1, 4))):
            found.append(decoded(stream, rows, of))
    assert found[0] == found[1], f"the paths differ: seed {seed}"


@functools.cache
def payload(name: str) -> tuple[Learned, Form, bytes]:
    """Return a codec, the form of a small image, and its payload."""
    counts = np.random.default_rng(0).integers(0, 256, SHAPES[name]).astype(np.uint8)
    codec, image = Learned(open_package(PACKAGES / f"{name}.cytomodel"), 0.5), Image(counts)
    return codec, Form.of(image), codec.compress(image)


def one_payload(seed: int) -> None:
    draw = np.random.default_rng(seed)
    codec, form, whole = payload(str(draw.choice(list(SHAPES))))
    stream, found = damaged(whole, draw), list[str | bytes]()
    for path in (paths.available()[0], paths.NUMPY):
        with paths.using(path):
            try:
                found.append(codec.restore(stream, form).pixels.tobytes())
            except CorruptDataError as error:
                found.append(str(error))
    assert found[0] == found[1], f"the paths differ: seed {seed}"


def one_call(seed: int) -> None:
    draw = random.Random(seed)
    given = arguments()
    name = draw.choice(sorted(given))
    for _ in range(draw.choice((1, 1, 2, 3))):
        at = draw.randrange(len(given[name]))
        given[name][at] = changed(given[name][at], draw)
    try:
        getattr(extension.loaded(), name)(*given[name])
    except (ValueError, TypeError, OverflowError):
        return


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    assert extension.native() is not None, "nothing was compiled"
    began, seed = time.monotonic(), time.time_ns() % 2**32
    done = 0
    calls: tuple[Callable[[int], None], ...] = (one_stream, one_call, one_call, one_call)
    # A payload takes as long as many calls.
    steps = (*calls * 8, one_payload)
    while time.monotonic() - began < seconds:
        steps[done % len(steps)](seed + done)
        done += 1
    print(f"{done} damaged streams and calls from seed {seed}: none was taken for another")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
