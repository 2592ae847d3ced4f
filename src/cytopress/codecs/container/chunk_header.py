"""Chunk header: form and recipe of a chunk in a few bytes, where its codec needs only hundreds.

One byte holds axes and pixel type as a form's does, with bit 5 set where a byte follows with the
significant bits, which else are the pixel type's, and bit 6 where Y and X are the same power of
two: one byte, its exponent, stands for both. The recipe follows; that of a learned codec
is short (see `recipe`).
"""

from __future__ import annotations

from cytopress.codecs.container.form import Form, axes_and_dtype, checked
from cytopress.codecs.container.recipe import Recipe, put_recipe, take_recipe
from cytopress.codecs.container.wire import Reader, put_varint
from cytopress.image import AXES, DTYPES

# The first byte. No text, and no format that cytopress reads, begins with it.
MARK = b"\xc7"
OTHER_BITS, SQUARE = 1 << 5, 1 << 6
MOST_EXPONENT = 40


def put_chunk_header(form: Form, recipe: Recipe) -> bytes:
    """Return the header of a form without spacing."""
    *outer, height, width = form.shape
    other_bits = form.bits != form.dtype.itemsize * 8
    square = height == width and not width & width - 1
    out = bytearray(MARK)
    flags = AXES.index(form.axes) | DTYPES.index(form.dtype) << 2
    out.append(flags | OTHER_BITS * other_bits | SQUARE * square)
    if other_bits:
        out.append(form.bits)
    for length in (*outer, width.bit_length() - 1) if square else form.shape:
        put_varint(out, length)
    put_recipe(out, recipe, short=True)
    return bytes(out)


def take_chunk_header(reader: Reader) -> tuple[Form, Recipe]:
    """Read a header, behind its mark.

    Raises
    ------
    CorruptDataError
        It ends early, or describes an impossible image or recipe.
    """
    flags = reader.byte()
    axes, dtype = axes_and_dtype(flags)
    bits = reader.byte() if flags & OTHER_BITS else dtype.itemsize * 8
    count = len(axes) - bool(flags & SQUARE)
    shape = tuple(reader.varint() for _ in range(count))
    if flags & SQUARE:
        edge = 1 << min(shape[-1], MOST_EXPONENT)
        shape = (*shape[:-1], edge, edge)
    form = checked(Form(axes, shape, dtype, bits))
    return form, take_recipe(reader, short=True)
