"""Errors of encoding: whatever a library raises becomes one kind of error, with advice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cytopress.errors import CodecError, CorruptDataError, CytopressError, NotAvailableError
from cytopress.image import Image

if TYPE_CHECKING:
    from cytopress.codecs.base import StreamCodec

# Edge in pixels from which the size of an image may be why a library fails.
LARGE = 2**13


@contextmanager
def encoding(codec: StreamCodec, image: Image) -> Iterator[None]:
    """Turn errors of libraries, raised while an image is coded, into a CodecError.

    Raises
    ------
    CodecError
        The library failed, or cannot decode what it wrote; a study stores it as a result.
    NotAvailableError
        This machine's memory is too small.
    """
    nested = codec.nested()
    name, advice = nested[-1].name, _advice(nested, image)
    shape = " x ".join(map(str, image.shape))
    try:
        yield
    except CorruptDataError as error:
        raise CodecError(
            f"{name} coded this image of {shape} pixels to bytes that it cannot decode ({error});"
            f" {advice}."
        ) from error
    except CytopressError:
        raise
    except MemoryError as error:
        raise NotAvailableError(
            f"{name} needs more memory for this image of {shape} pixels than this machine has;"
            f" {advice}."
        ) from error
    except Exception as error:
        said = str(error) or type(error).__name__
        raise CodecError(
            f"{name} cannot code this image of {shape} {image.dtype} pixels ({said}); {advice}."
        ) from error


def _advice(nested: list[StreamCodec], image: Image) -> str:
    if max(image.shape[-2:]) >= LARGE and "tiled" not in [one.name for one in nested]:
        return "give tile=512, which codes a large image in tiles, or use another codec"
    return "use another codec or setting"
