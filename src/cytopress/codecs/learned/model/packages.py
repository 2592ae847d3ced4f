"""Learned packages in the model folders: all of them, or the one with a digest."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

from cytopress.codecs.container.container import Options
from cytopress.codecs.container.recipe import DIGEST_BYTES
from cytopress.codecs.learned.codec import Learned, LearnedFamily, digest_text
from cytopress.codecs.learned.model.manifest import FAMILY
from cytopress.errors import CorruptDataError, PackageError, UsageError
from cytopress.models.model_package import SUFFIX, Package, open_package
from cytopress.models.search import find_packages
from cytopress.settings import Settings, from_environment


def learned_packages(settings: Settings | None = None) -> Iterator[Package]:
    """Yield the learned codecs' packages in the model folders."""
    folders = (settings or from_environment()).model_folders
    for package in find_packages(folders, "codec"):
        if package.name.startswith(f"{FAMILY}/"):
            yield package


def restored(options: Options, settings: Settings | None = None) -> Learned:
    """Return the codec of a recipe, as a container of number 32 holds it.

    Raises
    ------
    CorruptDataError
        The options are invalid.
    PackageError
        No model folder holds the package that coded.
    """
    digest = options.get("model")
    if not isinstance(digest, bytes) or len(digest) != DIGEST_BYTES:
        raise CorruptDataError(f"{FAMILY}: the file names no model.")
    try:
        return find_by_digest(digest, settings).from_options(options)
    except UsageError as error:
        raise CorruptDataError(f"Invalid options in the file: {error}") from error


def find_by_digest(digest: bytes, settings: Settings | None = None) -> LearnedFamily:
    """Return the family of the package whose sha256 starts with ``digest`` (8 bytes).

    Raises
    ------
    PackageError
        No folder holds it; the message says which were searched.
    """
    return _by_digest(digest, (settings or from_environment()).model_folders)


@functools.lru_cache(maxsize=32)
def _by_digest(digest: bytes, folders: tuple[Path, ...]) -> LearnedFamily:
    # By the digest, not by the name: of two packages with one name either may have coded. The
    # result is kept for good: whatever lies there later, this digest means these networks.
    for folder in folders:
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            try:
                package = open_package(path)
            except PackageError:
                # A damaged file has another digest.
                continue
            if bytes.fromhex(package.sha256)[:DIGEST_BYTES] == digest:
                return LearnedFamily(package)
    raise PackageError(
        f"The model {digest_text(digest)} that coded these bytes is not here: no package in"
        f" {', '.join(str(folder) for folder in folders)} has this digest; put its file into one of"
        " them or name its folder in CYTOPRESS_MODELS."
    )
