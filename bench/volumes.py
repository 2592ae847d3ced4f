"""Speed and memory of every codec on a volume, each in a fresh process (`make bench`).

    python bench/volumes.py                   60 x 512 x 512, in a minute or two
    python bench/volumes.py --full            256 x 2048 x 2048: 2 GiB of uint16
    python bench/volumes.py --planes 128 --edge 1024 hevc:qp=30 zfp:tolerance=500
    python bench/volumes.py --targets [NAME@DIGEST ...] [--parts PARTS]

With `--targets` the volumes of `nuclei-3d` themselves: bytes of learned codecs at the PSNR that AV1
reaches at 10 to 160 times smaller, what is asked of the first of them, and speed beside AV1 and
JPEG 2000. PARTS is train unless given: the test volumes are scored once, at the end.

The volume is the first field of `nuclei-3d`, repeated. A setting is the one that makes that field
`RATIO` times smaller, unless one is given. Times are wall time of one encode and one decode,
container and checksum included. Memory is the most that the process had in use: the volume itself
is in it, as input or output.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from fresh import peak_mib
from timing import print_machine
from volume_targets import print_targets

import cytopress
from cytopress.codecs.registry import FAMILIES, decode, find_family, package_names
from cytopress.codecs.spec import codec
from cytopress.codecs.targets.resolve import compose
from cytopress.errors import CytopressError, CytopressWarning
from cytopress.image import Image, Pixels
from cytopress.settings import from_environment

DATASET, RATIO, LEARNED = "nuclei-3d", 12, "learned/cytopress-3d"
# What a process may need for the full volume, at lossy settings.
MOST_MIB = 3 * 1024
SHADES = 251


def main() -> int:
    wanted = arguments()
    if wanted.child:
        print(json.dumps(child(*wanted.child)))
        return 0
    shape = (256, 2048, 2048) if wanted.full else (wanted.planes, wanted.edge, wanted.edge)
    try:
        data = cytopress.dataset(DATASET)
    except CytopressError as error:
        print(f"No benchmark without its volume: {error}", file=sys.stderr)
        return 1
    if wanted.targets:
        print_machine(one_core=True)
        print_targets(data, wanted.specs or [LEARNED], wanted.parts.split(","))
        return 0
    image = data.read_input(data.fields[0])
    raw = math.prod(shape) * image.dtype.itemsize
    print(f"{DATASET} ({image!r}) repeated to {' x '.join(map(str, shape))}: {raw / 2**20:.0f} MiB")
    print_machine(one_core=False)
    print(
        f"\n{'codec and setting':42} {'encode':>12} {'decode':>12} {'ratio':>9} {'PSNR':>9}", end=""
    )
    print(f" {'encode':>10} {'decode':>10}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "block.npy", image.pixels)
        for spec in wanted.specs or specs(image):
            print(row(spec, shape, raw, folder), flush=True)
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("specs", nargs="*", help="codecs with native settings; all unless given")
    parser.add_argument("--planes", type=int, default=60)
    parser.add_argument("--edge", type=int, default=512)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--targets", action="store_true", help="bytes beside AV1's, and speed")
    parser.add_argument("--parts", default="train", help="of --targets: train,test")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    return parser.parse_args()


def specs(image: Image) -> Iterator[str]:
    """Yield every codec: lossless if it can only be that, else at RATIO."""
    for family in FAMILIES:
        lossless = family.traits.parameter is None
        yield family.name if lossless else at_ratio(family.name, image)
        if family.traits.wavelet:
            yield at_ratio(f"{family.name}:z=wavelet", image)
    for name in package_names(from_environment()):
        if 3 in find_family(name).traits.dims:
            yield at_ratio(name, image)


def at_ratio(spec: str, image: Image) -> str:
    request = codec(f"{spec}{',' if ':' in spec else ':'}ratio={RATIO}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CytopressWarning)
        try:
            found = request.solve(image)
        except CytopressError:
            return spec
    parameter = request.family.traits.parameter
    assert parameter is not None
    value = leaf_value(found.codec, parameter.name)
    noise = request.resolved(image).noise
    text = f"{spec}{',' if ':' in spec else ':'}{parameter.name}={value:g}"
    return text if noise is None else f"{text},a={noise.a},b={noise.b},offset={noise.offset}"


def leaf_value(composed: Any, name: str) -> float:
    """Return an option of the codec within all wrappers."""
    if hasattr(composed, name) and not (name == "near" and hasattr(composed, "step")):
        return float(getattr(composed, name) or getattr(composed, "step", 0))
    if name == "near" and getattr(composed, "step", 1) > 1:
        return (composed.step - 1) / 2
    return leaf_value(composed.codec, name)


def row(spec: str, shape: tuple[int, ...], raw: int, folder: Path) -> str:
    coded, size = folder / "volume.cyto", ",".join(map(str, shape))
    done = {}
    for verb in ("encode", "decode"):
        command = [sys.executable, __file__, "--child", verb, spec, str(coded), size]
        run = subprocess.run(command, check=False, capture_output=True, text=True)
        if run.returncode:
            reason = (run.stderr.strip().splitlines() or [f"ended with {run.returncode}"])[-1]
            return f"{spec:42} {verb}: {reason}"
        done[verb] = json.loads(run.stdout)
    encode, decode_ = done["encode"], done["decode"]
    rates = "".join(f" {raw / 1e6 / run['seconds']:7.1f} MB/s" for run in (encode, decode_))
    memory = "".join(f" {run['mib']:6.0f} MiB" for run in (encode, decode_))
    psnr = "lossless" if decode_["psnr"] is None else f"{decode_['psnr']:.2f} dB"
    over = max(encode["mib"], decode_["mib"]) > MOST_MIB and decode_["psnr"] is not None
    verdict = f" over {MOST_MIB} MiB" if over else ""
    return f"{spec:42}{rates} {raw / coded.stat().st_size:7.2f} x {psnr:>9}{memory}{verdict}"


def child(verb: str, spec: str, coded: str, size: str) -> dict[str, Any]:
    """Encode or decode in this process, and return what it needed."""
    file, shape = Path(coded), tuple(map(int, size.split(",")))
    block = np.load(file.parent / "block.npy")
    if verb == "encode":
        image = Image(repeated(block, shape))
        request = codec(spec)
        start = time.perf_counter()
        data = compose(request, request.native, image).encode(image)
        found = {"seconds": time.perf_counter() - start, "mib": peak_mib()}
        file.write_bytes(data)
        return found
    data = file.read_bytes()
    start = time.perf_counter()
    pixels = decode(data).pixels
    found = {"seconds": time.perf_counter() - start, "mib": peak_mib()}
    return found | {"psnr": psnr(block, pixels)}


def repeated(block: Pixels, shape: tuple[int, ...]) -> Pixels:
    pixels = np.empty(shape, block.dtype)
    for z, plane in enumerate(pixels):
        plane[...] = plane_of(block, z, shape)
    return pixels


def plane_of(block: Pixels, z: int, shape: tuple[int, ...]) -> Pixels:
    """Return a plane of the repeated block; each repetition is brighter or darker by some counts.

    So no codec gains from finding the same bytes again, as none would in an image.
    """
    source = np.minimum(block[z % len(block)], np.iinfo(block.dtype).max - SHADES)
    rows, columns = (
        -(-length // edge) for length, edge in zip(shape[1:], source.shape, strict=True)
    )
    place = np.add.outer(np.arange(rows) * columns, np.arange(columns))
    shade = ((place * 37 + z // len(block) * 101) % SHADES).astype(block.dtype)
    shades = np.repeat(np.repeat(shade, source.shape[0], axis=0), source.shape[1], axis=1)
    plane = np.tile(source, (rows, columns)) + shades
    return plane[: shape[1], : shape[2]]


def psnr(block: Pixels, decoded: Pixels) -> float | None:
    """Return the PSNR over 16 bits, plane by plane; None where every pixel is exact."""
    planes = [
        np.mean((plane.astype(np.float64) - plane_of(block, z, decoded.shape)) ** 2)
        for z, plane in enumerate(decoded)
    ]
    mse = float(np.mean(planes))
    return 10 * math.log10(65535**2 / mse) if mse else None


if __name__ == "__main__":
    sys.exit(main())
