"""Make the small package of format 2: ``python make_exact_package.py``, run in ``tests``.

Needs torch. Its network is not trained; how it codes is what the tests look at. It is frozen: a
file made anew has another digest.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
NAME = "tiny-exact"


def main() -> None:
    """Write the package."""
    from cytopress.training.codec.export import write_codec_package
    from fakes import learned_networks as fakes

    path = HERE / "exact" / f"{NAME}.cytomodel"
    network = fakes.separable_network()
    write_codec_package(path, [network], {"name": f"learned/{NAME}", "rdo": 6.0})


if __name__ == "__main__":
    main()
