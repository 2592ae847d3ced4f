"""Traits of a package's codec, and the check of its quality."""

from __future__ import annotations

from cytopress.codecs.base import QualityParameter, Traits
from cytopress.codecs.learned.model.manifest import CodecManifest
from cytopress.errors import UsageError


def traits(manifest: CodecManifest) -> Traits:
    """Return the traits of a package's codec."""
    parameter = None
    if manifest.gains > 1:
        parameter = QualityParameter(
            "quality", "of the model's range", 0, 1, finer="higher", scale="linear"
        )
    elif manifest.rates > 1:
        parameter = QualityParameter(
            "quality", "rate", 1, manifest.rates, finer="higher", scale="linear", integer=True
        )
    return Traits(
        dims=(2,) if manifest.slabs is None else (3,),
        dtypes=("uint8", "uint16", "float32"),
        bits="any",
        parameter=parameter,
        reads_back="the same dtype",
        can_be_lossless=False,
        exact=bool(manifest.synthesis),
        percentiles=manifest.percentiles,
        lines=True,
        scale=True,
    )


def checked_quality(name: str, parameter: QualityParameter | None, quality: object) -> float | None:
    """Return the quality, the middle unless given, in a form in which equal ones compare equal.

    Raises
    ------
    UsageError
        The quality is out of range.
    """
    if parameter is None:
        if quality is not None:
            raise UsageError(f"{name} codes at one rate; it takes no quality.")
        return None
    if quality is None:
        middle = (parameter.least + parameter.most) / 2
        return int(middle) if parameter.integer else middle
    if (
        not isinstance(quality, int | float)
        or isinstance(quality, bool)
        or not parameter.least <= quality <= parameter.most
        or (parameter.integer and quality != int(quality))
    ):
        kind = "an integer" if parameter.integer else "a number"
        raise UsageError(
            f"{name}: quality is {kind} from {parameter.least:g} to {parameter.most:g},"
            f" not {quality}."
        )
    return int(quality) if parameter.integer else float(quality)
