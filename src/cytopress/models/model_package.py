"""Model packages: one file with a manifest, ONNX graphs and arrays, known by its digest.

A package is a stored (uncompressed) zip named ``*.cytomodel`` with ``manifest.json``, ONNX graphs
(``NAME.onnx``) and plain arrays (``NAME.npy``, never pickled). Its identity is the sha256 of the
whole file. Nothing here knows codecs or tasks.
"""

from __future__ import annotations

import functools
import io
import json
import time
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cytopress.atomic import atomic_file
from cytopress.digests import digest_bytes
from cytopress.errors import PackageError
from cytopress.models.plain_array import plain_array
from cytopress.models.session import load_session, reason, releasing, run_session

FORMAT = 1
# Codecs whose synthesis is in integers, which versions before them cannot decode.
EXACT_FORMAT = 2
SUFFIX = ".cytomodel"
KINDS = ("codec", "task")
# A file changed within this time may change again without a new modification time.
SETTLED_NS = 2_000_000_000
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Package:
    """One opened model package.

    Parameters
    ----------
    path : Path
        The file.
    sha256 : str
        Hexadecimal digest of the file: the identity of the model.
    manifest : mapping
        ``format``, ``kind`` ("codec" or "task"), ``name``, ``architecture``, ``axes`` and the
        kind's own entries, as JSON values.
    """

    path: Path
    sha256: str
    # Not in the repr: the digest identifies all of it.
    manifest: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        """Full name, such as ``labelfree/ecoli-phase``."""
        return str(self.manifest["name"])

    def names(self) -> list[str]:
        """Return the names of the files in the package."""
        with zipfile.ZipFile(self.path) as archive:
            return archive.namelist()

    def read(self, name: str) -> bytes:
        """Return a file of the package, such as ``network.onnx``."""
        return _members(self.path, self.sha256, [name])[0]

    def array(self, name: str) -> Array:
        """Return the array stored as ``name.npy``."""
        return self.arrays([name])[name]

    def arrays(self, names: Iterable[str]) -> dict[str, Array]:
        """Return several arrays; reads the file and checks its digest once."""
        names = list(names)
        members = _members(self.path, self.sha256, [f"{name}.npy" for name in names])
        return {name: self._plain(name, data) for name, data in zip(names, members, strict=True)}

    def _plain(self, name: str, data: bytes) -> Array:
        try:
            return plain_array(data)
        except ValueError as error:
            raise PackageError(
                f"{self.path}: {name}.npy in the package is no plain array ({error})."
            ) from error

    def run(
        self, graph: str, *inputs: Array, threads: int = 0, release: bool = False
    ) -> list[Array]:
        """Run one graph on arrays in the order of its inputs, return its outputs.

        Parameters
        ----------
        graph : str
            Name of the graph without ``.onnx``.
        *inputs : ndarray
            As the graph declares them.
        threads : int, optional
            Threads within one operator; 0 leaves the choice to onnxruntime.
        release : bool, optional
            Whether to release the memory that the graph ran in; otherwise it is kept for the next
            run.

        Raises
        ------
        PackageError
            The package has changed, or the graph does not take these arrays.
        MemoryError
            The run needs more memory than there is.
        """
        session = _session(self.path, self.sha256, graph, threads)
        names = [node.name for node in session.get_inputs()]
        try:
            feeds = dict(zip(names, inputs, strict=True))
            return run_session(session, None, feeds, releasing() if release else None)
        except MemoryError:
            raise
        except Exception as error:
            # Exceptions of onnxruntime have no root of their own.
            raise PackageError(
                f"{self.path}: {graph}.onnx of the package failed ({reason(error)}); export it"
                " again."
            ) from error


