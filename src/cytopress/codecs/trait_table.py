"""Table of codecs and their traits, for `cytopress codecs`, its JSON and the docs."""

from __future__ import annotations

from cytopress.codecs.base import QualityParameter, Traits
from cytopress.codecs.family import Family
from cytopress.codecs.registry import families, find_family, package_names
from cytopress.errors import PackageError
from cytopress.models.search import warn_of_skipped
from cytopress.settings import Settings


def rows(settings: Settings | None = None) -> list[dict[str, str]]:
    """Return one row per codec, in the order of the registry.

    With ``settings``, the codecs of the model packages in its folders come last.

    Keys are ``name``, ``coding``, ``dims``, ``dtypes``, ``bits``, ``parameter``, ``unit``,
    ``range`` (both ends of the parameter, coarsest first) and ``reads_back_to``. Those of the
    parameter are empty where a codec is always lossless.
    """
    found = [_row(family) for family in families().values()]
    for name in package_names(settings) if settings is not None else ():
        try:
            found.append(_row(find_family(name, settings)))
        except PackageError as error:
            warn_of_skipped(error)
    return found


def _row(family: Family) -> dict[str, str]:
    traits, parameter = family.traits, family.traits.parameter
    return {
        "name": family.name,
        "coding": _coding(traits),
        "dims": _dims(traits),
        "dtypes": _dtypes(traits),
        "bits": traits.bits,
        "parameter": parameter.name if parameter else "",
        "unit": parameter.unit if parameter else "",
        "range": _range(parameter) if parameter else "",
        "reads_back_to": traits.reads_back,
    }


def _dims(traits: Traits) -> str:
    if 3 in traits.dims:
        return "2D and 3D"
    return "2D; stacks by plane or wavelet" if traits.wavelet else "2D; stacks by plane"


def _dtypes(traits: Traits) -> str:
    lossless = f"; lossless {', '.join(traits.lossless_dtypes)}" if traits.lossless_dtypes else ""
    return f"{', '.join(traits.dtypes)}{lossless}"


def _coding(traits: Traits) -> str:
    if traits.parameter is None and traits.can_be_lossless:
        return "lossless"
    return "lossless or lossy" if traits.can_be_lossless else "lossy"


def _range(parameter: QualityParameter) -> str:
    ends = (
        (parameter.most, parameter.least)
        if parameter.finer == "lower"
        else (parameter.least, parameter.most)
    )
    return " to ".join(f"{end:.6g}" for end in ends)
