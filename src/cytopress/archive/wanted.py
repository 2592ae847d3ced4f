"""Options of an archive, and the request that a plan was made for: the one that it resumes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cytopress.digests import digest_json
from cytopress.formats.remote import is_remote

if TYPE_CHECKING:
    from cytopress.archive.study_choice import StudyChoice

Readers = Literal["cytopress", "everyone", "fiji"]
Layout = Literal["images", "plate"]
# Edge of a chunk in pixels.
CHUNK = 512


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked of an archive.

    Parameters
    ----------
    codec : str
        Spec string for every channel that ``channels`` does not name; "" for lossless coding.
    channels : mapping
        Spec strings by channel name.
    readers : {"cytopress", "everyone", "fiji"}
        Who is to open it.
    chunk : int
        Edge of a chunk in pixels.
    axes : str, optional
        Axes of sources that do not say theirs.
    layout : {"images", "plate"}
        An image for each scene, or plates, where the names of files hold wells.
    skip_unreadable : bool
        Whether sources that cannot be read are left out.
    hash : bool
        Whether the SHA-256 of every source goes into the plan and the certificate.
    memory : int, optional
        Bytes that a worker may use; it decides how large shards are.
    study : StudyChoice, optional
        What a study recommends, for every channel that ``channels`` does not name.
    """

    codec: str = ""
    channels: Mapping[str, str] = field(default_factory=dict)
    readers: Readers = "cytopress"
    chunk: int = CHUNK
    axes: str | None = None
    layout: Layout = "images"
    skip_unreadable: bool = False
    hash: bool = False
    memory: int | None = None
    study: StudyChoice | None = None


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a plan was made for: the same request resumes its archive, without solving again.

    Parameters
    ----------
    sources : tuple of str
        Absolute paths of the sources, as they were given.
    files : str
        Digest of the names of what was found in them.
    options : dict
        `Wanted` as JSON values.
    """

    sources: tuple[str, ...]
    files: str
    options: dict[str, Any]

    @classmethod
    def of(cls, sources: Sequence[Path], files: Sequence[Path], wanted: Wanted) -> Request:
        """Return the request of sources, of what was found in them, and of options."""
        options = json.loads(json.dumps(asdict(wanted), default=_absolute))
        return cls(
            sources=tuple(map(_absolute, sources)),
            files=digest_json(list(map(_absolute, files))),
            options=options,
        )

    def difference(self, other: Request) -> str:
        """Return in words what differs from another request; "" for nothing."""
        if self.sources != other.sources:
            return f"of {', '.join(self.sources)}"
        for name, value in self.options.items():
            if other.options.get(name) != value:
                return f"with {name}={json.dumps(value, ensure_ascii=False)}"
        return "" if self.files == other.files else "of other files in the same sources"


def _absolute(path: Any) -> str:
    return str(path) if is_remote(path) else os.path.abspath(path)  # noqa: PTH100 - links stay as they are
