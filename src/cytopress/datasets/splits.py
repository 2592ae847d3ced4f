"""Splits of the known datasets into training, validation and test fields.

Codecs, tasks, noise models and data ranges all use them. Any other dataset may have a split of its
own in ``dataset.toml`` (``[split]`` with lists of groups, ``test`` and ``validation``;
the rest is for training); without one, every field is a test field.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from cytopress.digests import digest_text

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = get_args(Part)


def _ecoli_phase(field: str, group: str) -> Part:
    if group == "O3_R124":
        return "test"
    # By position, not by group: with three strains, none can be spared for validation.
    return "validation" if field.endswith(("pos16", "pos18")) else "train"


def _nuclei_brightfield(_field: str, group: str) -> Part:
    if group in ("210930MA20", "170601SH11"):
        return "test"
    return "validation" if group == "200925SK30" else "train"


def _scratch_assay(_field: str, group: str) -> Part:
    # One field of view, cut in space. Training has a fixed number of steps and needs no validation.
    return "test" if group == "columns-400-576" else "train"


def _nuclei_3d(_field: str, group: str) -> Part:
    # One stack, cut in space, without a validation part, as for scratch-assay.
    return "test" if group == "columns-166-256" else "train"


def _phantom_3d(_field: str, group: str) -> Part:
    if group in ("slide-7", "slide-8"):
        return "test"
    return "validation" if group == "slide-6" else "train"


def _hipsc(_field: str, group: str) -> Part:
    # By a digest of the plate, so that its part does not depend on which fields were fetched.
    share = int(digest_text(f"hipsc:{group}")[:8], 16) / 2**32
    if share < 0.2:
        return "test"
    return "validation" if share < 0.3 else "train"


KNOWN_SPLITS: dict[str, Callable[[str, str], Part]] = {
    "ecoli-phase": _ecoli_phase,
    "nuclei-brightfield": _nuclei_brightfield,
    "scratch-assay": _scratch_assay,
    "nuclei-3d": _nuclei_3d,
    "phantom-3d": _phantom_3d,
    **{
        f"hipsc-{line}{form}": _hipsc
        for line in ("fbl", "npm1", "lmnb1", "hist1h2bj")
        for form in ("", "-3d")
    },
}
