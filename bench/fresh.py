"""What a codec needs in a process of its own: time to the first image, and memory.

Run as a program it is such a process: ``python fresh.py decode CODED`` or ``python fresh.py encode
FIELD CODED SPEC``; it prints what it needed as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

START = time.perf_counter()
RUNS = 5
# Fields along each axis of the large image: 4096 x 4096 of 512 x 512.
TIMES = 8
MOST_SECONDS, MOST_MIB = 1.0, 1024.0


def main() -> None:
    """Be the process."""
    import cytopress

    verb, *names = sys.argv[1:]
    if verb == "decode":
        image = cytopress.decode(Path(names[0]).read_bytes())
    else:
        import numpy as np

        field, coded, spec = names
        image = cytopress.Image(np.tile(np.load(field), (TIMES, TIMES)))
        Path(coded).write_bytes(cytopress.encode(image, spec))
    found = {
        "seconds": time.perf_counter() - START,
        # From the very start of the process, before Python ran a line of this.
        "processor_seconds": time.process_time(),
        "mib": peak_mib(),
        "shape": image.shape,
    }
    print(json.dumps(found))


def report(spec: str, field: Any, folder: Path) -> None:
    """Print time to a first decoded field, and memory of encoding and decoding a large one."""
    import numpy as np

    from cytopress.codecs.spec import codec

    request = codec(spec)
    found = request.solve(field)
    small, large, pixels = folder / "field.cyto", folder / "large.cyto", folder / "field.npy"
    small.write_bytes(found.data)
    np.save(pixels, field.pixels)
    # The setting that was found for the field: a search would encode the large one many times.
    assert request.family.traits.parameter is not None
    parameter = request.family.traits.parameter.name
    native = f"{request.name}:{parameter}={found.setting}"
    runs = [process("decode", small) for _ in range(RUNS)]
    # The least, since whatever else runs here only adds to it; most of all to the wall's clock.
    wall, cpu = (min(run[key] for run in runs) for key in ("seconds", "processor_seconds"))
    print(f"\n{native} in a fresh process, seconds of the processor:")
    print(
        f"  start, import and first decode of {shape(runs[0])}: {cpu:.2f} s ({wall:.2f} s by the"
        f" wall), wanted {MOST_SECONDS:g}: {verdict(cpu < MOST_SECONDS)}"
    )
    runs = [process("encode", pixels, large, native), process("decode", large)]
    for verb, run in zip(("encode", "decode"), runs, strict=True):
        print(
            f"  {verb} of {shape(run)} uint16: {run['processor_seconds']:.1f} s, at most"
            f" {run['mib']:.0f} MiB in use, the image included, wanted {MOST_MIB:g}:"
            f" {verdict(run['mib'] < MOST_MIB)}"
        )


def process(*words: object) -> dict[str, Any]:
    """Run this file as a program and return what it prints."""
    done = subprocess.run(
        [sys.executable, __file__, *map(str, words)], check=True, capture_output=True, text=True
    )
    return dict(json.loads(done.stdout))


def peak_mib() -> float:
    """Return the most memory that this process ever had in use."""
    try:
        # Not ru_maxrss there: it counts what the parent had when it started this process.
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def shape(run: dict[str, Any]) -> str:
    return " x ".join(map(str, run["shape"]))


def verdict(good: object) -> str:
    return "met" if good else "MISSED"


if __name__ == "__main__":
    main()
