"""A .cyto file opened like an image file: scenes whose images are decoded when they are loaded."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from cytopress.codecs.container import multi_image
from cytopress.codecs.registry import decode
from cytopress.errors import CorruptDataError
from cytopress.files.cyto_file import open_bytes, read_index
from cytopress.files.stored_scenes import stored_scenes
from cytopress.formats.remote import local_file
from cytopress.formats.scene import Index, Scene
from cytopress.image import Pixels
from cytopress.settings import from_environment

# Returns the pixels of a time and channel.
Decoder = Callable[[int, int], Pixels]


@contextmanager
def open_cyto_scenes(path: Path) -> Iterator[list[Scene]]:
    """Open a .cyto file and describe its scenes; their pixels can be loaded inside the block.

    An image is decoded as a whole, and the last one of a scene is kept, so that planes of a stack
    that are asked for one after another are decoded once.

    Raises
    ------
    UsageError
        The file cannot be read.
    CorruptDataError, LimitError, PackageError
        It cannot be decoded, on opening or inside the block.
    """
    settings = from_environment()
    with local_file(path) as file, open_bytes(file) as stream:
        with _named(path):
            index = read_index(stream, trusted=True)
            scenes = stored_scenes(path, stream, index)
        parts = {(one.scene, one.time, one.channel): one for one in index.parts}

        def decoder(scene: int) -> Decoder:
            @functools.lru_cache(maxsize=1)
            def decoded(time: int, channel: int) -> Pixels:
                with _named(path):
                    part = multi_image.read_part(stream, parts[scene, time, channel])
                    return decode(part, settings).pixels

            return decoded

        yield [
            replace(scene, load=functools.partial(_load, scene, decoder(number)))
            for number, scene in enumerate(scenes)
        ]


def _load(scene: Scene, decoded: Decoder, index: Index) -> Pixels:
    """Load pixels of a scene, whose first axes are T and C."""
    for axis, at in enumerate(index[:2]):
        if isinstance(at, slice):
            every = range(scene.shape[axis])[at]
            ways = [(*index[:axis], one, *index[axis + 1 :]) for one in every]
            return np.stack([_load(scene, decoded, way) for way in ways])
    time, channel, *inside = index
    assert isinstance(time, int)
    assert isinstance(channel, int)
    pixels = decoded(time, channel)
    if (pixels.shape, pixels.dtype) != (scene.shape[2:], scene.dtype):
        raise CorruptDataError(f"{scene.path}: images of one scene differ in form.")
    return pixels[tuple(inside)]


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Add the file's name to an error about its bytes."""
    try:
        yield
    except CorruptDataError as error:
        raise type(error)(f"{path}: {error}") from error
