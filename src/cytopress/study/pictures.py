"""Gallery pictures: the sections of a field that are kept, and their lossless bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cytopress.codecs.registry import decode
from cytopress.codecs.spec import codec
from cytopress.crop import busiest_square
from cytopress.digests import digest_bytes
from cytopress.image import Image, Pixels, Spacing
from cytopress.study.scoring import OriginalScores
from cytopress.study.trial import Preview, Section
from cytopress.tasks.objects import Objects
from cytopress.tasks.protocol import Prediction

Cut = tuple[slice | int, ...]


@dataclass(frozen=True)
class Place:
    """Place of a picture in a field: an index of the pixels that leaves two axes.

    ``transposed`` swaps these two: of a volume, (Z, Y) becomes (Y, Z).
    ``cross`` is the row and column of the picture at which the other sections cut it.
    """

    cut: Cut
    section: Section = "XY"
    transposed: bool = False
    cross: tuple[int, int] | None = None

    def of(self, pixels: Pixels) -> Pixels:
        """Return the picture of pixels of the field's shape; shape (rows, columns)."""
        found: Pixels = pixels[self.cut]
        return np.ascontiguousarray(found.T) if self.transposed else found

    def spacing(self, spacing_um: Spacing | None) -> Spacing | None:
        """Return the spacing of the picture's rows and columns."""
        if spacing_um is None:
            return None
        left = [size for size, at in zip(spacing_um, self.cut, strict=True) if type(at) is slice]
        return tuple(reversed(left)) if self.transposed else tuple(left)


def sections(truth: Image, size: int) -> tuple[Place, ...]:
    """Choose the sections to show: of a plane a square, of a volume three sections of a block.

    The square has ``size`` pixels, on a grid of half squares, and lies where the truth shows most;
    of a volume in the middle plane, with all planes above and below it, at most ``size``. The other
    two sections are cut at the row and column of the square where the truth varies most. The choice
    looks at the truth only, so every codec is shown there.
    """
    if truth.axes == "YX":
        return (Place(busiest_square(truth.pixels, size)),)
    planes = truth.shape[0]
    z = planes // 2
    rows, columns = busiest_square(truth.pixels[z], size)
    first = min(max(z - size // 2, 0), max(planes - size, 0))
    depth = slice(first, min(first + size, planes))
    block = truth.pixels[depth, rows, columns].astype(np.float64)
    y, x = int(block.std(axis=(0, 2)).argmax()), int(block.std(axis=(0, 1)).argmax())
    return (
        Place((z, rows, columns), "XY", cross=(y, x)),
        Place((depth, rows.start + y, columns), "XZ", cross=(z - first, x)),
        Place((depth, rows, columns.start + x), "YZ", transposed=True, cross=(y, z - first)),
    )


def picture_of(shown: Prediction | None, place: Place) -> Image | None:
    """Return a section of an image or of labeled objects; None for any other prediction."""
    if isinstance(shown, Image):
        pixels, spacing = shown.pixels, place.spacing(shown.spacing_um)
    elif isinstance(shown, Objects) and shown.count < 2**16:
        pixels, spacing = shown.labels.astype(np.uint16), None
    else:
        return None
    return Image(
        place.of(pixels),
        bits=shown.bits if isinstance(shown, Image) else 0,
        spacing_um=spacing,
        name=shown.name if isinstance(shown, Image) else "",
    )


def previews_of(
    original: Image,
    decoded: Image,
    truth: Image | None,
    originals: Sequence[OriginalScores],
    predictions: Mapping[str, Prediction],
    size: int,
) -> tuple[Preview, ...]:
    """Return the pictures of a trial: its images, and truth and predictions of its first variant.

    Parameters
    ----------
    original, decoded, truth : Image
        Of one field, of one shape; without a truth, the original shows which part to picture.
    originals : sequence of OriginalScores
        The tasks of the variant, with their predictions from the original.
    predictions : mapping
        The predictions from the decoded image, by the tasks' names.
    size : int
        Edge of a picture, in pixels.
    """
    wanted: list[tuple[str, str, Prediction | None]] = [
        ("original", "", original),
        ("decoded", "", decoded),
    ]
    for one in originals:
        name = one.task.name
        # Without a ground truth the reference is the prediction itself.
        if one.reference is not one.prediction:
            wanted.append(("truth", name, one.reference))
        wanted += [
            ("prediction", name, one.prediction),
            ("prediction-decoded", name, predictions.get(name)),
        ]
    if truth is not None and not originals:
        wanted.append(("truth", "", truth))
    places = sections(original if truth is None else truth, size)
    return tuple(
        Preview(kind=kind, task=task, image=picture, section=place.section, cross=place.cross)
        for kind, task, shown in wanted
        for place in places
        if (picture := picture_of(shown, place)) is not None
    )


def pack_picture(picture: Image) -> tuple[str, bytes]:
    """Return the digest and the lossless bytes of a picture."""
    spec = "zstd" if picture.dtype.kind == "f" else "jpegls"
    data = codec(spec).encode(picture)
    return digest_bytes(data), data


def unpack_picture(data: bytes) -> Image:
    """Return the picture of its bytes."""
    return decode(data)
