"""Quick look: an image coded by five codecs at four sizes, measured and cut for a contact sheet."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from cytopress.callbacks import Progress, no_progress
from cytopress.codecs.registry import decode_own
from cytopress.codecs.spec import codec
from cytopress.codecs.targets.encodes import Encodes
from cytopress.codecs.targets.lossless_comparison import lossless_ratio
from cytopress.crop import busiest_square
from cytopress.errors import CodecError, ImageError, NotAvailableError, UsageError
from cytopress.image import Image, Pixels
from cytopress.metrics import metric
from cytopress.quick_look.advice import Advice, advise
from cytopress.quick_look.fields import PlaneSource
from cytopress.quick_look.properties import ImageProperties, image_properties
from cytopress.settings import Settings
from cytopress.tasks.objects import Objects
from cytopress.tasks.protocol import Prediction, Task

# One of each way of coding: by a visual model, by the camera's noise, by wavelets, by a bound of
# every pixel's error, by a trained network.
CODECS = ("jpegxl", "anscombe-jpegxl", "htj2k", "jpegls", "learned/cytopress-2d")
FLOAT_CODECS = ("sperr", "sz3", "zfp", "lerc", "round-zstd")
# Times smaller: four that follow each other, the first well beyond lossless coding.
SIZES = (5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560)
SIZES_SHOWN, BEYOND_LOSSLESS = 4, 1.5
# Edges, in pixels, of the part that is coded, of the pictures, and of the smallest image.
PART, CROP, SMALLEST = 1024, 160, 32
LOSSY_TYPES = ("uint8", "uint16", "float32")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One codec at one size. Without a decoded picture, ``error`` says why.

    ``psnr`` is in dB, ``sigma`` the root-mean-square error in units of the noise, ``score`` the
    task's main score against its prediction from the original.
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
class QuickLook:
    """What a contact sheet shows.

    Parameters
    ----------
    title : str
        File, and channel of several.
    notes : tuple of str
        Which plane and part are shown, and which fields were looked at.
    image : Image
        The part that is coded.
    crop : tuple of slice
        Rows and columns of its pictures.
    original : Image
        The part's picture.
    lossless : (str, float)
        A lossless codec, and its compression ratio.
    properties, advice
        Of the image.
    sizes : tuple of int
        Times smaller, of the columns.
    rows : tuple of tuple of Cell
        A row for each codec.
    task : Task, optional
        With its prediction from the original, ``prediction``.
    """

    title: str
    notes: tuple[str, ...]
    image: Image
    crop: tuple[slice, slice]
    original: Image
    lossless: tuple[str, float]
    properties: ImageProperties
    advice: Advice
    sizes: tuple[int, ...]
    rows: tuple[tuple[Cell, ...], ...]
    task: Task | None = None
    prediction: Prediction | None = None


def quick_look(
    fields: Sequence[PlaneSource],
    *,
    title: str,
    task: Task | None = None,
    settings: Settings | None = None,
    progress: Progress = no_progress,
) -> QuickLook:
    """Code one field with five codecs at four sizes, and advise on a target.

    Of several fields the one with the median share of signal is taken, of a large one the
    ``PART`` x ``PART`` pixels that show most. Codecs run in threads, as many as there are cores.

    Parameters
    ----------
    fields : sequence of PlaneSource
        Planes of one kind.
    title : str
        Shown on the sheet.
    task : Task, optional
        Predicts from the original and from every decoded image.
    settings : Settings, optional
        Folders of model packages.
    progress : callable, optional
        Called after each field and each cell.

    Raises
    ------
    ImageError
        A field cannot be read, or is smaller than ``SMALLEST`` pixels.
    TaskError
        The task cannot predict from a plane.
    """
    steps = len(fields) + len(CODECS) * SIZES_SHOWN
    measured = []
    for number, one in enumerate(fields):
        progress(number, steps, one.path.name)
        measured.append(image_properties(_checked(one.read(), one)))
    progress(len(fields), steps, "")
    order = sorted(range(len(fields)), key=lambda at: measured[at].signal)
    chosen = order[len(order) // 2]
    source, whole = fields[chosen], fields[chosen].read()
    part = busiest_square(whole.pixels, PART)
    image = _cut(whole, part)
    looked = _Look(
        image=image,
        crop=busiest_square(image.pixels, CROP),
        properties=measured[chosen],
        task=task,
        prediction=task.predict(image) if task else None,
        settings=settings,
    )
    lossless = lossless_ratio(image)
    first = next((n for n, s in enumerate(SIZES) if s >= BEYOND_LOSSLESS * lossless[1]), len(SIZES))
    first = min(first, len(SIZES) - SIZES_SHOWN)
    sizes = SIZES[first : first + SIZES_SHOWN]
    rows = looked.rows(sizes, partial(_count_from, progress, len(fields), steps))
    return QuickLook(
        title=title,
        notes=tuple(_notes(source, whole, image, len(fields))),
        image=image,
        crop=looked.crop,
        original=_cut(image, looked.crop),
        lossless=lossless,
        properties=measured[chosen],
        advice=advise(measured[chosen], measured),
        sizes=sizes,
        rows=rows,
        task=task,
        prediction=_cut_prediction(looked.prediction, looked.crop),
    )


@dataclass(frozen=True, kw_only=True)
class _Look:
    """The image, and what every cell needs."""

    image: Image
    crop: tuple[slice, slice]
    properties: ImageProperties
    task: Task | None
    prediction: Prediction | None
    settings: Settings | None
    done: list[None] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def rows(self, sizes: Sequence[int], step: Progress) -> tuple[tuple[Cell, ...], ...]:
        names = FLOAT_CODECS if self.image.dtype.kind == "f" else CODECS
        total = len(names) * len(sizes)

        def row(name: str) -> tuple[Cell, ...]:
            encodes, cells = Encodes(self.image), []
            for size in sizes:
                cells.append(self._cell(name, size, encodes))
                with self.lock:
                    self.done.append(None)
                    step(len(self.done), total, f"{name} {size}x")
            return tuple(cells)

        with ThreadPoolExecutor(min(os.cpu_count() or 1, len(names))) as threads:
            return tuple(threads.map(row, names))

    def _cell(self, name: str, size: int, encodes: Encodes) -> Cell:
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
            decoded=_cut(decoded, self.crop),
            prediction=_cut_prediction(prediction, self.crop),
            score=score,
        )

    def _predicted(self, decoded: Image) -> tuple[Prediction | None, float | None]:
        if self.task is None or self.prediction is None:
            return None, None
        prediction = self.task.predict(decoded)
        scores = self.task.score(prediction, self.prediction, decoded)
        return prediction, scores[self.task.scores[0].name]


def _count_from(
    progress: Progress, start: int, total: int, done: int, _cells: int, now: str
) -> None:
    progress(start + done, total, now)


def _checked(image: Image, source: PlaneSource) -> Image:
    if image.dtype.name not in LOSSY_TYPES:
        raise ImageError(
            f"{source.path}: a quick look is at lossy codecs, which take {', '.join(LOSSY_TYPES)}"
            f" and not {image.dtype.name}."
        )
    if min(image.shape) < SMALLEST:
        rows, columns = image.shape
        raise ImageError(
            f"{source.path}: a quick look needs at least {SMALLEST} x {SMALLEST} pixels, and the"
            f" image has {rows} x {columns}."
        )
    return image


def _cut(image: Image, crop: tuple[slice, slice]) -> Image:
    return Image(image.pixels[crop], bits=image.bits, spacing_um=image.spacing_um, name=image.name)


def _cut_prediction(prediction: Prediction | None, crop: tuple[slice, slice]) -> Prediction | None:
    """Return the part of a prediction that is shown; numbers stay as they are."""
    if isinstance(prediction, Image):
        return _cut(prediction, crop)
    if isinstance(prediction, Objects):
        labels: Pixels = prediction.labels[crop]
        return Objects(labels, prediction.area, prediction.intensity)
    return prediction


def _notes(source: PlaneSource, whole: Image, part: Image, fields: int) -> list[str]:
    notes = []
    if fields > 1:
        notes.append(f"{source.path.name}, the middle one of {fields} fields by their signal")
    if source.which:
        notes.append(source.which)
    if part.shape != whole.shape:
        sizes = [" x ".join(map(str, image.shape)) for image in (part, whole)]
        notes.append(f"the {sizes[0]} pixels that show most, of {sizes[1]}")
    return notes
