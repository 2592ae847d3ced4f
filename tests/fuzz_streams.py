"""Decode mutated streams of every codec in a child process with limits.

Not a test that pytest collects: ``python tests/fuzz_streams.py --seconds 600 --folder FOUND``. A
worker decodes one stream after another with 512 MiB to work with. What makes it die, hang, or raise
anything but CorruptDataError is counted, and kept in FOUND as a .cyto file. Crashes of libraries
that are known to be fragile are decoded once more as `decode --untrusted` does: they are no
failures where that raises one of our errors. The exit code is 1 where anything else happened.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from cytopress.codecs.base import Form, StreamCodec
from cytopress.codecs.container import container
from cytopress.codecs.registry import FAMILIES, decode
from cytopress.codecs.wrappers import Guarded, Lines, PerPlane, Rescaled, Scaled, Tiled, Wavelet
from cytopress.errors import CorruptDataError, CytopressError
from cytopress.image import Image

# Libraries that a crafted stream can end the process of, or keep busy: what `decode --untrusted` is
# for. That it happened is reported, and no failure.
FRAGILE = {"htj2k", "jpegxr", "png", "sperr", "sz3"}
MEMORY = 2**29
HANG = 10.0
# Of a codec, so many findings are decoded once more in a process of their own.
CONTAINED, MOST_CONTAINED = "contained", 10
SHAPES = ((1, 1), (9, 31), (64, 64), (3, 17, 40), (5, 40, 33))
# Of uint16, for codecs that do not take the full range.
CODED_BITS = {"avif": 10, "jpeg": 12, "htj2k": 12}
INTERESTING = (0, 1, 0x7F, 0x80, 0xFE, 0xFF)


def codecs() -> dict[str, StreamCodec]:
    """Return codecs by name: every family, lossless and lossy, and every wrapper."""
    found: dict[str, StreamCodec] = {}
    for family in FAMILIES:
        parameter = family.traits.parameter
        if family.traits.can_be_lossless:
            found[family.name] = family()
        if parameter is not None:
            setting = parameter.value_at(0.6)
            found[f"{family.name}-lossy"] = family(**{parameter.name: setting})
    inner = found["jpegls"]
    wrappers = (PerPlane(inner), Rescaled(inner, bits=12), Tiled(inner, tile=16), Wavelet(inner))
    guarded = Guarded(found["jpegls-lossy"], max_error=2)
    scaled = (Scaled(inner), Scaled(inner, levels=2, bits=12))
    lines = (Lines(found["jpegls-lossy"]), Lines(found["round-zstd-lossy"], fraction=4))
    named = {f"{one.name}-{one.fraction}": one for one in lines}
    named |= {f"{one.name}-{one.levels}": one for one in scaled}
    return found | {one.name: one for one in (*wrappers, guarded)} | named


def seeds(codec: StreamCodec, random: np.random.Generator) -> list[tuple[bytes, Form]]:
    """Return streams that the codec made."""
    made = []
    for shape in SHAPES:
        for dtype in codec.traits.dtypes:
            pixels = random.integers(0, 200, shape).astype(dtype)
            bits = CODED_BITS.get(codec.name, 0) if dtype == "uint16" else 0
            image = Image(pixels, bits=bits)
            try:
                codec.check(image)
                made.append((codec.compress(image), Form.of(image)))
            except Exception:  # noqa: BLE001 - it does not take such images
                continue
    return made


def mutants(stream: bytes, random: np.random.Generator) -> Iterator[bytes]:
    """Yield streams without end: bytes changed, mostly at the start, cut out, doubled or added."""
    while True:
        data = bytearray(stream)
        for _ in range(int(random.geometric(0.4))):
            size = max(len(data), 1)
            span = size if random.random() < 0.5 else min(size, 96)
            at = int(random.integers(span))
            kind = random.integers(6)
            if kind == 0:
                data[at : at + 1] = bytes([random.choice(INTERESTING)])
            elif kind == 1 and data:
                data[at % len(data)] ^= 1 << int(random.integers(8))
            elif kind == 2:
                data[at : at + 4] = random.integers(0, 256, 4, np.uint8).tobytes()
            elif kind == 3:
                del data[at : at + int(random.integers(1, 64))]
            elif kind == 4:
                data[at:at] = data[at : at + int(random.integers(1, 64))]
            else:
                del data[at:]
        yield bytes(data)


def work(pipe: Connection, name: str) -> None:
    """Decode what comes through the pipe, and answer each stream."""
    warnings.simplefilter("ignore")
    codec = codecs()[name]
    # Once, so that libraries are loaded before memory is limited.
    for stream, form in seeds(codec, np.random.default_rng(0)):
        codec.restore(stream, form)
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY, held + MEMORY))
    while True:
        stream, form = pipe.recv()
        try:
            codec.restore(stream, form)
            pipe.send("decoded")
        except CorruptDataError:
            pipe.send("refused")
        except BaseException as error:  # noqa: BLE001 - it is what is looked for
            pipe.send(f"{type(error).__name__}: {error}")


class Worker:
    """A child process that decodes streams of one codec; replaced when it dies."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._start()

    def _start(self) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=work, args=(theirs, self._name), daemon=True)
        self._process.start()
        theirs.close()

    def decode(self, stream: bytes, form: Form, patience: float = HANG) -> str:
        """Return "decoded", "refused", or what went wrong."""
        try:
            self._pipe.send((stream, form))
            if self._pipe.poll(patience):
                return str(self._pipe.recv())
            found = "hang"
        except (EOFError, OSError):
            self._process.join()
            found = f"died with {self._process.exitcode}"
        self.stop()
        self._start()
        return found

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


