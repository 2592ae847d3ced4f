"""Trial: a row of the exported table; one field, one codec setting, one model variant.

`cytopress.study.stored_json` lists what the store keeps of a trial.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cytopress.image import Image

Section = Literal["XY", "XZ", "YZ"]

# The columns of an exported table that come before the scores, in this order.
COLUMNS = (
    "study",
    "dataset",
    "field",
    "group",
    "split",
    "codec",
    "options",
    "bits",
    "target",
    "target_value",
    "reached",
    "regime",
    "trained_on",
    "seed",
    "raw_bytes",
    "coded_bytes",
    "encode_s",
    "decode_s",
    "error",
)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One row of the trial table.

    Parameters
    ----------
    key : str
        Key of the trial spec: what was coded, how, and what predicted from it. Not exported.
    codec, options : str
        Family of the codec, and its options as in a spec string: reference scales (``range``,
        ``b``, ``offset``) included, the target left out. Together they name a curve.
    bits : int
        Significant bits of the original.
    target, target_value : str, float or None
        The portable target or native parameter that was asked for; "" and None for lossless.
    reached : float or None
        What the target's own unit says of the coded bytes.
    regime, trained_on : str
        Training regime of the tasks, ``raw`` for originals, and the codec trained on ("" for raw).
    raw_bytes, coded_bytes : int or None
        Length of the original pixels and of the self-contained bytes.
    encode_s, decode_s : float or None
        Wall time in seconds, indicative only.
    error : str
        Why there is no result ("" when there is one).
    scores : mapping
        ``pixels/METRIC`` and ``TASK/SCORE/baseline|harm|agreement``; a score that is not available
        for this trial is missing. Infinite values (PSNR of a lossless codec) are kept.
    volumetric : bool
        Whether the codec was handed a stack whole, and not plane by plane. Not exported.
    packages : tuple of (name, sha256)
        The model packages of the codec; empty in stores of versions that did not keep them. Not
        exported.
    """

    key: str
    study: str
    dataset: str
    field: str
    group: str
    split: str
    codec: str
    options: str
    bits: int
    target: str
    target_value: float | None
    reached: float | None
    regime: str
    trained_on: str
    seed: int
    raw_bytes: int
    coded_bytes: int | None
    encode_s: float | None
    decode_s: float | None
    error: str
    scores: Mapping[str, float] = dataclasses.field(default_factory=dict)
    volumetric: bool = False
    packages: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A picture for the gallery: a crop of what a trial saw or made, stored losslessly.

    ``kind`` is ``original``, ``decoded``, ``prediction`` (from the original),
    ``prediction-decoded`` or ``truth``; ``task`` is "" for the first two. Of a volume there are
    three, by their ``section``: the rows and columns of XY are the axes Y and X, of XZ they are Z
    and X, of YZ they are Y and Z. ``cross`` is the row and column at which the two others cut it,
    None for a plane.
    """

    kind: str
    task: str
    image: Image
    section: Section = "XY"
    cross: tuple[int, int] | None = None
