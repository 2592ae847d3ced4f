"""Decoded inputs for compression-aware training."""

from __future__ import annotations

from collections.abc import Sequence

from cytopress.codecs.registry import decode_own
from cytopress.codecs.spec import codec
from cytopress.codecs.targets.encodes import Encodes
from cytopress.errors import CodecError
from cytopress.image import Image
from cytopress.settings import Settings

# In a list of codecs: the image itself.
ORIGINAL = "original"


def decoded_inputs(
    image: Image, codecs: Sequence[str], *, field: str, settings: Settings
) -> list[Image]:
    """Return the image as decoded by each codec.

    Parameters
    ----------
    image : Image
        The original.
    codecs : sequence of str
        Spec strings, or ``original`` for the image itself. Without any, the original alone.
    field : str
        Name of the image in errors.
    settings : Settings
        Names the folders of model packages.

    Raises
    ------
    UsageError
        A spec string asks for a codec or an option that is not there.
    CodecError
        A codec refuses the image, or reaches its target with no setting.
    """
    encodes = Encodes(image)
    return [_decoded(encodes, spec, field, settings) for spec in codecs or (ORIGINAL,)]


def _decoded(encodes: Encodes, spec: str, field: str, settings: Settings) -> Image:
    if spec == ORIGINAL:
        return encodes.image
    request = codec(spec, settings)
    try:
        coded = request.solve(encodes.image, encodes).data
        return decode_own(coded, encodes.image, settings)
    except CodecError as error:
        raise CodecError(
            f"{field} cannot be coded with {spec} for training ({error}); choose another codec or"
            " setting."
        ) from error
