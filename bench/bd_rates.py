"""One table for the benches that hold codec packages against JPEG 2000: a row a package."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from timing import stay_on_one_core

from cytopress.errors import CytopressError
from cytopress.models.model_package import Package
from cytopress.models.search import find_package
from cytopress.settings import Settings, from_environment


def print_bd_rates(
    heads: Sequence[str], rates_of: Callable[[Package, Settings], Sequence[float | None]]
) -> int:
    """Print the BD-rates of the packages that the command line names, `learned/cytopress-2d` else.

    Parameters
    ----------
    heads : sequence of str
        Of the columns.
    rates_of : callable
        Gives a package's BD-rates in percent, one a column, None where there is none.
    """
    stay_on_one_core()
    settings = from_environment()
    try:
        packages = [
            find_package(settings.model_folders, "codec", name)
            for name in sys.argv[1:] or ["learned/cytopress-2d"]
        ]
        print(f"| package | {' | '.join(heads)} |\n|{'---|' * (len(heads) + 1)}")
        for package in packages:
            rates = rates_of(package, settings)
            cells = ["none" if each is None else f"{each:+.1f}" for each in rates]
            print(f"| {package.name}, {package.sha256[:8]} | {' | '.join(cells)} |", flush=True)
    except CytopressError as error:
        sys.exit(str(error))
    return 0
