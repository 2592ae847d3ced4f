"""The bytes of codec packages against JPEG 2000's at equal PSNR, on validation fields.

    python bench/on_validation.py [NAME or PATH ...]      learned/cytopress-2d unless given

BD-rates in percent, of each field, over ratios from 8 to 600; negative is fewer
bytes. Never on test groups, so that what is learned here may choose something: a network, an
option, how long to train. The scores of a card are those of the test groups, once, at the end.
"""

from __future__ import annotations

from bd_rates import print_bd_rates

from cytopress.datasets.catalogue import dataset
from cytopress.models.model_package import Package
from cytopress.settings import Settings
from cytopress.training.codec.evaluate import evaluate

DATASETS = ("ecoli-phase", "nuclei-brightfield")
FIELDS = 4


def main() -> int:
    heads = [f"{known} {place + 1}" for known in DATASETS for place in range(FIELDS)]
    return print_bd_rates(heads, rates_of)


def rates_of(package: Package, settings: Settings) -> list[float | None]:
    datasets = [dataset(known, settings) for known in DATASETS]
    results = evaluate(package, datasets, part="validation", most=FIELDS)
    return [each for known in DATASETS for each in results[known]["bd_rate_fields"]]


if __name__ == "__main__":
    raise SystemExit(main())
