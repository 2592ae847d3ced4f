"""Choice of a judge that is used to noise: by validation fields alone, before any test curve.

    python bench/choose_judge.py OLD CANDIDATE ...      names or paths of label-free packages

Prints Pearson's r of predictions from the originals of the validation fields, for the old judge and
for each candidate, and then the choice: the first candidate, in the order given, whose mean is at
most 0.02 below the old judge's. Give the one that is most used to noise first. Test fields are not
opened. The exit code is 1 where none is chosen.
"""

from __future__ import annotations

import math
import sys

from timing import stay_on_one_core

from cytopress.datasets.catalogue import dataset
from cytopress.errors import CytopressError
from cytopress.settings import Settings, from_environment
from cytopress.tasks.registry import task

MOST_BELOW = 0.02


def main() -> int:
    stay_on_one_core()
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    settings = from_environment()
    try:
        means = [_mean(name, settings) for name in sys.argv[1:]]
    except CytopressError as error:
        sys.exit(str(error))
    for name, mean in zip(sys.argv[2:], means[1:], strict=True):
        if mean >= means[0] - MOST_BELOW:
            print(f"chosen: {name}")
            return 0
    print("chosen: none; every candidate is more than 0.02 below the old judge")
    return 1


def _mean(name: str, settings: Settings) -> float:
    judge = task(name, settings)
    training = judge.package.manifest["training"]  # type: ignore[attr-defined]
    data = dataset(training["dataset"], settings)
    scores = []
    for field in data.part("validation"):
        image = data.read_input(field)
        found = judge.score(judge.predict(image), data.read_target(field), image)
        scores.append(found["pearson"])
    mean = math.fsum(scores) / len(scores)
    fields = " ".join(f"{score:.4f}" for score in scores)
    print(f"{name}: r {mean:.4f} on {len(scores)} validation fields ({fields})", flush=True)
    return mean


if __name__ == "__main__":
    raise SystemExit(main())
