"""Time that targets take: for an image beside a given setting, for a study beside an older version.

    python bench/targets.py [SRC_OF_AN_OLDER_CHECKOUT] [--dataset ecoli-phase] [--fields 6]

Times are processor times of this machine, with one thread. First, for fields of the dataset's test
group: `encode` with a target over `encode` with the setting that meets it. Then a study of the
fields, four codecs and three ratios, in a process of its own for each version; only their ratio is
of interest.
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
HERE = Path(__file__).resolve().parents[1] / "src"


def main() -> None:
    """Print both measurements."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("older", nargs="?", type=Path, help="src of an older checkout")
    parser.add_argument("--dataset", default="ecoli-phase")
    parser.add_argument("--fields", type=int, default=6)
    parser.add_argument("--measure", choices=("images", "study"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure == "images":
        print_images(given.dataset, given.fields)
    elif given.measure == "study":
        run_study(given.dataset, given.fields)
    else:
        versions = {"this version": HERE}
        if given.older is not None:
            versions["older version"] = given.older.resolve()
        compare(versions, ["--dataset", given.dataset, "--fields", str(given.fields)])


def compare(versions: dict[str, Path], options: list[str]) -> None:
    """Measure every version in processes of its own, and print ratios."""
    seconds = {}
    for version, src in versions.items():
        environment = {**os.environ, "PYTHONPATH": str(src), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, __file__, *options, "--measure"]
        print(f"{version}: encode with a target over encode with the setting found, medians")
        subprocess.run([*command, "images"], env=environment, check=True)
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        subprocess.run([*command, "study"], env=environment, check=True)
        seconds[version] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
        print(f"{version}: the study took {seconds[version]:.0f} s of processor time", flush=True)
    if len(seconds) > 1:
        print(f"this over older version: {seconds['this version'] / seconds['older version']:.2f}")


def print_images(name: str, count: int) -> None:
    """Print how many encodes each codec takes for a target, in time."""
    from cytopress import dataset
    from cytopress.codecs.spec import codec
    from cytopress.errors import CytopressError, CytopressWarning

    warnings.simplefilter("ignore", CytopressWarning)
    data = dataset(name)
    images = [data.read_input(field) for field in data.part("test")[:count]]
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
