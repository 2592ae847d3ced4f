"""Read image files: the only place that opens one. (First form: TIFF and PNG.)"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cytopress.errors import ImageError
from cytopress.image import Axes, Image
from cytopress.io.atomic import whole_file


def read(path: Path | str, *, axes: Axes | None = None) -> list[Image]:
    """Read every image in a file: one for each channel and time point."""
    path = Path(path)
    if path.suffix.lower() in (".tif", ".tiff"):
        import tifffile

        pixels = tifffile.imread(path)
    elif path.suffix.lower() == ".png":
        import imageio.v3 as imageio

        pixels = imageio.imread(path)
    else:
        raise ImageError(f"{path}: unknown file type.")
    return [Image(pixels, axes=axes or ("YX" if pixels.ndim == 2 else "ZYX"), name=path.stem)]


def write(path: Path | str, images: Sequence[Image]) -> None:
    """Write one image as OME-TIFF. (First form.)"""
    import tifffile

    path = Path(path)
    (image,) = images
    metadata: dict[str, object] = {"axes": image.axes, "SignificantBits": image.bits}
    for axis, size in zip(image.axes, image.spacing_um or (), strict=False):
        metadata[f"PhysicalSize{axis}"] = size
    with whole_file(path) as temporary:
        tifffile.imwrite(
            temporary,
            image.pixels,
            ome=True,
            photometric="minisblack",
            compression="zlib",
            metadata=metadata,
        )
