"""Trial spec: the identity of one coding of one field of view, by content alone.

Two trial specs are equal if the same pixels are coded in the same way and scored by the same
metrics and models. So renaming a study, a dataset or a field runs nothing again; changing a pixel,
a setting, a reference scale or the weights of a model does.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from cytopress.digests import digest_json
from cytopress.metrics import NoiseModel

# Raised when trials or reference scales are made or measured differently, so that old ones are not
# taken for new ones.
FORMAT = 2
# Fields whose name in the key's JSON is another: the key is a format, and stores hold it.
NAMES_IN_KEY = {"variants": "arms", "codec_spec": "spec"}


@dataclass(frozen=True, kw_only=True)
class ModelVariant:
    """The models of one training regime and one seed; each gives a row of the trial table.

    Parameters
    ----------
    regime : str
        What the models were trained on: ``raw`` for originals, ``matched`` for images decoded by
        the codec under test, ``cross`` for images decoded by another codec, ``mixed`` for several
        codecs and the originals.
    trained_on : str
        The codec or codecs that the models were trained on, "" for originals.
    seed : int
        Training seed of the models.
    tasks : tuple of (name, weights)
        Every task with the sha256 of its weights.
    """

    regime: str = "raw"
    trained_on: str = ""
    seed: int = 0
    tasks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class TrialSpec:
    """All that decides the result of one coding of one field, except for its run time.

    Parameters
    ----------
    original, target, labels : str
        Digests of the image that is coded and of the ground truths of the tasks; "" for a field
        without target or labels.
    codec_spec : str
        Spec string of the codec, with its target and every reference scale written out.
    data_range : float
        Data range of the metrics, in counts.
    noise : (a, b, offset)
        Noise model of the dataset, for metrics in units of the noise.
    metrics : tuple of str
        Names of the pixel metrics.
    variants : tuple of ModelVariant
        What predicts from original and decoded image, at least one.
    seed : int
        Seed of the study.
    preview : int
        Edge, in pixels, of the pictures that are kept; 0 for none.
    packages : tuple of (name, sha256)
        The model packages that the codec needs.
    """

    original: str
    target: str
    codec_spec: str
    data_range: float
    noise: tuple[float, float, float]
    metrics: tuple[str, ...]
    variants: tuple[ModelVariant, ...]
    labels: str = ""
    seed: int = 0
    preview: int = 0
    packages: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> str:
        """Hexadecimal sha256 of the trial spec as canonical JSON."""
        named = {NAMES_IN_KEY.get(name, name): value for name, value in asdict(self).items()}
        return digest_json({"format": FORMAT, **named})

    @property
    def noise_model(self) -> NoiseModel:
        """The noise model of the dataset."""
        return NoiseModel(*self.noise)
