"""Form and notes of a coded image: what it is, and how its setting was found; as bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cytopress.codecs.container.recipe import Recipe
from cytopress.codecs.container.wire import Reader, put_decimal, put_varint
from cytopress.errors import CorruptDataError
from cytopress.image import AXES, DTYPES, Axes, Image, Spacing

# Largest image in bytes: a crafted header cannot make the decoder allocate an arbitrary amount.
MOST_BYTES = 2**40
# Frozen: files store a target as its position here, counted from 1.
STORED_TARGETS = ("max_error", "sigma", "psnr", "ratio")
Notes = Mapping[str, float | str]
# Bits of the first byte of the notes; its three lowest bits are the target.
NOTE_BITS = {3: ("reached",), 4: ("range",), 5: ("a", "b", "offset")}


@dataclass(frozen=True)
class Form:
    """An image's description: everything but its pixels."""

    axes: Axes
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    bits: int
    spacing_um: Spacing | None = None

    @classmethod
    def of(cls, image: Image) -> Form:
        """Return the form of an image."""
        return cls(image.axes, image.shape, image.dtype, image.bits, image.spacing_um)

    @property
    def raw_bytes(self) -> int:
        """Number of pixels times bytes per pixel, as `Image.raw_bytes`."""
        return math.prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True)
class Header:
    """Everything in the container but the stream.

    ``notes`` may hold ``target`` (its kind), ``asked`` (its value), ``reached`` (absent for exact
    pixels, and for ``ratio``, which follows from the sizes), ``range``, ``a``, ``b``, ``offset``.
    """

    form: Form
    recipe: Recipe
    notes: Notes
    header_bytes: int


def put_form(out: bytearray, form: Form) -> None:
    """Append a form."""
    spacing = form.spacing_um or ()
    square = bool(spacing) and spacing[-2] == spacing[-1]
    out.append(
        AXES.index(form.axes) | DTYPES.index(form.dtype) << 2 | bool(spacing) << 5 | square << 6
    )
    out.append(form.bits)
    for length in form.shape:
        put_varint(out, length)
    for distance in spacing[:-1] if square else spacing:
        put_decimal(out, distance or 0.0)


def take_form(reader: Reader) -> Form:
    """Read a form; raises CorruptDataError if no image has it."""
    flags, bits = reader.byte(), reader.byte()
    axes, dtype = axes_and_dtype(flags)
    shape = tuple(reader.varint() for _ in axes)
    spacing = None
    if flags >> 5 & 1:
        spacing = _take_spacing(reader, len(axes), square=flags >> 6 & 1)
    return checked(Form(axes, shape, dtype, bits, spacing))


def axes_and_dtype(flags: int) -> tuple[Axes, np.dtype[Any]]:
    """Return axes and pixel type of the first byte of a form; its highest bit is 0."""
    axes_number, dtype_number = flags & 3, flags >> 2 & 7
    if axes_number >= len(AXES) or dtype_number >= len(DTYPES) or flags >> 7:
        raise CorruptDataError("This cytopress file holds unknown axes or an unknown pixel type.")
    return AXES[axes_number], DTYPES[dtype_number]


def checked(form: Form) -> Form:
    """Return a form; raises CorruptDataError if its bit depth or shape is no image's."""
    bits, dtype = form.bits, form.dtype
    most = dtype.itemsize * 8
    if not 1 <= bits <= most or (dtype.kind != "u" and bits != most):
        raise CorruptDataError(f"This cytopress file declares a bit depth of {bits} for {dtype}.")
    if not 0 < form.raw_bytes <= MOST_BYTES:
        raise CorruptDataError(f"This cytopress file declares an image of shape {form.shape}.")
    return form


def _take_spacing(reader: Reader, count: int, *, square: int) -> Spacing:
    steps = tuple(reader.decimal() for _ in range(count - square))
    steps += steps[-1:] * square
    if min(steps) < 0 or max(steps) == 0:
        raise CorruptDataError(f"This cytopress file declares a spacing of {steps} um.")
    return tuple(step or None for step in steps)


def put_notes(out: bytearray, notes: Notes) -> None:
    """Append notes."""
    unknown = notes.keys() - {"target", "asked"}.union(*NOTE_BITS.values())
    if unknown or ("target" in notes) != ("asked" in notes):
        raise ValueError(f"a header cannot hold the notes {sorted(notes)}")
    head, numbers = 0, []
    if "target" in notes:
        head = STORED_TARGETS.index(str(notes["target"])) + 1
        numbers.append(notes["asked"])
    for bit, names in NOTE_BITS.items():
        if names[0] in notes:
            head |= 1 << bit
            numbers += [notes[name] for name in names]
    out.append(head)
    for number in numbers:
        put_decimal(out, float(number))


def take_notes(reader: Reader) -> Notes:
    """Read notes; raises CorruptDataError if they are of a newer version."""
    head = reader.byte()
    target = head & 7
    if target > len(STORED_TARGETS) or head >> 6:
        raise CorruptDataError("This cytopress file holds unknown notes; update cytopress.")
    notes: dict[str, float | str] = {}
    if target:
        notes |= {"target": STORED_TARGETS[target - 1], "asked": reader.decimal()}
    for bit, names in NOTE_BITS.items():
        if head >> bit & 1:
            notes |= {name: reader.decimal() for name in names}
    return notes
