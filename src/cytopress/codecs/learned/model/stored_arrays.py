"""Arrays of a codec package, checked: gains, biases, probability tables, secondary transforms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.learned.entropy.probability_tables import ProbabilityTables, padded_rows
from cytopress.codecs.learned.latents.secondary_transforms import SecondaryTransforms
from cytopress.codecs.learned.model.manifest import CodecManifest
from cytopress.codecs.learned.pixels.background import Background, Mesh
from cytopress.errors import PackageError
from cytopress.models.model_package import Package

Array = npt.NDArray[Any]
MOST_SCALES = 256
# Far beyond any scale index.
MOST_BIAS = 2**20


@contextmanager
def named_in_errors(package: Package) -> Iterator[None]:
    """Begin the message of a `PackageError` with the package's path."""
    try:
        yield
    except PackageError as error:
        if str(error).startswith(str(package.path)):
            raise
        raise PackageError(f"{package.path}: {error}") from error


@dataclass(frozen=True, eq=False)
class StoredArrays:
    """The arrays of one model; ``prefix`` is that of their names, such as ``r0/``.

    Every method raises PackageError where an array is not what belongs there.
    """

    package: Package
    prefix: str
    manifest: CodecManifest

    def prior(self) -> ProbabilityTables:
        """Return the tables of the hyper-latents, or of the latents of a factorized model."""
        prior = self.tables("prior")
        channels, nodes = self.manifest.hyper_channels, max(self.manifest.gains, 1)
        if len(prior) not in {channels, channels * nodes}:
            raise PackageError(
                f"there are {len(prior)} prior tables for {channels} channels and {nodes} nodes."
            )
        return prior

    def scales(self) -> ProbabilityTables:
        """Return the tables of residuals by scale index."""
        scales = self.tables("scale")
        if len(scales) > MOST_SCALES:
            raise PackageError(f"there are {len(scales)} scale tables; at most 256 are possible.")
        return scales

    def background(self, mesh: Mesh) -> Background:
        """Return the smooth background on a mesh, with the tables that all models share."""
        return Background(mesh, _tables(self.package, "surface"))

    def tables(self, name: str) -> ProbabilityTables:
        """Return the probability tables of a name."""
        return _tables(self.package, self.prefix + name)

    def part_transforms(self, name: str, channels: int) -> SecondaryTransforms:
        """Return the secondary transforms of a part of the channels."""
        shape = self.manifest.transforms, channels
        matrices = self.checked(f"{name}.matrix", (*shape, channels), "i")
        bias = self.bias(f"{name}.bias", shape)
        choices = self.tables(f"{name}.odds")
        return SecondaryTransforms(matrices, bias, choices)

    def checked(self, name: str, shape: tuple[int, ...], kind: str) -> Array:
        """Return an array of this shape and kind of numbers."""
        name = self.prefix + name
        array = self.package.array(name)
        if array.shape != shape or array.dtype.kind != kind:
            raise PackageError(
                f"{name} is {array.dtype} {array.shape}, where {shape} of kind {kind!r} belongs."
            )
        if not np.isfinite(array).all():
            raise PackageError(f"{name} holds values that are not finite.")
        return array

    def bias(self, name: str, shape: tuple[int, ...]) -> Array:
        """Return biases of scale indices, int64."""
        bias = self.checked(name, shape, "i").astype(np.int64)
        if np.abs(bias).max() > MOST_BIAS:
            raise PackageError(
                f"the scale bias {self.prefix}{name} is larger than any scale index can be."
            )
        return bias


def _tables(package: Package, name: str) -> ProbabilityTables:
    cdf, size, offset = (package.array(f"{name}_{part}") for part in ("cdf", "size", "offset"))
    # The first packages stored rows of unequal size as a rectangle, nearly all of it padding.
    return ProbabilityTables(padded_rows(cdf, size) if cdf.ndim == 1 else cdf, size, offset)
