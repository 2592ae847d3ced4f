"""Speed, ratio and PSNR of every codec on unseen fields of `ecoli-phase` (`make bench`).

Times are wall time of `encode` and `decode` alone, container and checksum included, on one thread:
after a warm-up the median of five passes over the fields, in MB/s of raw bytes. PSNR is over the
dataset's span (0.01 to 99.99 percentile of its training groups). Only rows of one run compare.
"""

from __future__ import annotations

import sys

from timing import HEADING, print_machine, solved, stay_on_one_core, timed

from cytopress.codecs.registry import FAMILIES
from cytopress.codecs.spec import codec
from cytopress.datasets.catalogue import dataset
from cytopress.errors import CytopressError
from cytopress.image import Image
from cytopress.study.reference_scales import ReferenceScales, measure, sources_of

DATASET, FIELDS = "ecoli-phase", 3
# The first is what every lossy codec here reaches, the second what the comparison is about.
RATIOS = (10, 40)


def main() -> int:
    one_core = stay_on_one_core()
    try:
        data = dataset(DATASET)
    except CytopressError as error:
        print(f"No benchmark without its images: {error}", file=sys.stderr)
        return 1
    images = [data.read_input(field) for field in data.part("test")[:FIELDS]]
    reference_scales = measure(data, sources_of(data, {}), step=lambda _: None)
    print(f"{DATASET}: {len(images)} fields of the test group, {images[0]!r} and alike")
    print(f"PSNR over {reference_scales.data_range:g} counts ({reference_scales.source})")
    print_machine(one_core=one_core)
    print(f"\n{HEADING}")
    for family in FAMILIES:
        for spec in settings(family.name):
            print(line(spec, images, reference_scales), flush=True)
    return 0


def settings(name: str) -> list[str]:
    """Return a codec's lossless spec and its lossy ones, as far as it has them."""
    traits = next(family.traits for family in FAMILIES if family.name == name)
    lossless = [name] if traits.can_be_lossless else []
    return lossless + ([f"{name}:ratio={ratio}" for ratio in RATIOS] if traits.parameter else [])


def line(spec: str, images: list[Image], reference_scales: ReferenceScales) -> str:
    request = codec(spec)
    if request.family.traits.shaped_by_noise:
        noise = reference_scales.noise
        request = codec(f"{spec},a={noise.a},b={noise.b},offset={noise.offset}")
    try:
        return str(timed(spec, solved(request, images), images, reference_scales.data_range))
    except CytopressError as error:
        return f"{spec:26} {error}"


if __name__ == "__main__":
    sys.exit(main())
