"""Model references in a codec's configuration: which models chunks need, and where they are found.

A model is identified by the sha256 of its package. Searched are the folders of
`Settings.model_folders`, then the copy inside the configuration (``data``).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from cytopress.codecs.container.recipe import DIGEST_BYTES, Recipe
from cytopress.codecs.learned.codec import NUMBER
from cytopress.codecs.learned.model.packages import find_by_digest
from cytopress.digests import digest_bytes
from cytopress.errors import PackageError
from cytopress.models.model_package import SUFFIX, Package, read_file
from cytopress.settings import Settings

# How models travel with an array: by name alone, inside its metadata, or in files beside it.
Travel = Literal["named", "inline", "carried"]
Reference = Mapping[str, Any]
# Metadata are in memory whenever an array is open, and may come from anybody.
MOST_INLINE = 2**26
CARRIED = "cytopress/models"
SHA256 = re.compile(r"[0-9a-f]{64}")


def references(packages: Iterable[Package], travel: Travel) -> list[dict[str, Any]]:
    """Return the references to model packages, as JSON values."""
    found = []
    for package in packages:
        data = read_file(package.path)
        reference = {"name": package.name, "sha256": package.sha256, "bytes": len(data)}
        if travel == "inline":
            if len(data) > MOST_INLINE:
                raise PackageError(
                    f"{package.path}: a package of {len(data)} bytes is too large to travel inside"
                    f" an array's metadata, which takes {MOST_INLINE}: give models='carried'."
                )
            reference["data"] = base64.b64encode(data).decode()
        elif travel == "carried":
            reference["carried"] = f"{CARRIED}/{package.sha256}{SUFFIX}"
        found.append(reference)
    return found


def read_references(models: Any) -> list[Reference]:
    """Return those references of a configuration that name a model by its digest."""
    return [
        one
        for one in (models if isinstance(models, list) else [])
        if isinstance(one, Mapping) and SHA256.fullmatch(str(one.get("sha256")))
    ]


def require_models(
    digests: Iterable[bytes], models: list[Reference], settings: Settings
) -> Settings:
    """Return settings with which every model of these digests (8 bytes) is found.

    Raises
    ------
    PackageError
        A model is not on this machine; the message names the command that helps.
    """
    for digest in digests:
        try:
            find_by_digest(digest, settings)
        except PackageError:
            reference = next((one for one in models if digest_of(one) == digest), {})
            if not (reference.get("data") and settings.inline_models):
                raise PackageError(_missing(digest, reference)) from None
            settings = settings.with_models(_unpacked(reference, settings))
    return settings


def digest_of(reference: Reference) -> bytes:
    """Return the digest of a reference's model as containers hold it."""
    return bytes.fromhex(reference["sha256"])[:DIGEST_BYTES]


def digests_in(recipe: Recipe) -> Iterator[bytes]:
    """Yield the digests of the learned models that a container's recipe names."""
    model = recipe.options.get("model")
    if recipe.number == NUMBER and isinstance(model, bytes) and len(model) == DIGEST_BYTES:
        yield model
    for value in recipe.options.values():
        if isinstance(value, Recipe):
            yield from digests_in(value)


def _unpacked(reference: Reference, settings: Settings) -> Path:
    """Return the folder of a model that the configuration holds, as a file of the user's cache."""
    name, sha256, text = reference.get("name"), reference["sha256"], reference["data"]
    path = settings.cache / "models" / f"{sha256}{SUFFIX}"
    if path.is_file() and digest_bytes(path.read_bytes()) == sha256:
        return path.parent
    if len(str(text)) > MOST_INLINE * 4 // 3 + 4:
        raise PackageError(
            f"The copy of the model {name} inside this array's metadata has more than {MOST_INLINE}"
            " bytes: it is not taken."
        )
    try:
        data = base64.b64decode(text, validate=True)
    except (TypeError, ValueError):
        data = b""
    if digest_bytes(data) != sha256:
        raise PackageError(
            f"The copy of the model {name} inside this array's metadata is damaged: its sha256 is"
            f" not {sha256}."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    # In a folder of its own until it is whole: a search would find any package beside it.
    with TemporaryDirectory(dir=path.parent, prefix=".part-") as folder:
        part = Path(folder) / path.name
        part.write_bytes(data)
        part.replace(path)
    return path.parent


def _missing(digest: bytes, reference: Reference) -> str:
    name = reference.get("name", "a learned codec")
    what = f"The model of {name} with sha256 {reference.get('sha256', f'{digest.hex()}...')}"
    advice = (
        f"run `cytopress models add FILE` with its {SUFFIX} file, or name its folder in"
        " CYTOPRESS_MODELS"
    )
    if reference.get("carried"):
        advice = (
            "run `cytopress models add ARCHIVE` with the folder of this data set, which carries it"
        )
    elif reference.get("url"):
        advice = f"fetch {reference['url']}, and run `cytopress models add FILE` with it"
    return f"{what}, which coded this array, is not on this machine; {advice}."
