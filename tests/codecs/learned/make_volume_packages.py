"""Make the small packages of volumes: ``python make_volume_packages.py``, run in ``tests``.

Needs torch. Their networks are not trained; how they code is what the tests look at. They are
frozen: a file made anew has another digest.
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
# Planes a slab, whether slabs are predicted from the one below, and the architecture.
FORMS = {
    "volume-context": ("context", {"depth": 4, "below_width": 3}),
    "volume-planes": ("mean-scale", {"depth": 1, "below_width": 3}),
    "volume-factorized": ("factorized", {"depth": 2}),
}


def main() -> None:
    """Write every package."""
    from cytopress.training.codec.export import write_codec_package
    from fakes import learned_networks as fakes

    for name, (architecture, options) in FORMS.items():
        network = fakes.network(architecture, **options)
        write_codec_package(
            HERE / f"{name}.cytomodel", [network], {"name": f"learned/{name}", "rdo": 6.0}
        )


if __name__ == "__main__":
    main()
