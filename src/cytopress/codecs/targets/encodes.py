"""Encodes of one image: each setting coded and measured once, however many targets try it."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from dataclasses import dataclass, field, replace

import numpy as np

from cytopress.codecs.base import StreamCodec
from cytopress.codecs.container import container
from cytopress.codecs.container.recipe import put_recipe
from cytopress.codecs.encoding_errors import encoding
from cytopress.codecs.expectation import Expectation
from cytopress.codecs.targets.initial_guess import expectation
from cytopress.codecs.targets.sample import sample_of
from cytopress.codecs.targets.target import Target
from cytopress.image import Image
from cytopress.reuse import Reuse, reusing

# Coded bytes kept in memory for other targets; for the rest only their measures are kept.
MOST_BYTES = 2**26
# The same by the search for a single target, which returns to no more than its first try.
FEW_BYTES = 2**22


@dataclass(frozen=True)
class Solution:
    """The setting found for a request, its bytes, and the value it reached.

    ``reached`` is in the target's unit; the compression ratio where no target was asked.
    ``encode_s`` is the wall time, in seconds, of the encode that gave these bytes, the search for
    the setting left out. ``warnings`` are sentences to read before using the result: a ratio far
    exceeded, a reference scale that could not be estimated well. ``setting`` is the value of the
    codec's quality parameter; None for the lossless form, and for a codec without a parameter.
    """

    codec: StreamCodec
    data: bytes
    reached: float
    encode_s: float
    warnings: tuple[str, ...] = ()
    setting: float | None = None


@dataclass(frozen=True)
class Attempt:
    """One setting, measured against one target.

    ``notes`` name the target in the header, and ``size`` counts them. ``coded`` is the container
    without a target; None where it is not in memory any more.
    """

    codec: StreamCodec
    recipe: container.Recipe
    notes: container.Notes
    reached: float
    size: int
    coded: bytes | None


@dataclass
class _Measures:
    """Measures of a setting: size of its stream, seconds, and the value reached by measure."""

    stream_bytes: int
    encode_s: float
    errors: dict[Target, float] = field(default_factory=dict)


class Encodes:
    """Settings that were tried on an image.

    Give one to every `CodecRequest.solve` on the same image: the results are the same as without,
    bytes included, and no setting is tried twice. Only a solution whose bytes were dropped from
    memory is coded again.

    Parameters
    ----------
    image : Image
        The image that all settings code.
    most_bytes : int
        Coded bytes kept in memory for other targets; 0: none.
    """

    def __init__(self, image: Image, most_bytes: int = MOST_BYTES) -> None:
        self.image = image
        self._form = container.Form.of(image)
        self._sample: Encodes | None = None
        self._reuse = Reuse()
        self._most_bytes = most_bytes
        self._measures: dict[bytes, _Measures] = {}
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()

    @property
    def sample(self) -> Encodes:
        """Settings that were tried on a sample of the image; this object where it is small."""
        if self._sample is None:
            found = sample_of(self.image)
            self._sample = self if found is None else Encodes(found, self._most_bytes)
        return self._sample

    def expected(self, codec: StreamCodec) -> Expectation | None:
        """Return what the settings of a codec are expected to give; None where it is not known."""
        with reusing(self._reuse):
            return expectation(codec, self.image)

    def encode(self, codec: StreamCodec) -> bytes:
        """Return the image in a container without a target, coded now or before."""
        return self._encode(codec, codec.recipe())

    def attempt(self, codec: StreamCodec, target: Target) -> Attempt:
        """Measure a setting against a target, and code the image with it unless that is known."""
        recipe, measure = codec.recipe(), replace(target, value=1.0)
        key, by_ratio = _key(recipe), target.kind == "ratio"
        known, coded = self._measures.get(key), self._kept.get(key)
        if known is None or not (by_ratio or measure in known.errors):
            coded = self._encode(codec, recipe)
            known = self._measures[key]
        if not by_ratio and measure not in known.errors:
            assert coded is not None
            header, stream = container.unpack(coded)
            with encoding(codec, self.image), reusing(self._reuse):
                decoded = codec.restore(stream, header.form).pixels
            known.errors[measure] = target.reached(self.image, decoded)
        reached = None if by_ratio else known.errors[measure]
        notes = _notes(recipe, target, reached)
        size = container.packed_size(recipe, self._form, known.stream_bytes, notes)
        if reached is None:
            reached = self.image.raw_bytes / size
        return Attempt(codec, recipe, notes, reached, size, coded)

    def squared_error(self, attempt: Attempt) -> float:
        """Return the mean square error of an attempt, in counts squared."""
        coded = attempt.coded or self._encode(attempt.codec, attempt.recipe)
        header, stream = container.unpack(coded)
        with encoding(attempt.codec, self.image), reusing(self._reuse):
            decoded = attempt.codec.restore(stream, header.form).pixels
        error = decoded.astype(np.float32) - self.image.pixels
        return float(np.mean(np.square(error, out=error), dtype=np.float64))

    def solution(self, attempt: Attempt) -> Solution:
        """Return the bytes of an attempt, its target in their header."""
        coded = attempt.coded or self._encode(attempt.codec, attempt.recipe)
        stream = container.unpack(coded)[1]
        data = container.pack(attempt.recipe, self._form, stream, attempt.notes)
        encode_s = self._measures[_key(attempt.recipe)].encode_s
        return Solution(attempt.codec, data, attempt.reached, encode_s)

    def untargeted(self, codec: StreamCodec) -> Solution:
        """Return the image coded with a given setting, and its compression ratio."""
        recipe = codec.recipe()
        # Nothing is coded again: what could be reused would only take memory.
        coded = self._encode(codec, recipe, Reuse(most_bytes=0))
        encode_s = self._measures[_key(recipe)].encode_s
        return Solution(codec, coded, self.image.raw_bytes / len(coded), encode_s)

    def _encode(
        self, codec: StreamCodec, recipe: container.Recipe, reuse: Reuse | None = None
    ) -> bytes:
        key = _key(recipe)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        reuse = self._reuse if reuse is None else reuse
        spared, begin = reuse.spared_s, time.perf_counter()
        with reusing(reuse):
            coded = codec.encode(self.image)
        # What an encode of its own would take.
        encode_s = time.perf_counter() - begin + reuse.spared_s - spared
        stream_bytes = len(container.unpack(coded)[1])
        known = self._measures.setdefault(key, _Measures(stream_bytes, encode_s))
        known.encode_s = encode_s
        self._kept[key] = coded
        while sum(map(len, self._kept.values())) > self._most_bytes:
            self._kept.popitem(last=False)
        return coded


def _key(recipe: container.Recipe) -> bytes:
    """Return the recipe as it is in files: equal for equal settings alone."""
    out = bytearray()
    put_recipe(out, recipe)
    return bytes(out)


def _notes(
    recipe: container.Recipe, target: Target, reached: float | None
) -> dict[str, float | str]:
    """Return what the header says of a target; a noise model in the recipe is not repeated."""
    notes = target.notes()
    if _has_noise(recipe):
        notes = {key: value for key, value in notes.items() if key not in ("a", "b", "offset")}
    if reached is not None and math.isfinite(reached):
        notes["reached"] = float(f"{reached:.4g}")
    return notes


def _has_noise(recipe: container.Recipe) -> bool:
    inner = recipe.options.get("codec")
    return bool({"a", "b"} & recipe.options.keys()) or (
        isinstance(inner, container.Recipe) and _has_noise(inner)
    )
