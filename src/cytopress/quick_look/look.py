"""Quick look: one of several fields, through five codecs at four sizes, and advice on a target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from cytopress.callbacks import Progress, no_progress
from cytopress.codecs.targets.encodes import Encodes
from cytopress.codecs.targets.lossless_comparison import lossless_ratio
from cytopress.crop import busiest_square
from cytopress.errors import ImageError
from cytopress.image import Image
from cytopress.quick_look.advice import Advice, advise
from cytopress.quick_look.cells import Cell, CellMaker, Crop, cut, cut_prediction
from cytopress.quick_look.fields import PlaneSource
from cytopress.quick_look.properties import ImageProperties, image_properties
from cytopress.settings import Settings
from cytopress.tasks.protocol import Prediction, Task

# One of each way of coding: by a visual model, by the camera's noise, by wavelets, by a bound of
# every pixel's error, by a trained network.
CODECS = ("jpegxl", "anscombe-jpegxl", "htj2k", "jpegls", "learned/cytopress-2d")
FLOAT_CODECS = ("sperr", "sz3", "zfp", "lerc", "round-zstd")
LOSSY_TYPES = ("uint8", "uint16", "float32")
# Times smaller: four that follow each other, the first well beyond lossless coding.
SIZES = (5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560)
SIZES_SHOWN, BEYOND_LOSSLESS = 4, 1.5
# Edges, in pixels, of the part that is coded, of the pictures, and of the smallest image.
PART, CROP, SMALLEST = 1024, 160, 32


@dataclass(frozen=True, kw_only=True)
class QuickLook:
    """What a contact sheet shows.

    Parameters
    ----------
    title : str
        File, and channel of several.
    notes : tuple of str
        Which field, plane and part are shown.
    image, original : Image
        The part that is coded, and the ``crop`` of it that is shown.
    crop : tuple of slice
        Rows and columns of the pictures.
    lossless : (str, float)
        A lossless codec, and its compression ratio.
    properties, advice
        Of the image, among its fields.
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
    original: Image
    crop: Crop
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
    ``PART`` x ``PART`` pixels that show most.

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
        A field cannot be read, is smaller than ``SMALLEST`` pixels, or of a type that lossy codecs
        do not take.
    TaskError
        The task cannot predict from a plane.
    """
    measured, steps = [], len(fields) + len(CODECS) * SIZES_SHOWN
    for number, one in enumerate(fields):
        progress(number, steps, one.path.name)
        measured.append(image_properties(_checked(one)))
    at = sorted(range(len(fields)), key=lambda number: measured[number].signal)[len(fields) // 2]
    whole = fields[at].read()
    image = cut(whole, busiest_square(whole.pixels, PART))
    maker = CellMaker(
        image=image,
        crop=busiest_square(image.pixels, CROP),
        properties=measured[at],
        task=task,
        prediction=task.predict(image) if task else None,
        settings=settings,
    )
    lossless = lossless_ratio(Encodes(image))
    sizes, steps_done = _sizes(lossless[1]), count(len(fields) + 1)
    progress(len(fields), steps, "")
    rows = maker.rows(
        FLOAT_CODECS if image.dtype.kind == "f" else CODECS,
        sizes,
        lambda cell: progress(next(steps_done), steps, f"{cell.codec} {cell.size}x"),
    )
    return QuickLook(
        title=title,
        notes=(*_notes(fields[at], whole, image, len(fields)), *classic_ahead(rows)),
        image=image,
        original=cut(image, maker.crop),
        crop=maker.crop,
        lossless=lossless,
        properties=measured[at],
        advice=advise(measured[at], measured),
        sizes=sizes,
        rows=rows,
        task=task,
        prediction=cut_prediction(maker.prediction, maker.crop),
    )


def _sizes(lossless: float) -> tuple[int, ...]:
    beyond = [n for n, size in enumerate(SIZES) if size >= BEYOND_LOSSLESS * lossless]
    first = min([*beyond, len(SIZES) - SIZES_SHOWN])
    return SIZES[first : first + SIZES_SHOWN]


def _checked(source: PlaneSource) -> Image:
    image = source.read()
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


def classic_ahead(rows: Sequence[Sequence[Cell]]) -> list[str]:
    """Return where a classic codec loses less than the learned one at the same size.

    Parameters
    ----------
    rows : sequence of sequence of Cell
        Of each codec, a cell for each size.
    """
    notes = []
    for cells in zip(*rows, strict=True):
        coded = [cell for cell in cells if not cell.error]
        learned = [cell for cell in coded if cell.codec.startswith("learned/")]
        if not learned or len(coded) == len(learned):
            continue
        own = max(learned, key=lambda cell: cell.psnr)
        best = max((cell for cell in coded if cell not in learned), key=lambda cell: cell.psnr)
        if best.psnr > own.psnr:
            notes.append(
                f"at {own.size}x {best.codec} loses less than {own.codec}"
                f" ({best.psnr:.1f} against {own.psnr:.1f} dB)"
            )
    return notes


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
