"""A cell: the identity of one trial, made of contents and never of names or paths.

Two cells are the same if the same pixels are coded in the same way and judged by the same numbers.
Renaming a study, a dataset or a field therefore runs nothing again; changing a pixel, a setting, a
yardstick or a model's weights does.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from cytopress.digests import digest_json
from cytopress.metrics import NoiseModel

# Raised when trials or yardsticks are made or measured differently, so that old ones are not taken
# for new ones.
FORMAT = 2


@dataclass(frozen=True, kw_only=True)
class ModelVariant:
    """What predicts in one row of the table: the tasks of one training regime and seed.

    Parameters
    ----------
    regime : str
        ``raw`` for models trained on originals, ``matched`` on what the cell's own codec gives
        back, ``cross`` on what another one does, ``mixed`` on several and the originals.
    trained_on : str
        The codec or codecs that the models were trained on, "" for originals.
    seed : int
        The training seed of the models.
    tasks : tuple of (name, weights)
        Every task with the sha256 of its weights.
    """

    regime: str = "raw"
    trained_on: str = ""
    seed: int = 0
    tasks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class TrialSpec:
    """All that decides the result of one coding of one field, times apart: a trial for each arm.

    Parameters
    ----------
    original, target, labels : str
        Digests of the image that is coded and of the truths that predictions are held against; ""
        where there are no labels.
    spec : str
        The codec, with its target and every yardstick written out.
    data_range : float
        What the metrics refer to, in counts.
    noise : (a, b, offset)
        The dataset's noise model, for the metrics in units of the noise.
    metrics : tuple of str
        Names of the pixel metrics.
    arms : tuple of Arm
        What predicts, at least one.
    seed : int
        The study's.
    preview : int
        Edge, in pixels, of the pictures that are kept; 0 for none.
    packages : tuple of (name, sha256)
        The model packages that the codec needs.
    """

    original: str
    target: str
    spec: str
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
        """Hexadecimal sha256 of the cell as canonical JSON."""
        facts = asdict(self)
        # "arms" is what the format calls them.
        return digest_json({"format": FORMAT, "arms": facts.pop("variants"), **facts})

    @property
    def noise_model(self) -> NoiseModel:
        """The noise model of the dataset."""
        return NoiseModel(*self.noise)
