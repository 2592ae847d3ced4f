"""CompressAI's architectures as codec families: ``compressai/NAME``."""

from __future__ import annotations

from dataclasses import dataclass

from cytopress.codecs.base import Traits
from cytopress.codecs.container.container import Options
from cytopress.codecs.learned.compressai.architectures import ARCHITECTURES, BY_NAME, FAMILY
from cytopress.codecs.learned.compressai.codec import CompressAI, traits
from cytopress.codecs.learned.compressai.weights import (
    DEFAULT,
    DIGEST_BYTES,
    ZOO,
    Weights,
    by_digest,
    choose,
)
from cytopress.errors import CorruptDataError, UnknownNameError, UsageError
from cytopress.settings import Settings, from_environment


@dataclass(frozen=True)
class CompressAIFamily:
    """A codec family: one of CompressAI's architectures, with any of its weights.

    Parameters
    ----------
    name : str
        Such as ``compressai/mbt2018-mean``.
    settings : Settings
        Says where packages are.
    weights : str
        ``zoo-mse``, ``zoo-ms-ssim``, or the name or path of a package. `traits` depends on it.
    """

    name: str
    settings: Settings
    weights: str = DEFAULT

    number = CompressAI.number
    options = ("weights", "quality")

    @property
    def traits(self) -> Traits:
        """Traits of its codecs; without a quality parameter where the zoo has no weights."""
        try:
            return traits(self._chosen())
        except UsageError:
            if self.weights != DEFAULT:
                raise
            return traits(None)

    def given(self, options: Options) -> CompressAIFamily:
        """Return the family with the weights of these options, if they name any."""
        weights = str(options.get("weights", self.weights))
        return CompressAIFamily(self.name, self.settings, weights)

    def from_options(self, options: Options) -> CompressAI:
        """Return the codec of options as in a spec string or a recipe."""
        if "model" in options:
            return restored(options, self.settings)
        quality = options.get("quality")
        return CompressAI(self.given(options)._chosen(), quality)  # noqa: SLF001 - its own kind

    def _chosen(self) -> Weights:
        return choose(BY_NAME[self.name.removeprefix(f"{FAMILY}/")], self.weights, self.settings)


def names() -> list[str]:
    """Return the name of every family, such as ``compressai/mbt2018``."""
    return [f"{FAMILY}/{architecture.name}" for architecture in ARCHITECTURES]


def family(name: str, settings: Settings | None = None) -> CompressAIFamily:
    """Return the family of this name.

    Raises
    ------
    UnknownNameError
        CompressAI has no such architecture.
    """
    if name not in names():
        raise UnknownNameError("codec", name, names())
    return CompressAIFamily(name, settings or from_environment())


def restored(options: Options, settings: Settings | None = None) -> CompressAI:
    """Return the codec of a recipe, as a container of number 33 holds it.

    Raises
    ------
    CorruptDataError
        The options are invalid.
    PackageError
        The package that coded is in none of the folders, or the zoo's weights have changed.
    NotAvailableError
        The extra ``learn`` is missing, or the zoo's weights cannot be fetched.
    """
    model, quality = options.get("model"), options.get("quality")
    unknown = options.keys() - {"model", "quality"}
    if unknown or not isinstance(model, bytes) or len(model) < DIGEST_BYTES:
        raise CorruptDataError(f"{FAMILY}: the file names no model.")
    digest, place = model[:DIGEST_BYTES], model[DIGEST_BYTES:].decode("utf-8", "replace")
    settings = settings or from_environment()
    if not place:
        return _codec(by_digest(digest, settings), quality)
    name, _, weights = place.partition("/")
    if name not in BY_NAME or not weights.startswith(ZOO):
        raise CorruptDataError(f"{FAMILY}: the file names an unknown model {place!r}.")
    codec = _codec(choose(BY_NAME[name], weights, settings), quality)
    codec.require(digest)
    return codec


def _codec(weights: Weights, quality: object) -> CompressAI:
    if not isinstance(quality, int | float | None):
        raise CorruptDataError(f"{FAMILY}: the file's quality is not a number.")
    try:
        return CompressAI(weights, quality)
    except UsageError as error:
        raise CorruptDataError(str(error)) from error
