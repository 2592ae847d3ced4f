"""Prove what the core installation promises: from its wheel, numpy 2, no torch, under 550 MB.

Run inside the environment that is to be judged (`make test-core`); exits with an error if not.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from importlib.metadata import PackageNotFoundError, distribution, entry_points
from pathlib import Path

# The wheel and its models are 23 MB of it; an editable install hides them.
MOST_MEGABYTES = 550
MOST_SDIST_MEGABYTES = 30
DIST = Path(__file__).parents[1] / "dist"
NOT_IN_CORE = ("torch", "compressai", "plotly", "jinja2", "distributed", "bioio", "av", "pyarrow")


def requirements(name: str, seen: set[str]) -> set[str]:
    """Return the names of a distribution and of all that it needs without extras."""
    name = re.sub(r"[-_.]+", "-", name).lower()
    if name in seen:
        return seen
    try:
        needs = distribution(name).requires or []
    except PackageNotFoundError:
        return seen  # needed on another platform or Python only
    seen.add(name)
    for need in needs:
        if "extra ==" not in need:
            requirements(re.match(r"[\w.-]+", need)[0], seen)
    return seen


def megabytes(name: str) -> float:
    """Return the size of a distribution's files on disk."""
    files = (Path(str(file.locate())) for file in distribution(name).files or ())
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def main() -> None:
    import numpy as np

    import cytopress

    sizes = {name: megabytes(name) for name in requirements("cytopress", set())}
    total = sum(sizes.values())
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:5]
    print(f"numpy {np.__version__}; core and dependencies: {total:.0f} MB; largest: {largest}")
    present = [name for name in NOT_IN_CORE if importlib.util.find_spec(name)]
    faults = []
    if not Path(cytopress.__file__).is_relative_to(sys.prefix):
        faults.append(f"cytopress is imported from {cytopress.__file__}, not from its wheel")
    (sdist,) = DIST.glob("*.tar.gz")
    if sdist.stat().st_size > MOST_SDIST_MEGABYTES * 1e6:
        faults.append(f"{sdist.name} takes more than {MOST_SDIST_MEGABYTES} MB")
    if int(np.__version__.split(".")[0]) < 2:
        faults.append(f"numpy is {np.__version__}, not 2")
    if present:
        faults.append(f"the core brings {', '.join(present)}")
    if total > MOST_MEGABYTES:
        faults.append(f"the core takes {total:.0f} MB, more than {MOST_MEGABYTES}")
    found = [point.value for point in entry_points(group="zarr.codecs", name="cytopress")]
    if found != ["cytopress.archive.zarr_codec:CytopressCodec"]:
        faults.append(f"zarr finds {found} as the codec cytopress")
    if faults:
        sys.exit("; ".join(faults))


if __name__ == "__main__":
    main()
