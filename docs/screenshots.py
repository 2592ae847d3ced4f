"""Take the screenshots of the documentation, each at three widths, with Debian's chromium.

    python docs/screenshots.py            the contact sheet of a field of the demo, and the
                                          certificate of an archive of it
    python docs/screenshots.py demo-out   the page of a study, too

Run by hand where a page changed. Needs playwright (extra test).
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from PIL import Image as Picture
from playwright.sync_api import Browser, sync_playwright

import cytopress
from cytopress.archive.planning import make_plan
from cytopress.archive.run import run
from cytopress.archive.verify import verify
from cytopress.archive.wanted import Wanted
from cytopress.quick_look.fields import find_channels
from cytopress.quick_look.look import quick_look
from cytopress.report.contact_sheet import write_page

FOLDER = Path(__file__).with_name("pictures")
CHROMIUM = "/usr/bin/chromium"
# Widths of a phone, a half and a whole screen, with the height that is shown, in pixels.
SIZES = {420: 900, 900: 900, 1400: 1000}
# A certificate is read to its end.
CERTIFICATE_SIZES = {420: 1900, 1400: 1250}
COLORS = 96


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield found
        finally:
            found.close()


def screenshots(page: Path, name: str, sizes: dict[int, int] = SIZES) -> None:
    """Take the top of a page at each width: docs/pictures/NAME-WIDTH.png."""
    with browser() as opened:
        for width, height in sizes.items():
            view = opened.new_page(viewport={"width": width, "height": height})
            view.goto(page.absolute().as_uri())
            view.wait_for_load_state("networkidle")
            shot = Picture.open(io.BytesIO(view.screenshot())).convert("RGB")
            path = FOLDER / f"{name}-{width}.png"
            # Fewer colors make a smaller file.
            few = shot.quantize(
                COLORS, method=Picture.Quantize.MAXCOVERAGE, dither=Picture.Dither.NONE
            )
            few.save(path, optimize=True)
            print(path, path.stat().st_size)
            view.close()


def contact_sheet(folder: Path) -> Path:
    """Write the contact sheet of a field of the demo into a folder, and return its page."""
    cells = cytopress.dataset("scratch-assay")
    image, page = folder / "cells.ome.tif", folder / "contact-sheet.html"
    cytopress.write(image, [cells.read_input(cells.part("test")[0])])
    [fields] = find_channels(image).values()
    look = quick_look(fields, title=image.name, task=cytopress.task("labelfree/scratch-assay"))
    write_page([look], page, source=image.name)
    return page


def certificate(folder: Path) -> Path:
    """Archive three fields of the demo, verify them against their sources; return the page."""
    cells = cytopress.dataset("scratch-assay")
    sources, out = folder / "fields", folder / "scratch-assay"
    sources.mkdir()
    for number, field in enumerate(cells.part("test")[:3]):
        image = replace(cells.read_input(field), name="DIC")
        cytopress.write(sources / f"field {number}.ome.tif", [image])
    make_plan([sources], out, Wanted(codec="jpegls:sigma=0.7"))
    run(out)
    verify(out, depth="full", against=sources)
    return out / "cytopress" / "certificate.html"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        screenshots(contact_sheet(Path(folder)), "contact-sheet-page")
        screenshots(certificate(Path(folder)), "certificate-page", CERTIFICATE_SIZES)
    for study in sys.argv[1:]:
        screenshots(Path(study) / "report.html", "study-page")


if __name__ == "__main__":
    main()
