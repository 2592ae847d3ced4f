"""Trials a second of a study with one process and with two, beside an older version.

    python bench/study.py [--against CHECKOUT] [--rounds 5]

Every measurement is a process of its own, on codecs that use one thread. Versions and numbers of
processes take turns, so that other work on the machine slows all of them alike; ratios are medians
over the rounds. Uses ecoli-phase if it is on this machine, else scratch-assay.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

STUDY = """
name = "bench"
speed = false
[[datasets]]
name = "{dataset}"
{fields}
[[codecs]]
spec = "jpegls"
[[codecs]]
spec = "jpegls"
max_error = [1, 2, 4, 8]
[[codecs]]
spec = "jpegls"
ratio = [4, 8]
[[codecs]]
spec = "jpeg2000"
ratio = [5, 10, 20, 40]
[[codecs]]
spec = "zstd"
[[codecs]]
spec = "round-zstd"
max_error = [2, 8]
"""
CASES = {"several fields": "limit = 3", "one field": "limit = 1\nfields = [{field!r}]"}
HERE = Path(__file__).resolve().parents[1] / "src"


def main() -> None:
    """Measure every version in turns, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="an older version")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    versions = {"this version": HERE}
    if given.against is not None:
        versions["older version"] = given.against.resolve() / "src"
    text = json.dumps(dict(os.environ))
    for case, fields in CASES.items():
        rates: dict[tuple[str, int], list[float]] = {}
        for _ in range(given.rounds):
            for version, src in versions.items():
                for jobs in (1, 2):
                    rates.setdefault((version, jobs), []).append(
                        measured(src, jobs, fields, json.loads(text))
                    )
        print(f"{case}: trials a second, median of {given.rounds} (lowest to highest)")
        for (version, jobs), found in rates.items():
            middle = statistics.median(found)
            print(f"  {version}, jobs {jobs}: {middle:.2f} ({min(found):.2f} to {max(found):.2f})")
        for version in versions:
            print(f"  {version}, jobs 2 over 1: {ratio(rates, (version, 2), (version, 1)):.2f}")
        for jobs in (1, 2) if len(versions) > 1 else ():
            times = ratio(rates, ("this version", jobs), ("older version", jobs))
            print(f"  this over older version, jobs {jobs}: {times:.2f}")
    if hasattr(os, "getloadavg"):
        print(f"{os.cpu_count()} processors, load average {os.getloadavg()[1]:.1f}")


def ratio(
    rates: Mapping[tuple[str, int], list[float]], one: tuple[str, int], other: tuple[str, int]
) -> float:
    """Return the median ratio of two measurements of one round."""
    return statistics.median(
        this / that for this, that in zip(rates[one], rates[other], strict=True)
    )


def measured(src: Path, jobs: int, fields: str, environment: dict[str, str]) -> float:
    """Return the trials a second of a version, measured in a process of its own."""
    environment |= {"PYTHONPATH": str(src), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--measure", str(jobs), fields]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def measure(jobs: int, fields: str) -> None:
    """Run a study and print its trials a second, from the first result on.

    Processes take seconds to start, once; a study takes hours.
    """
    # These paths are the same in older versions.
    from cytopress import dataset
    from cytopress.errors import CytopressError
    from cytopress.settings import from_environment
    from cytopress.study.execute import execute
    from cytopress.study.spec import parse_study

    name = "ecoli-phase"
    try:
        found = dataset(name)
    except CytopressError:
        name = "scratch-assay"
        found = dataset(name)
    text = STUDY.format(
        dataset=name, fields=fields.format(field=found.part("test")[0].name)
    ).replace("'", '"')
    moments: list[float] = []

    def mark(_done: int, _total: int, now: str) -> None:
        if now == "trials":
            moments.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as folder:
        study = parse_study(text, folder=Path(), label="bench")
        execute(study, Path(folder), settings=from_environment(), jobs=jobs, progress=mark)
    # The first moment is the start; with two processes the first two results come together.
    print((len(moments) - 1 - jobs) / (moments[-1] - moments[jobs]))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(int(sys.argv[2]), sys.argv[3])
    else:
        main()
