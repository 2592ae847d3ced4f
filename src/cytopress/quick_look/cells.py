"""Cells of a quick look: one image coded by a codec to a size, decoded and measured."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from cytopress.codecs.registry import decode_own
from cytopress.codecs.spec import codec
from cytopress.codecs.targets.encodes import Encodes
from cytopress.errors import CodecError, NotAvailableError, UsageError
from cytopress.image import Image
from cytopress.metrics import metric
from cytopress.quick_look.properties import ImageProperties
from cytopress.settings import Settings
from cytopress.tasks.objects import Objects
from cytopress.tasks.protocol import Prediction, Task

Crop = tuple[slice, slice]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One codec at one size. Without a decoded picture, ``error`` says why.

    Parameters
    ----------
    codec : str
        Name of the codec.
    size : int
        Times smaller, as asked; ``ratio`` is what was reached.
    psnr, sigma : float
        PSNR in dB, and the root-mean-square error in units of the noise.
    decoded, prediction
        The crop that is shown; ``prediction`` is what a task finds in the decoded image.
    score : float, optional
        The task's main score, against its prediction from the original.
    """

    codec: str
    size: int
    coded_bytes: int = 0
    ratio: float = 0.0
    psnr: float = 0.0
    sigma: float = 0.0
    decoded: Image | None = None
    prediction: Prediction | None = None
    score: float | None = None
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class CellMaker:
    """An image with everything that its cells need; ``prediction`` is the task's from it."""

    image: Image
    crop: Crop
    properties: ImageProperties
    task: Task | None = None
    prediction: Prediction | None = None
    settings: Settings | None = None

    def rows(
        self, codecs: Sequence[str], sizes: Sequence[int], done: Callable[[Cell], None]
    ) -> tuple[tuple[Cell, ...], ...]:
        """Return a row of cells for each codec; ``done`` is called with every cell, one at a time.

        Codecs run in threads, as many as there are cores.
        """
        lock, stop = threading.Lock(), threading.Event()

        def row(name: str) -> tuple[Cell, ...]:
            return tuple(cells(name))

        def cells(name: str) -> Iterator[Cell]:
            encodes = Encodes(self.image)
            for size in sizes:
                if stop.is_set():
                    return
                cell = self.cell(name, size, encodes)
                with lock:
                    done(cell)
                yield cell

        with ThreadPoolExecutor(min(os.cpu_count() or 1, len(codecs))) as threads:
            try:
                return tuple(threads.map(row, codecs))
            except BaseException:
                # The other rows end at their next cell.
                stop.set()
                raise

    def cell(self, name: str, size: int, encodes: Encodes) -> Cell:
        """Code, decode, measure and predict. A codec that cannot reach the size says so."""
        image, scales = self.image, self.properties
        noise = scales.noise.model
        try:
            request = codec(f"{name}:ratio={size}", self.settings)
            request = request.with_reference_scales(scales.data_range, noise)
            data = request.solve(image, encodes).data
            decoded = decode_own(data, image, self.settings)
        except (CodecError, NotAvailableError, UsageError) as error:
            return Cell(codec=name, size=size, error=str(error))
        pair = image.pixels, decoded.pixels, scales.data_range
        prediction, score = self._predicted(decoded)
        return Cell(
            codec=name,
            size=size,
            coded_bytes=len(data),
            ratio=image.raw_bytes / len(data),
            psnr=metric("psnr")(*pair),
            sigma=metric("rmse_sigma", noise=noise)(*pair),
            decoded=cut(decoded, self.crop),
            prediction=cut_prediction(prediction, self.crop),
            score=score,
        )

    def _predicted(self, decoded: Image) -> tuple[Prediction | None, float | None]:
        if self.task is None or self.prediction is None:
            return None, None
        prediction = self.task.predict(decoded)
        scores = self.task.score(prediction, self.prediction, decoded)
        return prediction, scores[self.task.scores[0].name]


def cut(image: Image, crop: Crop) -> Image:
    """Return a part of a plane."""
    pixels = image.pixels[crop]
    return Image(pixels, bits=image.bits, spacing_um=image.spacing_um, name=image.name)


def cut_prediction(prediction: Prediction | None, crop: Crop) -> Prediction | None:
    """Return the part of a prediction that is shown; numbers stay as they are."""
    if isinstance(prediction, Image):
        return cut(prediction, crop)
    if isinstance(prediction, Objects):
        return Objects(prediction.labels[crop], prediction.area, prediction.intensity)
    return prediction
