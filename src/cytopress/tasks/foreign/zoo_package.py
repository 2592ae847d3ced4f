"""Open local BioImage Model Zoo packages, without network access."""

from __future__ import annotations

import functools
import os
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cytopress.digests import digest_bytes, digest_text
from cytopress.errors import NotAvailableError, PackageError
from cytopress.models.external_data import external_files
from cytopress.tasks.foreign.zoo import Sizes, Tensor, ZooModel

DESCRIPTIONS = ("rdf.yaml", "bioimageio.yaml", "model.yaml")
YAML = (".yaml", ".yml")
# Bytes that a zip may unpack to: what is larger is unpacked by whoever trusts it.
MOST_UNPACKED = 2**32
LETTERS = {"batch": "N", "channel": "C"}


def content_digest(path: Path) -> str:
    """Return a sha256 of the names and contents of a package's files, equal for zip and folder.

    Raises
    ------
    PackageError
        The package does not exist or cannot be read.
    """
    return digest_text("".join(f"{name}\n{digest_bytes(data)}\n" for name, data in _files(path)))


def _files(path: Path) -> list[tuple[str, bytes]]:
    try:
        if path.is_file() and path.suffix not in YAML:
            with zipfile.ZipFile(path) as archive:
                _check_size(path, archive)
                names = sorted(name for name in archive.namelist() if not name.endswith("/"))
                return [(name, archive.read(name)) for name in names]
        folder = path if path.is_dir() else path.parent
        described = path.exists() and any((folder / name).is_file() for name in DESCRIPTIONS)
        files = sorted(
            (file.relative_to(folder).as_posix(), file)
            for file in (folder.rglob("*") if described else ())
            if file.is_file()
        )
        contents = [(name, file.read_bytes()) for name, file in files]
    except PackageError:
        raise
    except Exception as error:
        # A crafted zip raises almost anything, and no two of the same root.
        raise PackageError(f"{path}: cannot read the package ({error}).") from error
    if not described:
        raise PackageError(
            f"{path}: is no BioImage Model Zoo package; a zip, a folder or an rdf.yaml on this"
            " machine is expected."
        )
    return contents


def _check_size(path: Path, archive: zipfile.ZipFile) -> None:
    unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > MOST_UNPACKED:
        raise PackageError(
            f"{path}: the package unpacks to {unpacked} bytes, more than {MOST_UNPACKED}; if you"
            " trust it, unpack it and give the folder."
        )


@functools.lru_cache(maxsize=4)
def open_zoo_model(path: Path, digest: str) -> ZooModel:
    """Open a package whose content has this digest.

    Raises
    ------
    NotAvailableError
        The extra ``bioimageio`` is not installed, or the package has no ONNX weights of its own.
    PackageError
        The package does not exist, is not a model, has changed, or has axes that no image has.
    """
    zoo = _bioimageio()
    if content_digest(path) != digest:
        raise PackageError(
            f"{path}: the package has changed since it was opened; run the command again."
        )
    with _unpacked(path) as folder:
        description = _description(path, folder)
        return ZooModel(
            tuple(
                _tensor(path, one)
                for one in description.inputs
                if not getattr(one, "optional", False)
            ),
            tuple(_tensor(path, one) for one in description.outputs),
            description,
            _adapter(zoo, path, folder, description),
        )


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """Give the folder or description to read; a zip is unpacked into a temporary folder.

    bioimageio would keep the zip open as long as the model lives.
    """
    if path.is_dir() or path.suffix in YAML:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
        yield Path(folder)


def _adapter(zoo: Any, path: Path, folder: Path, description: Any) -> Any:
    weights = description.weights.onnx
    if weights is None:
        raise NotAvailableError(
            f"{path}: the package has no ONNX weights, only"
            f" {', '.join(sorted(description.weights.available_formats))}; add them with"
            " bioimageio.core's add-weights where torch or TensorFlow is installed."
        )
    with _unclosed_files():
        _check_covered(path, folder, weights)
        try:
            return zoo.create_model_adapter(
                model_description=description,
                devices=["CPUExecutionProvider"],
                weight_format_priority_order=("onnx",),
            )
        except Exception as error:
            # Exceptions of onnxruntime have no common root.
            reason = str(error).strip().partition("\n")[0].rstrip(". ")
            raise PackageError(f"{path}: the ONNX weights cannot be loaded ({reason}).") from error


