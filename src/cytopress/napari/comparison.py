"""Comparison of a region with its coded copy: what the widget shows, without Qt and napari."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.codecs.registry import decode_own, families, find_family, package_names
from cytopress.codecs.spec import codec
from cytopress.codecs.traits import QualityParameter
from cytopress.errors import UsageError
from cytopress.image import Image, Pixels
from cytopress.metrics import metric
from cytopress.metrics.data_range import data_range
from cytopress.metrics.noise import NoiseModel, fit_noise
from cytopress.settings import Settings, from_environment

# Edge of the largest region that is coded, and of the largest field whose range is measured.
LARGEST, LARGEST_FIELD = 1024, 4096
# Edge of the part of a field that its noise is measured in.
NOISE_EDGE = 1024
# Colormap of differences: less than the original, equal, more.
DIFFERENCE = {"name": "difference", "colors": [[0.2, 0.7, 1], [0, 0, 0], [1, 0.6, 0.2]]}
# Quality targets that every lossy codec takes, over the slider's length.
TARGETS = (
    QualityParameter("ratio", "times smaller", 2, 200, finer="lower"),
    QualityParameter("sigma", "of the noise, root mean square", 0.05, 5, finer="lower"),
    QualityParameter("max_error", "counts, of any pixel", 1, 256, finer="lower", integer=True),
    QualityParameter("psnr", "dB", 25, 70, finer="higher", scale="linear"),
)
Region = tuple[slice, slice]


def codec_names(settings: Settings | None = None) -> list[str]:
    """Return the codecs of planes, learned ones first."""
    settings = settings or from_environment()
    names = [*package_names(settings), *families()]
    return [name for name in names if 2 in find_family(name, settings).traits.dims]


def qualities(name: str, settings: Settings | None = None) -> tuple[QualityParameter, ...]:
    """Return what a slider can move: a codec's own parameter, then targets; () if it has none."""
    parameter = find_family(name, settings).traits.parameter
    return () if parameter is None else (parameter, *TARGETS)


def spec_of(name: str, quality: QualityParameter | None, position: float) -> str:
    """Return the spec string of a codec with its slider at a position, 0 coarsest to 1 finest."""
    if quality is None:
        return name
    value = f"{quality.value_at(position):.3g}"
    return f"{name}:{quality.name}={value if 'e' not in value else repr(float(value))}"


def visible_region(corners: npt.ArrayLike, shape: Sequence[int]) -> tuple[Region, bool]:
    """Return the part of a plane that is coded, and whether it is all that is seen.

    Parameters
    ----------
    corners : array_like
        Shape (2, 2): first and last place (Y, X) that is seen; pixel 3 is from 2.5 to 3.5.
    shape : sequence of int
        (Y, X) of the plane.

    Raises
    ------
    UsageError
        Nothing of the plane is seen.
    """
    found, whole = [], True
    for (first, last), length in zip(np.asarray(corners, float).T, shape, strict=True):
        start = max(math.floor(first + 0.5), 0)
        stop = min(math.ceil(last + 0.5), length)
        if stop <= start:
            raise UsageError("Nothing of the layer is in view: move it into the canvas.")
        size = min(stop - start, LARGEST)
        whole = whole and size == stop - start
        start += (stop - start - size) // 2
        found.append(slice(start, start + size))
    return (found[0], found[1]), whole