def read_file(path: Path) -> bytes:
    """Return a file's bytes; raises PackageError where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise PackageError(f"{path}: cannot read the model package ({error.strerror}).") from error


def _members(path: Path, sha256: str, names: Sequence[str]) -> list[bytes]:
    """Return files of a package; raises if the package has changed since it was opened."""
    data = read_file(path)
    if digest_bytes(data) != sha256:
        raise PackageError(
            f"{path}: the model package has changed since it was opened; run the command again."
        )
    # Opened before: it is whole.
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        held = set(archive.namelist())
        for name in names:
            if name not in held:
                raise PackageError(f"{path}: there is no {name} in the package; export it again.")
        return [archive.read(name) for name in names]


@functools.lru_cache(maxsize=8)
def _session(path: Path, sha256: str, graph: str, threads: int) -> Any:
    (model,) = _members(path, sha256, [f"{graph}.onnx"])
    return load_session(
        model, f"{path}: onnxruntime cannot load {graph}.onnx of the package", threads
    )


def open_package(path: Path) -> Package:
    """Open a package and check its form.

    Raises
    ------
    PackageError
        No such file, not a package, damaged, or of another format version.
    """
    try:
        facts = path.stat()
    except OSError:
        return _opened(path)
    if time.time_ns() - facts.st_mtime_ns < SETTLED_NS:
        # A second change might leave the modification time as it is.
        return _opened(path)
    return _known(path, facts.st_size, facts.st_mtime_ns, facts.st_ino)


@functools.lru_cache(maxsize=64)
def _known(path: Path, *_: int) -> Package:
    """Open a package once until its file changes: a study asks for it every trial."""
    return _opened(path)


def _opened(path: Path) -> Package:
    data = read_file(path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_stored(path, archive, len(data))
            damaged = archive.testzip()
            manifest = json.loads(archive.read("manifest.json"))
    except PackageError:
        raise
    except Exception as error:
        # A crafted archive or manifest raises almost anything, and no two of the same root.
        raise PackageError(
            f"{path}: this is not a whole model package ({error or type(error).__name__}); fetch or"
            " export it again."
        ) from error
    if damaged is not None:
        raise PackageError(
            f"{path}: {damaged} in the package is damaged; fetch or export it again."
        )
    _check_manifest(path, manifest)
    return Package(path, digest_bytes(data), manifest)


def _check_stored(path: Path, archive: zipfile.ZipFile, length: int) -> None:
    """Refuse members that could unpack to more than the file, or need a password."""
    if sum(member.file_size for member in archive.infolist()) > length:
        raise PackageError(
            f"{path}: the package's members are longer than its file; fetch or export it again."
        )
    for member in archive.infolist():
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
            raise PackageError(
                f"{path}: {member.filename} in the package is compressed or encrypted, where it"
                " must be stored as it is; export it again."
            )


def _check_manifest(path: Path, manifest: Any) -> None:
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if type(found) is not int or found not in {FORMAT, EXACT_FORMAT}:
        raise PackageError(
            f"{path}: package format {str(found)[:20]} is none that this version reads ({FORMAT}"
            f" and {EXACT_FORMAT}); update cytopress or export the model again."
        )
    for key in ("kind", "name", "architecture", "axes"):
        text = manifest.get(key)
        # Lists of packages print them: control characters could rewrite a terminal.
        if not isinstance(text, str) or not text.isprintable():
            raise PackageError(f"{path}: the manifest has no {key!r} in plain text.")
    if manifest["kind"] not in KINDS:
        raise PackageError(f"{path}: a package is a codec or a task, not {manifest['kind']!r}.")
    if found == EXACT_FORMAT and manifest["kind"] != "codec":
        raise PackageError(f"{path}: packages of format {EXACT_FORMAT} are codecs alone.")


def write_package(
    path: Path,
    manifest: Mapping[str, Any],
    *,
    graphs: Mapping[str, bytes],
    arrays: Mapping[str, Array] | None = None,
) -> Package:
    """Write a package under a temporary name, rename it, and return it opened.

    Equal contents give equal bytes, so a package's digest can be reproduced.
    """
    manifest = {"format": FORMAT, **manifest}
    _check_manifest(path, manifest)
    members = {"manifest.json": json.dumps(manifest, indent=1, sort_keys=True).encode()}
    members |= {f"{name}.onnx": graph for name, graph in sorted(graphs.items())}
    for name, array in sorted((arrays or {}).items()):
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        members[f"{name}.npy"] = buffer.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_STORED)
    return open_package(path)