def _check_covered(path: Path, folder: Path, weights: Any) -> None:
    """Refuse weights that the package's digest does not cover: elsewhere, or not declared."""
    declared = getattr(weights, "external_data", None)
    root = folder if folder.is_dir() else folder.parent
    for file in filter(None, (weights, declared)):
        if "://" in str(file.source):
            raise NotAvailableError(
                f"{path}: the weights are at {file.source}; download the whole package first."
            )
        inside = os.path.normpath(root / str(file.source))
        if not Path(inside).is_relative_to(os.path.normpath(root)):
            raise PackageError(
                f"{path}: the weights {file.source} are outside the package, so its digest does not"
                " cover them; put them into it."
            )
    try:
        named = {*external_files(weights.get_reader().read())}
    except (OSError, ValueError) as error:
        raise PackageError(f"{path}: the ONNX weights cannot be loaded ({error}).") from error
    unknown = named - ({Path(str(declared.source)).name} if declared else set())
    if unknown:
        raise PackageError(
            f"{path}: the ONNX weights are also in {', '.join(sorted(unknown))}, which the"
            " description does not name as external_data; name it, or put all weights into one"
            " file: onnx.save(onnx.load(OLD), NEW)."
        )


def _bioimageio() -> Any:
    try:
        import bioimageio.core
    except ImportError as error:
        raise NotAvailableError(
            "BioImage Model Zoo models need the extra bioimageio: pip install"
            f" 'cytopress[bioimageio]' ({error})."
        ) from error
    return bioimageio.core


def _description(path: Path, folder: Path) -> Any:
    from bioimageio.spec import ValidationContext, load_model_description

    # A string that is not a path would be looked up on the internet, and checks would download
    # the files of the description.
    context = ValidationContext(perform_io_checks=False, log_warnings=False)
    with _unclosed_files(), context:
        try:
            return load_model_description(folder, format_version="latest")
        except Exception as error:
            # Exceptions of bioimageio, pydantic and the YAML reader have no common root.
            reason = " ".join(str(error).split())[:300].rstrip(". ")
            raise PackageError(f"{path}: its description cannot be read ({reason}).") from error


@contextmanager
def _unclosed_files() -> Iterator[None]:
    """Ignore warnings of files that bioimageio leaves for the garbage collector to close."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield


def _tensor(path: Path, described: Any) -> Tensor:
    letters = [LETTERS.get(axis.type, str(axis.id).upper()) for axis in described.axes]
    strange = [
        str(axis.id)
        for axis, letter in zip(described.axes, letters, strict=True)
        if letter not in ("N", "C", "Z", "Y", "X")
    ]
    if strange or not {"Y", "X"} <= {*letters}:
        raise PackageError(
            f"{path}: {described.id!s} has the axes"
            f" {', '.join(str(axis.id) for axis in described.axes)}; only images with the"
            " axes z, y and x are supported."
        )
    sizes = {
        letter: _sizes(axis)
        for axis, letter in zip(described.axes, letters, strict=True)
        if letter in "ZYX"
    }
    channels = next((int(axis.size) for axis in described.axes if axis.type == "channel"), 1)
    ids = tuple(str(axis.id) for axis in described.axes)
    return Tensor(str(described.id), "".join(letters), channels, ids, sizes)


def _sizes(axis: Any) -> Sizes:
    if isinstance(axis.size, int):
        return Sizes(axis.size)
    if hasattr(axis.size, "step"):
        return Sizes(None, axis.size.min, axis.size.step)
    # An output's size follows its input's; an input's own must be known.
    return Sizes(None)
