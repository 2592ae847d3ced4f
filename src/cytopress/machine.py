"""Provenance of results: processor, memory, system, and versions of the libraries."""

from __future__ import annotations

import os
import platform
import re
from importlib import metadata
from pathlib import Path

import cytopress

DISTRIBUTIONS = (
    "imagecodecs",
    "numpy",
    "scipy",
    "onnxruntime",
    "constriction",
    "tifffile",
    "av",
)


def versions() -> dict[str, str]:
    """Return the versions of cytopress, Python and each library that results depend on."""
    found = {"cytopress": cytopress.__version__, "python": platform.python_version()}
    for name in DISTRIBUTIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found | _codec_libraries()


def _codec_libraries() -> dict[str, str]:
    import imagecodecs

    # fmt: off
    wanted = ("charls", "libjxl", "openjpeg", "openjph", "jxrlib", "libavif", "libjpeg_turbo",
              "lerc", "zfp", "sperr", "sz3", "libpng", "zstd")
    # fmt: on
    libraries = imagecodecs.version(dict)
    return {f"imagecodecs: {name}": str(libraries[name]) for name in wanted if name in libraries}


def machine() -> dict[str, str]:
    """Return a description of this machine for people, without its name."""
    facts = {
        "processor": processor(),
        "processors": str(os.cpu_count() or 1),
        "system": f"{platform.system()} {platform.machine()}",
    }
    memory = memory_bytes()
    return facts | ({"memory": f"{memory / 2**30:.0f} GiB"} if memory else {})


def processor() -> str:
    """Return the name of the processor."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found.group(1).strip() if found else platform.processor() or platform.machine()


def memory_bytes() -> int | None:
    """Return the size of this machine's memory; None where the system does not say it."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None
