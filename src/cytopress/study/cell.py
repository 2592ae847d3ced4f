"""A cell: the identity of one trial, made of contents and never of names or paths.

Two cells are the same if the same pixels are coded in the same way and judged by the same numbers.
Renaming a study, a dataset or a field therefore runs nothing again; changing a pixel, a setting, a
yardstick or a model's weights does.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from cytopress.image import Image
from cytopress.metrics import NoiseModel

# Raised when trials or yardsticks are made or measured differently, so that old ones are not taken
# for new ones.
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Cell:
    """All that decides the result of a trial, times apart.

    Parameters
    ----------
    original, target : str
        Digests of the image that is coded and of the truth that predictions are held against.
    spec : str
        The codec, with its target and every yardstick written out.
    data_range : float
        What the metrics refer to, in counts.
    noise : (a, b, offset)
        The dataset's noise model, for the metrics in units of the noise.
    metrics : tuple of str
        Names of the pixel metrics.
    tasks : tuple of (name, weights)
        Every task with the sha256 of its weights.
    regime, trained_on : str
        What the tasks were trained on.
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
    tasks: tuple[tuple[str, str], ...]
    regime: str = "raw"
    trained_on: str = ""
    seed: int = 0
    preview: int = 0
    packages: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> str:
        """Hexadecimal sha256 of the cell as canonical JSON."""
        facts = asdict(self)
        if not self.packages:
            # Cells of codecs without packages keep the keys that they had before there were any.
            del facts["packages"]
        return digest_json({"format": FORMAT, **facts})

    @property
    def noise_model(self) -> NoiseModel:
        """The noise model of the dataset."""
        return NoiseModel(*self.noise)


def digest_json(value: object) -> str:
    """Return the hexadecimal sha256 of a value as canonical JSON: sorted keys, no spaces."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def digest_image(image: Image) -> str:
    """Return the hexadecimal sha256 of an image: its pixels and what they mean, not its name."""
    spacing = None if image.spacing_um is None else list(image.spacing_um)
    form = [image.axes, list(image.shape), image.dtype.str.lstrip("<>|="), image.bits, spacing]
    digest = hashlib.sha256(json.dumps(form).encode())
    little = image.dtype.newbyteorder("<")
    digest.update(image.pixels.astype(little, copy=False).data)
    return digest.hexdigest()
