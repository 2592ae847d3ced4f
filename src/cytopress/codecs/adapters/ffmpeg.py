"""FFmpeg (PyAV): integer planes as video frames to an elementary stream, and back, one at a time.

Frames are padded at the right and bottom to multiples of 8 pixels, and to at least 96; decoding
cuts them to the planes' shape.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from cytopress.codecs import progress
from cytopress.codecs.adapters import scheduling
from cytopress.errors import CorruptDataError, NotAvailableError, UnsupportedImageError
from cytopress.image import Pixels

if TYPE_CHECKING:
    import av

GET = "install the extra video: pip install 'cytopress[video]'"
# Encoders refuse frames below 16 x 16 (x265) and 4 x 4 (SVT-AV1). Where a frame has one block of
# 64 x 64 along an axis, x265 reads uninitialized memory, and its lossless mode is not lossless.
STEP, LEAST = 8, 96
# Pixels by which a decoder may align a frame.
SLACK = 64
CHUNK = 2**20
RATE = 25  # frames a second; encoders require one


@dataclass(frozen=True)
class VideoFormat:
    """An encoder and a decoder of FFmpeg, and its pixel format for each bit depth.

    ``units`` splits a stream into the decoder's access units where FFmpeg's parser does not. The
    image is the first plane of a frame; chroma planes, if any, hold neutral gray.
    """

    encoder: str
    decoder: str
    formats: Mapping[int, str]
    units: Callable[[bytes], Iterator[bytes]] | None = None

    def depth(self, name: str, span: int, most: int) -> int:
        """Return the fewest coded bits, at most ``most``, for a used range of ``span`` counts.

        Raises
        ------
        UnsupportedImageError
            The span is too wide for ``most`` bits.
        """
        for bits in self.formats:
            if span < 2**bits and bits <= most:
                return bits
        raise UnsupportedImageError(
            f"{name} with bits={most} is lossless for a used range below {2**most} counts, and this"
            f" image's is {span}: give a quality, such as psnr=, or use another codec."
        )

    def encode(
        self, frames: Iterable[Pixels], shape: tuple[int, ...], bits: int, options: dict[str, str]
    ) -> bytes:
        """Return the elementary stream of frames of integers below ``2 ** bits``.

        Parameters
        ----------
        frames : iterable of ndarray
            Each of shape (Y, X).
        shape : tuple of int
            Number of frames and shape of each: (Z, Y, X).
        bits : int
            Bit depth: a key of ``formats``.
        options : dict
            Options of the encoder.
        """
        count, height, width = shape
        context = self._context(self.encoder, "w")
        context.width, context.height = _padded(width), _padded(height)
        context.pix_fmt = self.formats[bits]
        context.time_base, context.framerate = Fraction(1, RATE), Fraction(RATE)
        context.options = options
        with scheduling.preserved():
            context.open()
        # Unlike a bytearray, it returns what was written without a copy.
        stream = io.BytesIO()
        for plane in progress.track(frames, count):
            for packet in context.encode(_frame(plane, context, bits)):
                stream.write(packet)
        for packet in context.encode(None):
            stream.write(packet)
        return stream.getvalue()

    def decode(self, stream: bytes, shape: tuple[int, ...]) -> Iterator[Pixels]:
        """Yield the frames of a stream, each of shape (Y, X).

        Raises
        ------
        CorruptDataError
            The stream has more, fewer or smaller frames.
        """
        count, height, width = shape
        if count > len(stream):
            raise CorruptDataError(f"{count} frames are promised in {len(stream)} bytes.")
        done = 0
        # A larger frame is refused before it is allocated.
        most = (_padded(height) + SLACK) * (_padded(width) + SLACK)
        for frame in progress.track(self._frames(stream, most), count):
            done += 1
            if done > count or frame.height < height or frame.width < width:
                raise CorruptDataError(
                    f"A frame of {frame.width} x {frame.height} is too many or too small: {count}"
                    f" of {width} x {height} are promised."
                )
            yield _gray(frame, self.formats)[:height, :width]
        if done != count:
            raise CorruptDataError(f"{count} frames are promised, and {done} came.")

    def _frames(self, stream: bytes, most: int) -> Iterator[av.VideoFrame]:
        context = self._context(self.decoder, "r")
        context.options = {"max_pixels": str(most)}
        for packet in self._packets(context, stream):
            yield from context.decode(packet)
        yield from context.decode(None)

    def _packets(self, context: Any, stream: bytes) -> Iterator[av.Packet[Any]]:
        import av

        if self.units is not None:
            yield from map(av.Packet, self.units(stream))
            return
        for start in range(0, len(stream), CHUNK):
            yield from context.parse(bytes(stream[start : start + CHUNK]))
        yield from context.parse()

    def _context(self, name: str, mode: Literal["r", "w"]) -> Any:
        try:
            import av
        except ImportError:
            raise NotAvailableError(f"{name} needs PyAV, which is not installed; {GET}.") from None
        try:
            context = av.CodecContext.create(name, mode)
        except av.codec.codec.UnknownCodecError:
            raise NotAvailableError(
                f"The FFmpeg of this PyAV has no {name}; {GET}, whose wheels have it."
            ) from None
        context.thread_count = 1
        return context


def _padded(length: int) -> int:
    return max(-(-length // STEP) * STEP, LEAST)


def _frame(plane: Pixels, context: Any, bits: int) -> av.VideoFrame:
    import av

    frame = av.VideoFrame(context.width, context.height, context.pix_fmt)
    dtype = np.dtype(np.uint8 if bits == 8 else "<u2")
    for number, part in enumerate(frame.planes):
        rows = np.frombuffer(memoryview(part), dtype).reshape(part.height, -1)
        if number:
            rows[...] = 2 ** (bits - 1)
        else:
            edges = [(0, part.height - plane.shape[0]), (0, part.width - plane.shape[1])]
            rows[:, : part.width] = np.pad(plane, edges, "edge")
    return frame


def _gray(frame: av.VideoFrame, formats: Mapping[int, str]) -> Pixels:
    bits = next((bits for bits, name in formats.items() if name == frame.format.name), 0)
    if not bits:
        raise CorruptDataError(f"The stream holds frames of {frame.format.name}.")
    part = frame.planes[0]
    rows: Pixels = np.frombuffer(memoryview(part), np.uint8 if bits == 8 else "<u2").reshape(
        part.height, -1
    )
    return rows[:, : part.width]
