"""Hard error bound for any codec: what is off by more is corrected by a coded residual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from cytopress.codecs.base import Form, StreamCodec, Traits
from cytopress.codecs.container.wire import join_streams, split_views, take_varints, varints
from cytopress.codecs.wrappers.residual_steps import decode_steps, encode_steps
from cytopress.errors import UsageError
from cytopress.image import Image, Pixels
from cytopress.reuse import reused


@dataclass(frozen=True)
class Guarded(StreamCodec):
    """Add a quantized residual so that no pixel is off by more than ``max_error`` counts.

    The residual is rounded to multiples of ``2 * bound + 1``: zero wherever the codec is within the
    bound, so a good codec needs next to no bytes for it. Over a coarse codec, both together take
    what near-lossless coding takes. ``bound`` is ``max_error``, less what another machine may
    decode otherwise (`StreamCodec.deviation`); it is stored in the stream.

    Parameters
    ----------
    codec : StreamCodec
        Any codec of integer images.
    max_error : int
        Largest allowed error in counts; 0 makes any codec with an exact decoder lossless.
    """

    codec: StreamCodec
    max_error: int = 1

    name: ClassVar[str] = "guarded"
    number: ClassVar[int] = 31
    traits: ClassVar[Traits] = Traits(
        dims=(2, 3),
        dtypes=("uint8", "uint16"),
        bits="any",
        parameter=None,
        reads_back="the same dtype, no pixel off by more than max_error",
        can_be_lossless=True,
    )

    def __post_init__(self) -> None:
        if self.max_error != int(self.max_error) or not 0 <= self.max_error <= 65535:
            raise UsageError(
                f"guard is a whole number of counts from 0 to 65535, not {self.max_error}."
            )
        if self._bound < 0:
            counts = self.codec.deviation
            raise UsageError(
                f"guard={int(self.max_error)} is not possible with lossy {self.codec.name}, which"
                f" another machine may decode off by {'one' if counts == 1 else counts}; code"
                f" losslessly, or give guard={counts}."
            )

    @property
    def lossless(self) -> bool:
        """Whether the bound is zero or the wrapped codec is lossless."""
        return self.max_error == 0 or self.codec.lossless

    @property
    def exact(self) -> bool:
        """As the codec inside: its error within the bound is not corrected."""
        return self.lossless or self.codec.exact

    def check(self, image: Image) -> None:
        """Check the image for the wrapped codec too."""
        super().check(image)
        self.codec.check(image)

    def compress(self, image: Image) -> bytes:
        """Return the codec's stream and the residual, length-prefixed."""
        stream = reused(self._name(image), [image.pixels], lambda: self._coded(image))
        decoded = self._decoded(stream, Form.of(image))
        error = image.pixels.astype(np.int64) - decoded
        steps = encode_steps(_residual_steps(error, self._bound))
        return join_streams((stream.tobytes(), varints(self._bound) + steps))

    def decompress(self, stream: bytes, form: Form) -> Pixels:
        """Return pixels within the bound."""
        inner, residual = split_views(stream, 2)
        (bound,), start = take_varints(residual, 1)
        decoded = self._decoded(np.frombuffer(inner, np.uint8), form).astype(np.int64)
        steps = decode_steps(bytes(residual[start:]), form.shape)
        # Of a bound of zero the steps are differences modulo 65536.
        values = decoded + steps * (2 * bound + 1) if bound else (decoded + steps) & 0xFFFF
        return np.clip(values, 0, 2**form.bits - 1).astype(form.dtype)

    def _coded(self, image: Image) -> npt.NDArray[np.uint8]:
        return np.frombuffer(self.codec.compress(image), np.uint8).copy()

    def _decoded(self, stream: npt.NDArray[np.uint8], form: Form) -> Pixels:
        """Return what the codec decodes; a search tries many bounds over one stream."""
        name = f"decoded by {self.codec.recipe()} as {form}"
        return reused(name, [stream], lambda: self.codec.restore(stream.tobytes(), form).pixels)

    def _name(self, image: Image) -> str:
        """Return all but the pixels that the codec's stream of an image depends on."""
        parts = Form.of(image), image.limits, image.lines
        return f"coded by {self.codec.recipe()} from {parts}"

    @property
    def _bound(self) -> int:
        return int(self.max_error) - self.codec.deviation


def _residual_steps(error: npt.NDArray[np.int64], bound: int) -> npt.NDArray[np.int32]:
    # Rounds to nearest: the step is odd, so no error lies halfway between two multiples.
    return np.floor_divide(error + bound, 2 * bound + 1).astype(np.int32)
