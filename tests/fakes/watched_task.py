"""A task that notes where it predicts, and may end its process."""

from __future__ import annotations

import os
import signal
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

from cytopress.digests import digest_image
from cytopress.image import Image
from cytopress.tasks.protocol import Prediction, Score, Truth


class Noted(NamedTuple):
    """One prediction: the process, the field's name, the digest of the image."""

    process: int
    field: str
    digest: str


@dataclass(frozen=True)
class Watched:
    """A task whose predictions leave a note each in a folder.

    On an image with fewer than ``fatal`` different values it kills its process, ``deaths`` times.
    """

    folder: Path
    fatal: int = 0
    deaths: int = 99

    name: ClassVar[str] = "fake/watched"
    weights: ClassVar[str] = "1" * 64
    scores: ClassVar[tuple[Score, ...]] = (Score("error", "counts", "lower"),)
    truth: ClassVar[Truth] = "none"

    def predict(self, image: Image) -> Prediction:
        note = f"{os.getpid()} {image.name} {digest_image(image)}"
        (self.folder / f"{uuid.uuid4()}.note").write_text(note)
        died = len(list(self.folder.glob("*.died")))
        if np.unique(image.pixels).size < self.fatal and died < self.deaths:
            (self.folder / f"{uuid.uuid4()}.died").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return image

    def score(
        self, prediction: Prediction, reference: Prediction, image: Image
    ) -> dict[str, float]:
        assert isinstance(prediction, Image)
        assert isinstance(reference, Image)
        error = prediction.pixels.astype(float) - reference.pixels
        return {"error": float(np.abs(error).mean())}

    def notes(self) -> list[Noted]:
        """Return all predictions so far."""
        parts = [path.read_text().split() for path in self.folder.glob("*.note")]
        return [Noted(int(process), field, digest) for process, field, digest in parts]
