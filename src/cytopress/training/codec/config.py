"""Training file of a codec, as a checked config: read from TOML, unknown keys refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from cytopress.codecs.learned.compressai.architectures import BY_NAME
from cytopress.toml_table import TomlTable, parse_toml, read_text
from cytopress.training.codec.network_options import COMPRESSAI, Network
from cytopress.training.codec.source_table import SourceTable

# MS-SSIM also compares crops at a sixteenth of their resolution.
LEAST_CROP_MS_SSIM = 128


class Rate(TomlTable):
    """The rates: a list of lambdas, one network each, or gain units, one network for all.

    Lambda weighs the mean squared error, in units of (used range / 255) squared, against bits a
    pixel, as CompressAI does; with MS-SSIM it weighs 1 - MS-SSIM. With ``from_finer`` the network
    of the largest lambda is trained first, and each other one starts from the next finer one.
    ``prefer_coarse`` is the exponent of the qualities drawn in training: 1 draws all alike, larger
    ones draw coarse qualities more often.
    """

    lambdas: tuple[float, ...] = ()
    from_finer: bool = False
    gains: int = Field(default=0, ge=0, le=100)
    lambda_range: tuple[float, float] | None = None
    prefer_coarse: float = Field(default=1.0, ge=0.5, le=3.0)

    @model_validator(mode="after")
    def _one_of_two(self) -> Rate:
        if bool(self.lambdas) == bool(self.gains):
            raise ValueError("rate takes either lambdas or gains with lambda_range")
        if bool(self.gains) != (self.lambda_range is not None):
            raise ValueError("gains and lambda_range go together")
        if self.from_finer and self.gains:
            raise ValueError("from_finer goes with lambdas: gains are one network")
        if self.prefer_coarse != 1 and not self.gains:
            raise ValueError("prefer_coarse goes with gains: each lambda has a network of its own")
        if self.gains == 1:
            raise ValueError("gains = 1 is one rate: give it as lambdas instead")
        values = self.lambdas or self.lambda_range or ()
        if any(value <= 0 for value in values) or list(values) != sorted(set(values)):
            raise ValueError("lambdas are above 0 and increase")
        return self

    @property
    def networks(self) -> int:
        """How many networks are trained."""
        return len(self.lambdas) or 1

    @property
    def order(self) -> list[int]:
        """Return the networks in the order in which they are trained."""
        order = list(range(self.networks))
        return order[::-1] if self.from_finer else order

    def alone(self, index: int) -> Rate:
        """Return what one of the networks covers."""
        return Rate(lambdas=(self.lambdas[index],)) if self.lambdas else self

    @property
    def nodes(self) -> list[float]:
        """Return lambda at each gain node, or the one lambda of a network."""
        if self.lambda_range is None:
            return list(self.lambdas[:1])
        low, high = self.lambda_range
        return [low * (high / low) ** (node / (self.gains - 1)) for node in range(self.gains)]


class Loss(TomlTable):
    """The loss.

    ``domain = "stabilized"`` measures the distortion after the generalized Anscombe transform of
    each source's noise model, in units of the noise. ``balance`` weighs each crop by (lambda /
    largest lambda) to the power of minus it: at 0 high rates dominate. ``rdo`` is the weight of a
    squared quantization step in bits, in the choice of symbols; 0 rounds to the nearest integer.
    """

    distortion: Literal["mse", "ms-ssim"] = "mse"
    domain: Literal["raw", "stabilized"] = "raw"
    balance: float = Field(default=0.45, ge=0, le=1)
    rdo: float = Field(default=0.0, ge=0, le=100)


class Task(TomlTable):
    """A task whose frozen network adds to the distortion of pixels.

    ``layer`` is compared: the prediction, or the input features of the last layer. ``weight`` is
    the cost of an error as large as the layer's variance over the training images, in units of the
    squared error of pixels, (used range / 255) squared. ``pixels`` is the weight of the error of
    the pixels themselves.
    """

    name: str
    layer: Literal["output", "features"] = "output"
    weight: float = Field(default=100.0, gt=0, le=1e6)
    pixels: float = Field(default=1.0, ge=0, le=1)


class Fit(TomlTable):
    """The optimization. ``steps`` batches of ``batch`` crops of ``crop`` x ``crop`` pixels.

    Of volumes, crops are ``planes`` planes deep.

    The learning rate rises over the first hundred steps and falls along a cosine to zero at the
    last. Weights are averaged exponentially with ``average``; the average is what is exported.
    Every ``validate_every`` steps up to ``validate_fields`` held-out fields of each source are
    coded with true bytes, and a checkpoint is written. With ``from_finer``, ``coarser_steps`` are
    the steps of each network that starts from the next finer one; ``steps`` unless given.

    In the last ``integer_steps`` steps the decoder's weights and activations are rounded as those
    of the package will be (`rounding`); for packages of format 2.
    """

    steps: int = Field(ge=1)
    coarser_steps: int | None = Field(default=None, ge=1)
    batch: int = Field(default=8, ge=1)
    crop: int = Field(default=192, ge=64)
    planes: int = Field(default=1, ge=1, le=256)
    learning_rate: float = Field(default=1e-3, gt=0, lt=1)
    clip: float = Field(default=1.0, gt=0)
    average: float = Field(default=0.999, ge=0, lt=1)
    validate_every: int = Field(default=1000, ge=1)
    validate_fields: int = Field(default=2, ge=0)
    precision: Literal["float32", "bfloat16"] = "float32"
    threads: int = Field(default=2, ge=1)
    integer_steps: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _crop_fits(self) -> Fit:
        if self.crop % 32:
            raise ValueError(f"crop = {self.crop} must be a multiple of 32")
        return self

    @model_serializer(mode="wrap")
    def _without_what_is_not_meant(self, rest: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Runs and packages from before there were such options stay what they are.
        table: dict[str, Any] = rest(self)
        for key in ("planes", "coarser_steps", "integer_steps"):
            if key not in self.model_fields_set:
                table.pop(key, None)
        return table


# Options of augmentation that there once were not.
LATER = ("finer", "halved")


class Augmentation(TomlTable):
    """Augmentation, drawn anew for each crop; each number is the largest change.

    ``symmetry`` mirrors and transposes; ``gain`` changes the contrast, ``offset`` shifts it, in
    used ranges. In half of the crops, ``zoom`` enlarges or shrinks by up to a factor of 1 + zoom,
    or, with ``finer``, shrinks by up to 1 + finer; in half, white noise is added, of a standard
    deviation up to ``noise`` used ranges: other experiments have other noise and other sizes of
    detail. ``halved`` is the share of crops of planes at half the resolution, as ``scale=2`` codes
    them.
    """

    symmetry: bool = True
    gain: float = Field(default=0.15, ge=0, lt=1)
    offset: float = Field(default=0.04, ge=0, le=1)
    zoom: float = Field(default=0.0, ge=0, le=1)
    finer: float = Field(default=0.0, ge=0, le=7)
    noise: float = Field(default=0.0, ge=0, le=1)
    halved: float = Field(default=0.0, ge=0, le=1)

    @model_serializer(mode="wrap")
    def _without_what_is_not_meant(self, rest: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Runs and packages from before there was such an option stay what they are.
        table: dict[str, Any] = rest(self)
        return {key: value for key, value in table.items() if key not in LATER or value}


class CodecTraining(TomlTable):
    """One training of a codec: everything that decides its weights."""

    kind: Literal["codec"]
    name: str = Field(pattern=r"^(learned|compressai)/[a-z0-9][a-z0-9._-]*$")
    seed: int = Field(default=1, ge=0)
    init: str | None = None
    network: Network
    rate: Rate
    loss: Loss = Loss()
    task: Task | None = None
    fit: Fit
    augmentation: Augmentation = Augmentation()
    sources: tuple[SourceTable, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _named_after_its_runtime(self) -> CodecTraining:
        wanted = "learned/" if self.network.ours else COMPRESSAI
        if not self.name.startswith(wanted):
            raise ValueError(
                f"name = {self.name!r}: a package of {self.network.architecture} is named"
                f" {wanted}NAME"
            )
        return self

    def steps_of(self, index: int) -> int:
        """Return the steps of one of the networks, from 0, the coarsest."""
        fit = self.fit
        finest = index == self.rate.networks - 1
        return fit.steps if finest or fit.coarser_steps is None else fit.coarser_steps

    @model_validator(mode="after")
    def _parts_go_together(self) -> CodecTraining:
        if self.fit.coarser_steps is not None and not self.rate.from_finer:
            raise ValueError("coarser_steps of [fit] goes with from_finer = true of [rate]")
        if self.loss.distortion == "ms-ssim" and self.fit.crop < LEAST_CROP_MS_SSIM:
            raise ValueError(
                f"crop = {self.fit.crop}: MS-SSIM needs crops of at least {LEAST_CROP_MS_SSIM}"
            )
        made = self.augmentation
        changed = made.zoom or made.finer or made.noise or made.halved
        if self.loss.domain == "stabilized" and changed:
            raise ValueError(
                "domain = 'stabilized' needs the noise of the original images: set zoom, finer,"
                " noise and halved of [augmentation] to 0"
            )
        if self.task and (self.loss.distortion, self.loss.domain) != ("mse", "raw"):
            raise ValueError(
                "[task] goes with distortion = 'mse' in the 'raw' domain: its weight is in their"
                " units"
            )
        if self.network.ours:
            return self
        name = self.network.architecture
        if BY_NAME[name.removeprefix(COMPRESSAI)].gains != bool(self.rate.gains):
            wanted = "lambdas" if self.rate.gains else "gains with lambda_range"
            raise ValueError(f"{name} takes {wanted}: that is how its rate is set")
        if self.loss.rdo:
            raise ValueError(f"{name} takes no rdo")
        return self

    @model_validator(mode="after")
    def _crops_suit_the_network(self) -> CodecTraining:
        whole = 4 * self.network.stride if self.network.ours else 64
        if self.fit.crop % whole:
            raise ValueError(f"crop = {self.fit.crop} must be a multiple of {whole}")
        depth = self.network.slabs.stride
        if self.network.volumes and self.fit.planes % depth:
            raise ValueError(f"planes = {self.fit.planes} of [fit] must be a multiple of {depth}")
        if not self.network.volumes and self.fit.planes > 1:
            raise ValueError("planes of [fit] are for volumes: give the network a depth")
        if self.network.volumes and (self.task or self.loss.domain == "stabilized"):
            raise ValueError("a codec of volumes takes neither [task] nor domain = 'stabilized'")
        return self

    @model_validator(mode="after")
    def _integers_have_a_form(self) -> CodecTraining:
        one = self.rate.networks == 1
        if self.fit.integer_steps and not (one and self.network.has_integer_form):
            raise ValueError(
                "integer_steps of [fit] need one network with an integer form:"
                ' architecture = "context", transform = "separable" and gains'
            )
        return self

    @model_serializer(mode="wrap")
    def _without_what_is_not_asked_for(self, rest: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Runs and packages from before there were tasks stay what they are.
        table: dict[str, Any] = rest(self)
        return {key: value for key, value in table.items() if key != "task" or value is not None}

    @property
    def file_stem(self) -> str:
        """Name of the package's file: the codec's behind its slash; CompressAI's with it."""
        return self.name.removeprefix("learned/").replace("/", "-")


def read_codec_training(path: Path) -> CodecTraining:
    """Read and check a training file.

    Raises
    ------
    UsageError
        No such file, not TOML, an unknown key, a missing one or a value out of range.
    """
    return parse_toml(read_text(path), CodecTraining, str(path))
