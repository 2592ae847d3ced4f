"""Make the small packages of format 2 that are missing: run ``make_exact_package.py`` in ``tests``.

Needs torch. Their networks are not trained; how they code is what the tests look at. They are
frozen: a file made anew has another digest.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))
FORMS: dict[str, dict[str, Any]] = {
    "tiny-exact": {},
    "tiny-exact-volume": {
        "depth": 2,
        "below_width": 3,
        "latent_channels": 80,
        "rotations": 0,
    },
}


def main() -> None:
    """Write the packages."""
    import torch

    from cytopress.training.codec.export import write_codec_package
    from fakes import learned_networks as fakes

    for name, form in FORMS.items():
        path = HERE / "exact" / f"{name}.cytomodel"
        if path.exists():
            continue
        network = fakes.separable_network(**form)
        if "depth" in form:
            with torch.no_grad():
                weight = network.g_s.along_z.weight
                weight.add_(0.02 * torch.randn_like(weight))
        write_codec_package(path, [network], {"name": f"learned/{name}", "rdo": 6.0})


if __name__ == "__main__":
    main()
