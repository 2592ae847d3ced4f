"""Weights of CompressAI models: from its zoo of pretrained ones, or from a package trained here.

Every set of weights has a digest, which is stored in the bytes that it codes: the first 8 bytes of
the package's sha256, or of the sha256 of the zoo's loaded state.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import http.client
import pickle
import sys
import urllib.error
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cytopress.codecs.base import QualityParameter
from cytopress.codecs.learned.compressai.architectures import (
    BY_NAME,
    FAMILY,
    Architecture,
    mono,
    need,
)
from cytopress.errors import NotAvailableError, PackageError, UsageError
from cytopress.models.model_package import SUFFIX, Package
from cytopress.models.search import all_packages, find_package
from cytopress.settings import Settings

ZOO = "zoo-"
DEFAULT = "zoo-mse"
DIGEST_BYTES = 8
MOST_RATES = 64
NOT_HERE = (
    "their pretrained weights are not on this machine (torch looks for them in hub/checkpoints of"
    " TORCH_HOME)"
)


@dataclass(frozen=True)
class Weights:
    """A set of weights, loaded when first needed.

    Parameters
    ----------
    architecture : Architecture
        The architecture of the network.
    metric : {"mse", "ms-ssim"}, optional
        The metric that CompressAI's pretrained ones were trained for; "" for a package.
    package : Package, optional
        A package that `training` wrote for one of CompressAI's architectures.
    """

    architecture: Architecture
    metric: str = ""
    package: Package | None = None

    @property
    def parameter(self) -> QualityParameter | None:
        """The quality parameter, None for a single rate.

        From 0 to 1 for one model with gains, else the number of a model, from 1.
        """
        if self.architecture.gains:
            return QualityParameter("quality", "", 0, 1, "higher", "linear")
        if self.rates < 2:
            return None
        return QualityParameter("quality", "", 1, self.rates, "higher", "linear", integer=True)

    @property
    def rates(self) -> int:
        """Number of models, one for each rate; number 1 is the coarsest."""
        if self.package is None:
            return self.architecture.zoo[self.metric]
        return int(self.package.manifest["rates"])

    def missing(self, quality: float) -> str:
        """Return why the weights of a quality are not on this machine; "" where they are.

        Nothing is fetched.
        """
        if self.package is not None:
            progress = self.package.manifest.get("unfinished", [])
            begun = {each["quality"] for each in progress if each["steps"]}
            untrained = progress and not self.architecture.gains and int(quality) not in begun
            return "the training of this rate has not begun" if untrained else ""
        try:
            folder = Path(need("torch.hub").get_dir()) / "checkpoints"
            number = 0 if self.architecture.gains else int(quality)
            url = _url(self.architecture.name, self.metric, number)
        except NotAvailableError as error:
            return str(error).rstrip(".")
        return "" if (folder / url.rpartition("/")[2]).exists() else NOT_HERE

    @property
    def title(self) -> str:
        """Name of the weights in messages."""
        if self.package is None:
            return f"{FAMILY}/{self.architecture.name} with {ZOO}{self.metric}"
        return f"{self.package.path} ({self.package.name})"

    def digest(self, quality: float) -> bytes:
        """Return the first 8 bytes of the digest of the weights for this quality."""
        if self.package is not None:
            return bytes.fromhex(self.package.sha256)[:DIGEST_BYTES]
        return self._zoo(quality)[1]

    def model(self, quality: float) -> Any:
        """Return CompressAI's model of this quality, ready to code.

        Raises
        ------
        NotAvailableError
            The extra ``learn`` is missing, or the weights cannot be fetched.
        PackageError
            The package or the zoo's file does not hold weights of this architecture.
        """
        if self.package is not None:
            rate = 0 if self.architecture.gains or self.rates < 2 else int(quality) - 1
            return _packaged(self.package.path, self.package.sha256, self, rate)
        return self._zoo(quality)[0]

    def _zoo(self, quality: float) -> tuple[Any, bytes]:
        name = self.architecture.name
        # URL and folder are part of the cache's key, so that a changed one is loaded anew.
        url = _url(name, self.metric, 0 if self.architecture.gains else int(quality))
        return _pretrained(name, url, need("torch.hub").get_dir())

    def __hash__(self) -> int:
        # A package's manifest is a dict, which has no hash.
        return hash((self.architecture.name, self.metric, self.package and self.package.sha256))


def choose(architecture: Architecture, weights: str, settings: Settings) -> Weights:
    """Return the weights of a spec string.

    Parameters
    ----------
    architecture : Architecture
        One of CompressAI's.
    weights : str
        ``zoo-mse``, ``zoo-ms-ssim``, or the name or path of a package.
    settings : Settings
        Says where packages are.

    Raises
    ------
    UsageError
        The zoo has none for this architecture, or the package is for another one.
    UnknownNameError
        There is no package of this name.
    """
    if weights.startswith(ZOO):
        metric = weights.removeprefix(ZOO)
        if metric not in architecture.zoo:
            there = ", ".join(ZOO + known for known in architecture.zoo) or "none"
            raise UsageError(
                f"CompressAI has no pretrained weights {weights!r} for {architecture.name} (there"
                f" are: {there}); give weights= the name or path of a {SUFFIX} package."
            )
        return Weights(architecture, metric)
    return of_package(find_package(settings.model_folders, "codec", weights), architecture)


def of_package(package: Package, architecture: Architecture | None = None) -> Weights:
    """Return the weights of a package, checked to be of the architecture (if given)."""
    held = str(package.manifest["architecture"])
    found = BY_NAME.get(held.removeprefix(f"{FAMILY}/"))
    if not held.startswith(f"{FAMILY}/") or found is None or architecture not in (None, found):
        wanted = f"{FAMILY}/{architecture.name if architecture else 'NAME'}"
        raise UsageError(f"{package.path} holds weights of {held}, not of {wanted}.")
    rates = package.manifest.get("rates")
    if type(rates) is not int or not 1 <= rates <= (1 if found.gains else MOST_RATES):
        raise PackageError(
            f"{package.path}: the manifest gives an invalid number of 'rates', {rates!r}."
        )
    if not isinstance(package.manifest.get("model"), dict):
        raise PackageError(f"{package.path}: the manifest has no 'model'; export it again.")
    return Weights(found, package=package)


def by_digest(digest: bytes, settings: Settings) -> Weights:
    """Return the weights of the package with this identity.

    Raises
    ------
    PackageError
        It is in none of the folders.
    """
    # By the digest, not by the name: of two packages with one name either may have coded.
    for package in all_packages(settings.model_folders):
        if package.sha256.startswith(digest.hex()):
            return of_package(package)
    folders = ", ".join(str(folder) for folder in settings.model_folders)
    raise PackageError(
        f"These bytes need the model package with sha256 {digest.hex()}..., which is in none of"
        f" {folders}; put it into one of them, or name its folder in CYTOPRESS_MODELS."
    )


# Comparisons code every field with several architectures at several rates.
@functools.lru_cache(maxsize=16)
def _packaged(path: Path, sha256: str, weights: Weights, rate: int) -> Any:
    package, torch = weights.package, need("torch")
    assert package is not None
    model = mono(weights.architecture.name, **package.manifest["model"])
    names = {f"r{rate}/state/{name}": name for name in model.state_dict()}
    arrays = package.arrays(names)
    state = {name: torch.from_numpy(arrays[key]) for key, name in names.items()}
    return _ready(model, state, f"{path}, sha256 {sha256}")


def _ready(model: Any, state: dict[str, Any], source: str) -> Any:
    try:
        model.load_state_dict(state)
    except (RuntimeError, KeyError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise PackageError(f"{source}: the weights do not fit the network ({reason}).") from error
    model.update()
    return model.eval()


def _url(name: str, metric: str, quality: int) -> str:
    zoo = need("compressai.zoo.image_vbr" if BY_NAME[name].gains else "compressai.zoo.image")
    urls = zoo.model_urls[name][metric]
    return str(urls if BY_NAME[name].gains else urls[quality])


@functools.lru_cache(maxsize=4)
def _pretrained(name: str, url: str, folder: str) -> tuple[Any, bytes]:
    """Return a pretrained model and the digest of its state.

    The file is downloaded on first use, and kept in ``checkpoints`` in torch's ``folder``.
    """
    torch, zoo = need("torch"), need("compressai.zoo")
    state = _fetch(torch, url, f"{folder}/checkpoints")
    try:
        state = zoo.load_state_dict(state)
        digest = _digest(state)
        gains = BY_NAME[name].gains
        kind = need("compressai.zoo.image_vbr" if gains else "compressai.zoo.image")
        # As CompressAI's own loader does: the autoregressive one has no such option.
        extra = {"vr_entbttlnck": True} if gains and name != "mbt2018-vbr" else {}
        model = kind.model_architectures[name].from_state_dict(state, **extra)
        model.update()
    except (RuntimeError, KeyError, ValueError, AttributeError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise PackageError(f"{url} does not hold weights of {name} ({reason}).") from error
    return model.eval(), digest


def _fetch(torch: Any, url: str, folder: str) -> Any:
    try:
        # The loader prints to standard output, which may carry the user's data.
        with contextlib.redirect_stdout(sys.stderr):
            return torch.hub.load_state_dict_from_url(
                url, map_location="cpu", progress=False, weights_only=True
            )
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        raise NotAvailableError(
            f"Pretrained weights are not in {folder}, and {url} cannot be fetched ({error}); fetch"
            " it on a machine with internet and put it there, or set TORCH_HOME to a folder that"
            " holds hub/checkpoints."
        ) from error
    except (RuntimeError, pickle.UnpicklingError, EOFError, KeyError) as error:
        reason = str(error).partition("\n")[0]
        raise PackageError(
            f"The copy of {url} in {folder} is damaged ({reason}); delete it, and it is fetched"
            " again."
        ) from error


def _digest(state: dict[str, Any]) -> bytes:
    sha256 = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        sha256.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        sha256.update(tensor.contiguous().numpy().tobytes())
    return sha256.digest()[:DIGEST_BYTES]
