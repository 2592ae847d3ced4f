"""Every codec that the contracts hold for: the registry's, and the model packages that ship."""

from __future__ import annotations

from cytopress.codecs.codec import Family
from cytopress.codecs.registry import families, find_family, package_names
from cytopress.settings import from_environment


def members() -> dict[str, Family]:
    """Return every family by name."""
    packages = package_names(from_environment())
    found = {**families(), **{name: find_family(name) for name in packages}}
    # The hard set is of planes; codecs of volumes alone have tests of their own.
    return {name: family for name, family in found.items() if 2 in family.traits.dims}