def fuzz(
    name: str, seconds: float, seed: int, folder: Path | None = None, most: int = sys.maxsize
) -> Counter[str]:
    """Decode mutated streams of a codec for some time, at most so many.

    Returns how often each thing happened.
    """
    random = np.random.default_rng(seed)
    started = [(form, mutants(stream, random)) for stream, form in seeds(codecs()[name], random)]
    counts: Counter[str] = Counter()
    if not started:
        # Its library is not on this machine.
        return counts
    worker = Worker(name)
    # A new worker takes a while to start.
    worker.decode(b"", started[0][0], patience=60)
    end = time.monotonic() + seconds
    while time.monotonic() < end and sum(counts.values()) < most:
        form, source = started[int(random.integers(len(started)))]
        stream = next(source)
        found = worker.decode(stream, form)
        counts[found] += 1
        if found not in ("decoded", "refused"):
            coded = container.pack(codecs()[name].recipe(), form, stream, {})
            if folder is not None:
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"{name}-{sum(counts.values())}.cyto").write_bytes(coded)
            if counts.total() - counts["decoded"] - counts["refused"] <= MOST_CONTAINED:
                counts[contained(coded)] += 1
        if found == "hang" or found.startswith("died"):
            worker.decode(b"", form, patience=60)
    worker.stop()
    return counts


def contained(coded: bytes) -> str:
    """Decode as bytes of a stranger; return CONTAINED, or what went wrong."""
    try:
        decode(coded, trusted=False)
    except CytopressError:
        return CONTAINED
    except Exception as error:  # noqa: BLE001 - it is what is looked for
        return f"not contained: {type(error).__name__}: {error}"
    return CONTAINED


def failures(name: str, counts: Counter[str]) -> list[str]:
    """Return what went wrong, but for what a fragile library is known for."""
    known = codecs()[name].name in FRAGILE
    return [
        what
        for what in counts
        if what not in ("decoded", "refused", CONTAINED)
        and not (known and (what == "hang" or what.startswith("died")))
    ]


def main() -> None:
    """Fuzz every codec for an equal share of the time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--codecs", nargs="*", default=sorted(codecs()))
    parser.add_argument("--most", type=int, default=sys.maxsize, help="streams of a codec")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    bad = 0
    for name in given.codecs:
        seconds = given.seconds / len(given.codecs)
        counts = fuzz(name, seconds, given.seed, given.folder, given.most)
        found = {what: n for what, n in counts.items() if what not in ("decoded", "refused")}
        bad += len(failures(name, counts))
        print(f"{name:22} {sum(counts.values()):7} streams, {counts['decoded']} decoded; {found}")
        sys.stdout.flush()
    sys.exit(bad > 0)


if __name__ == "__main__":
    main()
