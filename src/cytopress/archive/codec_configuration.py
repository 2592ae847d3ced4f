"""Codec configuration: how the chunks of an array are coded, as JSON in its metadata.

A coded chunk says by itself how it is decoded. The configuration is for those who write more of
them, and says which models they need.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cytopress.archive.chunk_encoding import ChunkCoding
from cytopress.archive.model_references import (
    Reference,
    Travel,
    digest_of,
    read_references,
    references,
    require_models,
)
from cytopress.codecs.container import container
from cytopress.codecs.learned.codec import LearnedFamily
from cytopress.codecs.learned.model.packages import find_by_digest
from cytopress.codecs.spec import stored_codec
from cytopress.codecs.targets.request import CodecRequest
from cytopress.errors import UsageError
from cytopress.image import Image
from cytopress.metrics.noise import NoiseModel
from cytopress.settings import from_environment

# Chunks of format 2 may have short headers, which older versions cannot read: those of learned
# codecs, which may need only hundreds of bytes for a chunk.
FORMATS = (1, 2)
# Instead of a spec, where each chunk has its own.
PER_CHUNK = "per chunk"


def configuration(
    spec: str,
    *,
    limits: tuple[float, float] | None = None,
    noise: NoiseModel | None = None,
    bits: int | None = None,
    models: Travel = "named",
) -> dict[str, Any]:
    """Return the configuration of a codec, as JSON values; raises as `chunk_coding` does."""
    request = _native(stored_codec(spec))
    found: dict[str, Any] = {"format": format_of(request), "codec": spec}
    found["lossless"] = request.lossless
    if limits is not None:
        found["limits"] = [float(limit) for limit in limits]
    if noise is not None:
        found["noise"] = {"a": noise.a, "b": noise.b, "offset": noise.offset}
    if bits is not None:
        found["bits"] = bits
    if request.packages:
        found["models"] = references(request.packages, models)
    chunk_coding(json.dumps({"configuration": found}))
    return found


def merged(configurations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the configuration of an array whose chunks are coded by any of several."""
    models = {one["sha256"]: one for given in configurations for one in given.get("models", ())}
    lossless = all(given["lossless"] for given in configurations)
    newest = max(given["format"] for given in configurations)
    found = {"format": newest, "codec": PER_CHUNK, "lossless": lossless}
    return found | ({"models": list(models.values())} if models else {})


def format_of(request: CodecRequest) -> int:
    """Return the format of new arrays whose chunks a request codes."""
    return FORMATS[bool(request.packages)]


def stored(data: bytes, number: int) -> bytes:
    """Return a chunk's container as arrays of a format store it."""
    return container.of_chunk(data) if number == FORMATS[1] else data


@functools.lru_cache(maxsize=64)
def chunk_coding(document: str) -> ChunkCoding:
    """Return the coding of a codec in JSON, as it is in metadata.

    Raises
    ------
    UsageError
        It is of another format, not complete, or asks for what is no native setting.
    PackageError
        The codec's model is not on this machine.
    """
    given = json.loads(document).get("configuration")
    models = models_of(given)
    spec, limits, noise, bits = (given.get(key) for key in ("codec", "limits", "noise", "bits"))
    if not isinstance(spec, str) or spec == PER_CHUNK:
        raise UsageError(
            f"This array's configuration names no codec for its chunks, but {spec!r}: write to it"
            " with the program that made it."
        )
    try:
        model = None if noise is None else NoiseModel(noise["a"], noise["b"], noise["offset"])
        Image(np.zeros((1, 1), np.uint32), limits=limits, bits=bits or 0)
    except (KeyError, OverflowError, TypeError, ValueError) as error:
        raise UsageError(f"This array's configuration of cytopress is invalid: {error}") from error
    settings = require_models(map(digest_of, models), models, from_environment())
    request = _pinned(_native(stored_codec(spec, settings)), models)
    request = request.with_reference_scales(None, model)
    if request.lacks_noise:
        raise UsageError(f"{spec}: chunks need the noise model of their field: give noise=.")
    return ChunkCoding(request, None if limits is None else (limits[0], limits[1]), bits or 0)


def models_of(given: Any) -> list[Reference]:
    """Return the model references of a configuration.

    Raises
    ------
    UsageError
        The configuration is of a format that this version does not know.
    """
    found = given.get("format") if isinstance(given, Mapping) else None
    if found not in FORMATS:
        raise UsageError(
            f"This array was coded with format {found!r} of the codec cytopress, and this version"
            f" reads formats {FORMATS[0]} and {FORMATS[1]}; update cytopress."
        )
    return read_references(given.get("models"))


def _native(request: CodecRequest) -> CodecRequest:
    if request.asked is not None:
        parameter = request.family.traits.parameter
        raise UsageError(
            f"{request.spec}: each chunk would search for its own {request.asked[0]}; give"
            f" {parameter.name if parameter else 'no target'}, the codec's own setting."
        )
    return request


def _pinned(request: CodecRequest, models: list[Reference]) -> CodecRequest:
    """Return a request with the very model that the configuration names."""
    name, _, _ = request.name.partition("@")
    for one in models:
        if one.get("name") == name and isinstance(request.family, LearnedFamily):
            found = find_by_digest(digest_of(one), request.settings)
            return replace(request, family=found)
    return request
