"""Errors of decoding: the stream's size is checked, and whatever a library raises is one error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cytopress.codecs.container.container import Form
from cytopress.errors import CorruptDataError, CytopressError, ImageError
from cytopress.image import Image

if TYPE_CHECKING:
    from cytopress.codecs.base import StreamCodec


def restored(codec: StreamCodec, stream: bytes | memoryview, form: Form) -> Image:
    """Return the image of a codec's bare stream, checked to be of ``form``.

    Raises
    ------
    CorruptDataError
        The stream is damaged, or holds another image than ``form`` says. Where its own header says
        so, no library has seen it.
    """
    name = codec.name
    taken = codec.traits.dtypes_of(lossless=codec.lossless)
    if len(form.axes) not in codec.traits.dims or form.dtype.name not in taken:
        raise CorruptDataError(f"{name} holds no {form.axes} images of {form.dtype}.")
    try:
        _check_shape(name, codec.coded_shape(stream), form.shape)  # type: ignore[arg-type]
        # Codecs of parts slice a view as they do bytes.
        pixels = codec.decompress(stream, form)  # type: ignore[arg-type]
    except CytopressError:
        raise
    except MemoryError as error:
        raise CorruptDataError(
            f"{name} runs out of memory at its stream: it is damaged, or needs a larger machine."
        ) from error
    except Exception as error:
        # A library may raise anything on crafted bytes; a reader sees one kind of error.
        raise CorruptDataError(f"{name} cannot decode its stream ({error}).") from error
    if pixels.shape != form.shape or pixels.dtype != form.dtype:
        raise CorruptDataError(
            f"{name} decoded {pixels.dtype} {pixels.shape}, but the container promised"
            f" {form.dtype} {form.shape}."
        )
    try:
        return Image(pixels, axes=form.axes, bits=form.bits, spacing_um=form.spacing_um)
    except ImageError as error:
        raise CorruptDataError(f"{name} decoded an invalid image: {error}") from error


def _check_shape(name: str, coded: tuple[int, ...], shape: tuple[int, ...]) -> None:
    """Compare a header's shape with the promised one; some leave out axes of length 1."""
    if coded and [n for n in coded if n != 1] != [n for n in shape if n != 1]:
        raise CorruptDataError(
            f"{name}: the stream holds an image of {' x '.join(map(str, coded))} pixels, but the"
            f" container promised {' x '.join(map(str, shape))}."
        )
