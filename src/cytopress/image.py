"""Image: pixels with axes, significant bits and pixel size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from cytopress.errors import ImageError

Axes = Literal["YX", "ZYX"]
AXES: tuple[Axes, ...] = get_args(Axes)
# Those that every codec, metric and task is made for.
MEASURED = tuple(np.dtype(name) for name in ("uint8", "uint16", "float32"))
# Frozen: files store a pixel type as its position here.
DTYPES = (*MEASURED, *(np.dtype(n) for n in ("int8", "int16", "int32", "uint32", "float64")))
Pixels = npt.NDArray[Any]
# Distance between neighboring samples along each axis, in micrometers; None where it is unknown.
Spacing = tuple[float | None, ...]
# A label image: integers of an image's shape, the number of an object or 0 for background.
Labels = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Image:
    """One channel of one field of view at one time: a plane or a stack.

    Parameters
    ----------
    pixels : ndarray
        Shape (Y, X) or (Z, Y, X); uint8, uint16 or float32, or for lossless coding int8, int16,
        int32, uint32 or float64; every value finite, no axis of length 0. Kept in native byte
        order, C-contiguous and read-only; copied only if need be.
    axes : {"YX", "ZYX"}, optional
        Taken from the number of dimensions unless given.
    bits : int, optional
        Significant bits: 12 for 12-bit camera data in uint16. The dtype's own unless given.
        Unsigned pixels must lie below ``2 ** bits``; of others all bits are significant.
    spacing_um : tuple of float or None, optional
        Distance between neighboring samples along each axis, in micrometers; None for an axis along
        which it is unknown, and for the whole where it is unknown along every axis.
    name : str, optional
        Shown to people; not stored in coded bytes.
    limits : (low, high), optional
        Of a chunk: the used range of the whole field that it was cut from, in counts. Codecs that
        map a range map this one, so that neighboring chunks are coded alike; pixels may lie
        outside. Not stored in coded bytes.
    lines : tuple of (axis, frequency), optional
        Of a chunk: where the field's structured noise was found, as `codecs.periodic_noise` counts
        it, so that it is not sought again in each chunk; () for none. Not stored in coded bytes.

    Raises
    ------
    ImageError
        Anything above does not hold.

    Examples
    --------
    >>> import numpy as np
    >>> import cytopress
    >>> pixels = np.arange(12, dtype=np.uint16).reshape(3, 4)
    >>> cytopress.Image(pixels, bits=12, spacing_um=(0.65, 0.65), name="DNA")
    Image('DNA', YX 3 x 4 uint16, bits=12, spacing_um=(0.65, 0.65))
    """

    pixels: Pixels
    axes: Axes = field(default="", kw_only=True)  # type: ignore[arg-type]
    bits: int = field(default=0, kw_only=True)
    spacing_um: Spacing | None = field(default=None, kw_only=True)
    name: str = field(default="", kw_only=True)
    limits: tuple[float, float] | None = field(default=None, kw_only=True)
    lines: tuple[tuple[int, int], ...] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        hidden = np.sum(getattr(self.pixels, "mask", False))
        if hidden:
            raise ImageError(
                f"{self._label}{hidden} pixels are masked, and coded bytes keep no mask: fill them"
                " first, such as with pixels.filled(0), and keep the mask beside the image."
            )
        pixels = np.asarray(self.pixels)
        native = pixels.dtype.newbyteorder("=")
        if native not in DTYPES:
            raise ImageError(
                f"{self._label}pixels must be {dtype_names(DTYPES)}, not {pixels.dtype}; convert"
                " them first."
            )
        pixels = np.ascontiguousarray(pixels, dtype=native) if pixels.ndim else pixels
        axes = self.axes or {2: "YX", 3: "ZYX"}.get(pixels.ndim, "")
        if axes not in AXES or len(axes) != pixels.ndim:
            raise ImageError(
                f"{self._label}axes must be YX or ZYX and match the pixels,"
                f" not {self.axes or 'none'} for shape {pixels.shape}."
            )
        if 0 in pixels.shape:
            raise ImageError(
                f"{self._label}an image needs pixels, but its shape is {pixels.shape}."
            )
        self._check_values(pixels)
        # Of a single row or column NumPy keeps whatever stride a view had, and libraries refuse it.
        pixels = pixels.reshape(-1).reshape(pixels.shape)
        spacing = self._checked_spacing(axes)
        limits = self._checked_limits()
        if pixels.flags.writeable:
            pixels = pixels.view()
            pixels.flags.writeable = False
        object.__setattr__(self, "pixels", pixels)
        object.__setattr__(self, "axes", axes)
        object.__setattr__(self, "bits", self.bits or native.itemsize * 8)
        object.__setattr__(self, "spacing_um", spacing)
        object.__setattr__(self, "limits", limits)

    def _checked_spacing(self, axes: str) -> Spacing | None:
        if self.spacing_um is None:
            return None
        spacing = tuple(None if step is None else float(step) for step in self.spacing_um)
        known = [step for step in spacing if step is not None]
        if len(spacing) != len(axes) or not all(np.isfinite(step) and step > 0 for step in known):
            raise ImageError(
                f"{self._label}spacing_um needs one positive number (or None) for each axis of"
                f" {axes}, not {self.spacing_um}."
            )
        return spacing if known else None

    def _checked_limits(self) -> tuple[float, float] | None:
        if self.limits is None:
            return None
        limits = tuple(float(limit) for limit in self.limits)
        if len(limits) != 2 or not np.isfinite(limits).all() or limits[0] >= limits[1]:
            raise ImageError(
                f"{self._label}limits are two numbers of counts, the lower one first, not"
                f" {self.limits}."
            )
        return limits[0], limits[1]

    def _check_values(self, pixels: Pixels) -> None:
        most = pixels.dtype.itemsize * 8
        if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
            raise ImageError(
                f"{self._label}{np.count_nonzero(~np.isfinite(pixels))} pixels are NaN or"
                " infinite; replace them before coding or measuring."
            )
        if pixels.dtype.kind != "u":
            if self.bits not in (0, most):
                raise ImageError(
                    f"{self._label}{pixels.dtype.name} pixels have {most} bits, not {self.bits}."
                )
            return
        if not 0 <= self.bits <= most:
            raise ImageError(
                f"{self._label}bits must be 1 to {most} for {pixels.dtype}, not {self.bits}."
            )
        if self.bits and int(pixels.max()) >> self.bits:
            raise ImageError(
                f"{self._label}a pixel of {pixels.max()} does not fit in {self.bits} bits;"
                " correct bits."
            )

    @property
    def _label(self) -> str:
        return f"Image {self.name!r}: " if self.name else "Image: "

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self.pixels.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a pixel, in native byte order."""
        return self.pixels.dtype

    @property
    def raw_bytes(self) -> int:
        """Pixels times bytes of the stored dtype: the numerator of every compression ratio."""
        return int(self.pixels.nbytes)

    @property
    def full_spacing_um(self) -> tuple[float, ...] | None:
        """The spacing where it is known along every axis: what physical sizes need."""
        known = tuple(step for step in self.spacing_um or () if step is not None)
        return known if len(known) == len(self.axes) else None

    def with_pixels(self, pixels: Pixels) -> Image:
        """Return other pixels with this image's meaning.

        ``bits`` and ``limits`` stay where the dtype stays.
        """
        same = np.asarray(pixels).dtype.newbyteorder("=") == self.dtype
        return Image(
            pixels,
            axes=self.axes,
            bits=self.bits if same else 0,
            spacing_um=self.spacing_um,
            name=self.name,
            limits=self.limits if same else None,
            lines=self.lines,
        )

    def __eq__(self, other: object) -> bool:
        """Equal pixels of equal dtype and equal meaning; name and limits do not count."""
        if not isinstance(other, Image):
            return NotImplemented
        return (
            (self.axes, self.bits, self.spacing_um, self.dtype)
            == (other.axes, other.bits, other.spacing_um, other.dtype)
            and self.shape == other.shape
            and bool(np.array_equal(self.pixels, other.pixels))
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shape = " x ".join(str(length) for length in self.shape)
        name = f"{self.name!r}, " if self.name else ""
        spacing = "" if self.spacing_um is None else f", spacing_um={self.spacing_um}"
        return f"Image({name}{self.axes} {shape} {self.dtype}, bits={self.bits}{spacing})"


def dtype_names(dtypes: Sequence[np.dtype[Any]]) -> str:
    """Return pixel types in words, such as ``uint8, uint16 or float32``."""
    *first, last = (dtype.name for dtype in dtypes)
    return f"{', '.join(first)} or {last}"


def integer_limits(dtype: np.dtype[Any], bits: int) -> tuple[int, int]:
    """Return the smallest and the largest integer of a pixel type with so many bits."""
    if dtype.kind == "u":
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
