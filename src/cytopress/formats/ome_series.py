"""OME-TIFF: series of pages matched with the ``Image`` elements that describe their planes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cytopress.errors import ImageError
from cytopress.formats.ome_xml import (
    OmeImage,
    OmeXml,
    SceneMetadata,
    is_ome_xml,
    parse_ome_xml,
)


@dataclass(frozen=True)
class Page:
    """A page of a series: the name of its file, and its number there (None where unknown)."""

    file: str
    number: int | None


def metadata_of(xml: OmeXml, page: Page, size: tuple[int, int], path: Path) -> SceneMetadata:
    """Return the metadata of the ``Image`` that a page belongs to (see `image_of`).

    Without one there are no values, and a note says why.
    """
    found = image_of(xml, page, size, path)
    if isinstance(found, OmeImage):
        return found.metadata
    return SceneMetadata({}, notes=(f"{found}, so its pixel size, bits and names are not used",))


def image_of(xml: OmeXml, page: Page, size: tuple[int, int], path: Path) -> OmeImage | str:
    """Return the ``Image`` that a page belongs to.

    Parameters
    ----------
    xml : OmeXml
        The file's metadata.
    page : Page
        Any page of the series.
    size : tuple of int
        Rows and columns of the series.
    path : Path
        The file.

    Returns
    -------
    OmeImage or str
        Why there is none, where no ``Image`` or several describe the page, or one of another size.
    """
    if not xml.images:
        return "its OME-XML describes no image"
    found = [image for image in xml.images if _describes(xml, image, page, path)]
    if not found and len(xml.images) == 1 and not xml.images[0].planes:
        found = list(xml.images)
    if not found:
        return f"its OME-XML describes the planes of other files ({_names(xml)})"
    if any(image.metadata != found[0].metadata for image in found):
        return f"{len(found)} images of its OME-XML describe this plane, and differ"
    if found[0].size != size:
        tall, wide = found[0].size
        return (
            f"its OME-XML describes an image of {tall} x {wide} pixels, not {size[0]} x {size[1]}"
        )
    return found[0]


def _describes(xml: OmeXml, image: OmeImage, page: Page, path: Path) -> bool:
    for planes in image.planes:
        own = _is_own(xml, planes.file, planes.uuid, path)
        name = path.name if own else planes.file
        if name.lower() != page.file.lower():
            continue
        if page.number is None or planes.holds(page.number):
            return True
    return False


def _is_own(xml: OmeXml, file: str, uuid: str, path: Path) -> bool:
    """Return whether planes are in the file that holds the XML, whatever its name is now."""
    if not file or (uuid and uuid == xml.uuid):
        return True
    # Without a UUID of its own, a file that was renamed is known by being the only one.
    return not xml.uuid and len(xml.files) == 1 and not (path.parent / file).exists()


def check_set(xml: OmeXml, path: Path) -> None:
    """Check that the other files of a multi-file OME-TIFF are those that its metadata mean.

    Raises
    ------
    ImageError
        A file of that name belongs to another set, by its UUID.
    """
    for name, uuid in xml.files.items():
        other = path.parent / name
        if not uuid or uuid == xml.uuid or other == path or not other.is_file():
            continue
        there = _xml_of(other)
        if there is None or there.uuid in ("", uuid) or there.companion:
            continue
        # Some programs give all files of a set the same XML with one UUID.
        if there.uuids != xml.uuids:
            raise ImageError(
                f"{path}: its metadata name {name} as a part (UUID {uuid}), but the file of that"
                f" name beside it is of another set ({there.uuid}); put the right one there."
            )


def _xml_of(path: Path) -> OmeXml | None:
    import tifffile

    try:
        with tifffile.TiffFile(path) as file:
            text = file.pages.first.description
        return parse_ome_xml(text) if is_ome_xml(text) else None
    # A damaged part is found on reading its planes.
    except Exception:  # noqa: BLE001
        return None


def absent_files(xml: OmeXml, path: Path) -> Sequence[str]:
    """Return the names of the files of a set that are not beside this one."""
    return [
        name
        for name, uuid in xml.files.items()
        if not _is_own(xml, name, uuid, path) and not (path.parent / name).exists()
    ]


def _names(xml: OmeXml) -> str:
    names = list(xml.files)
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "") or "none named"
