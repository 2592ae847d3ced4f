"""The bytes of codec packages against JPEG 2000's at equal PSNR, on validation fields.

    python bench/on_validation.py [NAME or PATH ...]      learned/cytopress-2d unless given

BD-rates in percent, of each field, over ratios from 8 to 600; negative is fewer
bytes. Never on test groups, so that what is learned here may choose something: a network, an
option, how long to train. The scores of a card are those of the test groups, once, at the end.
"""

from __future__ import annotations

import sys

from timing import stay_on_one_core

from cytopress.errors import CytopressError
from cytopress.io.datasets import dataset
from cytopress.package import find_package
from cytopress.settings import from_environment
from cytopress.training.codec.evaluate import evaluate

DATASETS = ("ecoli-phase", "nuclei-brightfield")
FIELDS = 4


def main() -> int:
    stay_on_one_core()
    settings = from_environment()
    try:
        packages = [
            find_package(settings.model_folders, "codec", name)
            for name in sys.argv[1:] or ["learned/cytopress-2d"]
        ]
        heads = [f"{known} {place + 1}" for known in DATASETS for place in range(FIELDS)]
        print(f"| package | {' | '.join(heads)} |\n|{'---|' * (len(heads) + 1)}")
        for package in packages:
            results = evaluate(
                package,
                [dataset(known, settings) for known in DATASETS],
                part="validation",
                most=FIELDS,
            )
            rates = [each for known in DATASETS for each in results[known]["bd_rate_fields"]]
            cells = ["none" if each is None else f"{each:+.1f}" for each in rates]
            print(f"| {package.name}, {package.sha256[:8]} | {' | '.join(cells)} |", flush=True)
    except CytopressError as error:
        sys.exit(str(error))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
