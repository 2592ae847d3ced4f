"""Time that targets take: for an image beside a given setting, for a study beside an older version.

    python bench/targets.py [--against CHECKOUT] [--datasets ecoli-phase ...] [--fields 6]
                            [--codecs learned/cytopress-2d ...]

Times are processor times of this machine, with one thread. First, for fields of each dataset's test
group, how many times a fixed setting a target takes: `solve` over `encode` of the codec that it
found, and over a request with that setting in place of the target, which seeks structured noise and
compares with other codecs as well. Then, with --against, a study of fields of the first dataset,
four codecs and three ratios, in a process of its own for each version; only their ratio is of
interest. ``NAME/target`` is the fluorescence of a dataset.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cytopress.image import Image

STUDY = """
name = "bench"
[[datasets]]
name = "{dataset}"
fields = [{fields}]
tasks = ["measurement"]
"""
CODEC = """
[[codecs]]
spec = "{}"
ratio = [10, 20, 40]
"""
CODECS = ("jpegxl", "avif", "jpeg2000", "learned/cytopress-2d")
TARGETS = (
    *("ratio=60", "ratio=20", "ratio=5", "psnr=38", "psnr=45"),
    *("sigma=1", "sigma=0.5", "max_error=200", "max_error=20"),
)
HEADINGS = (
    "dataset",
    "codec and target",
    "fields",
    "over its codec",
    "most",
    "over a setting",
    "most",
)
ROW = "| {:20} | {:36} | {:6} | {:14} | {:5} | {:14} | {:5} |"
PASSES = 2
DATASETS = ("ecoli-phase", "ecoli-phase/target", "nuclei-brightfield", "scratch-assay")
HERE = Path(__file__).resolve().parents[1] / "src"


def main() -> None:
    """Print both measurements."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="an older version")
    parser.add_argument("--datasets", nargs="+", default=DATASETS)
    parser.add_argument("--fields", type=int, default=6)
    parser.add_argument("--codecs", nargs="+", default=CODECS)
    parser.add_argument("--measure", choices=("images", "study"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure == "images":
        for name in given.datasets:
            print_images(name, given.fields, given.codecs)
    elif given.measure == "study":
        run_study(given.datasets[0].partition("/")[0], given.fields)
    else:
        options = ["--datasets", *given.datasets, "--fields", str(given.fields)]
        print(ROW.format(*HEADINGS))
        print(ROW.format(*("---" for _ in HEADINGS)), flush=True)
        run("images", HERE, [*options, "--codecs", *given.codecs])
        print_circumstances()
        if given.against is not None:
            versions = {"this version": HERE, "older version": given.against.resolve() / "src"}
            compare(versions, options)


def compare(versions: dict[str, Path], options: list[str]) -> None:
    """Run the study with every version in a process of its own, and print ratios."""
    seconds = {}
    for version, src in versions.items():
        seconds[version] = run("study", src, options)
        print(f"{version}: the study took {seconds[version]:.0f} s of processor time", flush=True)
    print(f"this over older version: {seconds['this version'] / seconds['older version']:.2f}")


def run(measure: str, src: Path, options: list[str]) -> float:
    """Measure a version in a process of its own, and return its processor time in seconds."""
    environment = {**os.environ, "PYTHONPATH": str(src), "OMP_NUM_THREADS": "1"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    command = [sys.executable, __file__, *options, "--measure", measure]
    subprocess.run(command, env=environment, check=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def print_images(name: str, count: int, codecs: Sequence[str]) -> None:
    """Print how many encodes at a fixed setting each target takes, in time."""
    from cytopress import dataset
    from cytopress.errors import CytopressWarning

    warnings.simplefilter("ignore", CytopressWarning)
    source, _, channel = name.partition("/")
    data = dataset(source)
    data = data.target_channel() if channel == "target" else data
    images = [data.read_input(field) for field in data.part("test")[:count]]
    for family in codecs:
        for target in TARGETS:
            # What is imported and opened at first use is no part of it.
            times_of(f"{family}:{target}", images[0])
            found = [each for image in images if (each := times_of(f"{family}:{target}", image))]
            if found:
                bare, whole = zip(*found, strict=True)
                shown = (
                    f"{each:.1f}"
                    for times in (bare, whole)
                    for each in (statistics.median(times), max(times))
                )
                print(ROW.format(name, f"{family}:{target}", len(found), *shown), flush=True)


def times_of(spec: str, image: Image) -> tuple[float, float] | None:
    """Return the time of a target over that of the codec found, and over that of its setting."""
    from cytopress.codecs.spec import codec
    from cytopress.errors import CytopressError

    request = codec(spec)
    try:
        solution = request.solve(image)
        fixed = request.at(solution)
        taken = seconds(lambda: request.solve(image))
        return taken / seconds(lambda: solution.codec.encode(image)), taken / seconds(
            lambda: fixed.solve(image)
        )
    except CytopressError:
        return None


def seconds(work: Callable[[], object]) -> float:
    """Return the least processor time of some passes."""
    found = []
    for _ in range(PASSES):
        begin = time.process_time()
        work()
        found.append(time.process_time() - begin)
    return min(found)


def print_circumstances() -> None:
    """Print what a reader needs to know of machine and versions."""
    from timing import print_machine

    print_machine(one_core=False)


def run_study(name: str, count: int) -> None:
    """Run the study, its models and reference scales included."""
    from cytopress import dataset
    from cytopress.settings import from_environment
    from cytopress.study.execute import execute
    from cytopress.study.spec import parse_study

    fields = ", ".join(f'"{field.name}"' for field in dataset(name).part("test")[:count])
    text = STUDY.format(dataset=name, fields=fields) + "".join(map(CODEC.format, CODECS))
    with tempfile.TemporaryDirectory() as folder:
        study = parse_study(text, folder=Path(), label="bench")
        execute(study, Path(folder), settings=from_environment())


if __name__ == "__main__":
    main()
