"""Codec registry: the table of all codecs, and decoding of any codec's bytes.

Help, docs and the contract tests are made from `FAMILIES`. Codecs of other distributions are found
by the entry point group ``cytopress.codecs``: each entry point has its codec's name and loads a
subclass of `StreamCodec` with ``number = 0``.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from cytopress.codecs.adapters.anscombe_jpegxl import AnscombeJpegXL
from cytopress.codecs.adapters.av1 import Av1
from cytopress.codecs.adapters.avif import Avif
from cytopress.codecs.adapters.blosc2 import Blosc2
from cytopress.codecs.adapters.hevc import Hevc
from cytopress.codecs.adapters.htj2k import Htj2k
from cytopress.codecs.adapters.jpeg import Jpeg
from cytopress.codecs.adapters.jpeg2000 import Jpeg2000
from cytopress.codecs.adapters.jpegls import JpegLS
from cytopress.codecs.adapters.jpegxl import JpegXL
from cytopress.codecs.adapters.jpegxr import JpegXR
from cytopress.codecs.adapters.lerc import Lerc
from cytopress.codecs.adapters.png import Png
from cytopress.codecs.adapters.round_zstd import RoundZstd
from cytopress.codecs.adapters.sperr import Sperr
from cytopress.codecs.adapters.sz3 import Sz3
from cytopress.codecs.adapters.zfp import Zfp
from cytopress.codecs.adapters.zstd import Zstd
from cytopress.codecs.base import StreamCodec
from cytopress.codecs.container import container, multi_image
from cytopress.codecs.container.container import Recipe
from cytopress.codecs.family import Family
from cytopress.codecs.isolated import decode_isolated
from cytopress.codecs.limits import check_size
from cytopress.codecs.wrappers import Guarded, Lines, PerPlane, Rescaled, Scaled, Tiled, Wavelet
from cytopress.errors import (
    CorruptDataError,
    CytopressWarning,
    NotAvailableError,
    PackageError,
    UnknownNameError,
)
from cytopress.image import Image
from cytopress.models.model_package import Package
from cytopress.models.search import SHOWN, find_package, others_of_name
from cytopress.settings import Settings, from_environment

ENTRY_POINT_GROUP = "cytopress.codecs"
# Numbers of the codecs of model packages, which are imported only when used.
LEARNED, COMPRESSAI = 32, 33
# In the order of help and tables: lossless codecs first, then those that can be lossy.
FAMILIES: tuple[type[StreamCodec], ...] = (
    Png,
    Zstd,
    Blosc2,
    JpegXL,
    JpegLS,
    Jpeg2000,
    Htj2k,
    JpegXR,
    Jpeg,
    Avif,
    Hevc,
    Av1,
    Lerc,
    Zfp,
    Sperr,
    Sz3,
    RoundZstd,
    AnscombeJpegXL,
)
WRAPPERS: tuple[type[StreamCodec], ...] = (
    PerPlane,
    Rescaled,
    Tiled,
    Guarded,
    Wavelet,
    Lines,
    Scaled,
)

# Packages that were compared with others of their name, and the folders.
_COMPARED: set[tuple[str, tuple[Path, ...]]] = set()


@functools.cache
def families() -> Mapping[str, type[StreamCodec]]:
    """Return every codec family by name: built-in ones, then those of other distributions.

    Warns of an external codec that cannot be used, and leaves it out.
    """
    found = {family.name: family for family in FAMILIES}
    for point in entry_points(group=ENTRY_POINT_GROUP):
        try:
            family = _external(point)
        except Exception as error:  # noqa: BLE001 - external code may raise anything
            text = f"The codec {point.name!r} of {point.value} cannot be used: {error}"
            warnings.warn(text, CytopressWarning, stacklevel=2)
        else:
            # An external codec never replaces a built-in one.
            found.setdefault(family.name, family)
    return found


def _external(point: EntryPoint) -> type[StreamCodec]:
    family = point.load()
    if not (isinstance(family, type) and issubclass(family, StreamCodec)):
        raise TypeError("it is not a subclass of StreamCodec.")
    if (family.name, family.number) != (point.name, 0):
        raise ValueError(f"it is named {family.name!r} with number {family.number}, not 0.")
    return family


def find_family(name: str, settings: Settings | None = None) -> Family:
    """Return the family of a name: a built-in or external codec, or a model package.

    Parameters
    ----------
    name : str
        Such as ``jpegxl``, ``learned/cytopress-2d`` or ``compressai/mbt2018-mean``.
    settings : Settings, optional
        Says where packages are; read from the environment unless given.

    Raises
    ------
    UnknownNameError
        No codec has this name; the message lists the known names.
    PackageError
        The package is damaged.
    """
    settings = settings or from_environment()
    kind = name.partition("/")[0]
    if name in families():
        return families()[name]
    if kind == "learned":
        from cytopress.codecs.learned.codec import LearnedFamily

        package = find_package(settings.model_folders, "codec", name)
        if "@" not in name:
            _warn_of_others(package, settings.model_folders)
        return LearnedFamily(package, selected=name if "@" in name else "")
    if kind == "compressai":
        from cytopress.codecs.learned.compressai import family

        return family(name, settings)
    raise UnknownNameError("codec", name, [*sorted(families()), *package_names(settings)])


def _warn_of_others(package: Package, folders: tuple[Path, ...]) -> None:
    """Warn once of packages that bear the name of the one that is taken."""
    if (package.sha256, folders) in _COMPARED:
        return
    _COMPARED.add((package.sha256, folders))
    others = others_of_name(folders, package)
    if others:
        named = " and ".join(f"{one.name}@{one.sha256[:SHOWN]} is {one.path}" for one in others)
        text = f"{package.name} is {package.path}, but not the only model of this name: {named}."
        warnings.warn(text, CytopressWarning, stacklevel=3)


def package_names(settings: Settings) -> list[str]:
    """Return the names of the codecs in the folders of model packages."""
    from cytopress.codecs.learned.model.packages import learned_packages

    return sorted(package.name for package in learned_packages(settings))


def build(recipe: Recipe, settings: Settings | None = None) -> StreamCodec:
    """Return the codec of a container's recipe.

    Raises
    ------
    CorruptDataError
        The codec is not installed, or its options are invalid.
    PackageError
        Its model package is in none of the settings' folders.
    """
    if recipe.number == LEARNED:
        from cytopress.codecs.learned.model.packages import restored

        return restored(recipe.options, settings)
    if recipe.number == COMPRESSAI:
        from cytopress.codecs.learned.compressai import restored as compressai_restored

        return compressai_restored(recipe.options, settings)
    if recipe.number:
        numbered = {family.number: family for family in (*FAMILIES, *WRAPPERS)}
        family = numbered.get(recipe.number)
    else:
        family = families().get(recipe.name)
    if family is None:
        raise CorruptDataError(
            f"These bytes were made by codec {recipe.name or recipe.number}, which is not installed"
            " here; install the distribution that provides it, or a newer cytopress."
        )
    options = {
        name: build(value, settings) if isinstance(value, Recipe) else value
        for name, value in recipe.options.items()
    }
    try:
        return family.from_options(options)
    except (NotAvailableError, PackageError):
        raise
    except Exception as error:
        # A crafted file may hold any value of any option.
        raise CorruptDataError(f"{family.name}: the file has invalid options: {error}") from error


def decode(data: bytes, settings: Settings | None = None, *, trusted: bool = True) -> Image:
    """Return the image of coded bytes, whichever codec made them.

    Parameters
    ----------
    data : bytes
        All of a coded image, or of a .cyto file that holds one image.
    settings : Settings, optional
        Says where model packages are, and the limit on decoded bytes; from the environment unless
        given.
    trusted : bool, optional
        False decodes in a child process with limits of time and memory, and images of up to 1 GiB
        unless another limit is given: a crash there is an error here.

    Raises
    ------
    CorruptDataError
        The bytes are of another format, damaged, or made by a codec that is not installed.
    LimitError
        The image is larger than the limit, or much larger than its coded bytes; or the child
        process crashed, or took too long. It is a CorruptDataError too.
    PackageError
        The model package that coded them is in none of the folders.
    UsageError
        They are a file of several images; the message says how to read one of them.

    Examples
    --------
    >>> import numpy as np
    >>> import cytopress
    >>> image = cytopress.Image(np.eye(40, dtype=np.uint8), spacing_um=(0.65, 0.65))
    >>> back = cytopress.decode(cytopress.encode(image, "zstd"))
    >>> back == image, back.spacing_um
    (True, (0.65, 0.65))
    """
    settings = settings or from_environment()
    data = multi_image.lone_container(data, trusted=trusted)
    header, stream = container.unpack(data)
    most = check_size(header.form, len(data), settings.max_bytes, trusted=trusted)
    if not trusted:
        return decode_isolated(data, header.form, settings, most)
    return build(header.recipe, settings).restore(stream, header.form)


def decode_own(data: bytes, original: Image, settings: Settings | None = None) -> Image:
    """Return the image of bytes that were just coded from ``original``: its size is no surprise.

    Raises as `decode` does, but for a blank image of far fewer coded bytes.
    """
    settings = settings or from_environment()
    return decode(data, replace(settings, max_bytes=original.raw_bytes))


def decode_by(codec: StreamCodec, data: bytes) -> Image:
    """Return the image of bytes that ``codec`` made, also where its model packages lie elsewhere.

    Their folders are searched first. Raises as `decode` does.
    """
    folders = [package.path.parent for package in codec.packages()]
    return decode(data, from_environment().with_models(*folders))
