"""Time that targets take: for an image beside a given setting, for a study beside an older version.

    python bench/targets.py [--against CHECKOUT] [--datasets ecoli-phase ...] [--fields 6]

Times are processor times of this machine, with one thread. First, for fields of each dataset's test
group: `encode` with a target over `encode` with the setting that meets it. Then a study of fields
of the first dataset, four codecs and three ratios, in a process of its own for each version; only
their ratio is of interest. ``NAME/target`` is the fluorescence of a dataset.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

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
TARGETS = ("ratio=20", "ratio=5", "psnr=45", "sigma=0.5", "max_error=20")
DATASETS = ("ecoli-phase", "ecoli-phase/target", "nuclei-brightfield", "scratch-assay")
HERE = Path(__file__).resolve().parents[1] / "src"


def main() -> None:
    """Print both measurements."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="an older version")
    parser.add_argument("--datasets", nargs="+", default=DATASETS)
    parser.add_argument("--fields", type=int, default=6)
    parser.add_argument("--measure", choices=("images", "study"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure == "images":
        for name in given.datasets:
            print_images(name, given.fields)
    elif given.measure == "study":
        run_study(given.datasets[0].partition("/")[0], given.fields)
    else:
        versions = {"this version": HERE}
        if given.against is not None:
            versions["older version"] = given.against.resolve() / "src"
        options = ["--datasets", *given.datasets, "--fields", str(given.fields)]
        print("encode with a target over encode with the setting found, medians")
        run("images", HERE, options)
        compare(versions, options)


def compare(versions: dict[str, Path], options: list[str]) -> None:
    """Run the study with every version in a process of its own, and print ratios."""
    seconds = {}
    for version, src in versions.items():
        seconds[version] = run("study", src, options)
        print(f"{version}: the study took {seconds[version]:.0f} s of processor time", flush=True)
    if len(seconds) > 1:
        print(f"this over older version: {seconds['this version'] / seconds['older version']:.2f}")


def run(measure: str, src: Path, options: list[str]) -> float:
    """Measure a version in a process of its own, and return its processor time in seconds."""
    environment = {**os.environ, "PYTHONPATH": str(src), "OMP_NUM_THREADS": "1"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    command = [sys.executable, __file__, *options, "--measure", measure]
    subprocess.run(command, env=environment, check=True)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def print_images(name: str, count: int) -> None:
    """Print how many encodes each codec takes for a target, in time."""
    from cytopress import dataset
    from cytopress.codecs.spec import codec
    from cytopress.errors import CytopressError, CytopressWarning

    warnings.simplefilter("ignore", CytopressWarning)
    source, _, channel = name.partition("/")
    data = dataset(source)
    data = data.target_channel() if channel == "target" else data
    images = [data.read_input(field) for field in data.part("test")[:count]]
    print(name)
    for family in CODECS:
        for target in TARGETS:
            found = []
            for image in images:
                begin = time.process_time()
                try:
                    solution = codec(f"{family}:{target}").solve(image)
                except CytopressError:
                    continue
                solved = time.process_time()
                solution.codec.encode(image)
                found.append((solved - begin) / (time.process_time() - solved))
            if found:
                middle = f"{statistics.median(found):.1f} (most {max(found):.1f})"
                print(f"  {family}:{target:14} {middle}, {len(found)} fields", flush=True)


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