@dataclass(frozen=True)
class Field:
    """A whole plane, by whose range and noise its regions are coded and measured.

    Parameters
    ----------
    image : Image
        The plane; of a large one a lower resolution, or its middle.
    noise : NoiseModel, optional
        None where there is no noise to be measured.
    data_range : float
        Counts that PSNR refers to.
    """

    image: Image
    noise: NoiseModel | None
    data_range: float

    @classmethod
    def of(cls, levels: Sequence[Any], *, bits: int = 0) -> Field:
        """Measure a plane, given by its resolutions, the full one first.

        Parameters
        ----------
        levels : sequence of array
            Each of shape (Y, X); NumPy, zarr or dask.
        bits : int, optional
            Significant bits; 0 for the pixel type's own.

        Raises
        ------
        ImageError
            The pixels are of no type that an image can have.
        """
        most = LARGEST_FIELD**2
        level = next((one for one in levels if math.prod(one.shape) <= most), levels[-1])
        image = Image(np.asarray(level[_middle(level.shape, LARGEST_FIELD)]), bits=bits)
        sharp = Image(np.asarray(levels[0][_middle(levels[0].shape, NOISE_EDGE)]), bits=bits)
        try:
            noise = fit_noise([sharp]).model
        except UsageError:
            noise = None
        return cls(image, noise, data_range([image.pixels]))


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A region, coded and decoded.

    Parameters
    ----------
    spec : str
        Spec string of the codec.
    setting : str
        Spec string of the setting that was found.
    decoded, difference : ndarray
        Shape (Y, X); the difference is decoded minus original, in counts.
    raw_bytes, coded_bytes : int
        Sizes of the region.
    max_error, rmse, psnr : float
        Errors: the largest and the root mean square in counts, and PSNR in dB.
    sigma : float, optional
        Root-mean-square error in units of the noise.
    scale : float
        Half the range of counts over which differences are shown: three times the noise.
    seconds : float
        Time of coding and decoding, the search for a target included.
    notes : tuple of str
        Sentences to read before using the setting.
    """

    spec: str
    setting: str
    decoded: Pixels
    difference: npt.NDArray[np.float32]
    raw_bytes: int
    coded_bytes: int
    max_error: float
    rmse: float
    psnr: float
    sigma: float | None
    scale: float
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def ratio(self) -> float:
        """Compression ratio of the region."""
        return self.raw_bytes / self.coded_bytes

    def rows(self) -> list[tuple[str, str]]:
        """Return what was measured, in words."""
        rows = [
            ("smaller", f"{self.ratio:.3g} times"),
            ("bytes", f"{self.raw_bytes:,} to {self.coded_bytes:,}"),
        ]
        if self.max_error == 0:
            return [*rows, ("error", "none: every pixel is exact")]
        rows += [
            ("largest error", f"{self.max_error:.4g} counts"),
            ("RMSE", f"{self.rmse:.3g} counts"),
            ("PSNR", f"{self.psnr:.1f} dB"),
        ]
        if self.sigma is not None:
            rows.append(("RMSE in noise units", f"{self.sigma:.3g} sigma"))
        return rows


def compare(
    pixels: Pixels, spec: str, field: Field, settings: Settings | None = None
) -> Comparison:
    """Code a region of a field, decode it, and measure the difference.

    Raises
    ------
    UsageError
        The spec is wrong.
    CodecError
        The codec cannot code the region, or does not meet the target.
    NotAvailableError, PackageError
        The codec is not on this machine.
    """
    began = time.perf_counter()
    asked = codec(spec, settings)
    request = asked.with_reference_scales(field.data_range, field.noise)
    bits = field.image.bits if pixels.dtype == field.image.dtype else 0
    # Like every other region of the field, and as the whole field would be.
    image = Image(pixels, bits=bits, limits=request.field_limits([field.image]))
    solution = request.solve(image)
    decoded = decode_own(solution.data, image, settings).pixels
    seconds = time.perf_counter() - began
    pair = image.pixels, decoded, field.data_range
    noise, sigma = field.noise, None
    if noise is not None:
        sigma = metric("rmse_sigma", noise=noise)(*pair)
    rmse = metric("rmse")(*pair)
    level = float(np.median(image.pixels))
    return Comparison(
        spec=spec,
        setting=asked.at(solution).spec,
        decoded=decoded,
        difference=(decoded.astype(np.float64) - image.pixels).astype(np.float32),
        raw_bytes=image.raw_bytes,
        coded_bytes=len(solution.data),
        max_error=metric("max_error")(*pair),
        rmse=rmse,
        psnr=metric("psnr")(*pair),
        sigma=sigma,
        scale=3 * float(noise.sigma(level)) if noise is not None else 3 * rmse or 1.0,
        seconds=seconds,
        notes=solution.warnings,
    )


def _middle(shape: Sequence[int], edge: int) -> Region:
    starts = [max(length - edge, 0) // 2 for length in shape]
    first, second = (slice(start, start + edge) for start in starts)
    return first, second
